"""Security groups, enforced by nftables where the VPC's router forwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab.network.namespace import Network


@dataclass(frozen=True)
class Rule:
    """One permission. ``direction`` is ingress or egress; ``protocol`` tcp, udp, icmp, a number or "-1"; ``peer`` an IPv4 CIDR or a group id."""

    group_id: str
    direction: str
    protocol: str
    from_port: int | None
    to_port: int | None
    peer: str


@dataclass(frozen=True)
class Reject:
    """Packets one security group refused in the last ten minutes: a flow log. ``direction`` says whose group refused: the sender's (egress) or the receiver's."""

    source: str
    destination: str
    protocol: str
    port: int
    packets: int
    direction: str


def render(members: Mapping[str, Sequence[str]], rules: Sequence[Rule], open_addresses: Iterable[str]) -> str:
    """The nftables ruleset for these groups. Pure; equal input in any order gives equal text.

    An address in groups needs one egress rule (as sender) or one ingress rule (as receiver) of the union of its groups. Open addresses are in no group:
    they may send anything to whoever admits them, and receive anything. Any other address is cut off. Established flows always pass.
    """
    raise NotImplementedError


class Firewall:
    def __init__(self, network: Network) -> None:
        raise NotImplementedError

    def apply(self, members: Mapping[str, Sequence[str]], rules: Sequence[Rule], open_addresses: Iterable[str]) -> bool:
        """Enforce these groups, atomically. True when something changed."""
        raise NotImplementedError

    def rejects(self) -> list[Reject]:
        """Refused flows, most packets first. Empty before the first apply."""
        raise NotImplementedError
