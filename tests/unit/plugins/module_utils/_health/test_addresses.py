"""At which addresses a load balancer is asked."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health.addresses import ipv6_works, node_addresses

CARDS: list[dict[str, t.Any]] = [
    {"PrivateIpAddress": "10.0.0.1", "Association": {"PublicIp": "192.0.2.1"}, "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}]},
    {"PrivateIpAddress": "10.0.0.2", "Association": {"PublicIp": "192.0.2.2"}, "Ipv6Addresses": [{"Ipv6Address": "2001:db8::2"}]},
]
PUBLIC, PRIVATE, SIX = ["192.0.2.1", "192.0.2.2"], ["10.0.0.1", "10.0.0.2"], ["2001:db8::1", "2001:db8::2"]


@pytest.mark.parametrize(
    ("scheme", "kind", "proxy", "ipv6", "expected"),
    [
        ("internet-facing", "ipv4", False, True, PUBLIC),
        ("internal", "ipv4", False, True, PRIVATE),
        ("internet-facing", "ipv4", True, True, PRIVATE),
        ("internet-facing", "dualstack", False, True, [*PUBLIC, *SIX]),
        ("internet-facing", "dualstack", False, False, PUBLIC),
        ("internet-facing", "dualstack", True, True, PRIVATE),
        ("internal", "dualstack", False, True, [*PRIVATE, *SIX]),
        ("internet-facing", "dualstack-without-public-ipv4", False, True, SIX),
        ("internet-facing", "dualstack-without-public-ipv4", False, False, []),
    ],
)
def test_addresses(scheme: str, kind: str, proxy: bool, ipv6: bool, expected: list[str]) -> None:
    assert node_addresses({"Scheme": scheme, "IpAddressType": kind}, CARDS, proxy, lambda _address: ipv6) == sorted(expected)


def test_a_machine_has_ipv6_where_it_has_a_route() -> None:
    assert ipv6_works("::1")
    assert not ipv6_works("no address")
