# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a value of the inventory must be beside its type: what AWS would refuse later, or what would be passed over without a word."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from . import sizes
from .context import as_int
from .names import compute

# Days that CloudWatch Logs keeps logs. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
NAMES = tuple(compute(""))
"""Names that are text; the others are mappings from the source's name."""
NAMES_BY_SOURCE = ("target_groups", "families", "log_groups", "repositories", "namespaces", "cloud_map_services", "alarms")


@dataclass(frozen=True)
class Rule:
    """``right`` of a value, or of each entry of a mapping or list; ``expected`` says it to a person."""

    right: t.Callable[[t.Any], bool]
    expected: str
    whole: bool = False


def _between(least: int, most: int) -> t.Callable[[t.Any], bool]:
    return lambda value: (number := as_int(value)) is not None and least <= number <= most


def _one_of(*values: str) -> t.Callable[[t.Any], bool]:
    return lambda value: str(value).lower() in values


def _role(value: t.Any) -> bool:
    """An ARN, or a name without a path. [B RegisterTaskDefinitionRequest.taskRoleArn]"""
    return isinstance(value, str) and bool(re.fullmatch(r"arn:[a-z0-9-]+:iam::\d{12}:role/[!-~]+|[A-Za-z0-9+=,.@_-]{1,64}", value))


def _text(value: t.Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _factor(value: t.Any) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+)?", str(value))) and float(value) >= 1


def _table(value: t.Any) -> bool:
    return all(as_int(cpu) and isinstance(row, (list, tuple)) and row and all(map(as_int, row)) for cpu, row in value.items())


def _measured(value: t.Any) -> bool:
    return isinstance(value, t.Mapping) and bool(sizes.cpu_units(value.get("cpu")) or sizes.memory_mib(value.get("memory")))


def _grant(value: t.Any) -> bool:
    """Without a port ``protocol: -1`` is meant, and has to be said."""
    if not isinstance(value, t.Mapping) or not str(value.get("group_id") or "").startswith("sg-"):
        return False
    if str(value.get("protocol")) == "-1":
        return True
    ports = [value["port"]] if "port" in value else [value.get("from_port"), value.get("to_port")]
    return all(map(_between(-1, 65535), ports))


RULES: dict[str, Rule] = {
    "architecture": Rule(_one_of("x86_64", "amd64", "arm64", "aarch64"), "x86_64 or arm64"),
    "availability_zone_rebalancing": Rule(_one_of("enabled", "disabled"), "ENABLED or DISABLED"),
    "container_insights": Rule(_one_of("enabled", "enhanced", "disabled"), "enabled, enhanced or disabled"),
    "desired_count": Rule(_between(0, 5000), "a number of tasks, 0 or more"),
    "execution_role": Rule(_role, "the ARN or the name of a role"),
    "grants": Rule(_grant, "{group_id: sg-..., port} or {group_id: sg-..., protocol, from_port, to_port}"),
    "headroom": Rule(_factor, "a factor of at least 1"),
    "images": Rule(_text, "an image"),
    "keep_alive_seconds": Rule(_between(60, 604800), "a number of seconds from 60 to 604800"),
    "log_retention_days": Rule(lambda value: as_int(value) in RETENTION, f"one of CloudWatch's numbers of days: {', '.join(map(str, RETENTION))}"),
    "measured": Rule(_measured, "{cpu, memory} or one of them, in CPU units and MiB"),
    "size_table": Rule(_table, "CPU units -> list of MiB, all of them numbers", whole=True),
    "stop_timeout": Rule(_between(2, 120), "a number of seconds from 2 to 120"),
    "task_role_arn": Rule(_role, "the ARN of a role"),
}


def wrong(key: str, value: t.Any) -> t.Iterator[tuple[str, t.Any, str]]:
    """``(path, value, what it should be)`` for each entry that isn't right. The type of ``value`` is."""
    if key == "names":
        yield from _names(value)
    elif key in RULES:
        rule = RULES[key]
        for where, entry in _entries(value, rule):
            if entry is not None and not rule.right(entry):
                yield f"fargate_{key}{where}", entry, rule.expected


def usable(key: str, value: t.Any) -> t.Any:
    """``value`` without the entries that aren't right; None when nothing is left."""
    rule = RULES.get(key)
    if rule is None:
        return value
    if isinstance(value, t.Mapping) and not rule.whole:
        return {name: entry for name, entry in value.items() if entry is not None and rule.right(entry)}
    if isinstance(value, (list, tuple)):
        return [entry for entry in value if rule.right(entry)]
    return value if rule.right(value) else None


def _entries(value: t.Any, rule: Rule) -> t.Iterable[tuple[str, t.Any]]:
    if isinstance(value, t.Mapping) and not rule.whole:
        return [(f"[{name}]", entry) for name, entry in sorted(value.items(), key=lambda item: str(item[0]))]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", entry) for index, entry in enumerate(value)]
    return [("", value)]


def _names(value: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, t.Any, str]]:
    """``fargate_names``: a key that nothing reads is told, and so is one of another shape."""
    for key, given in sorted(value.items(), key=lambda item: str(item[0])):
        path = f"fargate_names.{key}"
        if key in NAMES_BY_SOURCE:
            if not isinstance(given, t.Mapping) or not all(map(_text, given.values())):
                yield path, given, "a mapping from the source's name to the target's"
        elif key not in NAMES:
            yield path, given, f"one of {', '.join((*NAMES, *NAMES_BY_SOURCE))}"
        elif not _text(given):
            yield path, given, "a name"
        elif key == "load_balancer" and not re.fullmatch(r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", given):
            yield path, given, "at most 32 letters, digits and inner hyphens, not starting with internal-"
