"""ECS services: deployments roll, sick tasks are replaced, the circuit breaker trips, events tell it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.aws.operations import cloudwatch, ecs_services
from lab.reconcile import reasons
from lab.reconcile.placement import NoPlaceError
from lab.reconcile.rollout import Limits, TaskView, backoff, decide, failure_threshold, settled
from lab.reconcile.task import TaskRun
from lab.reconcile.tasks import Tasks
from lab.reconcile.world import World, log

SETTLE = 40.0  # a task without load balancer and health check counts as healthy 40 s after it runs (DeploymentConfiguration)
BAKE = 60.0  # seconds that a deployment which is done is still watched by its alarms; AWS computes it from them (deployment-alarm-failure)
RESTART = 10.0  # seconds before a task that ran and ended by itself is replaced

RUNNING = ("RUNNING", "DEACTIVATING", "STOPPING")
STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")
GRACE_FLOOR = 15.0


@dataclass
class _Memory:
    """What the scheduler remembers about a service between two looks."""

    deployment: str = ""
    starts_failed: int = 0
    hold_until: float = 0.0
    steady: bool = False
    last_placement: str = ""
    told_throttled: bool = False
    completed: dict[str, Any] | None = None
    reported: set[str] = field(default_factory=set)
    ignored: set[str] | None = None  # alarms that rang when the deployment began: they don't decide on it
    baking_since: float | None = None


class Services:
    name = "services"

    def __init__(self, world: World, tasks: Tasks) -> None:
        self._world = world
        self._tasks = tasks
        self._memory: dict[str, _Memory] = {}

    def tick(self) -> None:
        with self._world.state():
            for service in list(self._world.backend("ecs").services.values()):
                if service.status != "INACTIVE":
                    self._follow(service)
            self._count_clusters()

    def _follow(self, service: Any) -> None:
        runs = self._tasks.of(service)
        if service.status == "DRAINING":
            self._drain(service, runs)
            return
        primary = service.deployments[0]
        memory = self._memory.setdefault(service.arn, _Memory())
        if memory.deployment != primary["id"]:
            self._memory[service.arn] = memory = _Memory(primary["id"], completed=memory.completed)
        self._replace_sick(service, runs)
        views = [self._view(run) for run in runs if not run.leaving]
        decision = decide(service.desired_count, _limits(service), primary["id"], views)
        self._stop(service, [run for run in runs if run.task.id in decision.stop])
        if primary["rolloutState"] != "FAILED":
            self._start(service, primary, memory, decision.start)
        runs = self._tasks.of(service)
        _count(service, runs)
        self._progress(service, primary, memory, runs)

    def _drain(self, service: Any, runs: Sequence[TaskRun]) -> None:
        """A deleted service: its tasks stop, then it is INACTIVE."""
        for run in runs:
            if not run.leaving:
                run.request_stop(reasons.SCHEDULER, reasons.scaling_activity(run.deployment))
        _count(service, runs)
        if not runs:
            ecs_services.retire(service)
            self._memory.pop(service.arn, None)

    # -- starting and stopping

    def _start(self, service: Any, primary: dict[str, Any], memory: _Memory, count: int) -> None:
        if count == 0 or time.monotonic() < memory.hold_until:
            return
        started = []
        for _number in range(count):
            try:
                run = self._tasks.launch(service, primary)
            except NoPlaceError as error:
                self._tell_placement(service, memory, str(error))
                break
            run.deployment = primary["id"]
            run.on_event = lambda text: self._event(service, text)
            run.on_end.append(lambda ended: self._ended(service, ended))
            started.append(run)
        if started:
            memory.last_placement = ""
            memory.steady = False
            self._event(service, reasons.started_tasks([run.task.id for run in started]))
        for run in started:
            run.start()

    def _tell_placement(self, service: Any, memory: _Memory, cause: str) -> None:
        """Said once per cause until a task is placed: ECS omits duplicates for hours."""
        if memory.last_placement != cause:
            memory.last_placement = cause
            self._event(service, reasons.cannot_place(cause))
        memory.hold_until = time.monotonic() + self._world.scaled(RESTART, 0.3)

    def _stop(self, service: Any, runs: Sequence[TaskRun]) -> None:
        for run in runs:
            run.request_stop(reasons.SCHEDULER, reasons.scaling_activity(service.deployments[0]["id"]))
        self._tell_stopped(service, runs)

    def _tell_stopped(self, service: Any, runs: Sequence[TaskRun]) -> None:
        if not runs:
            return
        self._memory[service.arn].steady = False
        self._event(service, reasons.stopped_tasks([run.task.id for run in runs]))
        draining = [run.task.id for run in runs if run.registered]
        if draining:
            self._event(service, reasons.draining(draining))

    def _replace_sick(self, service: Any, runs: Sequence[TaskRun]) -> None:
        """After the grace period, what its load balancer or its own check calls unhealthy is stopped; the next look starts another."""
        configured = float(service.configuration.get("healthCheckGracePeriodSeconds") or 0)
        # Starting an application takes the time it takes, whatever the lab's time factor: a grace that was asked for is at least this long.
        grace = self._world.scaled(configured, GRACE_FLOOR) if configured else 0.0
        for run in runs:
            if run.leaving or run.running_since is None or time.monotonic() - run.running_since < grace:
                continue
            sick = self._sick_target(run)
            if sick:
                arn, port, description = sick
                self._event(service, reasons.unhealthy(run.task.id, port, arn, description))
                self._fail(service, run, reasons.failed_elb_health(arn))
            elif run.task.health_status == "UNHEALTHY":
                self._fail(service, run, reasons.FAILED_CONTAINER_HEALTH)

    def _fail(self, service: Any, run: TaskRun, reason: str) -> None:
        run.failed = True
        run.request_stop(reasons.SCHEDULER, reason)
        self._tell_stopped(service, [run])

    def _sick_target(self, run: TaskRun) -> tuple[str, int, str] | None:
        for key in run.registered:
            health = self._world.observed.target_health.get(key)
            if health is not None and health.state == "unhealthy":
                return key[0], key[2], health.description or health.reason
        return None

    def _view(self, run: TaskRun) -> TaskView:
        return TaskView(run.task.id, run.deployment, run.running_since is not None, self._healthy(run))

    def _healthy(self, run: TaskRun) -> bool:
        if run.running_since is None or run.task.health_status == "UNHEALTHY":
            return False
        if run.registered:
            states = [self._world.observed.target_health.get(key) for key in run.registered]
            return all(health is not None and health.state == "healthy" for health in states)
        if run.task.health_status == "HEALTHY":
            return True
        return time.monotonic() - run.running_since >= self._world.scaled(SETTLE)

    def _ended(self, service: Any, run: TaskRun) -> None:
        """A task is STOPPED: count failures of a deployment in progress, hold the next start back when starting is hopeless."""
        with self._world.state():
            memory = self._memory.get(service.arn)
            deployment = next((item for item in service.deployments if item["id"] == run.deployment), None)
            if memory is None or deployment is None or not run.failed:
                return
            if deployment["rolloutState"] == "IN_PROGRESS":
                deployment["failedTasks"] += 1
            never_ran = run.running_since is None
            memory.starts_failed = memory.starts_failed + 1 if never_ran else 0
            pause = backoff(memory.starts_failed) if never_ran else RESTART
            memory.hold_until = time.monotonic() + self._world.scaled(pause)
            if backoff(memory.starts_failed) and not memory.told_throttled:
                memory.told_throttled = True
                self._event(service, reasons.CANNOT_START_CONSISTENTLY)

    # -- deployments

    def _progress(self, service: Any, primary: dict[str, Any], memory: _Memory, runs: Sequence[TaskRun]) -> None:
        views = [self._view(run) for run in runs if not run.leaving]
        alive = {run.deployment for run in runs}
        service.deployments[1:] = [item for item in service.deployments[1:] if item["id"] in alive]
        done = settled(service.desired_count, primary["id"], views, len(runs) - len(views)) and len(service.deployments) == 1
        if primary["rolloutState"] == "IN_PROGRESS" and self._alarm(service, memory):
            rollback = bool(_watched(service).get("rollback"))
            self._give_up(service, primary, memory, reasons.ALARM_DETECTED, reasons.alarm_detected(primary["id"]), rollback)
        elif done and not self._bakes(service, primary, memory):
            self._settle(service, primary, memory)
        elif primary["rolloutState"] == "IN_PROGRESS" and not done:
            self._breaker(service, primary, memory)

    def _alarm(self, service: Any, memory: _Memory) -> bool:
        """Whether an alarm rings that did not when the deployment began."""
        names = _watched(service).get("alarmNames") or []
        rings = cloudwatch.ringing(self._world.aws, names) if names else set()
        if memory.ignored is None:
            memory.ignored = rings
        return bool(rings - memory.ignored)

    def _bakes(self, service: Any, primary: dict[str, Any], memory: _Memory) -> bool:
        if primary["rolloutState"] != "IN_PROGRESS" or not _watched(service):
            return False
        memory.baking_since = memory.baking_since or time.monotonic()
        return time.monotonic() - memory.baking_since < self._world.scaled(BAKE)

    def _settle(self, service: Any, primary: dict[str, Any], memory: _Memory) -> None:
        memory.starts_failed = 0
        if primary["rolloutState"] == "IN_PROGRESS":
            self._update(primary, rolloutState="COMPLETED", rolloutStateReason=f"ECS deployment {primary['id']} completed.")
            memory.completed = dict(primary)
            self._event(service, reasons.completed(primary["id"]))
            log.info("service %s: deployment %s completed", service.name, primary["id"])
        if not memory.steady:
            memory.steady = True
            self._event(service, reasons.STEADY)

    def _breaker(self, service: Any, primary: dict[str, Any], memory: _Memory) -> None:
        breaker = service.configuration.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker") or {}
        if not breaker.get("enable") or primary["failedTasks"] < failure_threshold(service.desired_count):
            return
        self._give_up(service, primary, memory, reasons.CIRCUIT_BREAKER, reasons.failed(primary["id"]), bool(breaker.get("rollback")))

    def _give_up(self, service: Any, primary: dict[str, Any], memory: _Memory, reason: str, event: str, rollback: bool) -> None:
        self._update(primary, rolloutState="FAILED", rolloutStateReason=reason)
        self._event(service, event)
        if rollback and memory.completed:
            before = memory.completed
            service.task_definition = before["taskDefinition"]
            service.network_configuration = before.get("networkConfiguration") or {}
            fresh = ecs_services.deploy(self._world.aws, service)
            what = reason.partition(":")[0] if reason == reasons.CIRCUIT_BREAKER else "ECS deployment"
            fresh["rolloutStateReason"] = f"{what}: rolling back to deploymentId {before['id']}."
            self._event(service, reasons.rolling_back(primary["id"], before["id"]))

    def _update(self, deployment: dict[str, Any], **values: Any) -> None:
        deployment.update(values, updatedAt=self._world.aws.now())

    def _event(self, service: Any, text: str) -> None:
        with self._world.state():
            ecs_services.add_event(self._world.aws, service, text)

    def _count_clusters(self) -> None:
        ecs = self._world.backend("ecs")
        for cluster in ecs.clusters.values():
            tasks = [task for task in ecs.tasks.get(cluster.name, {}).values() if task.last_status != "STOPPED"]
            cluster.running_tasks_count = sum(task.last_status in RUNNING for task in tasks)
            cluster.pending_tasks_count = sum(task.last_status in STARTING for task in tasks)
            cluster.active_services_count = sum(item.cluster_name == cluster.name and item.status == "ACTIVE" for item in ecs.services.values())


def _watched(service: Any) -> dict[str, Any]:
    """The alarms that decide on the service's deployments."""
    alarms = service.configuration.get("deploymentConfiguration", {}).get("alarms") or {}
    return dict(alarms) if alarms.get("enable") else {}


def _limits(service: Any) -> Limits:
    configuration = service.configuration.get("deploymentConfiguration", {})
    return Limits(int(configuration.get("minimumHealthyPercent", 100)), int(configuration.get("maximumPercent", 200)))


def _count(service: Any, runs: Sequence[TaskRun]) -> None:
    """runningCount and pendingCount of the service and of each deployment, from the tasks' own states. A task that drains still runs."""
    for deployment in service.deployments:
        own = [run for run in runs if run.deployment == deployment["id"]]
        deployment["runningCount"] = sum(run.task.last_status in RUNNING for run in own)
        deployment["pendingCount"] = sum(run.task.last_status in STARTING for run in own)
    service.running_count = sum(run.task.last_status in RUNNING for run in runs)
    service.pending_count = sum(run.task.last_status in STARTING for run in runs)
