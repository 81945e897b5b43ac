# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Alarms of the source that the target gets again: those that invoke step scaling policies, and those that decide on deployments.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import Call, Ids, Ref, resolve
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import KNOWN_AFTER_APPLY
from .._elbv2.common import find_load_balancer, find_target_group, full_name
from .._translate.copied_alarms import ACTIONS, READ_ONLY
from .alarms import plain, read, refuse_foreign

Wanted = t.Mapping[str, t.Any]
Json = t.Dict[str, t.Any]

TOLD = frozenset([*READ_ONLY, "Tags"])
NOTHING: tuple[t.Any, ...] = (None, [], "")

FINDERS: dict[str, tuple[t.Callable[[Clients, str], t.Any], str]] = {
    "load_balancer": (find_load_balancer, "LoadBalancerArn"),
    "target_group": (find_target_group, "TargetGroupArn"),
}
"""What may stand in place of a dimension's value: ``{"target_group": "shop-web"}``."""


def policy(resource_id: str, name: str) -> Ref:
    """A policy's ARN before AWS has given it."""
    return Ref("scaling_policy", f"{resource_id}/{name}")


def changes(alarms: t.Sequence[Wanted], clients: Clients, check_mode: bool, ids: Ids) -> tuple[list[Call], Json, Json]:
    """What makes the plan's alarms, and both sides of the diff."""
    wanted = [look_up(alarm, clients, check_mode) for alarm in alarms]
    found = current(clients, wanted)
    names = [item["alarm"]["AlarmName"] for item in wanted]
    calls = [call for name, item in zip(names, wanted, strict=True) for call in compare(item, found.get(name), ids)]
    before = {f"alarm {name}": view(found[name]) for name in names if name in found}
    after = {f"alarm {name}": expected(item, found.get(name), ids) for name, item in zip(names, wanted, strict=True)}
    return calls, before, after


def look_up(item: Wanted, clients: Clients, check_mode: bool) -> Json:
    """The plan's entry as PutMetricAlarm's arguments, tags apart; ARNs of policies stand in it as Refs."""
    values = _values(item, clients, check_mode)
    actions = {key: [_action(each) for each in given] for key, given in (item.get("actions") or {}).items() if key in ACTIONS}
    return {
        "alarm": comparable({**_filled(item["settings"], values), "AlarmName": item["name"], **actions}),
        "tags": {key: str(value) for key, value in (item.get("tags") or {}).items()},
    }


def _action(action: t.Any) -> t.Any:
    return policy(action["resource_id"], action["policy"]) if isinstance(action, t.Mapping) else action


def _values(item: Wanted, clients: Clients, check_mode: bool) -> dict[tuple[str, str], str]:
    """CloudWatch names both by the last part of their ARNs, which only AWS knows. Without them there is no data, and the alarm does nothing."""
    wanted = dict.fromkeys(_named(item["settings"]))
    found = {(kind, name): FINDERS[kind][0](clients, name) for kind, name in wanted}
    missing = [name for (_kind, name), there in found.items() if there is None]
    if missing and not check_mode:
        raise CutoverError(
            f"The alarm {item['name']} watches {' and '.join(missing)}, which does not exist. Run the role alb first (--tags alb). "
            "Nothing was created or changed."
        )
    return {key: full_name(there[FINDERS[key[0]][1]]) if there else KNOWN_AFTER_APPLY for key, there in found.items()}


def _marker(value: t.Any) -> tuple[str, str] | None:
    if isinstance(value, t.Mapping) and len(value) == 1:
        ((kind, name),) = value.items()
        return (kind, name) if kind in FINDERS else None
    return None


def _named(value: t.Any) -> t.Iterator[tuple[str, str]]:
    """What is named anywhere in the settings: in dimensions of the alarm, or below metric math."""
    marker = _marker(value)
    if marker:
        yield marker
    elif isinstance(value, t.Mapping):
        for item in value.values():
            yield from _named(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _named(item)


def _filled(value: t.Any, values: t.Mapping[tuple[str, str], str]) -> t.Any:
    marker = _marker(value)
    if marker:
        return values[marker]
    if isinstance(value, t.Mapping):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(item, values) for item in value]
    return value


def current(clients: Clients, wanted: t.Sequence[Wanted]) -> dict[str, Json]:
    """The alarms of those names that exist, with their tags; one that is not ours is refused."""
    names = [item["alarm"]["AlarmName"] for item in wanted]
    found = read(clients, names) if names else {}
    for item in wanted:
        name = item["alarm"]["AlarmName"]
        if name in found:
            refuse_foreign(name, item["tags"], found[name])
    return found


def compare(wanted: Wanted, found: Wanted | None, arns: t.Mapping[Ref, str]) -> list[Call]:
    """PutMetricAlarm replaces the whole alarm; its tags count only when it creates one. [B PutMetricAlarmInput.Tags]"""
    alarm, tags = wanted["alarm"], wanted["tags"]
    name = alarm["AlarmName"]
    if found is None:
        return [Call(f"create alarm {name}", "cloudwatch", "put_metric_alarm", {**alarm, "Tags": tagging.to_list(tags)})]
    now, params = comparable(found), {**_others(alarm, found), **alarm}
    then = comparable(resolve(params, arns))
    different = sorted(key for key in {*now, *then} if now.get(key) != then.get(key))
    calls = [Call(f"set {', '.join(different)} of alarm {name}", "cloudwatch", "put_metric_alarm", params)] if different else []
    missing = tagging.missing(tags, found["Tags"])
    if missing:
        params = {"ResourceARN": found["AlarmArn"], "Tags": tagging.to_list(missing)}
        calls.append(Call(f"tag alarm {name} with {', '.join(sorted(missing))}", "cloudwatch", "tag_resource", params))
    return calls


def _others(alarm: Wanted, found: Wanted) -> Json:
    """Actions on states that the plan says nothing about are somebody's own."""
    return {key: found[key] for key in ACTIONS if key not in alarm and found.get(key)}


def view(found: Wanted) -> Json:
    """An alarm as AWS describes it, in the shape of :func:`expected`, for the diff."""
    return {**comparable(found), "Tags": dict(found["Tags"])}


def expected(wanted: Wanted, found: Wanted | None, arns: t.Mapping[Ref, str]) -> Json:
    there: Wanted = found or {"Tags": {}}
    return {**comparable(resolve({**_others(wanted["alarm"], there), **wanted["alarm"]}, arns)), "Tags": {**there["Tags"], **wanted["tags"]}}


def comparable(alarm: Wanted) -> Json:
    """PutMetricAlarm's arguments with AWS's defaults, sorted where order means nothing."""
    given = {key: value for key, value in alarm.items() if key not in TOLD and value not in NOTHING}
    given["DatapointsToAlarm"] = given.get("DatapointsToAlarm") or given.get("EvaluationPeriods")
    given["ActionsEnabled"] = given.get("ActionsEnabled", True)
    given["TreatMissingData"] = given.get("TreatMissingData") or "missing"
    if "Dimensions" in given:
        given["Dimensions"] = sorted(given["Dimensions"], key=lambda item: str(item["Name"]))
    if "Metrics" in given:
        given["Metrics"] = sorted((plain(metric) for metric in given["Metrics"]), key=lambda metric: str(metric["Id"]))
    for key in ACTIONS:
        if key in given:
            given[key] = sorted(given[key], key=str)
    return given
