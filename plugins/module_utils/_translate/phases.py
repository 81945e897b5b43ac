# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Where the migration stands, told from what exists and where the records point."""

from __future__ import annotations

import re
import typing as t

from . import readiness_jobs, schedulers
from .context import CAPACITY_TAG, Context, Json
from .findings import Finding, found
from .service import full_count, source_count

NEW, PROVISIONED, CUT_OVER, SCALED_IN, TORN_DOWN = "new", "provisioned", "cut_over", "scaled_in", "torn_down"


def phase(context: Context) -> str:
    """``new`` until the target serves as many services as the source has; then by the records; ``scaled_in`` once the source has no tasks left."""
    if not context.source:
        return TORN_DOWN if context.target else NEW
    if context.system.get("serving") == "target":
        return SCALED_IN if _idle(context) else CUT_OVER
    wanted = {str(service.get("serviceName")) for service in context.replica_services}
    complete = bool(context.target.get("load_balancer")) and wanted <= set(context.target_services)
    return PROVISIONED if complete else NEW


def _idle(context: Context) -> bool:
    """Every service at 0 while a number is remembered or was never wanted; every Auto Scaling group of its own at 0."""
    services = all(not service.get("desiredCount") for service in context.replica_services)
    groups = all(not group.get("DesiredCapacity") for group in auto_scaling_groups(context))
    return services and groups


def auto_scaling_groups(context: Context) -> list[Json]:
    """Those that only this system's services use: otherwise none may be scaled in or deleted."""
    if keeps_instances(context):
        return []
    return list((context.source.get("capacity") or {}).get("auto_scaling_groups") or [])


def keeps_instances(context: Context) -> bool:
    """Whether the instances are needed without the system's services: by others on the cluster, or by tasks that a clock starts on it.

    Also while it can't be read whether a clock does.
    """
    return bool(context.source.get("other_services") or readiness_jobs.on_instances(context) or unread_schedules(context))


def unread_schedules(context: Context) -> bool:
    """Whether it is unknown what a clock starts in the source's cluster."""
    problems = context.system.get("problems") or []
    return any(each.get("id") == "not-readable" and each.get("path") == "source.scheduled_tasks" for each in problems)


def capacity_numbers(group: t.Mapping[str, t.Any]) -> tuple[int, int]:
    """(minimum, desired) as remembered at scale-in (``min=1,desired=2``), else as they are."""
    remembered = re.fullmatch(r"min=(\d+),desired=(\d+)", str((group.get("Tags") or {}).get(CAPACITY_TAG) or "").replace(" ", ""))
    if remembered:
        return int(remembered[1]), int(remembered[2])
    return int(group.get("MinSize") or 0), int(group.get("DesiredCapacity") or 0)


def _numbers(group: Json) -> Json:
    minimum, desired = capacity_numbers(group)
    return {"name": group.get("AutoScalingGroupName"), "min_size": minimum, "desired_capacity": desired}


def scale_in(context: Context) -> Json:
    """What goes to zero, and the numbers it comes back to. runbook (Scale in)"""
    groups = [_numbers(group) for group in auto_scaling_groups(context)]
    if keeps_instances(context):
        # Scaled in before somebody else came: the way back needs them, a second scale-in must leave them alone.
        known = (context.source.get("capacity") or {}).get("auto_scaling_groups") or []
        groups = [{**_numbers(group), "restore_only": True} for group in known if CAPACITY_TAG in (group.get("Tags") or {})]
    return {
        "load_balancer_arn": context.source_load_balancer.get("LoadBalancerArn"),
        "target_load_balancer": context.names["load_balancer"],
        "cluster": (context.source.get("cluster") or {}).get("clusterName"),
        "services": [
            {"name": service.get("serviceName"), "desired_count": source_count(service)}
            for service in sorted(context.replica_services, key=lambda item: str(item.get("serviceName")))
        ],
        "schedulers": [
            {"name": service.get("serviceName"), "cluster": context.names["cluster"], "desired_count": full_count(service, context)}
            for service in sorted(context.replica_services, key=lambda item: str(item.get("serviceName")))
            if schedulers.changes_hands(service, source_count(service), context)
        ],
        "auto_scaling_groups": groups,
    }


def shared_capacity(context: Context) -> list[Finding]:
    """Instances that carry other services stay. runbook (Scale in)"""
    others = context.source.get("other_services") or []
    return [found("FG-SHARED-CAPACITY", "capacity", ", ".join(map(str, others)))] if others else []
