# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Tasks that a clock or an event starts in the cluster: rules of EventBridge and schedules of EventBridge Scheduler."""

from __future__ import annotations

import json
import typing as t

from .read import Reader, Shape, each, together

# A schedule may also call RunTask itself ("universal target"); then only its input names the cluster.
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
RUN_TASK = ":aws-sdk:ecs:runTask"


def read_scheduled_tasks(read: Reader, cluster: Shape | None, path: str) -> list[Shape]:
    """``scheduled_tasks`` of a side, rules first.

    Rules are asked for by the cluster's ARN, on the default event bus: no other one takes schedules. Schedules have no such filter, so the list is
    read once for both sides, and in detail only what names the cluster.
    """
    if cluster is None:
        return []
    where = f"{path}.scheduled_tasks"
    answers = together(
        rules=lambda: read.if_possible(where, [], lambda: _rules(read, cluster["clusterArn"])),
        schedules=lambda: read.if_possible(where, [], lambda: _schedules(read, cluster)),
    )
    return [*answers["rules"], *answers["schedules"]]


def _rules(read: Reader, cluster: str) -> list[Shape]:
    names = sorted(read.all("events", "list_rule_names_by_target", "RuleNames", TargetArn=cluster))
    return [found for part in each(lambda name: _rule(read, name, cluster), names) for found in part]


def _rule(read: Reader, name: str, cluster: str) -> list[Shape]:
    answers = together(
        rule=lambda: read.one("events", "describe_rule", Name=name),
        targets=lambda: read.all("events", "list_targets_by_rule", "Targets", Rule=name),
    )
    rule = answers["rule"]
    return [
        {
            "kind": "rule",
            "name": name,
            "group": rule.get("EventBusName") or "default",
            "id": rule.get("Arn"),
            "state": rule.get("State"),
            "expression": rule.get("ScheduleExpression") or rule.get("EventPattern"),
            "task_definition": (target.get("EcsParameters") or {}).get("TaskDefinitionArn"),
            "target": target,
        }
        for target in answers["targets"]
        if target.get("Arn") == cluster
    ]


def _schedules(read: Reader, cluster: Shape) -> list[Shape]:
    listed = read.once("schedules", lambda: read.all("scheduler", "list_schedules", "Schedules", MaxResults=100))
    wanted = sorted((item["GroupName"], item["Name"]) for item in listed if _may_concern((item.get("Target") or {}).get("Arn", ""), cluster))
    found = each(lambda key: _detail(read, *key), wanted)
    return [_schedule(item) for item in found if item and _concerns(item["Target"], cluster)]


def _detail(read: Reader, group: str, name: str) -> Shape | None:
    """None when it was deleted since it was listed."""
    return read.existing(None, lambda: read.one("scheduler", "get_schedule", GroupName=group, Name=name), ["ResourceNotFoundException"])


def _may_concern(arn: str, cluster: Shape) -> bool:
    return arn == cluster["clusterArn"] or arn.endswith(RUN_TASK)


def _concerns(target: Shape, cluster: Shape) -> bool:
    return target["Arn"] == cluster["clusterArn"] or _input(target).get("Cluster") in (cluster["clusterArn"], cluster["clusterName"])


def _schedule(item: Shape) -> Shape:
    target = item["Target"]
    return {
        "kind": "schedule",
        "name": item["Name"],
        "group": item.get("GroupName"),
        "id": item.get("Arn"),
        "state": item.get("State"),
        "expression": item.get("ScheduleExpression"),
        "task_definition": (target.get("EcsParameters") or {}).get("TaskDefinitionArn") or _input(target).get("TaskDefinition"),
        "target": target,
    }


def _input(target: Shape) -> dict[str, t.Any]:
    try:
        given = json.loads(target.get("Input") or "{}")
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}
