"""RDS and ElastiCache -> MariaDB and Redis, each in a network interface of its own with its security groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.aws import interfaces
from lab.containers.engine import ContainerSpec, Engine
from lab.images import recipes
from lab.network.namespace import Namespace
from lab.reconcile.world import HostName, World, log

READY = 60.0  # seconds a store may take until it answers


@dataclass(frozen=True)
class Wanted:
    """One database or cache, as far as the data plane needs it."""

    key: str
    kind: str
    host: str
    subnet_id: str
    groups: tuple[str, ...]
    description: str
    image: str
    environment: tuple[tuple[str, str], ...]
    probe: tuple[str, ...]
    set_status: Callable[[str], None]


@dataclass
class _Runtime:
    wanted: Wanted
    interface: Any
    namespace: Namespace
    container: str


class DataStores:
    """``creating`` until the server answers, then ``available``."""

    name = "stores"

    def __init__(self, world: World) -> None:
        self._world = world
        self._engine = Engine(world.settings, "stores")
        self.running: dict[str, _Runtime] = {}
        self._known: set[str] = set()

    def prefetch(self) -> None:
        """Unpack the lab's images while the API starts: nobody waits for it later."""
        for image in recipes.IMAGES:
            self._world.work(f"prefetch {image.repository}", lambda image=image: self._world.pulls.pull(self._engine, self._image(image)))  # type: ignore[misc]

    def tick(self) -> None:
        with self._world.state():
            wanted = {store.key: store for store in [*self._databases(), *self._caches()]}
            for store in wanted.values():
                if store.key not in self._known:
                    self._known.add(store.key)
                    store.set_status("creating")
        for store in wanted.values():
            runtime = self.running.get(store.key)
            if runtime is None:
                self._world.work(f"create {store.key}", lambda store=store: self._create(store))  # type: ignore[misc]
            else:
                self._sync_groups(runtime, store)
        for key in set(self.running) - set(wanted):
            self._world.work(f"remove {key}", lambda key=key: self._remove(key))  # type: ignore[misc]

    def stop(self) -> None:
        for key in list(self.running):
            self._remove(key)
        self._engine.destroy()

    def _create(self, store: Wanted) -> None:
        with self._world.state():
            interface = interfaces.create(self._world.aws, store.subnet_id, store.groups, store.description, "amazon-" + store.key.partition(":")[0])
        address = str(interface.private_ip_address)
        role = f"{store.kind}-{interface.id.removeprefix('eni-')[:10]}"
        namespace = self._world.network.attach(role, [address])
        self._world.pulls.pull(self._engine, store.image)
        log_path = self._world.settings.state_dir / "logs" / f"{role}.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        container = self._engine.run(ContainerSpec(role, store.image, environment=dict(store.environment), log_path=log_path, stop_timeout=20), namespace)
        self._await(store, container)
        self.running[store.key] = _Runtime(store, interface, namespace, container)
        self._world.hosts[store.host] = HostName((address,), 5)
        with self._world.state():
            store.set_status("available")
        log.info("%s is available at %s", store.key, address)

    def _await(self, store: Wanted, container: str) -> None:
        deadline = time.monotonic() + READY
        while self._engine.exec(container, store.probe, timeout=10).returncode:
            if not self._engine.alive(container) or time.monotonic() > deadline:
                raise RuntimeError(f"{store.key} does not answer; its output is in {self._world.settings.state_dir}/logs")
            if self._world.pause(0.2):
                return

    def _remove(self, key: str) -> None:
        runtime = self.running.pop(key, None)
        if runtime is None:
            return
        self._known.discard(key)
        self._world.hosts.pop(runtime.wanted.host, None)
        self._engine.stop(runtime.container, 20)
        self._engine.remove(runtime.container)
        self._world.network.detach(runtime.namespace.name.removeprefix(self._world.settings.namespace("")))
        with self._world.state():
            interfaces.delete(self._world.aws, runtime.interface)

    def _sync_groups(self, runtime: _Runtime, store: Wanted) -> None:
        """ModifyDBInstance and its kin change groups at once."""
        with self._world.state():
            if [group.id for group in runtime.interface.group_set] != list(store.groups):
                interfaces.set_groups(self._world.aws, runtime.interface, store.groups)

    # -- API objects -> what is wanted

    def _databases(self) -> Iterator[Wanted]:
        for identity, database in self._world.backend("rds").databases.items():
            subnets = database.db_subnet_group.subnets if database.db_subnet_group else []
            password = str(database._master_user_password)
            yield Wanted(
                key=f"rds:{identity}",
                kind="rds",
                host=str(database.address).lower(),
                subnet_id=subnets[0]["SubnetIdentifier"] if subnets else self._any_subnet(),
                groups=tuple(database.vpc_security_group_ids),
                description="RDSNetworkInterface",
                image=self._image(recipes.MARIADB),
                environment=(("MARIADB_DATABASE", database.db_name or identity), ("MARIADB_USER", str(database.master_username)), ("MARIADB_PASSWORD", password)),
                probe=("mariadb", f"--user={database.master_username}", f"--password={password}", "--execute=select 1"),
                set_status=_setter(database, "status"),
            )

    def _caches(self) -> Iterator[Wanted]:
        elasticache = self._world.backend("elasticache")
        for identity, cluster in elasticache.cache_clusters.items():
            group = elasticache.cache_subnet_groups.get(cluster.cache_subnet_group_name)
            yield Wanted(
                key=f"elasticache:{identity}",
                kind="redis",
                host=cache_host(cluster),
                subnet_id=group.subnet_ids[0] if group else self._any_subnet(),
                groups=tuple(cluster.security_group_ids),
                description=f"ElastiCache {identity}",
                image=self._image(recipes.REDIS),
                environment=(),
                probe=("redis-cli", "ping"),
                set_status=_setter(cluster, "cache_cluster_status"),
            )

    def _image(self, image: recipes.Image) -> str:
        return f"{self._world.settings.registry}/{image.repository}:{recipes.TAG}"

    def _any_subnet(self) -> str:
        return next(subnet.id for subnets in self._world.backend("ec2").subnets.values() for subnet in subnets.values())


def _setter(target: Any, attribute: str) -> Callable[[str], None]:
    return lambda value: setattr(target, attribute, value)


def cache_host(cluster: Any) -> str:
    """The name under which DescribeCacheClusters shows the node."""
    return f"{cluster.cache_cluster_id}.lab.0001.euw1.cache.amazonaws.com"
