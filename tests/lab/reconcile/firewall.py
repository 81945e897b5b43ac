"""Security groups -> packets: who is in which group, and what the groups admit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.network.firewall import Firewall, Rule
from lab.reconcile.world import World
from lab.settings import CLIENT, OPERATOR, RESOLVER

OPEN = (OPERATOR, CLIENT, RESOLVER)  # people and the resolver: in no group, admitted where a rule names their address


class SecurityGroups:
    name = "firewall"

    def __init__(self, world: World) -> None:
        self._world = world
        self.firewall = Firewall(world.network)

    def tick(self) -> None:
        with self._world.state():
            ec2 = self._world.backend("ec2")
            members = _members(ec2.enis.values())
            rules = list(_rules(_groups(ec2)))
        self.firewall.apply(members, rules, OPEN)


def _members(enis: Iterable[Any]) -> dict[str, list[str]]:
    """group id -> addresses of the interfaces in it (an instance's groups count for its interfaces)."""
    members: dict[str, list[str]] = {}
    for eni in enis:
        for group in eni.group_set:
            members.setdefault(group.id, []).extend(item["PrivateIpAddress"] for item in eni.private_ip_addresses)
    return members


def _groups(ec2: Any) -> Iterator[Any]:
    for groups in ec2.groups.values():
        yield from groups.values()


def _rules(groups: Iterable[Any]) -> Iterator[Rule]:
    for group in groups:
        for direction, permissions in (("ingress", group.ingress_rules), ("egress", group.egress_rules)):
            for rule in permissions:
                peer = rule.source_group.get("GroupId") or rule.ip_range.get("CidrIp")
                if peer:
                    yield Rule(group.id, direction, rule.ip_protocol or "-1", rule.from_port, rule.to_port, peer)
