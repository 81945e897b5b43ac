# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What network ACLs let through. They are stateless: the answer needs a rule of its own, to a port that the client's kernel chose."""

from __future__ import annotations

import ipaddress
import typing as t

from .model import Json, Network
from .reach import overlaps

# Load balancer nodes and Linux choose ports within 1024-65535. One in the middle stands for all.
EPHEMERAL_PORT = 49152


class End(t.NamedTuple):
    """One end of a connection: its subnet, and its address (or, while that is not known, the subnet's block)."""

    subnet: str
    address: str


def lets_through(network: Network, subnet: str, address: str, port: int, egress: bool) -> bool | None:
    """Does the subnet's network ACL let TCP ``port`` from (or to) ``address`` through? Lowest rule number wins; no match is a denial.

    ``address`` may be a block. Then a rule that allows counts for any part of it, and one that denies only for all of it: better to miss a
    cause than to name a wrong one.
    """
    acl = next((acl for acl in network.network_acls if any(link.get("SubnetId") == subnet for link in acl.get("Associations", []))), None)
    if acl is None:
        return None
    entries = sorted((entry for entry in acl.get("Entries", []) if bool(entry.get("Egress")) == egress), key=lambda entry: int(entry["RuleNumber"]))
    for entry in entries:
        allows = entry.get("RuleAction") == "allow"
        if _covers_port(entry, port) and _matches(str(entry.get("CidrBlock") or entry.get("Ipv6CidrBlock") or "0.0.0.0/0"), address, allows):
            return allows
    return False


def _covers_port(entry: Json, port: int) -> bool:
    protocol, span = str(entry.get("Protocol", "-1")), entry.get("PortRange")
    if protocol == "-1":
        return True
    return protocol == "6" and (not span or int(span["From"]) <= port <= int(span["To"]))


def _matches(cidr: str, address: str, partly: bool) -> bool:
    if partly:
        return overlaps(cidr, address)
    try:
        rule, asked = ipaddress.ip_network(cidr, strict=False), ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    return rule.version == asked.version and rule.prefixlen <= asked.prefixlen and asked.network_address in rule


def blocks(network: Network, client: End, server: End, port: int) -> str | None:
    """The network ACL that stops a connection or its answer, in words; None when none does or it is unknown. Within one subnet ACLs do not apply."""
    if client.subnet == server.subnet:
        return None
    return blocks_end(network, client.subnet, server.address, port, as_client=True) or blocks_end(network, server.subnet, client.address, port, as_client=False)


def blocks_end(network: Network, subnet: str, peer: str, port: int, as_client: bool) -> str | None:
    """One end of it: as a client the connection leaves and the answer comes in, as a server the other way round."""
    to, of = ("to", "from") if as_client else ("from", "to")
    if lets_through(network, subnet, peer, port, egress=as_client) is False:
        return f"the network ACL of {subnet} stops TCP {port} {to} {peer}"
    if lets_through(network, subnet, peer, EPHEMERAL_PORT, egress=not as_client) is False:
        return f"the network ACL of {subnet} stops the answers {of} {peer} (ephemeral ports)"
    return None
