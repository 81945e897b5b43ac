"""Faults of the data plane: what goes wrong in real migrations, one command each.

They act on the target side (Fargate tasks) unless told otherwise, on tasks that start while the fault is on; ``restart`` stops running ones at once.
"""

from __future__ import annotations

import base64
import dataclasses
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.aws.server import AwsServer
    from lab.aws.tasks import EcsTask
    from lab.containers.spec import ContainerSpec

NAMES = {
    "sg-rule": "a rule that admits the target's group on --port (3306, 6379, or alb: the load balancer into the target) is revoked as soon as it appears",
    "old-conf": "the target's Nginx container gets the source's image, whose configuration still names the link php-fpm",
    "image-tag": "the image tag of the target's containers does not exist",
    "php-fpm-dead": "the php-fpm container sleeps instead of serving",
    "app-500": "the application answers 500",
    "app-key": "the target has another APP_KEY: every session of the source is lost there",
    "oom": "the application container gets so little memory that the kernel kills it",
    "instance": "one EC2 instance is terminated (at once; Auto Scaling replaces it)",
    "api": "an API operation is throttled (default) or answers --error, --times times",
}
ONE_SHOT = ("instance", "api")
OTHER_KEY = "base64:" + base64.b64encode(bytes(range(32))).decode()
TOO_LITTLE = 12  # MiB: php-fpm with eight children needs several times as much


@dataclass(frozen=True)
class Fault:
    name: str
    service: str = ""
    side: str = "target"
    port: str = "3306"
    container: str = ""

    def matches(self, task: EcsTask, fargate: bool) -> bool:
        """Side by platform; service by a part of its name (the target's names are derived from the source's)."""
        side = self.side == "both" or (self.side == "target") == fargate
        return side and (not self.service or self.service in (task.service_name or task.group))


class Faults:
    """Asked by tasks when they start; the ``tick`` meddles with security groups."""

    name = "faults"

    def __init__(self, aws: AwsServer) -> None:
        self._aws = aws
        self._active: dict[str, Fault] = {}
        self._lock = threading.Lock()

    def on(self, fault: Fault) -> None:
        if fault.name not in NAMES or fault.name in ONE_SHOT:
            raise ValueError(f"unknown fault {fault.name!r}; it should be one of {', '.join(name for name in NAMES if name not in ONE_SHOT)}")
        if fault.side not in ("target", "source", "both"):
            raise ValueError(f"side is {fault.side!r}; it should be target, source or both")
        with self._lock:
            self._active[fault.name] = fault

    def off(self, name: str | None = None) -> list[str]:
        """End one fault, or all. Returns the names ended."""
        with self._lock:
            ended = [key for key in self._active if name in (None, key)]
            for key in ended:
                del self._active[key]
        return ended

    def active(self) -> list[Fault]:
        with self._lock:
            return list(self._active.values())

    # -- at the start of a task

    def image(self, task: EcsTask, container: Mapping[str, Any], fargate: bool) -> str:
        """The image that is really pulled."""
        image = str(container["image"])
        for fault in self._on(task, fargate):
            if fault.name == "image-tag":
                return f"{_repository(image)}:no-such-tag"
            if fault.name == "old-conf" and container["name"] == (fault.container or self._front(task)):
                return self._source_image(container["name"]) or image
        return image

    def container(self, task: EcsTask, spec: ContainerSpec, fargate: bool) -> ContainerSpec:
        """The container that is really started."""
        name = spec.name.partition("-")[2]
        for fault in self._on(task, fargate):
            environment = dict(spec.environment)
            if fault.name == "php-fpm-dead" and name == (fault.container or "php-fpm"):
                spec = dataclasses.replace(spec, command=["sleep", "86400"], entry_point=None)
            elif fault.name == "app-500":
                spec = dataclasses.replace(spec, environment={**environment, "SHOP_FAIL": "500"})
            elif fault.name == "app-key" and "APP_KEY" in environment:
                spec = dataclasses.replace(spec, environment={**environment, "APP_KEY": OTHER_KEY})
            elif fault.name == "oom" and (name == fault.container or (not fault.container and "APP_KEY" in environment)):
                spec = dataclasses.replace(spec, memory_mib=TOO_LITTLE)
        return spec

    def _on(self, task: EcsTask, fargate: bool) -> list[Fault]:
        return [fault for fault in self.active() if fault.matches(task, fargate)]

    def _front(self, task: EcsTask) -> str:
        """The container that the service's load balancer talks to."""
        with self._aws.lock:
            for service in self._aws.backend("ecs").services.values():
                if service.name == task.service_name and service.cluster_arn == task.cluster_arn and service.load_balancers:
                    return str(service.load_balancers[0]["containerName"])
        return "nginx"

    def _source_image(self, name: str) -> str | None:
        """The image of the container of that name in a service that is not on Fargate."""
        with self._aws.lock:
            ecs = self._aws.backend("ecs")
            for revisions in ecs.task_definitions.values():
                for definition in revisions.values():
                    if definition.network_mode != "awsvpc":
                        for container in definition.container_definitions:
                            if container["name"] == name:
                                return str(container["image"])
        return None

    # -- meddling

    def tick(self) -> None:
        """Revoke the rules that ``sg-rule`` names, as an automation that guards its groups would."""
        fault = next((item for item in self.active() if item.name == "sg-rule"), None)
        if fault is None:
            return
        with self._aws.lock:
            ec2 = self._aws.backend("ec2")
            source = set(_source_groups(ec2))
            balancers = {group for item in self._aws.backend("elbv2").load_balancers.values() for group in item.security_groups}
            for groups in ec2.groups.values():
                for group in groups.values():
                    group.ingress_rules[:] = [rule for rule in group.ingress_rules if not _admits(fault, group.id, rule, source, balancers)]

    def terminate_instance(self) -> str:
        """Terminate the oldest instance of an Auto Scaling group."""
        with self._aws.lock:
            ec2 = self._aws.backend("ec2")
            running = [item for reservation in ec2.reservations.values() for item in reservation.instances if item.state == "running"]
            ours = sorted((item for item in running if getattr(item, "autoscaling_group", None)), key=lambda item: item.launch_time)
            if not ours:
                raise ValueError("no instance is running")
            ec2.terminate_instances([ours[0].id])
            self._aws.backend("autoscaling").notify_terminate_instances([ours[0].id])
            return str(ours[0].id)

    def listed(self) -> list[dict[str, Any]]:
        return [{**asdict(fault), "what": NAMES[fault.name]} for fault in self.active()]


def _repository(image: str) -> str:
    """The image without tag and digest; a colon before the last slash is a registry's port."""
    folder, slash, name = image.partition("@")[0].rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}"


def _admits(fault: Fault, group_id: str, rule: Any, source: set[str], balancers: set[str]) -> bool:
    """Whether a rule is the one the fault takes away: it names a group that no instance of the source carries."""
    peer = rule.source_group.get("GroupId")
    if not peer:
        return False
    if fault.port == "alb":
        return peer in balancers and group_id not in source and group_id not in balancers
    return peer not in source and peer not in balancers and rule.from_port is not None and rule.from_port <= int(fault.port) <= rule.to_port


def _source_groups(ec2: Any) -> Iterator[str]:
    """Groups of instances, running or to be launched."""
    for reservation in ec2.reservations.values():
        for instance in reservation.instances:
            yield from (group.id for group in instance.security_groups)
    for template in ec2.launch_templates.values():
        for version in template.versions:
            yield from version.data.get("SecurityGroupIds", [])
            for interface in version.data.get("NetworkInterfaces", []):
                yield from interface.get("Groups", [])
