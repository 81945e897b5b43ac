"""Security groups, enforced by nftables where the VPC's router forwards.

A packet passes two base chains: the sender's groups (egress), then the receiver's (ingress). Groups are sets of addresses; an address in several
groups jumps to the rules of each in turn, which is AWS's union. The whole ruleset is one transaction, so no packet meets half of it, and connection
tracking outlives it: like AWS's tracked connections, established flows go on when their rule is revoked.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from lab.network.namespace import Network
from lab.network.process import CommandError, run

TABLE = "inet vpc"
MEMORY = 600  # seconds a refused flow is remembered
PORTS = frozenset({"tcp", "udp"})
PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "all": "-1"}


@dataclass(frozen=True)
class Rule:
    """One permission. ``direction`` is ingress or egress; ``protocol`` tcp, udp, icmp, a number or "-1"; ``peer`` an IPv4 CIDR or a group id.

    A peer of another kind (IPv6, prefix list) admits nobody: the lab has only IPv4 addresses.
    """

    group_id: str
    direction: str
    protocol: str
    from_port: int | None
    to_port: int | None
    peer: str


@dataclass(frozen=True)
class Reject:
    """Packets one side's groups refused in the last ten minutes: a flow log. ``direction`` egress = the sender's groups refused, ingress = the receiver's."""

    source: str
    destination: str
    protocol: str
    port: int
    packets: int
    direction: str


FlowKey = tuple[str, str, str, str, int]


def render(members: Mapping[str, Sequence[str]], rules: Iterable[Rule], open_addresses: Iterable[str]) -> str:
    """The nftables ruleset for these groups. Pure; equal input in any order gives equal text.

    An address in groups needs one egress rule (as sender) or one ingress rule (as receiver) of the union of its groups. Open addresses are in no group:
    they may send anything to whoever admits them, and receive anything. Any other address is cut off. Established flows always pass.
    """
    rules = sorted(set(rules), key=lambda rule: (rule.group_id, rule.direction, rule.protocol, str(rule.from_port), str(rule.to_port), rule.peer))
    groups = sorted({*members, *(rule.group_id for rule in rules), *(rule.peer for rule in rules if _is_group(rule.peer))})
    lines = [f"table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{"]
    for direction in ("egress", "ingress"):
        lines += _block(f"set refused_{direction}", _FLOWS)
    lines += _address_set("open", open_addresses)
    for group in groups:
        lines += _address_set(_identifier(group), members.get(group, ()))
    for direction, side, peer, priority in (("egress", "saddr", "daddr", -10), ("ingress", "daddr", "saddr", 0)):
        for group in groups:
            permissions = [rule for rule in rules if rule.group_id == group and rule.direction == direction]
            lines += _block(f"chain {direction}_{_identifier(group)}", [line for rule in permissions for line in _statements(rule, peer)])
        lines += _base_chain(direction, side, priority, groups)
    return "\n".join([*lines, "}", ""])


_FLOWS = [
    "type ipv4_addr . ipv4_addr . inet_proto . inet_service",
    "flags dynamic,timeout",
    f"timeout {MEMORY}s",
    "size 65535",
    "counter",
]


def _base_chain(direction: str, side: str, priority: int, groups: Sequence[str]) -> list[str]:
    """``accept`` ends only its own base chain, so a packet the sender's groups allow still meets the receiver's."""
    flow = "ip saddr . ip daddr . meta l4proto . th dport"
    return _block(
        f"chain {direction}",
        [
            f"type filter hook forward priority {priority}; policy drop;",
            "ct state established,related accept",
            f"ip {side} @open accept",
            *(f"ip {side} @{_identifier(group)} jump {direction}_{_identifier(group)}" for group in groups),
            f"meta l4proto {{ tcp, udp }} update @refused_{direction} {{ {flow} }} drop",
        ],
    )


def _statements(rule: Rule, peer: str) -> list[str]:
    """One accept per rule; none for a peer the lab has no addresses for."""
    source = _peer(rule.peer, peer)
    if source is None:
        return []
    protocol = PROTOCOLS.get(rule.protocol, rule.protocol)
    return [" ".join(part for part in (source, _service(protocol, rule), "accept") if part)]


def _peer(peer: str, side: str) -> str | None:
    if _is_group(peer):
        return f"ip {side} @{_identifier(peer)}"
    try:
        network = IPv4Network(peer, strict=False)
    except ValueError:
        return None
    return f"ip {side} {network}" if network.prefixlen else "meta nfproto ipv4"


def _service(protocol: str, rule: Rule) -> str:
    if protocol == "-1":
        return ""
    first, last = rule.from_port, rule.to_port
    if protocol == "icmp":
        return "meta l4proto icmp" if first in (None, -1) else f"icmp type {first}"
    if protocol not in PORTS:
        return f"meta l4proto {protocol}"
    if first in (None, -1):
        return f"meta l4proto {protocol}"
    return f"{protocol} dport {first}" if last in (None, first) else f"{protocol} dport {first}-{last}"


def _address_set(name: str, addresses: Iterable[str]) -> list[str]:
    elements = ", ".join(sorted(set(addresses)))
    return _block(f"set {name}", ["type ipv4_addr", *([f"elements = {{ {elements} }}"] if elements else [])])


def _block(head: str, body: Iterable[str]) -> list[str]:
    return [f"  {head} {{", *(f"    {line}" for line in body), "  }"]


def _is_group(peer: str) -> bool:
    return peer.startswith("sg-")


def _identifier(group: str) -> str:
    return re.sub(r"\W", "_", group)


class Firewall:
    """Keeps the router's ruleset equal to the groups last applied, and remembers refused flows across changes of it."""

    def __init__(self, network: Network) -> None:
        self._router = network.router
        self._lock = threading.Lock()
        self._text = ""
        self._refused: dict[FlowKey, tuple[float, int]] = {}

    def apply(self, members: Mapping[str, Sequence[str]], rules: Iterable[Rule], open_addresses: Iterable[str]) -> bool:
        """Enforce these groups, atomically. True when something changed."""
        text = render(members, rules, open_addresses)
        with self._lock:
            if text == self._text:
                return False
            self._remember()
            run(self._router.command(["nft", "-f", "-"]), text)
            self._text = text
        return True

    def rejects(self) -> list[Reject]:
        """Refused flows, most packets first. Empty before the first apply."""
        with self._lock:
            flows = merge(self._refused, self._current(), time.time() - MEMORY)
        found = [Reject(source, target, protocol, port, packets, side) for (side, source, target, protocol, port), (_, packets) in flows.items()]
        return sorted(found, key=lambda reject: (-reject.packets, reject.source, reject.destination, reject.port))

    def _remember(self) -> None:
        """A new ruleset starts with empty sets."""
        self._refused = merge(self._refused, self._current(), time.time() - MEMORY)

    def _current(self) -> dict[FlowKey, tuple[float, int]]:
        if not self._text:
            return {}
        try:
            listed = run(self._router.command(["nft", "-n", "-j", "list", "sets", "inet"]))
        except CommandError:  # the router is gone: nothing is refused any more
            return {}
        return parse_flows(json.loads(listed), time.time())


def parse_flows(listed: Mapping[str, Any], now: float) -> dict[FlowKey, tuple[float, int]]:
    """{flow: (last seen, packets)} from ``nft -j list sets``."""
    flows: dict[FlowKey, tuple[float, int]] = {}
    for item in listed["nftables"]:
        found = item.get("set", {})
        side = str(found.get("name", "")).removeprefix("refused_")
        if side not in ("egress", "ingress"):
            continue
        for element in (entry["elem"] for entry in found.get("elem", [])):
            source, target, protocol, port = element["val"]["concat"]
            seen = now - MEMORY + element.get("expires", MEMORY)
            flows[side, source, target, PROTOCOLS.get(str(protocol), str(protocol)), int(port)] = (seen, element["counter"]["packets"])
    return flows


def merge(old: Mapping[FlowKey, tuple[float, int]], new: Mapping[FlowKey, tuple[float, int]], horizon: float) -> dict[FlowKey, tuple[float, int]]:
    """Both counts together, without flows last seen before the horizon."""
    result = dict(old)
    for key, (seen, packets) in new.items():
        result[key] = (seen, packets + result.get(key, (0, 0))[1])
    return {key: value for key, value in result.items() if value[0] >= horizon}
