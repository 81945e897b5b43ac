# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Application Auto Scaling of the source's services. fargate-rules.md 7 (Application Auto Scaling)

The role service registers it, held until the target serves: an idle target would be scaled down to its minimum before the traffic comes.
"""

from __future__ import annotations

import copy
import typing as t

from . import scaling_alarms, schedulers, target_group
from .context import Context, Json, short
from .findings import Finding, found
from .service import source_count

READ_ONLY_POLICY = ("PolicyARN", "CreationTime", "Alarms", "ResourceId", "ServiceNamespace")
READ_ONLY_ACTION = ("ScheduledActionARN", "CreationTime", "ResourceId", "ServiceNamespace")


def section(services: t.Iterable[Json], context: Context) -> tuple[list[Json], list[Finding]]:
    """Minimum, maximum, target tracking, step and scheduled actions, for the service of the same name in the new cluster."""
    plan: list[Json] = []
    findings: list[Finding] = []
    for service in services:
        targets = service.get("ScalableTargets") or []
        name = str(service.get("serviceName"))
        for target in targets:
            plan.append(_target(target, service, context))
            bounds = f"{target.get('MinCapacity')}..{target.get('MaxCapacity')}"
            findings.append(found("FG-SCALING", f"services[{name}].ScalableTargets", bounds, bounds))
        findings += _policy_findings(service, f"services[{name}]")
        findings += scaling_alarms.findings(service, f"services[{name}]", context)
        findings += [
            found("FG-SCALING-ONCE", f"services[{name}].ScheduledActions[{action.get('ScheduledActionName')}]", action.get("Schedule"))
            for action in service.get("ScheduledActions") or []
            if _is_once(action)
        ]
    return plan, findings


def _policy_findings(service: Json, path: str) -> t.Iterator[Finding]:
    """A metric that names the source's load balancer or target group follows the source."""
    for policy in service.get("ScalingPolicies") or []:
        where = f"{path}.ScalingPolicies[{policy.get('PolicyName')}]"
        for dimension in _dimensions(policy):
            if dimension.get("Name") in ("LoadBalancer", "TargetGroup"):
                yield found("FG-SCALING-METRIC", where, f"{dimension['Name']}={dimension.get('Value')}")


def _dimensions(value: t.Any) -> t.Iterator[Json]:
    """Every metric dimension anywhere in a policy: customized metrics have them directly or below metric math."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "Dimensions" and isinstance(item, list):
                yield from item
            else:
                yield from _dimensions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _dimensions(item)


def _is_once(action: Json) -> bool:
    """``at(...)``: AWS refuses one that is past, and a plan has no clock."""
    return str(action.get("Schedule")).startswith("at(")


def _target(target: Json, service: Json, context: Context) -> Json:
    """Whether scaling is suspended isn't copied: that is what our own scale-in does to the source."""
    name = str(service.get("serviceName"))
    return {
        "service": name,
        "cluster": context.names["cluster"],
        "resource_id": f"service/{context.names['cluster']}/{name}",
        "dimension": target.get("ScalableDimension"),
        "min_capacity": target.get("MinCapacity"),
        "max_capacity": target.get("MaxCapacity"),
        "policies": [_policy(policy, context) for policy in service.get("ScalingPolicies") or []],
        "scheduled_actions": [
            {key: copy.deepcopy(value) for key, value in action.items() if key not in READ_ONLY_ACTION}
            for action in service.get("ScheduledActions") or []
            if not _is_once(action)
        ],
        "alarms": scaling_alarms.section(service, context),
        "waits": schedulers.held(service, source_count(service), context),
        "tags": dict(context.own_tags),
    }


def _policy(policy: Json, context: Context) -> Json:
    """Deny-list copy. ``ALBRequestCountPerTarget`` names a load balancer and a group: their new names are given, ids are looked up later."""
    kept = {key: copy.deepcopy(value) for key, value in policy.items() if key not in READ_ONLY_POLICY}
    source_cluster = str((context.source.get("cluster") or {}).get("clusterName"))
    for dimension in _dimensions(kept):
        if dimension.get("Name") == "ClusterName" and dimension.get("Value") == source_cluster:
            dimension["Value"] = context.names["cluster"]
    metric = (kept.get("TargetTrackingScalingPolicyConfiguration") or {}).get("PredefinedMetricSpecification") or {}
    label = metric.pop("ResourceLabel", None)
    if label:
        names = {short(arn.rpartition("/")[0]): name for arn, name in target_group.mapping(context).items()}
        kept["resource_label"] = {"load_balancer": context.names["load_balancer"], "target_group": names.get(_group_of(str(label)))}
    return kept


def _group_of(label: str) -> str:
    """``app/<alb>/<id>/targetgroup/<group>/<id>`` -> ``<group>``."""
    parts = label.split("/")
    return parts[4] if len(parts) > 4 else ""


def least(service: t.Mapping[str, t.Any], desired: int) -> int:
    """The number of tasks below which something is wrong: scaling may go down to its minimum on purpose."""
    minimum = [target["MinCapacity"] for target in service.get("ScalableTargets") or [] if target.get("MinCapacity") is not None]
    return min([desired, *minimum])
