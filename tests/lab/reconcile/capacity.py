"""Auto Scaling groups -> EC2 instances: a namespace with a container engine, registered with the cluster that the user data names."""

from __future__ import annotations

import base64
import binascii
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.containers.engine import Engine
from lab.network.namespace import Namespace
from lab.reconcile.world import World, log

ARCHITECTURES = {"a1": "arm64", "t4g": "arm64", "m6g": "arm64", "m7g": "arm64", "c6g": "arm64", "c7g": "arm64", "r6g": "arm64", "r7g": "arm64"}


@dataclass
class Instance:
    """A running instance: where its containers live."""

    id: str
    address: str
    namespace: Namespace
    engine: Engine
    cluster: str
    container_instance_id: str
    gone: threading.Event = field(default_factory=threading.Event)


class Capacity:
    """Launches and terminates what moto's Auto Scaling decided."""

    name = "capacity"

    def __init__(self, world: World) -> None:
        self._world = world
        self._born: dict[str, float] = {}
        self.instances: dict[str, Instance] = {}

    def tick(self) -> None:
        with self._world.state():
            instances = self._ours()
            for instance in instances:
                if instance.state == "running" and instance.id not in self._born:
                    self._announce(instance, instances)
            wanted = {instance.id for instance in instances if instance.state in ("running", "pending")}
        launched_before = time.monotonic() - self._world.scaled(self._world.settings.times.instance_launch)
        due = sorted(identity for identity in wanted - set(self.instances) if self._born[identity] <= launched_before)
        if due:
            self._world.work("launch", lambda: self._launch(due))
        for identity in set(self.instances) - wanted:
            self._world.work(f"terminate {identity}", lambda identity=identity: self._terminate(self.instances[identity]))  # type: ignore[misc]

    def by_container_instance(self, arn: str) -> Instance | None:
        identity = arn.rpartition("/")[2]
        return next((instance for instance in list(self.instances.values()) if instance.container_instance_id == identity), None)

    def stop(self) -> None:
        """The lab ends: engines go, tasks are stopped already."""
        for instance in list(self.instances.values()):
            self._remove(instance)

    def _ours(self) -> list[Any]:
        reservations = self._world.backend("ec2").reservations.values()
        return [instance for reservation in reservations for instance in reservation.instances if getattr(instance, "autoscaling_group", None)]

    def _announce(self, instance: Any, others: list[Any]) -> None:
        """First sight: pending for the launch time, in the subnet of its group that has the fewest instances (moto fills only the first)."""
        self._born[instance.id] = time.monotonic()
        _set_state(instance, "pending", 0)
        subnets = [item.strip() for item in (instance.autoscaling_group.vpc_zone_identifier or "").split(",") if item.strip()]
        if not subnets:
            return
        used = Counter(other.subnet_id for other in others if other.id in self._born and other.id != instance.id and other.state in ("pending", "running"))
        subnet_id = min(subnets, key=lambda candidate: (used[candidate], subnets.index(candidate)))
        if subnet_id != instance.subnet_id:
            _move(instance, self._world.backend("ec2").get_subnet(subnet_id))

    def _launch(self, identities: Sequence[str]) -> None:
        """Machines that are due at once register at once, so that tasks spread over them."""
        with self._world.state():
            addresses = {item.id: str(item.nics[0].private_ip_address) for item in self._ours() if item.id in identities}
        machines = {identity: self._boot(identity, address) for identity, address in addresses.items()}
        with self._world.state():
            alive = {item.id: item for item in self._ours() if item.id in machines and item.state in ("pending", "running")}
            for identity, instance in alive.items():
                _set_state(instance, "running", 16)
                namespace, engine = machines.pop(identity)
                cluster = cluster_of(instance)
                registered = self._register(instance, cluster)
                self.instances[identity] = Instance(identity, addresses[identity], namespace, engine, cluster, registered)
                self._world.instance_address[identity] = addresses[identity]
                log.info("instance %s runs at %s in cluster %s", identity, addresses[identity], cluster)
        for identity, (_namespace, engine) in machines.items():
            engine.destroy()
            self._world.network.detach(identity)

    def _boot(self, identity: str, address: str) -> tuple[Namespace, Engine]:
        namespace = self._world.network.attach(identity, [address])
        return namespace, Engine(self._world.settings, identity[:10], namespace, "bridge")  # short: podman's paths are limited

    def _register(self, instance: Any, cluster: str) -> str:
        """What the ECS agent does at boot. A cluster that is not there leaves the instance without one, as on AWS."""
        ecs = self._world.backend("ecs")
        if cluster not in ecs.clusters:
            return ""
        registered = ecs.register_container_instance(cluster, instance.id)
        registered.attributes |= {"ecs.cpu-architecture": architecture(instance.instance_type), "ecs.instance-type": instance.instance_type, "ecs.os-type": "linux"}
        registered.version_info = {"agentVersion": "1.89.0", "agentHash": "lab", "dockerVersion": "DockerVersion: 25.0.8"}
        return str(registered.id)

    def _terminate(self, runtime: Instance) -> None:
        """Tasks on it notice ``gone`` and become STOPPED; the container instance is deregistered; the machine disappears."""
        log.info("instance %s terminates", runtime.id)
        runtime.gone.set()
        with self._world.state():
            ecs = self._world.backend("ecs")
            if ecs.container_instances.get(runtime.cluster, {}).pop(runtime.container_instance_id, None):
                cluster = ecs.clusters.get(runtime.cluster)
                if cluster is not None:
                    cluster.registered_container_instances_count = max(cluster.registered_container_instances_count - 1, 0)
        self._remove(runtime)

    def _remove(self, runtime: Instance) -> None:
        self.instances.pop(runtime.id, None)
        self._world.instance_address.pop(runtime.id, None)
        runtime.engine.destroy()
        self._world.network.detach(runtime.id)


def _move(instance: Any, subnet: Any) -> None:
    """Another subnet for an instance that is still pending."""
    interface = instance.nics[0]
    interface.subnet.del_subnet_ip(interface.private_ip_address)
    address = subnet.get_available_subnet_ip(instance)
    interface.subnet, interface.private_ip_address = subnet, address
    interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
    instance._subnet_id, instance._private_ips = subnet.id, {address}
    instance.placement.zone = subnet.availability_zone


def cluster_of(instance: Any) -> str:
    """ECS_CLUSTER of the user data ("default" when it says nothing), as the ECS agent reads /etc/ecs/ecs.config."""
    found = re.search(r"ECS_CLUSTER=[\"']?([A-Za-z0-9_-]+)", _text(instance.user_data))
    return found.group(1) if found else "default"


def architecture(instance_type: str) -> str:
    return ARCHITECTURES.get(instance_type.partition(".")[0], "x86_64")


def _text(user_data: Any) -> str:
    """User data arrives as base64 (moto keeps it so) or as text."""
    text = str(user_data or "")
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text


def _set_state(instance: Any, name: str, code: int) -> None:
    instance._state.name, instance._state.code = name, code

