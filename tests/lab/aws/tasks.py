"""ECS tasks as the lab keeps them, in moto's ``backend("ecs").tasks[cluster name][task ARN]``.

moto's own Task knows one container, a random address and a state machine that moves when somebody looks. This one has AWS's members, and moves
only when a reconciler assigns them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from lab.aws import interfaces
from lab.aws.protocol import operation_model

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

FARGATE_PLATFORM = "1.4.0"


@dataclass
class EcsTask:
    """Members as in DescribeTasks, in snake case; times are aware datetimes, None until they happen.

    ``containers`` are dicts with AWS's keys: containerArn, taskArn, name, image, imageDigest, runtimeId, lastStatus (PENDING|RUNNING|STOPPED),
    exitCode, reason, networkBindings, networkInterfaces, healthStatus, cpu, memory.
    """

    task_arn: str
    cluster_arn: str
    task_definition_arn: str
    group: str
    launch_type: str | None
    started_by: str
    created_at: datetime
    desired_status: str = "RUNNING"
    last_status: str = "PROVISIONING"
    health_status: str = "UNKNOWN"
    stopped_reason: str | None = None
    stop_code: str | None = None
    connectivity: str | None = None
    connectivity_at: datetime | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    execution_stopped_at: datetime | None = None
    containers: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    attributes: list[dict[str, Any]] = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    availability_zone: str | None = None
    capacity_provider_name: str | None = None
    container_instance_arn: str | None = None
    platform_version: str | None = None
    platform_family: str | None = None
    cpu: str | None = None
    memory: str | None = None
    enable_execute_command: bool = False
    version: int = 1
    interface: Any = None
    """The task's ENI (awsvpc): ``.id``, ``.private_ip_address``; None in other network modes or once released."""

    @property
    def id(self) -> str:
        return self.task_arn.rsplit("/", 1)[-1]

    @property
    def service_name(self) -> str | None:
        """The service that the task belongs to; None for RunTask's."""
        return self.group.removeprefix("service:") if self.group.startswith("service:") else None


@dataclass(frozen=True)
class Launch:
    """How a task is launched. ``container_instance`` is moto's; ``subnet_id`` chooses among the network configuration's subnets."""

    group: str
    started_by: str = ""
    launch_type: str | None = None
    capacity_provider: str | None = None
    network_configuration: Mapping[str, Any] | None = None
    subnet_id: str | None = None
    container_instance: Any = None
    overrides: Mapping[str, Any] | None = None
    tags: Sequence[Mapping[str, str]] = ()
    enable_execute_command: bool = False

    @property
    def fargate(self) -> bool:
        return self.launch_type == "FARGATE" or self.capacity_provider in ("FARGATE", "FARGATE_SPOT")


def create(aws: AwsServer, cluster: Any, definition: Any, launch: Launch) -> EcsTask:
    """A new task, stored: PROVISIONING, containers PENDING; in awsvpc mode with its own ENI.

    ``cluster`` and ``definition`` are moto's objects. Hold ``aws.lock``.
    """
    task = EcsTask(
        f"arn:aws:ecs:{aws.region}:{aws.account}:task/{cluster.name}/{uuid.uuid4().hex}",
        cluster.arn,
        definition.arn,
        launch.group,
        None if launch.capacity_provider else (launch.launch_type or "EC2"),
        launch.started_by,
        aws.now(),
        capacity_provider_name=launch.capacity_provider,
        container_instance_arn=launch.container_instance.container_instance_arn if launch.container_instance is not None else None,
        platform_version=FARGATE_PLATFORM if launch.fargate else None,
        platform_family="Linux" if launch.fargate else None,
        overrides=dict(launch.overrides or {}),
        tags=[dict(tag) for tag in launch.tags],
        cpu=definition.cpu,
        memory=definition.memory,
        enable_execute_command=launch.enable_execute_command,
    )
    task.containers = [_container(task, container) for container in definition.container_definitions]
    if definition.network_mode == "awsvpc":
        _attach(aws, task, (launch.network_configuration or {})["awsvpcConfiguration"], launch.subnet_id)
    aws.backend("ecs").tasks.setdefault(cluster.name, {})[task.task_arn] = task
    return task


def release(aws: AwsServer, task: EcsTask) -> None:
    """Give the ENI back: what AWS does while a task is DEPROVISIONING. Hold ``aws.lock``."""
    if task.interface is not None:
        interfaces.delete(aws, task.interface)
        task.interface = None
        for attachment in task.attachments:
            attachment["status"] = "DELETED"


def document(task: EcsTask, include_tags: bool = False) -> dict[str, Any]:
    """The task as DescribeTasks shows it."""
    shape = operation_model("ecs", "DescribeTasks").output_shape.members["tasks"].member
    shown = {name: getattr(task, xform_name(name), None) for name in shape.members if name != "tags"}
    if include_tags:
        shown["tags"] = task.tags
    return {name: value for name, value in shown.items() if value is not None}


def _container(task: EcsTask, definition: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "containerArn": f"{task.task_arn.replace(':task/', ':container/')}/{uuid.uuid4()}",
        "taskArn": task.task_arn,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": "PENDING",
        "networkBindings": [],
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": str(definition.get("cpu", 0)),
        **{key: str(definition[key]) for key in ("memory", "memoryReservation") if key in definition},
    }


def _attach(aws: AwsServer, task: EcsTask, configuration: Mapping[str, Any], subnet_id: str | None) -> None:
    """The task's ENI and what DescribeTasks tells about it. Without groups it is the VPC's default group that guards the task."""
    attachment = str(uuid.uuid4())
    subnet = subnet_id or configuration["subnets"][0]
    description = f"arn:aws:ecs:{aws.region}:{aws.account}:attachment/{attachment}"
    task.interface = interface = interfaces.create(aws, subnet, configuration.get("securityGroups", []), description, "amazon-ecs")
    details = {
        "subnetId": subnet,
        "networkInterfaceId": interface.id,
        "macAddress": interface.mac_address,
        "privateDnsName": interface.private_dns_name or f"ip-{interface.private_ip_address.replace('.', '-')}.{aws.region}.compute.internal",
        "privateIPv4Address": interface.private_ip_address,
    }
    task.attachments = [
        {
            "id": attachment,
            "type": "ElasticNetworkInterface",
            "status": "ATTACHED",
            "details": [{"name": name, "value": value} for name, value in details.items()],
        }
    ]
    task.availability_zone = interface.subnet.availability_zone
    for container in task.containers:
        container["networkInterfaces"] = [{"attachmentId": attachment, "privateIpv4Address": interface.private_ip_address}]
