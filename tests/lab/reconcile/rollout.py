"""What a service's scheduler starts and stops next, and what becomes of a deployment. Pure: no clock, no API, no lab."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TaskView:
    """A task as the scheduler sees it. Stopping and stopped tasks are not shown: they no longer count."""

    id: str
    deployment: str
    running: bool = False
    healthy: bool = False


@dataclass(frozen=True)
class Decision:
    start: int = 0
    stop: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """deploymentConfiguration: percentages of the desired count that bound a rolling update."""

    minimum_percent: int = 100
    maximum_percent: int = 200

    def floor(self, desired: int) -> int:
        """Healthy tasks that must remain: rounded up (DeploymentConfiguration.minimumHealthyPercent)."""
        return math.ceil(desired * self.minimum_percent / 100)

    def ceiling(self, desired: int) -> int:
        """Tasks that may exist at once: rounded down (maximumPercent)."""
        return math.floor(desired * self.maximum_percent / 100)


def decide(desired: int, limits: Limits, primary: str, tasks: Sequence[TaskView]) -> Decision:
    """One step of a rolling update: never above the ceiling, never below the floor of healthy tasks because of what is stopped here.

    >>> decide(2, Limits(), "new", [TaskView("a", "old", True, True), TaskView("b", "old", True, True)])
    Decision(start=2, stop=[])
    """
    new = [task for task in tasks if task.deployment == primary]
    old = [task for task in tasks if task.deployment != primary]
    room = max(limits.ceiling(desired) - len(tasks), 0)
    start = min(max(desired - len(new), 0), room)
    surplus = _weakest_first(new)[: max(len(new) - desired, 0)]
    kept = [task for task in new if task not in surplus]
    return Decision(start, [task.id for task in surplus + _stoppable(desired, limits, kept, old)])


def _stoppable(desired: int, limits: Limits, new: Sequence[TaskView], old: Sequence[TaskView]) -> list[TaskView]:
    """Old tasks that may go now: sick ones cost nothing, healthy ones only above the floor; all of them once the new ones are healthy."""
    healthy_new = sum(task.healthy for task in new)
    if healthy_new >= desired:
        return list(old)
    healthy_old = sum(task.healthy for task in old)
    spare = max(healthy_new + healthy_old - limits.floor(desired), 0)
    sick = [task for task in old if not task.healthy]
    return sick + [task for task in old if task.healthy][:spare]


def _weakest_first(tasks: Sequence[TaskView]) -> list[TaskView]:
    return sorted(tasks, key=lambda task: (task.healthy, task.running))


def failure_threshold(desired: int) -> int:
    """Failed tasks after which the circuit breaker trips: half of the desired count, at least 3, at most 200 (ECS, deployment circuit breaker)."""
    return min(max(math.ceil(desired * 0.5), 3), 200)


def settled(desired: int, primary: str, tasks: Sequence[TaskView], leaving: int) -> bool:
    """A deployment is complete when exactly its own desired tasks run, all healthy, and nothing else is left or leaving."""
    return leaving == 0 and len(tasks) == desired and all(task.deployment == primary and task.healthy for task in tasks)


def backoff(failures: int) -> float:
    """Seconds (of AWS time) before another start after tasks that never ran: none for the first three, then doubling up to 15 minutes."""
    return 0.0 if failures < 3 else min(10.0 * 2 ** (failures - 3), 900.0)
