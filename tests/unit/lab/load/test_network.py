"""The client follows DNS as the TTL says, not earlier and not later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from dnslib import QTYPE, RCODE, RR, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer
from lab.load.network import TtlResolver


class Zone(BaseResolver):
    """Answers one name with an address that a test may change."""

    def __init__(self) -> None:
        self.address, self.ttl, self.queries = "10.20.0.10", 60, 0

    def resolve(self, request, handler):  # type: ignore[no-untyped-def] # noqa: ARG002
        self.queries += 1
        reply = request.reply()
        if str(request.q.qname) == "shop.example.test.":
            reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(self.address), ttl=self.ttl))
        else:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


@pytest.fixture
def zone() -> Iterator[tuple[Zone, int]]:
    zone = Zone()
    server = DNSServer(zone, address="127.0.0.1", port=0, logger=DNSLogger(log="-"))
    server.start_thread()
    yield zone, server.server.server_address[1]
    server.stop()
    server.server.server_close()


def ignore(*answered: object) -> None:
    """For tests that do not look at what was answered."""


def addresses(resolver: TtlResolver) -> list[str]:
    return [result["host"] for result in asyncio.run(resolver.resolve("shop.example.test", 443))]


def test_answer_is_kept_for_its_ttl(zone: tuple[Zone, int]) -> None:
    answered: list[tuple[list[str], float]] = []
    resolver = TtlResolver("127.0.0.1", zone[1], lambda found, ttl: answered.append((found, ttl)))
    assert addresses(resolver) == ["10.20.0.10"]
    zone[0].address = "10.20.0.20"
    assert addresses(resolver) == ["10.20.0.10"]
    assert (zone[0].queries, answered) == (1, [(["10.20.0.10"], 60.0)])


def test_answer_is_not_kept_longer(zone: tuple[Zone, int]) -> None:
    resolver = TtlResolver("127.0.0.1", zone[1], ignore)
    zone[0].ttl = 0
    assert addresses(resolver) == ["10.20.0.10"]
    zone[0].address = "10.20.0.20"
    assert addresses(resolver) == ["10.20.0.20"]


def test_unknown_name_is_a_connection_error(zone: tuple[Zone, int]) -> None:
    resolver = TtlResolver("127.0.0.1", zone[1], ignore)
    with pytest.raises(OSError, match=r"other\.example\.test does not resolve"):
        asyncio.run(resolver.resolve("other.example.test"))
