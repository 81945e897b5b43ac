# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The cluster behind target groups, its services, and what belongs to each service."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import typing as t
from dataclasses import dataclass, field

from .._aws import tags
from .other_clusters import cluster_list, groups_of, registrants
from .read import Reader, Shape, each, together, unique

CLUSTER_DETAILS = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]
INSTANCES_ASKED = 3  # instances of one target group run the same user data; more are asked only because the first may be gone
# What a task set has for itself beside its service. [B TaskSet]
OF_TASK_SET = ("taskDefinition", "launchType", "capacityProviderStrategy", "platformVersion", "networkConfiguration", "loadBalancers", "serviceRegistries")

# ECS_CLUSTER=shop in ecs.config (Linux), cluster = "shop" under [settings.ecs] (Bottlerocket), Initialize-ECSAgent -Cluster shop (Windows).
# [D ecs/ecs-agent-config, ecs/bottlerocket-launch, ecs/bootstrap_windows_container_instance]
_USER_DATA = re.compile(r"""(?:\bECS_CLUSTER\s*=\s*|^\s*cluster\s*=\s*|-Cluster\s+)["']?([A-Za-z0-9_-]+)""", re.MULTILINE)


@dataclass
class Location:
    """Where the target groups' services run."""

    cluster: Shape | None = None
    services: list[Shape] = field(default_factory=list)
    """Every service of the cluster, as DescribeServices gives it."""
    elsewhere: dict[str, list[str]] = field(default_factory=dict)
    """Target group ARN -> services of other clusters, as ``service x of cluster y``."""


def locate(read: Reader, target_groups: t.Sequence[Shape], hints: t.Iterable[str], path: str) -> Location:
    """The cluster whose services name the target groups.

    AWS has no call from a target group to its service. The clusters named by ``hints`` and by the user data of registered instances are looked at
    first; all the others only when a target group with registered targets is still without a service. Else the others are asked, within a bound,
    whether one of their services shares a target group of the source: without a running task it can't be told from the targets.
    """
    arns = [group["TargetGroupArn"] for group in target_groups]
    named = unique([*hints, *_clusters_of_instances(read, target_groups)])
    known = _with_services(read, named)
    open_groups = [group for group in target_groups if not _claims(known, group["TargetGroupArn"])]
    search = not known or any(group["TargetHealth"] for group in open_groups)
    if search and arns:
        others = [arn for arn in cluster_list(read) if arn not in known]
        known.update({arn: found for arn, found in _with_services(read, others).items() if any(_claims({arn: found}, group) for group in arns)})
    location = _location(known, arns)
    if search or path != "source":
        return location
    for group, users in registrants(read, arns, list(known), f"{path}.target_groups").items():
        location.elsewhere.setdefault(group, []).extend(users)
    return location


def cluster_in_user_data(encoded: str | None) -> str | None:
    """The cluster that an instance with this user data joins."""
    try:
        raw = base64.b64decode(encoded or "", validate=False)
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "replace")
    except (binascii.Error, OSError, EOFError):
        return None
    found = _USER_DATA.search(text)
    return found[1] if found else None


def names_in(services: t.Iterable[Shape], group: str) -> list[str]:
    """Names of the services that register in a target group."""
    return [service["serviceName"] for service in services if group in groups_of(service)]


def complete(read: Reader, cluster: Shape, services: t.Sequence[Shape], path: str) -> list[Shape]:
    """``services`` of a side: each with its task definition, running tasks and scaling."""
    for service in services:
        if service.get("status") != "ACTIVE":
            read.problem(
                "service-not-active",
                f"{path}.services[{service['serviceName']}].status",
                f"Service {service['serviceName']} is {service.get('status')}. It should be ACTIVE.",
            )
    targets = _scalable_targets(read, cluster, services)
    definitions = dict(_task_definitions(read, services))
    return each(lambda service: _complete(read, service, definitions, targets, path), services)


def read_cluster(read: Reader, name: str) -> Shape | None:
    """``cluster`` of a side; None when it does not exist or is deleted."""
    found = read.existing([], lambda: read.one("ecs", "describe_clusters", clusters=[name], include=CLUSTER_DETAILS)["clusters"], ["ClusterNotFoundException"])
    if not found or found[0].get("status") == "INACTIVE":
        return None
    return _tagged(found[0])


def _with_services(read: Reader, clusters: t.Sequence[str]) -> dict[str, tuple[Shape, list[Shape]]]:
    """Cluster ARN -> cluster and all its services, of the clusters that exist."""
    found = [cluster for cluster in each(lambda name: read_cluster(read, name), clusters) if cluster]
    services = each(lambda cluster: _all_services(read, cluster["clusterArn"]), found)
    return {cluster["clusterArn"]: (cluster, listed) for cluster, listed in zip(found, services, strict=True)}


def _all_services(read: Reader, cluster: str) -> list[Shape]:
    arns = read.all("ecs", "list_services", "serviceArns", cluster=cluster, PaginationConfig={"PageSize": 100})
    described = read.batches("ecs", "describe_services", "services", "services", arns, 10, cluster=cluster, include=["TAGS"])
    alive = [in_force(_tagged(service)) for service in described if service.get("status") != "INACTIVE"]  # deleted since it was listed
    return sorted(alive, key=lambda service: service["serviceName"])


def in_force(service: Shape) -> Shape:
    """Under CodeDeploy or an external controller the PRIMARY task set says what runs; the service's own members may say what it was made with.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
    """
    primary: Shape = next((item for item in service.get("taskSets") or [] if item.get("status") == "PRIMARY"), {})
    return {**service, **{key: primary[key] for key in OF_TASK_SET if primary.get(key)}}


def _tagged(item: Shape) -> Shape:
    return {**{key: value for key, value in item.items() if key != "tags"}, "Tags": tags.to_dict(item.get("tags"))}


def _claims(known: t.Mapping[str, tuple[Shape, list[Shape]]], group: str) -> list[Shape]:
    return [service for _cluster, services in known.values() for service in services if group in groups_of(service)]


def _location(known: t.Mapping[str, tuple[Shape, list[Shape]]], arns: t.Sequence[str]) -> Location:
    """The cluster with most of the target groups; the first named when none has any."""
    if not known:
        return Location()

    def claimed(arn: str) -> int:
        return sum(bool(_claims({arn: known[arn]}, group)) for group in arns)

    main = max(known, key=claimed)
    cluster, services = known[main]
    elsewhere: dict[str, list[str]] = {}
    for arn, (other, others) in known.items():
        for service in others if arn != main else []:
            for group in set(groups_of(service)) & set(arns):
                elsewhere.setdefault(group, []).append(f"service {service['serviceName']} of cluster {other['clusterName']}")
    return Location(cluster, services, elsewhere)


def _clusters_of_instances(read: Reader, target_groups: t.Sequence[Shape]) -> list[str]:
    """Clusters that the registered instances were told to join when they were launched."""
    instances = unique(
        description["Target"]["Id"]
        for group in target_groups
        if group.get("TargetType") == "instance"
        for description in group["TargetHealth"][:INSTANCES_ASKED]
    )
    return unique(filter(None, each(lambda instance: _cluster_of_instance(read, instance), instances)))


def _cluster_of_instance(read: Reader, instance: str) -> str | None:
    answer = read.optional(
        "source.cluster",
        {},
        lambda: read.one("ec2", "describe_instance_attribute", InstanceId=instance, Attribute="userData"),
        absent=["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"],
    )
    return cluster_in_user_data((answer.get("UserData") or {}).get("Value"))


def _task_definitions(read: Reader, services: t.Sequence[Shape]) -> list[tuple[str, Shape]]:
    arns = unique(service.get("taskDefinition", "") for service in services)
    return list(zip(arns, each(lambda arn: _task_definition(read, arn), arns), strict=True))


def _task_definition(read: Reader, arn: str) -> Shape:
    """Empty when it is gone: a deleted revision can't be described, though a service may still run it."""
    absent = ["ClientException", "InvalidParameterException"]
    return read.existing({}, lambda: read.one("ecs", "describe_task_definition", taskDefinition=arn, include=["TAGS"]), absent)


def _complete(read: Reader, service: Shape, definitions: t.Mapping[str, Shape], targets: t.Sequence[Shape], path: str) -> Shape:
    name = service["serviceName"]
    answer = definitions.get(service.get("taskDefinition", ""), {})
    if "taskDefinition" not in answer:
        read.problem(
            "task-definition-missing",
            f"{path}.services[{name}].TaskDefinition",
            f"Task definition {service.get('taskDefinition')} of service {name} does not exist any more.",
        )
    mine = [target for target in targets if target["ResourceId"].rpartition("/")[2] == name]
    scaling = _scaling(read, mine[0]["ResourceId"]) if mine else {"ScalingPolicies": [], "ScheduledActions": []}
    return {
        **service,
        "TaskDefinition": answer.get("taskDefinition"),
        "TaskDefinitionTags": tags.to_dict(answer.get("tags")),
        "Tasks": _tasks(read, service),
        "ScalableTargets": mine,
        **scaling,
    }


def _tasks(read: Reader, service: Shape) -> list[Shape]:
    cluster, name = service["clusterArn"], service["serviceName"]
    arns = read.all("ecs", "list_tasks", "taskArns", cluster=cluster, serviceName=name, desiredStatus="RUNNING")
    found = read.batches("ecs", "describe_tasks", "tasks", "tasks", arns, 100, cluster=cluster, include=["TAGS"])
    return [_tagged(task) for task in found if task.get("lastStatus") == "RUNNING" and task.get("group") == f"service:{name}"]


def _scalable_targets(read: Reader, cluster: Shape, services: t.Sequence[Shape]) -> list[Shape]:
    """At most 50 resource ids in one call. [B DescribeScalableTargets]"""
    ids = [f"service/{cluster['clusterName']}/{service['serviceName']}" for service in services]
    parts = [ids[start : start + 50] for start in range(0, len(ids), 50)]
    found = each(
        lambda part: read.all("application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs", ResourceIds=part), parts
    )
    return [target for part in found for target in part]


def _scaling(read: Reader, resource: str) -> Shape:
    which = {"ServiceNamespace": "ecs", "ResourceId": resource}
    return together(
        ScalingPolicies=lambda: read.all("application-autoscaling", "describe_scaling_policies", "ScalingPolicies", **which),
        ScheduledActions=lambda: read.all("application-autoscaling", "describe_scheduled_actions", "ScheduledActions", **which),
    )
