# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the source's capacity is now, and what its tags remember."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._aws import tags as aws_tags
from .._aws.clients import Clients
from .numbers import Capacity


@dataclass(frozen=True)
class Service:
    """An ECS service. ``remembered`` is its desired count before the scale-in; ``suspended`` is None without a scalable target."""

    name: str
    arn: str
    desired: int
    running: int
    remembered: int | None
    scalable: bool
    suspended: bool


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group. ``instances`` are those not yet gone."""

    name: str
    capacity: Capacity
    remembered: Capacity | None
    instances: tuple[str, ...]
    in_service: int
    protected: tuple[str, ...]
    suspended: frozenset[str]


@dataclass(frozen=True)
class Observed:
    services: tuple[Service, ...]
    groups: tuple[Group, ...]
    container_instances: int


def observe(params: t.Mapping[str, t.Any], clients: Clients) -> Observed:
    cluster = params["cluster"]
    services = tuple(_services(cluster, [each["name"] for each in params["services"]], clients)) if cluster else ()
    groups = tuple(_groups([each["name"] for each in params["auto_scaling_groups"]], clients))
    return Observed(services, groups, _container_instances(cluster, clients) if cluster else 0)


def _services(cluster: str, names: list[str], clients: Clients) -> t.Iterator[Service]:
    scalable = {each["ResourceId"].rpartition("/")[2]: each for each in _scalable_targets(cluster, names, clients)}
    for start in range(0, len(names), 10):
        found = clients("ecs").describe_services(cluster=cluster, services=names[start : start + 10], include=["TAGS"])["services"]
        for service in found:
            if service["status"] == "INACTIVE":
                continue
            remembered = aws_tags.to_dict(service.get("tags")).get(aws_tags.DESIRED_COUNT)
            target = scalable.get(service["serviceName"])
            yield Service(
                service["serviceName"],
                service["serviceArn"],
                service["desiredCount"],
                service["runningCount"],
                int(remembered) if remembered is not None else None,
                target is not None,
                all((target or {}).get("SuspendedState", {}).get(key) for key in SUSPENDED_STATE),
            )


SUSPENDED_STATE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def resource_id(cluster: str, service: str) -> str:
    return f"service/{cluster}/{service}"


def _scalable_targets(cluster: str, names: list[str], clients: Clients) -> list[dict[str, t.Any]]:
    """At most 50 resource ids in one call. https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html"""
    ids = [resource_id(cluster, name) for name in names]
    found: list[dict[str, t.Any]] = []
    for start in range(0, len(ids), 50):
        answer = clients("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=ids[start : start + 50])
        found += answer["ScalableTargets"]
    return found


def _groups(names: list[str], clients: Clients) -> t.Iterator[Group]:
    if not names:
        return
    for group in clients("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]:
        alive = [each for each in group["Instances"] if each["LifecycleState"] != "Terminated"]
        remembered = aws_tags.to_dict(group.get("Tags")).get(aws_tags.CAPACITY)
        yield Group(
            group["AutoScalingGroupName"],
            Capacity(group["MinSize"], group["DesiredCapacity"]),
            Capacity.parse(remembered) if remembered else None,
            tuple(each["InstanceId"] for each in alive),
            sum(each["LifecycleState"] == "InService" for each in alive),
            tuple(each["InstanceId"] for each in alive if each.get("ProtectedFromScaleIn")),
            frozenset(each["ProcessName"] for each in group.get("SuspendedProcesses", [])),
        )


def _container_instances(cluster: str, clients: Clients) -> int:
    """How many instances have registered with the cluster and can take tasks."""
    found = 0
    for page in clients("ecs").get_paginator("list_container_instances").paginate(cluster=cluster, status="ACTIVE"):
        found += len(page["containerInstanceArns"])
    return found
