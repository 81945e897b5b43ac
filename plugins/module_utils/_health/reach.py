# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Who can reach whom by security groups: True, False, or None when a rule cannot be resolved here. ``reach_acl`` adds network ACLs, ``reach_out`` routes."""

from __future__ import annotations

import ipaddress
import typing as t

from .model import Json, Network


def admitted(network: Network, groups: t.Sequence[str], port: int, peers: t.Collection[str], addresses: t.Sequence[str] = ()) -> bool | None:
    """May ``peers`` (groups) or ``addresses`` (IPs or CIDRs) connect to something in ``groups`` on TCP ``port``? Groups add up."""
    return _any_group(network, groups, "IpPermissions", port, peers, addresses)


def let_out(network: Network, groups: t.Sequence[str], port: int, peers: t.Collection[str], addresses: t.Sequence[str] = ()) -> bool | None:
    """May something in ``groups`` connect to ``peers`` or ``addresses`` on TCP ``port``?"""
    return _any_group(network, groups, "IpPermissionsEgress", port, peers, addresses)


def _any_group(network: Network, groups: t.Sequence[str], side: str, port: int, peers: t.Collection[str], addresses: t.Sequence[str]) -> bool | None:
    answers = [_allows(network.security_groups[group].get(side, []), port, peers, addresses) if group in network.security_groups else None for group in groups]
    if any(answers):
        return True
    return None if None in answers or not answers else False


def _allows(rules: t.Iterable[Json], port: int, peers: t.Collection[str], addresses: t.Sequence[str]) -> bool | None:
    unknown = False
    for rule in rules:
        if not _covers(rule, port):
            continue
        if any(pair.get("GroupId") in peers for pair in rule.get("UserIdGroupPairs", [])) or _cidr_matches(rule, addresses):
            return True
        # The entries of a prefix list are not read; an address given as a CIDR rule cannot be compared without the peer's address.
        unknown = unknown or bool(rule.get("PrefixListIds")) or (bool(_cidrs(rule)) and not addresses)
    return None if unknown else False


def _covers(rule: Json, port: int) -> bool:
    protocol = str(rule.get("IpProtocol", "-1"))
    if protocol == "-1":
        return True
    return protocol in ("tcp", "6") and int(rule.get("FromPort", 0)) <= port <= int(rule.get("ToPort", 65535))


def _cidrs(rule: Json) -> list[str]:
    return [entry["CidrIp"] for entry in rule.get("IpRanges", [])] + [entry["CidrIpv6"] for entry in rule.get("Ipv6Ranges", [])]


def _cidr_matches(rule: Json, addresses: t.Sequence[str]) -> bool:
    return any(overlaps(cidr, address) for cidr in _cidrs(rule) for address in addresses)


def overlaps(cidr: str, address: str) -> bool:
    """An overlap counts as admitted: better to miss a cause than to name a wrong one."""
    try:
        left, right = ipaddress.ip_network(cidr, strict=False), ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    return left.version == right.version and left.overlaps(right)


def store_admits(network: Network, store: Json, groups: t.Sequence[str], addresses: t.Sequence[str]) -> bool | None:
    """Do the groups of a database or cache admit the tasks on its port, and do the tasks' groups let them out?"""
    if not store.get("groups"):
        return None
    inward = admitted(network, store["groups"], int(store["port"]), groups, addresses)
    outward = let_out(network, groups, int(store["port"]), store["groups"], store.get("addresses") or ("0.0.0.0/0",))
    if False in (inward, outward):
        return False
    return True if inward and outward else None
