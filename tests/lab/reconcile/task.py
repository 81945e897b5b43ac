"""The life of one task, in a thread of its own: from PROVISIONING to STOPPED, told to the API at every step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.aws import targets
from lab.aws import tasks as api_tasks
from lab.aws.tasks import EcsTask
from lab.containers.engine import EngineError, PullError
from lab.reconcile import reasons, resources
from lab.reconcile.containers import Containers
from lab.reconcile.logs import Logs
from lab.reconcile.placement import Place
from lab.reconcile.reasons import StartError
from lab.reconcile.world import World, log

POLL = 0.2


@dataclass(frozen=True)
class Balancing:
    """One of a service's loadBalancers."""

    target_group_arn: str
    container: str
    port: int


@dataclass
class Stop:
    """Why a task stops. ``drain``: its load balancers let it finish what it has."""

    code: str
    reason: str
    drain: bool = True


class TaskRun:
    """Drives one task. ``request_stop`` may be called from any thread; everything else happens in ``run``."""

    def __init__(
        self,
        world: World,
        logs: Logs,
        task: EcsTask,
        containers: Sequence[Mapping[str, Any]],
        place: Place,
        balancing: Sequence[Balancing] = (),
        volumes: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.world = world
        self.task = task
        self.place = place
        self.balancing = list(balancing)
        self.deployment = ""
        self.failed = False
        self.on_event: Callable[[str], None] = lambda _text: None
        self.on_end: list[Callable[[TaskRun], None]] = []
        self.registered: list[tuple[str, str, int]] = []
        self.running_since: float | None = None
        self.leaving = False
        self.ended = False
        self._containers = Containers(world, logs, task, containers, place, self.stop_wanted, volumes)
        self._stop: Stop | None = None
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"task {task.id[:8]}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def request_stop(self, code: str, reason: str, *, drain: bool = True) -> None:
        """The first reason wins; later ones only cut the draining short."""
        if self._stop is None:
            self._stop = Stop(code, reason, drain)
            self.leaving = True
            self.failed = self.failed or code in (reasons.FAILED_TO_START, reasons.CONTAINER_EXITED)
            self.task.desired_status = "STOPPED"
        elif not drain:
            self._stop.drain = False
        self._wake.set()

    def stop_wanted(self) -> bool:
        return self._stop is not None or self.place.gone.is_set() or self.task.desired_status == "STOPPED"

    # -- life

    def _run(self) -> None:
        try:
            self._begin()
            self._watch()
        except StartError as error:
            self._containers.blame(error)
            self.request_stop(reasons.FAILED_TO_START, error.reason)
        except Exception as error:
            log.exception("task %s failed", self.task.id)
            self.request_stop(reasons.FAILED_TO_START, f"InternalError: {error}")
        try:
            self._end()
        except Exception:
            log.exception("task %s did not stop cleanly", self.task.id)
        finally:
            self._stopped()

    def _begin(self) -> None:
        times = self.world.settings.times
        wait = self.world.scaled(times.task_start_fargate if self.place.fargate else times.task_start_ec2) / 3
        self.place.prepare()
        self._pause(wait)
        self._enter("PENDING")
        if self.place.fargate:
            self._prepare_resources()
        self._containers.check_logging()
        self._mark("pull_started_at", "connectivity_at", connectivity="CONNECTED")
        self._pull()
        self._mark("pull_stopped_at")
        self._pause(wait)
        self._containers.start_all()
        self._enter("ACTIVATING" if self.balancing else "RUNNING")
        self._pause(wait)
        if self.stop_wanted():
            return
        self._register()
        self._mark("started_at", last_status="RUNNING")
        self.running_since = time.monotonic()
        log.info("task %s of %s runs", self.task.id[:12], self.task.group)

    def _prepare_resources(self) -> None:
        """Role, secrets and registry auth come before the first byte of an image. Without a way out Fargate tries for minutes."""
        if not resources.reaches_ecr(self.world, self.task):
            self._pause(self.world.scaled(resources.NO_WAY_OUT))
            raise StartError(reasons.no_way_to_ecr(self.world.aws.region))
        resources.check(self.world, self.task)

    def _pull(self) -> None:
        """Both agents pull each image anew; the registry's own words end up in the reason."""
        for container in self._containers.ordered:
            image = self.world.faults.image(self.task, container, self.place.fargate)
            try:
                self._containers.digest(container["name"], self.world.pulls.pull(self.place.engine, image))
                if self.place.fargate:
                    resources.check_platform(self.world, self.task, self.place.engine.architecture(image), container["name"])
            except PullError as error:
                raise StartError(reasons.cannot_pull(container["image"], str(error), self.place.fargate), container["name"]) from error
            except EngineError as error:
                raise StartError(reasons.cannot_start(str(error)), container["name"]) from error

    def _watch(self) -> None:
        """Until somebody wants it stopped, its machine goes, or an essential container ends."""
        while not self.stop_wanted():
            ended = self._containers.look()
            if ended:
                self.request_stop(reasons.CONTAINER_EXITED, reasons.ESSENTIAL_EXITED, drain=False)
                return
            self._wake.wait(POLL)
            self._wake.clear()

    def _end(self) -> None:
        if self._stop is None and self.place.gone.is_set():
            self.request_stop(reasons.TERMINATION, reasons.host_terminated(self.place.host), drain=False)
        if self._stop is None:
            self.request_stop(self.task.stop_code or reasons.USER, self.task.stopped_reason or reasons.STOPPED_BY_USER)
        assert self._stop is not None
        self._mark("stopping_at", stop_code=self._stop.code, stopped_reason=self._stop.reason, desired_status="STOPPED")
        if self.registered:
            self._enter("DEACTIVATING")
            self._deregister()
        self._enter("STOPPING")
        if not self.place.gone.is_set():
            self._containers.stop_all()
        self._mark("execution_stopped_at")
        self._enter("DEPROVISIONING")
        self.place.release()

    def _stopped(self) -> None:
        with self.world.state():
            api_tasks.release(self.world.aws, self.task)
            self._containers.all_stopped()
            self._set(last_status="STOPPED", desired_status="STOPPED", stopped_at=self.world.aws.now(), connectivity="DISCONNECTED" if self.running_since else None)
        self.ended = True
        log.info("task %s of %s stopped: %s", self.task.id[:12], self.task.group, self.task.stopped_reason)
        for callback in self.on_end:
            callback(self)

    # -- load balancers

    def _register(self) -> None:
        for item in self.balancing:
            identity, port = self.place.target(self._containers.bindings(item.container), item.port)
            with self.world.state():
                group = self.world.backend("elbv2").target_groups.get(item.target_group_arn)
                if group is None:
                    continue
                targets.register(self.world.aws, group, identity, port)
            self.registered.append((item.target_group_arn, identity, port))
            self.on_event(reasons.registered(1, item.target_group_arn))

    def _deregister(self) -> None:
        """Nothing new reaches the task; it finishes what it has within the deregistration delay. Only then its containers are told to stop."""
        delay = 0.0
        for arn, identity, port in self.registered:
            with self.world.state():
                group = self.world.backend("elbv2").target_groups.get(arn)
                if group is None:
                    continue
                targets.deregister(self.world.aws, group, identity, port)
                seconds = float(group.attributes.get("deregistration_delay.timeout_seconds", 300))
            delay = max(delay, self.world.scaled(seconds, 1.0))
            self.on_event(reasons.deregistered(1, arn))
        deadline = time.monotonic() + delay
        while time.monotonic() < deadline and not self.place.gone.is_set() and (self._stop is None or self._stop.drain):
            self._wake.wait(POLL)
            self._wake.clear()

    # -- telling the API

    def _enter(self, status: str) -> None:
        with self.world.state():
            self._set(last_status=status)

    def _mark(self, *times: str, **values: Any) -> None:
        now = self.world.aws.now()
        with self.world.state():
            self._set(**dict.fromkeys(times, now), **values)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.task, name, value)
        self.task.version += 1

    def _pause(self, seconds: float) -> None:
        """Part of the time a start takes on AWS; cut short when the task is to stop."""
        deadline = time.monotonic() + seconds
        while not self.stop_wanted() and time.monotonic() < deadline:
            time.sleep(min(POLL, max(deadline - time.monotonic(), 0)))
