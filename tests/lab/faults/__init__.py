"""Faults of the data plane: what goes wrong in real migrations, one command each.

They act on the target side (Fargate tasks) unless told otherwise: those inside containers on tasks that start while the fault is on (``restart`` stops running
ones at once), those in the account at once, and what they changed is put back when they end.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lab.faults import containers
from lab.faults.account import Account, Undo
from lab.faults.containers import OTHER_KEY
from lab.faults.kinds import NAMES, ONE_SHOT, Fault
from lab.settings import Settings

if TYPE_CHECKING:
    from lab.aws.server import AwsServer
    from lab.aws.tasks import EcsTask
    from lab.containers.spec import ContainerSpec

__all__ = ["NAMES", "ONE_SHOT", "OTHER_KEY", "Fault", "Faults"]


class Faults:
    """Asked by tasks when they start; the ``tick`` meddles with the account."""

    name = "faults"

    def __init__(self, aws: AwsServer, settings: Settings | None = None) -> None:
        self._aws = aws
        self._account = Account(aws, (settings or Settings()).run_dir / "another-name")
        self._active: dict[str, Fault] = {}
        self._undo: dict[str, list[Undo]] = {}
        self._lock = threading.Lock()

    def on(self, fault: Fault) -> None:
        if fault.name not in NAMES or fault.name in ONE_SHOT:
            raise ValueError(f"unknown fault {fault.name!r}; it should be one of {', '.join(name for name in NAMES if name not in ONE_SHOT)}")
        if fault.side not in ("target", "source", "both"):
            raise ValueError(f"side is {fault.side!r}; it should be target, source or both")
        with self._lock:
            self._active[fault.key] = fault

    def off(self, name: str | None = None) -> list[str]:
        """End one kind of fault, or all. Returns the names ended."""
        with self._lock:
            keys = [key for key, fault in self._active.items() if name in (None, fault.name)]
            ended = [self._active.pop(key).name for key in keys]
            undone = [undo for key in keys for undo in self._undo.pop(key, [])]
        if undone:
            with self._aws.lock:
                for undo in reversed(undone):
                    undo()
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
        for fault in self._on(task, fargate):
            spec = containers.changed(fault, spec)
        return spec

    def freezes(self, task: EcsTask, container: str, fargate: bool, output: bytes) -> bool:
        """Whether a container that has written this is to hang."""
        return any(containers.freezes(fault, container, output) for fault in self._on(task, fargate))

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

    # -- in the account

    def tick(self) -> None:
        active = self.active()
        if not active:
            return
        with self._aws.lock:
            made = {fault.key: self._account.apply(fault) for fault in active}
        with self._lock:
            for key, undo in made.items():
                self._undo.setdefault(key, []).extend(undo)

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
