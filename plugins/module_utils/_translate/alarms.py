# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The two alarms of the runbook, and those of the source that have no successor. runbook (Monitoring), fargate-rules.md 10"""

from __future__ import annotations

import typing as t

from . import copied_alarms, deployments, scaling, scaling_alarms, schedulers, teardown
from .context import Context, Json, as_list
from .findings import Finding, found
from .service import source_count

SCALING_PREFIX = "TargetTracking-"


def section(services: t.Sequence[Json], sources: t.Sequence[Json], context: Context) -> list[Json]:
    """HealthyHostCount of every web target group, running tasks of every service."""
    by_name = {str(service.get("serviceName")): service for service in sources}
    plan: list[Json] = []
    for service in services:
        seen = [item["target_group"] for item in service["load_balancers"]]
        plan += [_alarm(f"{group}-healthy-hosts", "healthy_hosts", service, 1, context, target_group=group) for group in dict.fromkeys(seen)]
        name, source = f"{context.names['cluster']}-{service['name']}-running-tasks", by_name.get(service["name"]) or {}
        threshold = scaling.least(source, service["desired_count"])
        if schedulers.changes_hands(source, source_count(source), context):
            # A fixed number would ring on the side that is meant to have none.
            plan.append(_alarm(name, "missing_tasks", service, 1, context))
        elif threshold:
            plan.append(_alarm(name, "running_tasks", service, threshold, context))
    return list({alarm["name"]: alarm for alarm in plan}.values())


def _alarm(name: str, kind: str, service: Json, threshold: int, context: Context, target_group: str | None = None) -> Json:
    """In ALARM when the count is below ``threshold``; ``missing_tasks`` when it is not."""
    return {
        "name": name,
        "kind": kind,
        "load_balancer": context.names["load_balancer"] if target_group else None,
        "target_group": target_group,
        "cluster": service["cluster"],
        "service": service["name"],
        "threshold": threshold,
        "alarm_actions": actions(context),
        "tags": dict(context.own_tags),
    }


def actions(context: Context) -> list[str]:
    """The inventory's, else those that the source's alarms notify (not the ones that scale)."""
    given = context.intent.get("alarm_actions")
    if given is not None:
        return [str(item) for item in as_list(given)]
    found_actions = {str(arn) for alarm in _own(context) for arn in alarm.get("AlarmActions") or [] if ":sns:" in str(arn)}
    return sorted(found_actions)


def without_successor(context: Context) -> list[Finding]:
    """Alarms of the source on other metrics are gone after the teardown. fargate-rules.md 10 (alarms & dashboards)"""
    replaced = ("HealthyHostCount", "RunningTaskCount")
    again = {*scaling_alarms.replaced(context), *deployments.replaced(context)}
    deleted = {item["name"] for item in teardown.alarms(context)}
    return [
        found("FG-ALARM", f"alarms[{alarm.get('AlarmName')}]", alarm.get("MetricName") or "metric math")
        for alarm in _own(context)
        if alarm.get("MetricName") not in replaced and alarm.get("AlarmName") in deleted - again and copied_alarms.watches_source(alarm, context)
    ]


def _own(context: Context) -> list[Json]:
    """Without those that Application Auto Scaling makes and deletes itself."""
    return [alarm for alarm in context.source.get("alarms") or [] if not str(alarm.get("AlarmName")).startswith(SCALING_PREFIX)]
