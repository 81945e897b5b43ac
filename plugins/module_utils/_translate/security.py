# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Who may talk to the tasks, and whom the tasks may talk to. Only ever added, never purged. runbook steps 4 and 5, fargate-rules.md 8"""

from __future__ import annotations

import typing as t

from .context import Context, Json, as_block, as_int
from .findings import Finding, found

if t.TYPE_CHECKING:
    import ipaddress

ANY = -1


def section(context: Context, placement_subnets: t.Sequence[str], groups: t.Sequence[Json]) -> tuple[Json, list[Finding]]:
    """The service's own group and everything that names it."""
    granted, findings = grants(context)
    plan = {
        "vpc_id": context.source_load_balancer.get("VpcId") or (context.target.get("load_balancer") or {}).get("VpcId"),
        "group": {
            "name": context.names["security_group"],
            "description": f"Tasks of {context.name} on Fargate",
            "tags": dict(context.own_tags),
        },
        "ingress": ingress(context, groups),
        "grants": granted,
        "load_balancer_egress": [],
    }
    plan["load_balancer_egress"], more = load_balancer_egress(context, placement_subnets, groups)
    return plan, [*findings, *more]


def ports(groups: t.Sequence[Json]) -> list[int]:
    """Each container port that the load balancer uses: for traffic, and for health checks on another port."""
    traffic = {as_int(group.get("port")) for group in groups}
    checks = {as_int(group["health_check"].get("HealthCheckPort")) for group in groups}
    return sorted(port for port in traffic | checks if port)


def ingress(context: Context, groups: t.Sequence[Json]) -> list[Json]:
    """From the load balancer's groups, on each load-balanced container port, and from nobody else. runbook step 4"""
    return [
        {"source_group_id": group_id, "protocol": "tcp", "from_port": port, "to_port": port, "description": f"{context.name}: load balancer"}
        for group_id in context.source_load_balancer.get("SecurityGroups") or []
        for port in ports(groups)
    ]


def grants(context: Context) -> tuple[list[Json], list[Finding]]:
    """Each rule by which a group admits the instances, once more for the tasks; and what the inventory adds. runbook step 5, fargate-rules.md 4, 8"""
    sides = context.source.get("security_groups") or {}
    task_groups = {group.get("GroupId") for group in sides.get("tasks") or []}
    wanted: dict[tuple[t.Any, ...], Json] = {}
    findings: list[Finding] = []
    for group in sides.get("admitting") or []:
        own = group.get("GroupId") in task_groups
        users = {str(user.get("kind")) for user in group.get("used_by") or []}
        if own:
            findings.append(found("FG-SELF-INGRESS", f"security_groups[{group.get('GroupName')}]", ", ".join(sorted(users)) or None))
            if not others(group, context):
                continue
        for permission in group.get("rules") or []:
            entry = _grant(group, permission, context)
            wanted.setdefault(tuple(entry[key] for key in ("group_id", "protocol", "from_port", "to_port")), entry)
    for extra in context.intent.get("grants") or []:
        entry = _extra(extra, context)
        wanted.setdefault(tuple(entry[key] for key in ("group_id", "protocol", "from_port", "to_port")), entry)
    return list(wanted.values()), findings


def others(group: Json, context: Context) -> list[Json]:
    """Who uses a group beside the source's own instances: a data store, or a machine with a database of its own. Without any it protects no data tier."""
    capacity = context.source.get("capacity") or {}
    launched = [instance for scaling in capacity.get("auto_scaling_groups") or [] for instance in scaling.get("Instances") or []]
    own = {instance.get("InstanceId") for instance in [*(capacity.get("instances") or []), *launched]}
    return [user for user in group.get("used_by") or [] if user.get("kind") != "instance" or user.get("id") not in own]


def _grant(group: Json, permission: Json, context: Context) -> Json:
    return {
        "group_id": group.get("GroupId"),
        "group_name": group.get("GroupName"),
        "protocol": str(permission.get("IpProtocol") or "tcp"),
        "from_port": permission.get("FromPort", ANY),
        "to_port": permission.get("ToPort", ANY),
        "description": f"{context.name}: Fargate tasks",
    }


def _extra(extra: t.Mapping[str, t.Any], context: Context) -> Json:
    """``{group_id, port}`` or ``{group_id, protocol, from_port, to_port}`` of the inventory."""
    return {
        "group_id": extra.get("group_id"),
        "group_name": extra.get("group_name"),
        "protocol": str(extra.get("protocol") or "tcp"),
        "from_port": as_int(extra.get("from_port", extra.get("port", ANY))),
        "to_port": as_int(extra.get("to_port", extra.get("port", ANY))),
        "description": str(extra.get("description") or f"{context.name}: Fargate tasks"),
    }


def load_balancer_egress(context: Context, subnets: t.Sequence[str], groups: t.Sequence[Json]) -> tuple[list[Json], list[Finding]]:
    """Where the load balancer's groups restrict what leaves, the way to the tasks is added to the first of them. fargate-rules.md 8 ALB SG egress"""
    balancer_groups = (context.source.get("security_groups") or {}).get("load_balancer") or []
    if not balancer_groups:
        return [], []
    known = {subnet.get("SubnetId"): as_block(subnet.get("CidrBlock")) for subnet in context.source.get("subnets") or []}
    blocks = [block for item in subnets if (block := known.get(item))]
    permissions = [permission for group in balancer_groups for permission in group.get("IpPermissionsEgress") or []]
    closed = [port for port in ports(groups) if not any(_reaches(permission, port, blocks) for permission in permissions)]
    first = balancer_groups[0]
    plan = [
        {"group_id": first.get("GroupId"), "protocol": "tcp", "from_port": port, "to_port": port, "description": f"{context.name}: Fargate tasks"}
        for port in closed
    ]
    return plan, [found("FG-ALB-EGRESS", f"security_groups[{first.get('GroupName')}].egress", None, port) for port in closed]


def _reaches(permission: Json, port: int, blocks: t.Sequence[ipaddress.IPv4Network]) -> bool:
    """Whether an egress rule lets the port through to every subnet of the tasks."""
    protocol = str(permission.get("IpProtocol"))
    if protocol not in ("-1", "tcp", "6"):
        return False
    if protocol != "-1" and not (permission.get("FromPort") or 0) <= port <= (permission.get("ToPort") or 65535):
        return False
    allowed = [network for item in permission.get("IpRanges") or [] if (network := as_block(item.get("CidrIp")))]
    if not blocks:
        return any(network.prefixlen == 0 for network in allowed)
    return all(any(block.subnet_of(network) for network in allowed) for block in blocks)


def group_ids(side: t.Mapping[str, t.Any]) -> set[str]:
    """Every group that a side's load balancer and tasks carry."""
    groups = side.get("security_groups") or {}
    return {str(group.get("GroupId")) for kind in ("load_balancer", "tasks") for group in groups.get(kind) or []}
