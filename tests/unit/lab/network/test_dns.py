"""Answers of the VPC's resolver."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import pytest
from lab.network.dns import Answer, DnsServer, respond
from lab.network.namespace import Namespace

NAMES = {
    "lb.test": Answer(["10.20.0.10", "10.20.0.20"], ttl=3.4),
    "shop.test": Answer(cname="lb.test", ttl=60),
    "away.test": Answer(cname="elsewhere.invalid"),
    "loop.test": Answer(cname="loop.test"),
    "text.test": Answer(text=["v=1"]),
    "six.test": Answer(["fd00::1"]),
    "big.test": Answer([f"10.0.0.{number}" for number in range(200)]),
}


def answer(name: str, qtype: str) -> Answer | None:
    if name == "broken.test":
        raise LookupError(qtype)
    return NAMES.get(name)


@pytest.fixture
def server() -> DnsServer:
    return DnsServer(Namespace("none"), "10.20.0.2", answer)


def ask(server: DnsServer, name: str, qtype: str = "A", limit: int = 512) -> dns.message.Message:
    reply = server.reply(dns.message.make_query(name, qtype).to_wire(), "10.20.9.9", limit)
    assert reply is not None
    return dns.message.from_wire(reply)


def values(message: dns.message.Message) -> list[str]:
    return [str(item) for rrset in message.answer for item in rrset]


def test_addresses_with_their_ttl(server: DnsServer) -> None:
    message = ask(server, "LB.test")
    assert values(message) == ["10.20.0.10", "10.20.0.20"]
    assert message.answer[0].ttl == 3


def test_an_alias_is_followed(server: DnsServer) -> None:
    assert values(ask(server, "shop.test")) == ["lb.test.", "10.20.0.10", "10.20.0.20"]


def test_an_alias_asked_for_itself_is_not(server: DnsServer) -> None:
    assert values(ask(server, "shop.test", "CNAME")) == ["lb.test."]


def test_an_alias_to_a_name_unknown_here_is_answered_alone(server: DnsServer) -> None:
    message = ask(server, "away.test")
    assert (message.rcode(), values(message)) == (dns.rcode.NOERROR, ["elsewhere.invalid."])


@pytest.mark.parametrize(
    ("name", "qtype", "rcode", "expected"),
    [
        ("nobody.test", "A", dns.rcode.NXDOMAIN, []),
        ("lb.test", "AAAA", dns.rcode.NOERROR, []),
        ("six.test", "AAAA", dns.rcode.NOERROR, ["fd00::1"]),
        ("six.test", "A", dns.rcode.NOERROR, []),
        ("text.test", "TXT", dns.rcode.NOERROR, ['"v=1"']),
        ("loop.test", "A", dns.rcode.SERVFAIL, []),
        ("broken.test", "A", dns.rcode.SERVFAIL, []),
    ],
)
def test_codes(server: DnsServer, name: str, qtype: str, rcode: int, expected: list[str]) -> None:
    message = ask(server, name, qtype)
    assert (message.rcode(), values(message)) == (rcode, expected)


def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp(server: DnsServer) -> None:
    cut = ask(server, "big.test")
    assert cut.flags & dns.flags.TC
    assert values(cut) == []
    assert len(values(ask(server, "big.test", limit=0))) == 200


def test_a_client_that_takes_more_over_udp_gets_more(server: DnsServer) -> None:
    wire = dns.message.make_query("big.test", "A", use_edns=0, payload=4096).to_wire()
    reply = server.reply(wire, "10.20.9.9", 512)
    assert reply is not None
    assert len(values(dns.message.from_wire(reply))) == 200


def test_every_query_is_logged(server: DnsServer) -> None:
    ask(server, "Shop.test")
    ask(server, "nobody.test")
    assert [(query.client, query.name, query.qtype, query.rcode) for query in server.log] == [
        ("10.20.9.9", "shop.test", "A", "NOERROR"),
        ("10.20.9.9", "nobody.test", "A", "NXDOMAIN"),
    ]
    assert server.log[0].values == ("lb.test.", "10.20.0.10", "10.20.0.20")


@pytest.mark.parametrize("wire", [b"", b"junk", dns.message.make_response(dns.message.make_query("lb.test", "A")).to_wire()], ids=["empty", "junk", "an answer"])
def test_what_is_no_query_is_not_answered(server: DnsServer, wire: bytes) -> None:
    assert server.reply(wire, "10.20.9.9", 512) is None


def test_respond_asks_in_lower_case_without_the_final_dot() -> None:
    asked = []
    respond("A.Test.", "A", lambda name, qtype: asked.append((name, qtype)))
    assert asked == [("a.test", "A")]
