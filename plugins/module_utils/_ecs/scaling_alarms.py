# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The alarms that invoke step scaling policies: AWS makes and deletes only those of target tracking.

https://docs.aws.amazon.com/autoscaling/application/userguide/create-step-scaling-policy-cli.html
"""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import Call, Ref, resolve
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import KNOWN_AFTER_APPLY
from .._cloudwatch.alarms import read, refuse_foreign
from .._elbv2.common import find_load_balancer, find_target_group, full_name
from .._translate.scaling_alarms import ACTIONS, READ_ONLY

Wanted = t.Mapping[str, t.Any]
Json = t.Dict[str, t.Any]

TOLD = frozenset([*READ_ONLY, "Tags"])
NOTHING: tuple[t.Any, ...] = (None, [], "")


def policy(resource_id: str, name: str) -> Ref:
    """A policy's ARN before AWS has given it."""
    return Ref("scaling_policy", f"{resource_id}/{name}")


def look_up(item: Wanted, clients: Clients, check_mode: bool) -> Json:
    """The plan's entry as PutMetricAlarm's arguments, tags apart; ARNs of policies stand in it as Refs."""
    dimensions = {each["Name"]: each["Value"] for each in item.get("dimensions") or []}
    dimensions |= _looked_up(item, clients, check_mode)
    return {
        "alarm": _comparable(
            {
                **item["settings"],
                "AlarmName": item["name"],
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                **{key: [_action(each) for each in actions] for key, actions in (item.get("actions") or {}).items() if key in ACTIONS},
            }
        ),
        "tags": {key: str(value) for key, value in (item.get("tags") or {}).items()},
    }


def _action(action: t.Any) -> t.Any:
    return policy(action["resource_id"], action["policy"]) if isinstance(action, t.Mapping) else action


def _looked_up(item: Wanted, clients: Clients, check_mode: bool) -> dict[str, str]:
    """CloudWatch names both by the last part of their ARNs, which only AWS knows. Without them there is no data, and nothing scales."""
    balancer, group = item.get("load_balancer"), item.get("target_group")
    found = {
        "LoadBalancer": (balancer, find_load_balancer(clients, balancer), "LoadBalancerArn") if balancer else None,
        "TargetGroup": (group, find_target_group(clients, group), "TargetGroupArn") if group else None,
    }
    wanted = {name: each for name, each in found.items() if each}
    missing = [name for name, there, _key in wanted.values() if there is None]
    if missing and not check_mode:
        raise CutoverError(
            f"The alarm {item['name']} watches {' and '.join(missing)}, which does not exist. Run the role alb first (--tags alb). "
            "No scaling and no alarm was changed."
        )
    return {name: full_name(there[key]) if there else KNOWN_AFTER_APPLY for name, (_name, there, key) in wanted.items()}


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
    now, params = _comparable(found), {**_others(alarm, found), **alarm}
    then = _comparable(resolve(params, arns))
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
    return {**_comparable(found), "Tags": dict(found["Tags"])}


def expected(wanted: Wanted, found: Wanted | None, arns: t.Mapping[Ref, str]) -> Json:
    there: Wanted = found or {"Tags": {}}
    return {**_comparable(resolve({**_others(wanted["alarm"], there), **wanted["alarm"]}, arns)), "Tags": {**there["Tags"], **wanted["tags"]}}


def _comparable(alarm: Wanted) -> Json:
    """PutMetricAlarm's arguments with AWS's defaults, sorted where order means nothing."""
    given = {key: value for key, value in alarm.items() if key not in TOLD and value not in NOTHING}
    given["DatapointsToAlarm"] = given.get("DatapointsToAlarm") or given.get("EvaluationPeriods")
    given["ActionsEnabled"] = given.get("ActionsEnabled", True)
    given["TreatMissingData"] = given.get("TreatMissingData") or "missing"
    if "Dimensions" in given:
        given["Dimensions"] = sorted(given["Dimensions"], key=lambda item: str(item["Name"]))
    for key in ACTIONS:
        if key in given:
            given[key] = sorted(given[key], key=str)
    return given
