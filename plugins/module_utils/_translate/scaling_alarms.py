# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The alarms that drive step scaling policies: AWS makes and deletes only those of target tracking. fargate-rules.md 7 (Application Auto Scaling)

An alarm on a metric of the source is made again on the same metric of the target; one on a metric that belongs to neither side, as the depth of a queue,
is made again as it is. Ids of the load balancer and its target groups are looked up where the alarm is made.
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-step-scaling-policies.html
"""

from __future__ import annotations

import copy
import typing as t

from . import names, target_group
from .context import Context, Json, short
from .findings import Finding, found

STEP = "StepScaling"
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
# What DescribeAlarms tells and PutMetricAlarm does not take. [B MetricAlarm, PutMetricAlarmInput]
READ_ONLY = (
    "AlarmArn",
    "AlarmConfigurationUpdatedTimestamp",
    "EvaluationState",
    "StateReason",
    "StateReasonData",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "StateValue",
)
# Dimensions that name what only a cluster of instances has. [D ecs/available-metrics]
OF_INSTANCES = ("AutoScalingGroupName", "InstanceId", "CapacityProviderName", "ContainerInstanceId", "EC2InstanceId")


class UnmappableError(Exception):
    """Why an alarm has no counterpart on the target, in words."""


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
    known = {str(alarm.get("AlarmName")): alarm for alarm in context.source.get("alarms") or []}
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
        yield found("FG-SCALING-POLICY", path, name, what=str(reason))
        return
    yield found("FG-SCALING-STEP" if watches_source(alarm, context) else "FG-SCALING-SHARED-METRIC", path, name, planned["name"])


def replaced(context: Context) -> set[str]:
    """Names of the source's alarms that the target gets again."""
    return {alarm["source_name"] for service in context.source_services if service.get("ScalableTargets") for alarm in section(service, context)}


def watches_source(alarm: Json, context: Context) -> bool:
    """Whether its metric is one of the source's, and ends with it; metric math is looked at as a whole."""
    metrics = [alarm, *((query.get("MetricStat") or {}).get("Metric") or {} for query in alarm.get("Metrics") or [])]
    return any(_of_source(item, context) for metric in metrics for item in metric.get("Dimensions") or [])


def used_otherwise(alarm: Json, context: Context) -> bool:
    """Whether it also does something that outlives the source: its metric is not the source's, and an action is none of the source's policies."""
    actions = [str(action) for key in ACTIONS for action in alarm.get(key) or []]
    return not watches_source(alarm, context) and any(_driven(action, context) is None for action in actions)


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
    """Deny-list copy; dimensions and actions apart, since they name what only AWS knows."""
    source_name = str(alarm.get("AlarmName"))
    settings = {key: copy.deepcopy(value) for key, value in alarm.items() if key not in (*READ_ONLY, *ACTIONS, "AlarmName", "Dimensions", "Tags")}
    if not alarm.get("MetricName"):
        raise UnmappableError("the alarm that invokes it watches metric math or a query")
    dimensions, balancer, group = _dimensions(alarm, context)
    return {
        "name": names.alarm(source_name),
        "source_name": source_name,
        "settings": {key: value for key, value in settings.items() if value not in (None, [], "")},
        "dimensions": dimensions,
        "load_balancer": balancer,
        "target_group": group,
        "actions": {key: _actions(alarm[key], context) for key in ACTIONS if alarm.get(key)},
        "tags": dict(context.own_tags),
    }


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


def _dimensions(alarm: Json, context: Context) -> tuple[list[Json], str | None, str | None]:
    """Those of the target, and by name the load balancer and the group that two of them stand for."""
    kept: list[Json] = []
    balancer = group = None
    given = {str(item.get("Name")): str(item.get("Value")) for item in alarm.get("Dimensions") or []}
    if any(name in given for name in OF_INSTANCES):
        raise UnmappableError("the alarm that invokes it watches instances, which the target has not")
    if alarm.get("Namespace") == "AWS/ECS" and set(given) == {"ClusterName"} and given["ClusterName"] == _cluster(context):
        raise UnmappableError("the alarm that invokes it watches the capacity of the cluster's instances, which the target has not")
    if given.get("ClusterName") == _cluster(context):
        _same_service(given, context)
    for name, value in sorted(given.items()):
        if name == "LoadBalancer" and _of_source({"Name": name, "Value": value}, context):
            balancer = context.names["load_balancer"]
        elif name == "TargetGroup" and _of_source({"Name": name, "Value": value}, context):
            group = _group(value, context)
        elif given.get("ClusterName") == _cluster(context) and name in ("ClusterName", "TaskDefinitionFamily"):
            kept.append({"Name": name, "Value": context.names["cluster"] if name == "ClusterName" else _family(value, context)})
        else:
            kept.append({"Name": name, "Value": value})
    return kept, balancer, group


def _same_service(given: t.Mapping[str, str], context: Context) -> None:
    """Services keep their names; one that is not moved has no metrics on the target."""
    service = given.get("ServiceName")
    if service is not None and service not in {str(item.get("serviceName")) for item in context.replica_services}:
        raise UnmappableError(f"the alarm that invokes it watches service {service}, which is not moved")


def _group(value: str, context: Context) -> str:
    """``targetgroup/<name>/<id>`` -> the name of the group that replaces it."""
    found_name = next((name for arn, name in target_group.mapping(context).items() if arn.rpartition(":")[2] == value), None)
    if found_name is None:
        raise UnmappableError(f"the alarm that invokes it watches target group {value.split('/')[1]}, which no service of the system uses")
    return found_name


def _family(value: str, context: Context) -> str:
    return context.renamed("families", value) or names.family(value)


def _of_source(dimension: Json, context: Context) -> bool:
    """Whether a dimension names the source's load balancer, one of its target groups, or its cluster."""
    name, value = dimension.get("Name"), dimension.get("Value")
    if name == "LoadBalancer":
        return bool(value == str(context.source_load_balancer.get("LoadBalancerArn")).partition(":loadbalancer/")[2])
    if name == "TargetGroup":
        return value in {str(group.get("TargetGroupArn")).rpartition(":")[2] for group in context.source.get("target_groups") or []}
    return name == "ClusterName" and value == _cluster(context)


def _cluster(context: Context) -> str:
    cluster = context.source.get("cluster") or {}
    return str(cluster.get("clusterName") or short(cluster.get("clusterArn")))
