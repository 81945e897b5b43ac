"""The containers of one task: started in order, watched, health-checked, stopped."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.aws.tasks import EcsTask
from lab.containers.engine import ContainerSpec, ContainerState, EngineError, Mount
from lab.reconcile import definition, reasons
from lab.reconcile.logs import Logs
from lab.reconcile.placement import Place
from lab.reconcile.reasons import StartError
from lab.reconcile.volumes import Volumes
from lab.reconcile.world import World, log

POLL = 0.2
CHECK_FLOOR = 2.0  # seconds between health checks at least: each one is a process
STOP_FLOOR = 10.0  # a stopTimeout is not scaled below this: what a container does at SIGTERM takes real time


@dataclass
class _Live:
    """A started container."""

    container: Mapping[str, Any]
    entry: dict[str, Any]
    id: str
    address: str | None
    log_path: Path
    started: float
    next_check: float = 0.0
    failures: int = 0
    ended: bool = False


class Containers:
    """Runs in the task's thread."""

    def __init__(
        self,
        world: World,
        logs: Logs,
        task: EcsTask,
        containers: Sequence[Mapping[str, Any]],
        place: Place,
        stop_wanted: Callable[[], bool],
        volumes: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.ordered = definition.start_order([definition.overridden(container, task.overrides) for container in containers])
        self._world = world
        self._logs = logs
        self._task = task
        self._place = place
        self._stop_wanted = stop_wanted
        self._entries = {entry["name"]: entry for entry in task.containers}
        self._live: dict[str, _Live] = {}
        self._volumes = Volumes(world.settings, place.engine, task.id, place.host, volumes)

    # -- start

    def check_logging(self) -> None:
        """Fargate refuses a task whose log group is missing before anything is pulled; on an instance the container fails to start."""
        for container in self.ordered:
            target = definition.log_target(container, self._task.id)
            if target and self._logs.missing_group(target):
                raise StartError(reasons.log_group_missing(target.group, self._place.fargate), None if self._place.fargate else container["name"])

    def digest(self, name: str, digest: str) -> None:
        self._entries[name]["imageDigest"] = digest

    def start_all(self) -> None:
        for container in self.ordered:
            if self._stop_wanted():
                return
            self._await_dependencies(container)
            self._start(container)

    def _start(self, container: Mapping[str, Any]) -> None:
        name = container["name"]
        log_path = self._world.settings.state_dir / "logs" / f"{self._task.id}-{name}.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        spec = self._world.faults.container(self._task, self._spec(container, log_path), self._place.fargate)
        try:
            identity = self._place.run(spec)
            state = self._place.engine.inspect(identity)
        except EngineError as error:
            raise StartError(reasons.cannot_start(str(error)), name) from error
        entry = self._entries[name]
        with self._world.state():
            entry |= {"lastStatus": "RUNNING", "runtimeId": identity}
            entry["networkBindings"] = [
                {"bindIP": "0.0.0.0", "containerPort": port.container_port, "hostPort": port.host_port, "protocol": "tcp"}  # noqa: S104 - AWS's value
                for port in state.ports
            ]
        self._live[name] = _Live(container, entry, identity, state.address, log_path, time.monotonic())
        target = definition.log_target(container, self._task.id)
        if target:
            self._logs.follow(log_path, target)

    def _spec(self, container: Mapping[str, Any], log_path: Path) -> ContainerSpec:
        name = container["name"]
        task_memory = int(self._task.memory) if self._task.memory else None
        task_cpu = int(self._task.cpu) if self._task.cpu and self._place.fargate else None
        timeout = definition.stop_timeout(container)
        return ContainerSpec(
            name=self._short(name),
            image=self._world.faults.image(self._task, container, self._place.fargate),
            command=container.get("command") or None,
            entry_point=container.get("entryPoint") or None,
            environment=definition.environment(container, self._platform(name)),
            memory_mib=definition.memory_limit(container, task_memory),
            cpu_units=int(container.get("cpu") or 0) or None,
            cpu_limit=task_cpu / 1024 if task_cpu else None,
            hosts=self._hosts(container),
            publish=self._place.publish(container),
            log_path=log_path,
            stop_timeout=timeout,
            user=container.get("user"),
            working_directory=container.get("workingDirectory"),
            read_only_root=bool(container.get("readonlyRootFilesystem")),
            init=bool((container.get("linuxParameters") or {}).get("initProcessEnabled")),
            privileged=bool(container.get("privileged")),
            mounts=self._mounts(container),
            volumes_from=tuple(f"{self._short(other)}{':ro' if read_only else ''}" for other, read_only in definition.volumes_from(container)),
            ulimits=definition.open_files(container, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
            tmpfs=tuple(item["containerPath"] for item in (container.get("linuxParameters") or {}).get("tmpfs", [])),
        )

    def _short(self, name: str) -> str:
        """A container's name in the engine."""
        return f"{self._task.id[:12]}-{name}"

    def _mounts(self, container: Mapping[str, Any]) -> tuple[Mount, ...]:
        if not container.get("mountPoints"):
            return ()
        declared = self._place.engine.declared_volumes(self._world.faults.image(self._task, container, self._place.fargate))
        return self._volumes.mounts(container, declared)

    def _platform(self, name: str) -> dict[str, str]:
        """What the agent tells every container about where it runs."""
        number = [entry["name"] for entry in self._task.containers].index(name) + 1
        return {
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE" if self._place.fargate else "AWS_ECS_EC2",
            "ECS_CONTAINER_METADATA_URI_V4": f"http://169.254.170.2/v4/{self._task.id}-{number}",
            "AWS_REGION": self._world.aws.region,
            "AWS_DEFAULT_REGION": self._world.aws.region,
        }

    def _hosts(self, container: Mapping[str, Any]) -> dict[str, str]:
        """Links as Docker makes them: lines of /etc/hosts with the alias and the container's name."""
        linked: dict[str, str] = {}
        for name, alias in definition.links(container):
            live = self._live.get(name)
            if live and live.address:
                linked |= {alias: live.address, name: live.address}
        return {**linked, **definition.extra_hosts(container)}

    def _await_dependencies(self, container: Mapping[str, Any]) -> None:
        for name, condition in definition.dependencies(container).items():
            live = self._live.get(name)
            while live is not None and not self._stop_wanted() and not self._satisfied(live, condition):
                if live.ended and condition not in ("COMPLETE", "SUCCESS"):
                    raise StartError(reasons.dependency_failed(container["name"], name, condition), container["name"])
                self.look()
                time.sleep(POLL)

    def _satisfied(self, live: _Live, condition: str) -> bool:
        if condition == "HEALTHY":
            return live.entry.get("healthStatus") == "HEALTHY"
        if condition == "COMPLETE":
            return live.ended
        if condition == "SUCCESS":
            if live.ended and live.entry.get("exitCode") != 0:
                raise StartError(reasons.dependency_failed("container", live.entry["name"], condition))
            return live.ended
        return True

    # -- life

    def look(self) -> bool:
        """Notice containers that ended, run health checks that are due. True when an essential container ended."""
        ended = False
        for live in self._live.values():
            if live.ended:
                continue
            if not self._place.engine.alive(live.id):
                self._note_end(live, self._place.engine.inspect(live.id))
                ended = ended or definition.essential(live.container)
            else:
                self._freeze(live)
                self._check(live)
        return ended

    def _freeze(self, live: _Live) -> None:
        """A fault: the process neither ends nor answers."""
        if self._place.engine.paused(live.id) or not self._world.faults.active():
            return
        output = live.log_path.read_bytes() if live.log_path.exists() else b""
        if self._world.faults.freezes(self._task, live.entry["name"], self._place.fargate, output):
            self._place.engine.pause(live.id)

    def _note_end(self, live: _Live, state: ContainerState) -> None:
        live.ended = True
        with self._world.state():
            live.entry |= {"lastStatus": "STOPPED", "exitCode": state.exit_code if state.exit_code is not None else 255}
            if state.oom_killed:
                live.entry["reason"] = reasons.OUT_OF_MEMORY
        self._logs.close(live.log_path)
        log.info("container %s of task %s ended with %s%s", live.entry["name"], self._task.id[:12], state.exit_code, ", out of memory" if state.oom_killed else "")

    def _check(self, live: _Live) -> None:
        """containerDefinitions[].healthCheck: HEALTHY after one success, UNHEALTHY after the retries, failures of the start period do not count."""
        check = definition.health_check(live.container)
        now = time.monotonic()
        if check is None or now < live.next_check:
            return
        live.next_check = now + self._world.scaled(check.interval, CHECK_FLOOR)
        done = self._place.engine.exec(live.id, check.command, timeout=self._world.scaled(check.timeout, CHECK_FLOOR))
        if done.returncode == 0:
            live.failures = 0
            self._set_health(live, "HEALTHY")
        elif now - live.started >= self._world.scaled(check.start_period):
            live.failures += 1
            if live.failures >= check.retries:
                self._set_health(live, "UNHEALTHY")

    def _set_health(self, live: _Live, status: str) -> None:
        """The task is as healthy as its essential containers that have a check."""
        with self._world.state():
            live.entry["healthStatus"] = status
            checked = [other.entry["healthStatus"] for other in self._live.values() if definition.health_check(other.container) and definition.essential(other.container)]
            self._task.health_status = "UNHEALTHY" if "UNHEALTHY" in checked else "HEALTHY" if set(checked) == {"HEALTHY"} else "UNKNOWN"

    def bindings(self, name: str) -> list[dict[str, Any]]:
        return list(self._entries[name]["networkBindings"])

    def blame(self, error: StartError) -> None:
        """The container that kept the task from starting carries the reason too."""
        if error.container in self._entries:
            self._entries[error.container]["reason"] = error.reason

    # -- end

    def stop_all(self) -> None:
        """All containers get their stop signal at once, those that others depend on last."""
        needed = {name for container in self.ordered for name in definition.dependencies(container)}
        remaining = [live for live in self._live.values() if not live.ended]
        for wave in ([live for live in remaining if live.entry["name"] not in needed], [live for live in remaining if live.entry["name"] in needed]):
            if wave:
                with ThreadPoolExecutor(len(wave)) as pool:
                    list(pool.map(self._stop, wave))
        for live in self._live.values():
            self._logs.close(live.log_path)
            try:
                self._place.engine.remove(live.id)
            except EngineError as error:
                log.warning("container %s was not removed: %s", live.entry["name"], error)
        self._volumes.remove()

    def _stop(self, live: _Live) -> None:
        timeout = definition.stop_timeout(live.container)
        try:
            self._note_end(live, self._place.engine.stop(live.id, self._world.scaled(timeout, min(timeout, STOP_FLOOR))))
        except EngineError as error:
            log.warning("container %s was not stopped: %s", live.entry["name"], error)

    def all_stopped(self) -> None:
        """Containers that never ran are STOPPED too, without an exit code."""
        for entry in self._entries.values():
            entry["lastStatus"] = "STOPPED"
