# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Amazon VPC's quotas: network interfaces of the region, rules of a security group. fargate-rules.md 8 Quotas

Groups per interface need no rule: the new load balancer carries the source's groups and a task carries one. Neither does "rules times groups, at most 1000":
it holds for the two quotas themselves. https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
"""

from __future__ import annotations

import typing as t

from . import schedulers
from .context import Context, Json
from .findings import Finding, found
from .outline import Outline
from .readiness_limits import at_most, of_quota, quota_of
from .security import ANY

PEERS = {"IpRanges": ("IPv4",), "Ipv6Ranges": ("IPv6",), "UserIdGroupPairs": ("IPv4", "IPv6"), "PrefixListIds": ("IPv4", "IPv6")}
"""The families in which a peer of a rule counts as one. A prefix list counts as its greatest number of entries, which is not known here: at least one."""
KEY = ("protocol", "from_port", "to_port")


def interfaces(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """An interface for each task, and one of the load balancer in each of its subnets ("NetworkInterfaceLimitExceeded"). [D vpc/amazon-vpc-limits]

    Where Service Quotas names no metric of use only what the target needs is compared: DescribeNetworkInterfaces would list the whole account.
    """
    quota = quota_of(context, "network_interfaces")
    if quota is None:
        return
    running = {name: service.get("runningCount") or 0 for name, service in context.target_services.items()}
    balancer = 0 if outline.balancer is None or context.target.get("load_balancer") else len(outline.balancer["subnets"])
    steady = balancer + sum(max(schedulers.tasks(service) - running.get(service["name"], 0), 0) for service in outline.services)
    peak = balancer + sum(max(at_most(service) - running.get(service["name"], 0), 0) for service in outline.services)
    left, what = quota["value"] - (quota.get("used") or 0), "network interfaces of the region"
    if steady > left:
        yield found("FG-QUOTA", "quotas.network_interfaces", of_quota(quota), f"{steady} more", what=what)
    elif peak > left:
        yield found("FG-QUOTA-DEPLOYMENT", "quotas.network_interfaces", of_quota(quota), f"{peak} more during a deployment", what=what)


def rules(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """ "The maximum number of rules per security group has been reached": each peer counts, per direction and family. [D vpc/amazon-vpc-limits]

    A group that the inventory names and discovery did not see is not judged.
    """
    quota = quota_of(context, "rules_per_security_group")
    if quota is None:
        return
    for entries, direction in ((outline.grants, "IpPermissions"), (outline.egress, "IpPermissionsEgress")):
        for group_id in dict.fromkeys(str(entry["group_id"]) for entry in entries):
            group = _group(group_id, direction, context)
            if group is not None:
                wanted = {tuple(entry[key] for key in KEY) for entry in entries if entry["group_id"] == group_id}
                yield from _full(group, direction, len(wanted - _there(group, direction, context)), quota)


def _full(group: Json, direction: str, more: int, quota: Json) -> t.Iterator[Finding]:
    used, way = count(group.get(direction) or []), "ingress" if direction == "IpPermissions" else "egress"
    if more and used + more > quota["value"]:
        yield found("FG-QUOTA-RULES", f"security_groups[{group.get('GroupName')}].{way}", of_quota({**quota, "used": used}), f"{more} more")


def count(permissions: t.Sequence[Json]) -> int:
    """Rules of one direction, in the family that has more of them."""
    counted = {"IPv4": 0, "IPv6": 0}
    for permission in permissions:
        for member, families in PEERS.items():
            for family in families:
                counted[family] += len(permission.get(member) or [])
    return max(counted.values())


def _group(group_id: str, direction: str, context: Context) -> Json | None:
    """The group with all its rules of that direction; of those that admit the instances discovery keeps them beside the ones that do."""
    sides = context.source.get("security_groups") or {}
    known = (group for kind in ("admitting", "endpoints", "load_balancer", "tasks") for group in sides.get(kind) or [])
    return next((group for group in known if group.get("GroupId") == group_id and direction in group), None)


def _there(group: Json, direction: str, context: Context) -> set[tuple[t.Any, ...]]:
    """What an earlier run has added: rules that name the target's own group."""
    own = {item.get("GroupId") for item in (context.target.get("security_groups") or {}).get("tasks") or []}
    return {
        (str(permission.get("IpProtocol")), permission.get("FromPort", ANY), permission.get("ToPort", ANY))
        for permission in group.get(direction) or []
        if own & {pair.get("GroupId") for pair in permission.get("UserIdGroupPairs") or []}
    }


RULES = (interfaces, rules)
