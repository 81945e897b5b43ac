"""How a user reaches the shop: asks the lab's resolver, keeps the answer for its TTL and no longer, remembers which address served."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import dns.asyncresolver
import dns.exception
from aiohttp.abc import AbstractResolver, ResolveResult

Answered = Callable[[list[str], float], None]

# Less than any server's idle timeout here, so that the client closes first and never sends on a connection the server is closing.
IDLE = 15.0


class TtlResolver(AbstractResolver):
    """Honours the TTL of each answer. aiohttp's own cache and the system's resolver do not."""

    def __init__(self, server: str, port: int, answered: Answered) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [server]
        self._resolver.port = port
        self._resolver.lifetime = 5.0
        self._answered = answered
        self._cache: dict[str, tuple[float, list[str]]] = {}

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:  # noqa: ARG002
        expires, addresses = self._cache.get(host, (0.0, []))
        if expires <= time.monotonic():
            addresses = await self._ask(host)
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        self._cache.clear()

    async def _ask(self, host: str) -> list[str]:
        try:
            answer = await self._resolver.resolve(host, "A")
        except dns.exception.DNSException as error:
            raise OSError(f"{host} does not resolve: {error}") from error
        rrset = answer.rrset or ()
        addresses = [record.address for record in rrset]
        ttl = float(answer.rrset.ttl) if answer.rrset is not None else 0.0
        self._cache[host] = (time.monotonic() + ttl, addresses)
        self._answered(addresses, ttl)
        return addresses


class Connector(aiohttp.TCPConnector):
    """One connection for one user. :attr:`address` is the peer of the connection last used, None while there is none."""

    address: str | None = None

    def __init__(self, resolver: AbstractResolver, tls: Any, keep_alive: bool) -> None:
        options: dict[str, Any] = {"keepalive_timeout": IDLE} if keep_alive else {"force_close": True}
        super().__init__(resolver=resolver, use_dns_cache=False, family=socket.AF_INET, limit=1, ssl=tls, **options)

    async def connect(self, *arguments: Any, **options: Any) -> Any:
        self.address = None
        connection = await super().connect(*arguments, **options)
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        self.address = peer[0] if peer else None
        return connection


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST)
