"""Where a task's containers run: on an instance's bridge, or in a network interface of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from lab.aws.tasks import EcsTask
from lab.containers.engine import ContainerSpec, Engine, Publish
from lab.network.namespace import Namespace
from lab.reconcile import definition, reasons
from lab.reconcile.capacity import Capacity, Instance
from lab.reconcile.world import World


class Place(Protocol):
    """A task's place. ``gone`` is set when the machine under it disappears."""

    engine: Engine
    fargate: bool
    gone: threading.Event
    host: str

    def prepare(self) -> None:
        """Make the network ready."""

    def publish(self, container: definition.Container) -> tuple[Publish, ...]:
        """Port mappings of a container."""

    def run(self, spec: ContainerSpec) -> str:
        """Start a container here; returns its id."""

    def target(self, bindings: Iterable[Mapping[str, Any]], port: int) -> tuple[str, int]:
        """(id, port) under which a load balancer finds a container port of this task."""

    def release(self) -> None:
        """Give the network back."""


class FargatePlace:
    """One interface for the task; its containers share it and reach each other on 127.0.0.1."""

    fargate = True
    host = ""

    def __init__(self, world: World, engine: Engine, task: EcsTask) -> None:
        self.engine = engine
        self.gone = threading.Event()
        self._world = world
        self._role: str = task.interface.id
        self._address: str = task.interface.private_ip_address
        self._namespace: Namespace | None = None

    def prepare(self) -> None:
        self._namespace = self._world.network.attach(self._role, [self._address])

    def publish(self, container: definition.Container) -> tuple[Publish, ...]:  # noqa: ARG002 - ports are the interface's own
        return ()

    def run(self, spec: ContainerSpec) -> str:
        return self.engine.run(spec, self._namespace)

    def target(self, bindings: Iterable[Mapping[str, Any]], port: int) -> tuple[str, int]:  # noqa: ARG002
        return self._address, port

    def release(self) -> None:
        self._world.network.detach(self._role)


class InstancePlace:
    """Bridge mode on a container instance: links by /etc/hosts, host ports chosen by the engine."""

    fargate = False

    def __init__(self, instance: Instance) -> None:
        self.engine = instance.engine
        self.gone = instance.gone
        self.host = instance.id
        self._address = instance.address

    def prepare(self) -> None:
        return

    def publish(self, container: definition.Container) -> tuple[Publish, ...]:
        return tuple(Publish(self._address, host, port) for host, port in definition.published(container))

    def run(self, spec: ContainerSpec) -> str:
        return self.engine.run(spec)

    def target(self, bindings: Iterable[Mapping[str, Any]], port: int) -> tuple[str, int]:
        return self.host, next(int(binding["hostPort"]) for binding in bindings if binding["containerPort"] == port)

    def release(self) -> None:
        return


class NoPlaceError(Exception):
    """No container instance can take the task; the message is the service event's reason."""


def choose(world: World, capacity: Capacity, cluster: str, needs: Mapping[str, Any], siblings: Iterable[EcsTask]) -> tuple[Any, Instance]:
    """The container instance for a task: enough room, then the fewest tasks of the same service (spread, ECS's default strategy)."""
    registered = [item for item in world.backend("ecs").container_instances.get(cluster, {}).values() if item.status == "ACTIVE"]
    candidates = [(item, runtime) for item in registered if (runtime := capacity.by_container_instance(item.id)) and not runtime.gone.is_set()]
    if not candidates:
        raise NoPlaceError(reasons.NO_INSTANCES)
    roomy = [(item, runtime) for item, runtime in candidates if not _lacking(item, needs)]
    if not roomy:
        item = candidates[0][0]
        raise NoPlaceError(reasons.not_enough(_lacking(item, needs), item.id))
    used = [task.container_instance_arn for task in siblings]
    return min(roomy, key=lambda pair: (used.count(pair[0].container_instance_arn), pair[0].running_tasks_count))


def requirements(containers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """CPU units, memory and fixed host ports that a task reserves on an instance."""
    listed = list(containers)
    ports = [str(host) for container in listed for host, _port in definition.published(container) if host]
    memory = sum(int(container.get("memoryReservation") or container.get("memory") or 0) for container in listed)
    return {"CPU": sum(int(container.get("cpu") or 0) for container in listed), "MEMORY": memory, "PORTS": ports}


def _lacking(item: Any, needs: Mapping[str, Any]) -> str:
    """The first resource that does not suffice, in ECS's words; empty when all do."""
    free = {resource["name"]: resource for resource in item.remaining_resources}
    if free["CPU"]["integerValue"] < needs["CPU"]:
        return "CPU units"
    if free["MEMORY"]["integerValue"] < needs["MEMORY"]:
        return "memory"
    return "ports" if set(needs["PORTS"]) & set(free["PORTS"]["stringSetValue"]) else ""


def reserve(item: Any, needs: Mapping[str, Any], sign: int) -> None:
    """Take (+1) or give back (-1) a task's share of an instance."""
    item.running_tasks_count = max(item.running_tasks_count + sign, 0)
    for resource in item.remaining_resources:
        name = resource["name"]
        if name in ("CPU", "MEMORY"):
            resource["integerValue"] -= sign * needs[name]
        elif name == "PORTS":
            kept = [port for port in resource["stringSetValue"] if port not in needs["PORTS"]]
            resource["stringSetValue"] = kept + (needs["PORTS"] if sign > 0 else [])
