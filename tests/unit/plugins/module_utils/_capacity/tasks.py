"""Tasks for moto's services, which has none: they take calls to come and longer to end, and every call is a moment at which they are looked at."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field

import pytest
from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends
from unit.plugins.module_utils.apply_account import ACCOUNT, REGION, Account

COMING = ("PROVISIONING", "PENDING", "ACTIVATING")
GOING = ("DEACTIVATING", *["STOPPING"] * 60, "DEPROVISIONING")
"""A task that was told to stop goes on for as long as its containers need to end: for longer than the looks of one run take."""

STOPPED_KEPT = 2  # AWS forgets them after an hour


@dataclass
class Task:
    task_arn: str
    cluster: str
    service: str
    states: list[str] = field(default_factory=lambda: [*COMING, "RUNNING"])
    desired_status: str = "RUNNING"

    @property
    def last_status(self) -> str:
        return self.states[0]

    def step(self) -> None:
        self.states = self.states[1:] or self.states

    def stop(self) -> None:
        self.desired_status, self.states = "STOPPED", [self.last_status, *GOING, "STOPPED"]


class Tasks:
    """Steps once with every call of a run, and then asks ``watch`` whether all is well."""

    def __init__(self, account: Account, watch: t.Callable[[Tasks], None], monkeypatch: pytest.MonkeyPatch) -> None:
        self.tasks: list[Task] = []
        self.numbers = itertools.count(1)
        self.watch, self.kill = watch, account.after
        account.after = self.after  # type: ignore[method-assign]

        def list_tasks(_self: t.Any, cluster: str, _instance: t.Any, _family: t.Any, _by: t.Any, service: str, status: str) -> list[Task]:
            return [each for each in self.tasks if (each.cluster, each.service, each.desired_status) == (cluster, service, status)]

        def describe_tasks(_self: t.Any, _cluster: str, arns: list[str]) -> list[Task]:
            return [each for each in self.tasks if each.task_arn in arns]

        monkeypatch.setattr(EC2ContainerServiceBackend, "list_tasks", list_tasks)
        monkeypatch.setattr(EC2ContainerServiceBackend, "describe_tasks", describe_tasks)

    def after(self, operation: str) -> None:
        self.step()
        self.watch(self)
        self.kill(operation)

    def step(self) -> None:
        stopped = [each for each in self.tasks if each.last_status == "STOPPED"]
        for task in stopped[:-STOPPED_KEPT]:
            self.tasks.remove(task)
        for service in ecs_backends[ACCOUNT][REGION].services.values():
            mine = [each for each in self.tasks if (each.cluster, each.service) == (service.cluster_name, service.name)]
            for task in mine:
                task.step()
            wanted = [each for each in mine if each.desired_status == "RUNNING"]
            for task in wanted[service.desired_count :]:
                task.stop()
            for _missing in range(service.desired_count - len(wanted)):
                arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{service.cluster_name}/{next(self.numbers):032x}"
                self.tasks.append(Task(arn, service.cluster_name, service.name))
            service.running_count = sum(each.last_status == "RUNNING" and each.desired_status == "RUNNING" for each in mine)

    def settle(self) -> None:
        for _step in range(2 * len(GOING)):
            self.step()

    def alive(self, cluster: str, service: str) -> int:
        """Everything that may do work: also what is only starting, and what was told to stop."""
        return sum(each.last_status != "STOPPED" for each in self.tasks if (each.cluster, each.service) == (cluster, service))
