# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Where the tasks run: subnets, public addresses, and whether they can reach anything from there. fargate-rules.md 8"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

from . import schedulers
from .context import Context, Json, as_list
from .findings import Finding, found

LEAST_ALB_ADDRESSES = 8
PATH = "network"


@dataclass(frozen=True)
class Placement:
    """The subnets of the tasks and whether their interfaces get public addresses."""

    subnets: list[str]
    assign_public_ip: str


def candidates(context: Context) -> list[str]:
    """The inventory's subnets, else those of awsvpc services, else those of the Auto Scaling groups (they outlive scale-in), else the instances'."""
    given = as_list(context.intent.get("subnets"))
    if given:
        return [str(item) for item in given]
    awsvpc = [(service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {} for service in context.source_services]
    capacity = context.source.get("capacity") or {}
    zones = ",".join(group.get("VPCZoneIdentifier") or "" for group in capacity.get("auto_scaling_groups") or [])
    for ids in (
        [str(item) for configuration in awsvpc for item in configuration.get("subnets") or []],
        [item.strip() for item in zones.split(",") if item.strip()],
        [str(instance["SubnetId"]) for instance in capacity.get("instances") or [] if instance.get("SubnetId")],
    ):
        if ids:
            return sorted(set(ids))
    return []


def place(context: Context) -> tuple[Placement, list[Finding]]:
    """The subnets that the load balancer can reach, and the address their way out needs. fargate-rules.md 8

    A target in a zone that the load balancer is not enabled in stays ``unused`` (Target.NotInUse), and a service that waits for it never becomes steady. So
    tasks are never placed there: the subnet is left out, also one that the inventory names. Nothing can fail then, so it is a warning and no BLOCKER: what
    is lost is a zone whose targets the source's load balancer did not reach either. Addresses are counted in the subnets that are left; none left is a
    BLOCKER (FG-NO-SUBNET).
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-subnets.html
    """
    known = {str(subnet.get("SubnetId")): subnet for subnet in context.source.get("subnets") or []}
    findings: list[Finding] = []
    usable: list[Json] = []
    zones = {zone.get("ZoneName") for zone in context.source_load_balancer.get("AvailabilityZones") or []}
    for subnet_id in candidates(context):
        subnet = known.get(subnet_id)
        if subnet is None:
            findings.append(found("FG-SUBNET", PATH, subnet_id))
        elif zones and subnet.get("AvailabilityZone") not in zones:
            findings.append(found("FG-AZ", f"{PATH}.subnets[{subnet_id}]", subnet.get("AvailabilityZone"), ", ".join(sorted(map(str, zones)))))
        else:
            usable.append(subnet)
    if not usable:
        findings.append(found("FG-NO-SUBNET", PATH))
    return Placement([str(subnet.get("SubnetId")) for subnet in usable], public_address(usable, context)), findings


def _shares(subnets: t.Sequence[Json], needed: int) -> t.Iterator[Finding]:
    """ECS spreads tasks over the zones, so a subnet must hold its part of them too. fargate-rules.md 8 Free IPs"""
    share = math.ceil(needed / len(subnets)) if subnets else 0
    for subnet in subnets:
        if isinstance(subnet.get("free"), int) and subnet["free"] < share:
            yield found("FG-SUBNET-ADDRESSES", f"{PATH}.subnets[{subnet.get('SubnetId')}]", subnet["free"], share)


def chosen(placement: Placement, context: Context) -> list[Json]:
    """The subnets of the tasks, as found."""
    known = {str(subnet.get("SubnetId")): subnet for subnet in context.source.get("subnets") or []}
    return [known[item] for item in placement.subnets if item in known]


def public_address(subnets: t.Sequence[Json], context: Context) -> str:
    """Where a default route leads to an internet gateway, only a public address gets out; behind NAT none is needed. fargate-rules.md 8"""
    given = context.intent.get("assign_public_ip")
    if isinstance(given, bool):
        return "ENABLED" if given else "DISABLED"
    if str(given or "").upper() in ("ENABLED", "DISABLED"):
        return str(given).upper()
    return "ENABLED" if any(subnet.get("route") == "igw" for subnet in subnets) else "DISABLED"


def addresses(placement: Placement, services: t.Sequence[Json], context: Context) -> t.Iterator[Finding]:
    """One address per task, and both generations at once during a deployment. Tasks of the target that run already have theirs. fargate-rules.md 8 Free IPs"""
    known = {str(subnet.get("SubnetId")): subnet for subnet in context.source.get("subnets") or []}
    subnets = chosen(placement, context)
    free = [subnet.get("free") for subnet in subnets]
    running = sum(service.get("runningCount") or 0 for service in context.target_services.values())
    needed = sum(math.ceil(schedulers.tasks(service) * (service["deployment_configuration"].get("maximumPercent") or 200) / 100) for service in services)
    known_free = [item for item in free if isinstance(item, int)]
    if free and known_free == free and sum(known_free) < needed - running:
        yield found("FG-FREE-ADDRESSES", PATH, sum(known_free), needed - running)
    else:
        yield from _shares(subnets, needed - running)
    if context.target:
        return
    for zone in context.source_load_balancer.get("AvailabilityZones") or []:
        left = (known.get(str(zone.get("SubnetId"))) or {}).get("free")
        if isinstance(left, int) and left < LEAST_ALB_ADDRESSES:
            yield found("FG-ALB-ADDRESSES", f"load_balancer.subnets[{zone.get('SubnetId')}]", left, LEAST_ALB_ADDRESSES)
