"""The table as IAM's JSON, and whether what a playbook's identity has allows a call."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from policies.calls import Call, action, request_tags, tag_keys
from policies.reads import REPOSITORY
from policies.table import PLAYBOOKS, TAG, Statement, attached

FOLDER = REPOSITORY / "docs/guide/policies"
LIMIT = 6144
"""Characters of a managed policy, white space not counted. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
NAMES = ("Name", "AlarmName", "RoleName", "clusterName", "family", "logGroupName", "repositoryName")
"""Parameters that name what a call makes. Services are named like the source's: they are known by their cluster."""


def document(playbook: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [_statement(item) for item in PLAYBOOKS[playbook]]}


def path(playbook: str) -> Path:
    return FOLDER / f"{playbook}.json"


def _statement(item: Statement) -> dict[str, Any]:
    made = {"Sid": item.sid, "Effect": "Allow", "Action": _short(item.actions), "Resource": _short(item.resources)}
    return {**made, **({"Condition": item.conditions} if item.conditions else {})}


def _short(values: tuple[str, ...]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def actions(playbook: str) -> set[str]:
    """What an identity with the playbook's policies may do."""
    return {name for item in attached(playbook) for name in item.actions}


def made(calls: Iterable[Call], system: str) -> set[str]:
    """Names of what these calls made with the system's tag."""
    new = [call["parameters"] for call in calls if request_tags(call).get(TAG) == system]
    return {str(parameters[key]) for parameters in new for key in NAMES if parameters.get(key)}


def refused(playbook: str, calls: Iterable[Call], ours: set[str], system: str) -> list[str]:
    """The calls that the playbook's policies do not allow. ``ours``: names and ids of what carries the system's tag."""
    return sorted({action(call["service"], call["operation"]) for call in calls if not _allowed(playbook, call, ours, system)})


def _allowed(playbook: str, call: Call, ours: set[str], system: str) -> bool:
    name = action(call["service"], call["operation"])
    fitting = (item for item in attached(playbook) if name in item.actions)
    return any(all(_holds(key, wanted, call, ours, system) for key, wanted in _conditions(item)) for item in fitting)


def _conditions(item: Statement) -> Iterator[tuple[str, Any]]:
    return ((key, wanted) for operator in item.conditions.values() for key, wanted in operator.items())


def _holds(key: str, wanted: Any, call: Call, ours: set[str], system: str) -> bool:
    """A condition, for this call. What only side effects of other actions have (``ecs:CreateAction``) never holds: the call itself is looked at."""
    parameters = call["parameters"]
    if key == f"aws:RequestTag/{TAG}":
        return request_tags(call).get(TAG) == system
    if key == f"aws:ResourceTag/{TAG}":
        return not ours.isdisjoint(part for text in _strings(parameters) for part in (text, *re.split(r"[/:]", text)))
    if key == "aws:TagKeys":
        return all(fnmatch.fnmatchcase(name, wanted) for name in tag_keys(call))
    if key == "application-autoscaling:service-namespace":
        return bool(parameters.get("ServiceNamespace") == wanted)
    return key == "iam:PolicyARN" and bool(parameters.get("PolicyArn") == wanted)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
