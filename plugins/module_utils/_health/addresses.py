# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""At which addresses a load balancer is asked."""

from __future__ import annotations

import socket
import typing as t

from .model import Json


def node_addresses(balancer: Json, cards: t.Sequence[Json], by_proxy: bool, ipv6: t.Callable[[str], bool]) -> list[str]:
    """Where the load balancer's nodes are reached: by public addresses where they exist and no proxy (which is inside) is used.

    ``dualstack-without-public-ipv4`` has public IPv6 addresses only. IPv6 addresses count where this machine has IPv6 at all: not having it says nothing
    about the system. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#ip-address-type
    """
    outside, kind = balancer.get("Scheme") == "internet-facing" and not by_proxy, str(balancer.get("IpAddressType", "ipv4"))
    found: list[str] = []
    for card in cards:
        public = (card.get("Association") or {}).get("PublicIp")
        if not outside or kind != "dualstack-without-public-ipv4":
            found.append(str(public if outside and public else card["PrivateIpAddress"]))
        if not by_proxy and kind != "ipv4":
            found += [str(entry["Ipv6Address"]) for entry in card.get("Ipv6Addresses", []) if ipv6(str(entry["Ipv6Address"]))]
    return sorted(set(found))


def ipv6_works(address: str) -> bool:
    """Whether this machine has a route there; connecting a UDP socket sends nothing."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.connect((address, 443))
    except OSError:
        return False
    return True


def resolve(name: str, by_proxy: bool) -> list[str]:
    """The addresses of a DNS name; a proxy resolves it itself."""
    if by_proxy or not name:
        return [name] if name else []
    try:
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)})
    except OSError:
        return [name]
