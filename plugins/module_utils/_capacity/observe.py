# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the source's capacity is now, and what its tags remember."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._aws import tags as aws_tags
from .._aws.clients import Clients
from .._aws.errors import ClientError, error_code
from .numbers import Capacity


@dataclass(frozen=True)
class Service:
    """An ECS service. ``remembered`` is its desired count before the scale-in; ``suspended`` is None without a scalable target.

    ``alive`` counts the tasks that have not stopped, also those that are only starting or only ending, where that is asked: of what ``hands_over``.
    """

    cluster: str
    name: str
    arn: str
    desired: int
    running: int
    remembered: int | None
    scalable: bool
    suspended: bool
    system: str | None
    hands_over: bool
    alive: int


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
    """``targets`` are the target's services that may only run while the source's of the same name does not."""

    services: tuple[Service, ...]
    groups: tuple[Group, ...]
    container_instances: int
    targets: tuple[Service, ...]


def observe(params: t.Mapping[str, t.Any], clients: Clients) -> Observed:
    cluster, schedulers = params["cluster"], {each["name"]: each["cluster"] for each in params["schedulers"]}
    services = tuple(_services(cluster, [each["name"] for each in params["services"]], schedulers, clients)) if cluster else ()
    groups = tuple(_groups([each["name"] for each in params["auto_scaling_groups"]], clients))
    targets = tuple(each for where in sorted({*schedulers.values()}) for each in _targets(where, schedulers, clients))
    return Observed(services, groups, _container_instances(cluster, clients) if cluster else 0, targets)


def _targets(cluster: str, schedulers: t.Mapping[str, str], clients: Clients) -> list[Service]:
    """None where there is no target's cluster (yet, or any more)."""
    try:
        return list(_services(cluster, [name for name in schedulers if schedulers[name] == cluster], schedulers, clients))
    except ClientError as error:
        if error_code(error) == "ClusterNotFoundException":
            return []
        raise


def _services(cluster: str, names: list[str], schedulers: t.Container[str], clients: Clients) -> t.Iterator[Service]:
    scalable = {each["ResourceId"].rpartition("/")[2]: each for each in _scalable_targets(cluster, names, clients)}
    for start in range(0, len(names), 10):
        found = clients("ecs").describe_services(cluster=cluster, services=names[start : start + 10], include=["TAGS"])["services"]
        for service in found:
            if service["status"] == "INACTIVE":
                continue
            tags, name = aws_tags.to_dict(service.get("tags")), service["serviceName"]
            remembered, target = tags.get(aws_tags.DESIRED_COUNT), scalable.get(name)
            yield Service(
                cluster,
                name,
                service["serviceArn"],
                service["desiredCount"],
                service["runningCount"],
                int(remembered) if remembered is not None else None,
                target is not None,
                all((target or {}).get("SuspendedState", {}).get(key) for key in SUSPENDED_STATE),
                tags.get(aws_tags.SYSTEM),
                name in schedulers,
                _alive(cluster, name, clients) if name in schedulers else service["runningCount"],
            )


def _alive(cluster: str, service: str, clients: Clients) -> int:
    """A task that was told to stop counts until it is STOPPED: its containers have up to stopTimeout to end, and no counter of the service tells of them.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
    """
    ecs, arns = clients("ecs"), set()
    for status in ("RUNNING", "STOPPED"):
        for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, serviceName=service, desiredStatus=status):
            arns.update(page["taskArns"])
    found, ordered = 0, sorted(arns)
    for start in range(0, len(ordered), 100):  # [B DescribeTasksRequest.tasks]: up to 100
        tasks = ecs.describe_tasks(cluster=cluster, tasks=ordered[start : start + 100])["tasks"]
        found += sum(task["lastStatus"] != "STOPPED" for task in tasks)
    return found


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
