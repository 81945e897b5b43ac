# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What works for the system outside its services: tasks that a clock starts, and what the instances do by themselves. fargate-rules.md 4"""

from __future__ import annotations

import json
import re
import typing as t

from . import agent
from .context import Context, Json
from .findings import Finding, found
from .outline import Outline

# What user data does beyond joining the cluster -> how it shows. fargate-rules.md 4 (cron on host, host agents, user data)
SIGNS = {
    "cron": re.compile(r"\bcrontab\b|/etc/cron|\bcronie\b|systemctl\s+(enable|start)\s+\S*crond?\b|\.timer\b"),
    "mounts": re.compile(r"\bmount\s+-t\s|\bmount\.(nfs|efs)|amazon-efs-utils|/etc/fstab|\bs3fs\b|\bgoofys\b"),
    "agents": re.compile(r"amazon-cloudwatch-agent|\bawslogs\b|datadog|newrelic|filebeat|fluent-?bit|td-agent|zabbix|node_exporter|xray", re.IGNORECASE),
    "log rotation": re.compile(r"\blogrotate\b"),
    "containers": re.compile(r"\bdocker(-compose)?\s+(run|up|compose)\b"),
}


def scheduled(_outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Rules and schedules start tasks in the old cluster, and nothing moves them. [D eventbridge/eb-targets, scheduler/managing-targets]"""
    for task in enabled(context):
        family = str(task.get("task_definition") or "").rpartition("/")[2]
        yield found("FG-SCHEDULED-TASK", f"scheduled_tasks[{task.get('name')}]", f"{task.get('kind')} {task.get('expression')}: {family or 'unknown'}")


def enabled(context: Context) -> list[Json]:
    """Those that still start something."""
    return [task for task in context.source.get("scheduled_tasks") or [] if task.get("state") != "DISABLED"]


def on_instances(context: Context) -> list[Json]:
    """Those whose tasks need the instances: neither launch type nor capacity provider is Fargate's."""
    return [task for task in enabled(context) if not _fargate(task.get("target") or {})]


def _fargate(target: Json) -> bool:
    parameters = target.get("EcsParameters") or {}
    providers = [str(item.get("capacityProvider") or item.get("CapacityProvider") or "") for item in parameters.get("CapacityProviderStrategy") or []]
    given = _input(target)
    providers += [str(item.get("CapacityProvider") or "") for item in given.get("CapacityProviderStrategy") or []]
    on_fargate = bool(providers) and all(name.startswith("FARGATE") for name in providers)
    return on_fargate or "FARGATE" in (parameters.get("LaunchType"), given.get("LaunchType"))


def _input(target: Json) -> Json:
    """What a schedule that calls RunTask itself passes to it."""
    try:
        given = json.loads(str(target.get("Input") or "{}"))
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def families(context: Context) -> set[str]:
    """Task definition families that a clock starts."""
    return {str(task.get("task_definition") or "").rpartition("/")[2].partition(":")[0] for task in context.source.get("scheduled_tasks") or []}


def host(_outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Cron jobs, mounts, agents and containers that the instances' user data sets up end with the instances. fargate-rules.md 4"""
    for group, text in agent.user_data(context).items():
        signs = [name for name, pattern in SIGNS.items() if pattern.search(text)]
        if signs:
            yield found("FG-USER-DATA", f"capacity.auto_scaling_groups[{group}].UserData", ", ".join(signs))


def agents(_outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Agents of the cluster on each instance, which the inventory leaves out of the system: its tasks had them too. fargate-rules.md 4 (host agents)"""
    for name in context.source.get("daemons") or []:
        yield found("FG-DAEMON-OTHER", f"other_services[{name}]", name)


RULES = (scheduled, host, agents)
