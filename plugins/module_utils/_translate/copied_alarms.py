# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Alarms of the source that the target gets again. fargate-rules.md 7 (.alarms, Application Auto Scaling)

Metrics of the source become the same metrics of the target, also below metric math; a metric that belongs to neither side, as the depth of a queue, stays. The
ids by which CloudWatch names a load balancer and its target groups are AWS's: in their place stands a name, ``{"load_balancer": "shop-fargate"}``.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import copy
import re
import typing as t

from . import names, target_group
from .context import Context, Json, short

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
# Dimensions beside ClusterName that name what the system itself has in it. [D ecs/available-metrics, AmazonCloudWatch/Container-Insights-metrics-ECS]
PARTS_OF_CLUSTER = ("ServiceName", "TaskDefinitionFamily")
_QUERY = re.compile(r"\s*SELECT\b", re.IGNORECASE)


class UnmappableError(Exception):
    """Why an alarm has no counterpart on the target: what it does, beginning with the verb."""


def name_of(alarm: Json) -> str:
    return str(alarm.get("AlarmName"))


def named(context: Context) -> dict[str, Json]:
    """The source's alarms by name."""
    return {name_of(alarm): alarm for alarm in context.source.get("alarms") or []}


def copied(alarm: Json, actions: t.Mapping[str, t.Sequence[t.Any]], context: Context) -> Json:
    """The target's alarm as PutMetricAlarm's members, deny-list copied; who is told and what is invoked apart."""
    settings = {key: value for key, value in alarm.items() if key not in (*READ_ONLY, *ACTIONS, "AlarmName", "Dimensions", "Metrics", "Tags")}
    if alarm.get("MetricName"):
        settings["Dimensions"] = _dimensions(alarm, context)
    elif not alarm.get("Metrics"):
        raise UnmappableError("watches a query, which names no metric")
    else:
        settings["Metrics"] = [_query(query, context) for query in alarm.get("Metrics") or []]
    return {
        "name": context.renamed("alarms", name_of(alarm)) or names.alarm(name_of(alarm)),
        "source_name": name_of(alarm),
        "settings": copy.deepcopy({key: value for key, value in settings.items() if value not in (None, [], "")}),
        "actions": {key: list(value) for key, value in actions.items()},
        "tags": dict(context.own_tags),
    }


def watches_source(alarm: Json, context: Context) -> bool:
    """Whether its metric is one of the source's, and ends with it; metric math is looked at as a whole."""
    return any(of_source(alarm, context))


def of_source(alarm: Json, context: Context) -> t.Iterator[set[str]]:
    """Of each of its metrics the dimensions that name something of the source. Those that single out a part of its cluster count with it."""
    for metric in _metrics(alarm):
        given = metric.get("Dimensions") or []
        names = {str(item.get("Name")) for item in given if _of_source(item, context)}
        yield names | {str(item.get("Name")) for item in given if "ClusterName" in names and item.get("Name") in PARTS_OF_CLUSTER}


def outlives_source(alarm: Json, context: Context) -> bool:
    """Whether it measures the same without the source. What a query measures nobody can tell from outside."""
    queries = [query for query in alarm.get("Metrics") or [] if _QUERY.match(str(query.get("Expression")))]
    if queries or not (alarm.get("MetricName") or alarm.get("Metrics")):
        return False
    return not watches_source(alarm, context) and not any(_of_its_instances(metric, context) for metric in _metrics(alarm))


def _metrics(alarm: Json) -> list[Json]:
    return [alarm, *((query.get("MetricStat") or {}).get("Metric") or {} for query in alarm.get("Metrics") or [])]


def _of_its_instances(metric: Json, context: Context) -> bool:
    capacity = context.source.get("capacity") or {}
    own = {str(group.get("AutoScalingGroupName")) for group in capacity.get("auto_scaling_groups") or []}
    own |= {str(instance.get("InstanceId")) for instance in capacity.get("instances") or []}
    return any(item.get("Name") in OF_INSTANCES and item.get("Value") in own for item in metric.get("Dimensions") or [])


def _query(query: Json, context: Context) -> Json:
    """One entry of metric math: a metric, or an expression over others by their ids. [B MetricDataQuery]"""
    metric = (query.get("MetricStat") or {}).get("Metric")
    if metric:
        return {**query, "MetricStat": {**query["MetricStat"], "Metric": {**metric, "Dimensions": _dimensions(metric, context)}}}
    if _QUERY.match(str(query.get("Expression"))):
        raise UnmappableError("watches a query of CloudWatch Metrics Insights, which names no metric")
    return query


def _dimensions(metric: Json, context: Context) -> list[Json]:
    """Those of the target."""
    given = {str(item.get("Name")): str(item.get("Value")) for item in metric.get("Dimensions") or []}
    if any(name in given for name in OF_INSTANCES):
        raise UnmappableError("watches instances, which the target has not")
    if metric.get("Namespace") == "AWS/ECS" and set(given) == {"ClusterName"} and given["ClusterName"] == _cluster(context):
        raise UnmappableError("watches the capacity of the cluster's instances, which the target has not")
    here = given.get("ClusterName") == _cluster(context)
    if here:
        _same_service(given, context)
    return [{"Name": name, "Value": _value(name, value, here, context)} for name, value in sorted(given.items())]


def _value(name: str, value: str, here: bool, context: Context) -> t.Any:
    """``here``: the metric is one of the source's cluster."""
    if name in ("LoadBalancer", "TargetGroup") and _of_source({"Name": name, "Value": value}, context):
        return {"load_balancer": context.names["load_balancer"]} if name == "LoadBalancer" else {"target_group": _group(value, context)}
    if here and name == "ClusterName":
        return context.names["cluster"]
    if here and name == "TaskDefinitionFamily":
        return context.renamed("families", value) or names.family(value)
    return value


def _same_service(given: t.Mapping[str, str], context: Context) -> None:
    """Services keep their names; one that is not moved has no metrics on the target."""
    service = given.get("ServiceName")
    if service is not None and service not in {str(item.get("serviceName")) for item in context.replica_services}:
        raise UnmappableError(f"watches service {service}, which is not moved")


def _group(value: str, context: Context) -> str:
    """``targetgroup/<name>/<id>`` -> the name of the group that replaces it."""
    found_name = next((name for arn, name in target_group.mapping(context).items() if arn.rpartition(":")[2] == value), None)
    if found_name is None:
        raise UnmappableError(f"watches target group {value.split('/')[1]}, which no service of the system uses")
    return found_name


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
