"""All tasks of the lab: launched for services, adopted from RunTask, forgotten an hour after they stopped."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lab.aws import tasks as api_tasks
from lab.aws.operations import ecs_definitions, ecs_services
from lab.aws.tasks import EcsTask, Launch
from lab.containers.engine import Engine
from lab.reconcile import reasons
from lab.reconcile.capacity import Capacity
from lab.reconcile.logs import Logs
from lab.reconcile.placement import FargatePlace, InstancePlace, NoPlaceError, Place, choose, requirements, reserve
from lab.reconcile.task import Balancing, TaskRun
from lab.reconcile.world import World

KEPT = timedelta(hours=1)  # "stopped tasks are visible for at least one hour"


class Tasks:
    """Call with the API held (``World.state``) unless said otherwise."""

    name = "tasks"

    def __init__(self, world: World, capacity: Capacity, logs: Logs) -> None:
        self._world = world
        self._capacity = capacity
        self._logs = logs
        self._engine = Engine(world.settings, "fargate")
        self._rotation = itertools.count()
        self.runs: dict[str, TaskRun] = {}

    def tick(self) -> None:
        """Adopt RunTask's tasks, forget old ones."""
        with self._world.state():
            now = self._world.aws.now()
            for tasks in self._world.backend("ecs").tasks.values():
                for arn, task in list(tasks.items()):
                    if task.stopped_at and now - task.stopped_at > KEPT:
                        del tasks[arn]
                    elif arn not in self.runs and task.last_status != "STOPPED":
                        self._adopt(task)
            for arn in [arn for arn, run in self.runs.items() if run.ended]:
                del self.runs[arn]

    def of(self, service: Any) -> list[TaskRun]:
        """The service's tasks that have not stopped."""
        group = f"service:{service.name}"
        return [run for run in self.runs.values() if run.task.group == group and run.task.cluster_arn == service.cluster_arn and not run.ended]

    def launch(self, service: Any, deployment: Mapping[str, Any]) -> TaskRun:
        """One more task of a deployment, not yet started (``TaskRun.start``). Raises NoPlaceError when no instance can take it."""
        ecs = self._world.backend("ecs")
        definition = ecs_definitions.find(self._world.aws, deployment["taskDefinition"])
        network = deployment.get("networkConfiguration")
        strategy = deployment.get("capacityProviderStrategy") or []
        fargate = ecs_services.runs_on_fargate(service)
        launch = Launch(
            f"service:{service.name}",
            deployment["id"],
            launch_type=service.launch_type,
            capacity_provider=strategy[0]["capacityProvider"] if strategy else None,
            network_configuration=network,
            subnet_id=self._subnet(network) if network else None,
            container_instance=None if fargate else self._instance(service.cluster_name, definition, self.of(service)),
            tags=self._tags(service, definition),
            enable_execute_command=bool(service.configuration.get("enableExecuteCommand")),
        )
        task = api_tasks.create(self._world.aws, ecs.clusters[service.cluster_name], definition, launch)
        balancing = [Balancing(item["targetGroupArn"], item["containerName"], int(item["containerPort"])) for item in service.load_balancers if "targetGroupArn" in item]
        return self._run(task, definition, balancing)

    def stop_all(self, seconds: float) -> None:
        """The lab ends (API not held): no draining, all at once."""
        runs = [run for run in list(self.runs.values()) if not run.ended]
        for run in runs:
            run.request_stop(reasons.USER, "The lab goes down", drain=False)
        for run in runs:
            run.join(seconds)

    def destroy(self) -> None:
        self._engine.destroy()

    def _adopt(self, task: EcsTask) -> None:
        definition = ecs_definitions.find(self._world.aws, task.task_definition_arn)
        cluster = task.cluster_arn.rpartition("/")[2]
        try:
            if task.interface is None and task.container_instance_arn is None:
                task.container_instance_arn = self._instance(cluster, definition, []).container_instance_arn
            self._run(task, definition, []).start()
        except NoPlaceError as error:
            task.last_status = task.desired_status = "STOPPED"
            task.stop_code, task.stopped_reason, task.stopped_at = reasons.FAILED_TO_START, str(error), self._world.aws.now()

    def _run(self, task: EcsTask, definition: Any, balancing: list[Balancing]) -> TaskRun:
        run = TaskRun(self._world, self._logs, task, definition.container_definitions, self._place(task), balancing, definition.volumes or ())
        self.runs[task.task_arn] = run
        if task.container_instance_arn:
            self._reserve(task, definition, +1)
        run.on_end.append(lambda ended: self._freed(ended, definition))
        return run

    def _place(self, task: EcsTask) -> Place:
        if task.interface is not None:
            return FargatePlace(self._world, self._engine, task)
        runtime = self._capacity.by_container_instance(task.container_instance_arn or "")
        if runtime is None:
            raise NoPlaceError(reasons.NO_INSTANCES)
        return InstancePlace(runtime)

    def _instance(self, cluster: str, definition: Any, siblings: list[TaskRun]) -> Any:
        needs = requirements(definition.container_definitions)
        return choose(self._world, self._capacity, cluster, needs, [run.task for run in siblings if not run.leaving])[0]

    def _freed(self, run: TaskRun, definition: Any) -> None:
        with self._world.state():
            if run.task.container_instance_arn:
                self._reserve(run.task, definition, -1)

    def _reserve(self, task: EcsTask, definition: Any, sign: int) -> None:
        cluster = task.cluster_arn.rpartition("/")[2]
        item = self._world.backend("ecs").container_instances.get(cluster, {}).get((task.container_instance_arn or "").rpartition("/")[2])
        if item is not None:
            reserve(item, requirements(definition.container_definitions), sign)

    def _subnet(self, network: Mapping[str, Any]) -> str:
        """Tasks spread over the subnets in turn."""
        subnets = network["awsvpcConfiguration"]["subnets"]
        return str(subnets[next(self._rotation) % len(subnets)])

    @staticmethod
    def _tags(service: Any, definition: Any) -> list[dict[str, str]]:
        """propagateTags: from the service or from the task definition."""
        source = {"SERVICE": service.tags, "TASK_DEFINITION": definition.tags}.get(service.propagate_tags or "NONE")
        return list(source or [])
