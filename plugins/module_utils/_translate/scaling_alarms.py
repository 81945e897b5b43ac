# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The alarms that drive step scaling policies: AWS makes and deletes only those of target tracking. fargate-rules.md 7 (Application Auto Scaling)

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-step-scaling-policies.html
"""

from __future__ import annotations

import typing as t

from .context import Context, Json
from .copied_alarms import ACTIONS, UnmappableError, copied, named, watches_source
from .findings import Finding, found

STEP = "StepScaling"


def section(service: Json, context: Context) -> list[Json]:
    """``alarms`` of a scalable target: each alarm that drives one of the service's policies, unless an earlier service of the system has it already."""
    plan = []
    for alarm in context.source.get("alarms") or []:
        if _first_driven(alarm, context) == str(service.get("serviceName")):
            try:
                plan.append(_alarm(alarm, context))
            except UnmappableError:
                continue
    return plan


def findings(service: Json, path: str, context: Context) -> t.Iterator[Finding]:
    """What becomes of the alarms of each policy."""
    known = named(context)
    for policy in service.get("ScalingPolicies") or []:
        where = f"{path}.ScalingPolicies[{policy.get('PolicyName')}]"
        if policy.get("PolicyType") == "PredictiveScaling":
            yield found("FG-SCALING-POLICY", where, "PredictiveScaling", what="it forecasts by the metrics and the history of the source's service")
        if policy.get("PolicyType") != STEP:
            continue
        linked = [name for name, alarm in known.items() if _invokes(alarm, policy)]
        told = [str(item.get("AlarmName")) for item in policy.get("Alarms") or []]
        for name in dict.fromkeys([*linked, *told]):
            yield from _told(f"{where}.Alarms[{name}]", name, known.get(name), context)


def _told(path: str, name: str, alarm: Json | None, context: Context) -> t.Iterator[Finding]:
    if alarm is None:
        yield found("FG-SCALING-POLICY", path, name, what="the alarm that invokes it was not found")
        return
    try:
        planned = _alarm(alarm, context)
    except UnmappableError as reason:
        yield found("FG-SCALING-POLICY", path, name, what=f"the alarm that invokes it {reason}")
        return
    yield found("FG-SCALING-STEP" if watches_source(alarm, context) else "FG-SCALING-SHARED-METRIC", path, name, planned["name"])


def replaced(context: Context) -> dict[str, str]:
    """The source's alarms that the target gets again, by name: the new name."""
    plans = [alarm for service in context.source_services if service.get("ScalableTargets") for alarm in section(service, context)]
    return {alarm["source_name"]: alarm["name"] for alarm in plans}


def only_scales(alarm: Json, context: Context) -> bool:
    """Whether it does nothing but invoke the source's policies. One that invokes nothing is somebody's, for a reason that it doesn't tell."""
    actions = [str(action) for key in ACTIONS for action in alarm.get(key) or []]
    return bool(actions) and all(_driven(action, context) for action in actions)


def _first_driven(alarm: Json, context: Context) -> str | None:
    driven = [_driven(str(action), context) for key in ACTIONS for action in alarm.get(key) or []]
    return next((name for name, _policy in filter(None, driven)), None)


def _driven(action: str, context: Context) -> tuple[str, str] | None:
    """Service and step policy that an alarm's action invokes."""
    for service in context.source_services:
        for policy in service.get("ScalingPolicies") or []:
            if policy.get("PolicyType") == STEP and _is(action, policy):
                return str(service.get("serviceName")), str(policy.get("PolicyName"))
    return None


def _invokes(alarm: Json, policy: Json) -> bool:
    return any(_is(str(action), policy) for key in ACTIONS for action in alarm.get(key) or [])


def _is(action: str, policy: Json) -> bool:
    """Who made it may stand behind the ARN: ``...:policyName/p:createdBy/<id>``."""
    arn = str(policy.get("PolicyARN"))
    return action == arn or action.startswith(f"{arn}:")


def _alarm(alarm: Json, context: Context) -> Json:
    return copied(alarm, {key: _actions(alarm[key], context) for key in ACTIONS if alarm.get(key)}, context)


def _actions(actions: t.Iterable[t.Any], context: Context) -> list[t.Any]:
    """A policy of the source becomes the target's of the same name; who is notified stays; other policies scale what the target has not."""
    kept: list[t.Any] = []
    for action in map(str, actions):
        driven = _driven(action, context)
        if driven:
            kept.append({"resource_id": f"service/{context.names['cluster']}/{driven[0]}", "policy": driven[1]})
        elif ":scalingPolicy:" not in action:
            kept.append(action)
    return kept
