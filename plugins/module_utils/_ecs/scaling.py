# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Application Auto Scaling of the target's services.

A target that does not serve yet is idle, so its policies would take it down to its minimum, and the cutover would send all traffic to that minimum. Until it
serves it is *held*: scaling in and scheduled actions are suspended, scaling out is not. A scheduler that waits at no task for its hand-over is held altogether:
its minimum alone would start a second one.
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html
"""

from __future__ import annotations

import typing as t

from .._aws.apply import CLOCK, Call, Clock, Ids, apply, covers, overlay, report
from .._aws.clients import Clients
from .._aws.run import KNOWN_AFTER_APPLY
from .._cloudwatch import copied
from .._elbv2.common import find_load_balancer, find_target_group, full_name

Wanted = t.Mapping[str, t.Any]
Json = t.Dict[str, t.Any]

SERVICE = "application-autoscaling"
HELD = {"DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": False, "ScheduledScalingSuspended": True}
FREE = dict.fromkeys(HELD, False)
WAITS = dict.fromkeys(HELD, True)
NOT_YET = (("ValidationException", "service doesn't exist"), ("ValidationException", "ECS service"))
"""Application Auto Scaling sees a service a moment after ECS does."""
CONFIGURATIONS = ("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration", "PredictiveScalingPolicyConfiguration")


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> dict[str, t.Any]:
    """``create`` false touches only what is registered already: a rollback must not build anything."""
    wanted = [look_up(item, clients) for item in params["scaling"]]
    current = read(clients, wanted)
    chosen = [item for item in wanted if params["create"] or current[item["ResourceId"]]["target"]]
    calls = [call for item in chosen for call in compare(item, current[item["ResourceId"]], params["hold"], params["create"])]
    before = {item["ResourceId"]: view(current[item["ResourceId"]]) for item in chosen}
    after = {item["ResourceId"]: overlay(before[item["ResourceId"]], expected(item, current[item["ResourceId"]], params["hold"])) for item in chosen}
    ids = policy_arns(current)
    if params["create"]:
        # After all policies, because one alarm may invoke the policies of several services.
        alarms = [alarm for item in params["scaling"] for alarm in item.get("alarms") or []]
        more, alarms_before, alarms_after = copied.changes(alarms, clients, check_mode, ids)
        calls, before, after = [*calls, *more], {**before, **alarms_before}, {**after, **alarms_after}
    return report(apply(calls, clients, ids, check_mode, clock), before, after)


def policy_arns(current: t.Mapping[str, Json]) -> Ids:
    found = [(resource, policy) for resource, registered in current.items() for policy in registered["policies"].values()]
    return {copied.policy(resource, policy["PolicyName"]): policy["PolicyARN"] for resource, policy in found}


def look_up(item: Wanted, clients: Clients) -> Json:
    """The plan's entry in the API's terms. The label of a request count names a load balancer and a target group by ids that only AWS knows."""
    return {
        "ResourceId": item["resource_id"],
        "ScalableDimension": item["dimension"],
        "MinCapacity": item["min_capacity"],
        "MaxCapacity": item["max_capacity"],
        "waits": bool(item.get("waits")),
        "tags": {key: str(value) for key, value in (item.get("tags") or {}).items()},
        "policies": [_policy(policy, clients) for policy in item.get("policies") or []],
        "actions": [{key: value for key, value in action.items() if key != "ScalableDimension"} for action in item.get("scheduled_actions") or []],
    }


def _policy(policy: Wanted, clients: Clients) -> Json:
    kept = {key: value for key, value in policy.items() if key not in ("resource_label", "ScalableDimension")}
    names = policy.get("resource_label")
    if names:
        tracking = kept["TargetTrackingScalingPolicyConfiguration"]
        metric = {**tracking["PredefinedMetricSpecification"], "ResourceLabel": _label(names, clients)}
        kept["TargetTrackingScalingPolicyConfiguration"] = {**tracking, "PredefinedMetricSpecification": metric}
    return kept


def _label(names: Wanted, clients: Clients) -> str:
    """``app/<load balancer>/<id>/targetgroup/<group>/<id>``. [B PredefinedMetricSpecification.ResourceLabel]"""
    balancer, group = find_load_balancer(clients, names["load_balancer"]), find_target_group(clients, names["target_group"])
    if balancer is None or group is None:
        return KNOWN_AFTER_APPLY
    return f"{full_name(balancer['LoadBalancerArn'])}/{full_name(group['TargetGroupArn'])}"


def read(clients: Clients, wanted: t.Sequence[Wanted]) -> dict[str, Json]:
    """What is registered, by resource id: ``{target, policies, actions}``; the target is {} where there is none."""
    ids = [item["ResourceId"] for item in wanted]
    client = clients(SERVICE)
    targets: dict[str, Json] = {}
    for start in range(0, len(ids), 50):  # [B DescribeScalableTargetsRequest.ResourceIds]: at most 50
        answer = client.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=ids[start : start + 50])
        targets.update({target["ResourceId"]: target for target in answer["ScalableTargets"]})
    return {name: _registered(client, name, targets.get(name)) for name in ids}


def _registered(client: t.Any, resource: str, target: Json | None) -> Json:
    if target is None:
        return {"target": {}, "policies": {}, "actions": {}}
    which = {"ServiceNamespace": "ecs", "ResourceId": resource}
    policies = client.get_paginator("describe_scaling_policies").paginate(**which).build_full_result()["ScalingPolicies"]
    actions = client.get_paginator("describe_scheduled_actions").paginate(**which).build_full_result()["ScheduledActions"]
    return {
        "target": target,
        "policies": {policy["PolicyName"]: policy for policy in policies},
        "actions": {action["ScheduledActionName"]: action for action in actions},
    }


def compare(wanted: Wanted, current: Wanted, hold: bool, create: bool) -> list[Call]:
    """Register what is missing or differs. Policies and actions that the plan does not name are left alone: somebody made them."""
    calls = _target_calls(wanted, current["target"], hold, create)
    if not create:
        return calls
    where = {"ServiceNamespace": "ecs", "ResourceId": wanted["ResourceId"], "ScalableDimension": wanted["ScalableDimension"]}
    for policy in wanted["policies"]:
        if not covers(current["policies"].get(policy["PolicyName"]), policy):
            text = f"set scaling policy {policy['PolicyName']} of {wanted['ResourceId']}"
            gives = {copied.policy(wanted["ResourceId"], policy["PolicyName"]): ("PolicyARN",)}
            calls.append(Call(text, SERVICE, "put_scaling_policy", {**where, **policy}, gives=gives, again=NOT_YET))
    for action in wanted["actions"]:
        if not covers(_comparable(current["actions"].get(action["ScheduledActionName"])), action):
            text = f"set scheduled action {action['ScheduledActionName']} of {wanted['ResourceId']}"
            calls.append(Call(text, SERVICE, "put_scheduled_action", {**where, **action}, again=NOT_YET))
    return calls


def _target_calls(wanted: Wanted, current: Wanted, hold: bool, create: bool) -> list[Call]:
    bounds = {key: wanted[key] for key in ("MinCapacity", "MaxCapacity")} if create else {}
    suspended = suspension(current.get("SuspendedState"), hold, wanted["waits"])
    if current and covers(current, bounds) and covers(current.get("SuspendedState") or FREE, suspended):
        return []
    where = {"ServiceNamespace": "ecs", "ResourceId": wanted["ResourceId"], "ScalableDimension": wanted["ScalableDimension"]}
    params = {**where, **bounds, "SuspendedState": suspended}
    if not current:
        # Tags are for new targets only: AWS refuses them on one that exists. [B RegisterScalableTargetRequest.Tags]
        params["Tags"] = wanted["tags"]
    return [Call(_told(wanted, bounds, current, suspended), SERVICE, "register_scalable_target", params, again=NOT_YET)]


def suspension(now: Wanted | None, hold: bool, waits: bool = False) -> Json:
    """Held while it is idle. Once it serves only our own hold is lifted: what a person suspended stays suspended, and what the hand-over did too."""
    state = {**FREE, **(now or {})}
    if waits:
        return dict(WAITS)
    if hold:
        return dict(WAITS) if state == WAITS else dict(HELD)
    return dict(FREE) if state == HELD else state


def _told(wanted: Wanted, bounds: Wanted, current: Wanted, suspended: Wanted) -> str:
    held = " (scaling in waits until it serves)" if suspended == HELD else " (all of it waits)" if suspended == WAITS else ""
    if bounds and not covers(current or None, bounds):
        return f"scale {wanted['ResourceId']} between {wanted['MinCapacity']} and {wanted['MaxCapacity']} tasks{held}"
    return f"{'hold' if suspended in (HELD, WAITS) else 'resume'} scaling of {wanted['ResourceId']}{held}"


def _comparable(action: Wanted | None) -> Json | None:
    """Times as ISO strings, as the plan has them."""
    if action is None:
        return None
    return {key: value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else value for key, value in action.items()}


def view(current: Wanted) -> Json:
    """The registered side in the shape of :func:`expected`, for the diff."""
    target = current["target"]
    if not target:
        return {}
    return {
        **{key: target[key] for key in ("MinCapacity", "MaxCapacity")},
        "SuspendedState": {**FREE, **(target.get("SuspendedState") or {})},
        "policies": {name: _configured(policy) for name, policy in current["policies"].items()},
        "actions": {name: _comparable(action) for name, action in current["actions"].items()},
    }


def expected(wanted: Wanted, current: Wanted, hold: bool) -> Json:
    return {
        **{key: wanted[key] for key in ("MinCapacity", "MaxCapacity")},
        "SuspendedState": suspension(current["target"].get("SuspendedState"), hold, wanted["waits"]),
        "policies": {policy["PolicyName"]: _configured(policy) for policy in wanted["policies"]},
        "actions": {action["ScheduledActionName"]: dict(action) for action in wanted["actions"]},
    }


def _configured(policy: Wanted) -> Json:
    return {key: policy[key] for key in ("PolicyType", *CONFIGURATIONS) if key in policy}
