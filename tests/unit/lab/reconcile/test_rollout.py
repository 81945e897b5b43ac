"""The scheduler's decisions: never below the floor, never above the ceiling, and always an end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.reconcile.rollout import Decision, Limits, TaskView, backoff, decide, failure_threshold, settled


def task(name: str, deployment: str, healthy: bool = True) -> TaskView:
    return TaskView(name, deployment, running=healthy, healthy=healthy)


def test_first_deployment_starts_what_is_desired() -> None:
    assert decide(2, Limits(), "new", []) == Decision(2, [])


def test_old_tasks_stay_until_new_ones_are_healthy() -> None:
    old = [task("a", "old"), task("b", "old")]
    starting = [task("c", "new", healthy=False), task("d", "new", healthy=False)]
    assert decide(2, Limits(), "new", old + starting) == Decision(0, [])
    assert decide(2, Limits(), "new", [*old, task("c", "new"), task("d", "new")]) == Decision(0, ["a", "b"])


def test_one_healthy_new_task_lets_one_old_task_go() -> None:
    tasks = [task("a", "old"), task("b", "old"), task("c", "new"), task("d", "new", healthy=False)]
    assert decide(2, Limits(), "new", tasks) == Decision(0, ["a"])


def test_without_room_an_old_task_goes_first() -> None:
    """minimum 0, maximum 100: the worker of the example; one task stops before the next starts."""
    limits = Limits(0, 100)
    assert decide(1, limits, "new", [task("a", "old")]) == Decision(0, ["a"])
    assert decide(1, limits, "new", []) == Decision(1, [])


def test_scaling_to_zero_stops_everything() -> None:
    assert decide(0, Limits(), "new", [task("a", "new"), task("b", "old")]) == Decision(0, ["a", "b"])


def test_scaling_in_stops_the_unhealthy_first() -> None:
    tasks = [task("a", "new"), task("b", "new", healthy=False)]
    assert decide(1, Limits(), "new", tasks).stop == ["b"]


@given(
    desired=st.integers(0, 6),
    minimum=st.sampled_from([0, 50, 100]),
    maximum=st.sampled_from([100, 150, 200]),
    before=st.integers(0, 6),
)
def test_a_rolling_update_keeps_its_limits_and_ends(desired: int, minimum: int, maximum: int, before: int) -> None:
    """Simulated with tasks that become healthy one step later. Limits that allow no step at all are AWS's own dead end."""
    limits = Limits(minimum, maximum)
    if limits.floor(desired) >= limits.ceiling(desired):
        return
    before = min(before, limits.ceiling(desired))
    tasks = [task(f"old{number}", "old") for number in range(before)]
    serial = 0
    for _step in range(60):
        healthy_before = sum(item.healthy for item in tasks)
        decision = decide(desired, limits, "new", tasks)
        tasks = [item for item in tasks if item.id not in decision.stop]
        assert sum(item.healthy for item in tasks) >= min(limits.floor(desired), healthy_before)
        tasks = [replace(item, running=True, healthy=True) for item in tasks]
        for _number in range(decision.start):
            serial += 1
            tasks.append(task(f"new{serial}", "new", healthy=False))
        assert len(tasks) <= max(limits.ceiling(desired), before)
    assert [item.deployment for item in tasks] == ["new"] * desired


@pytest.mark.parametrize(("desired", "threshold"), [(1, 3), (6, 3), (10, 5), (1000, 200)])
def test_circuit_breaker_trips_after_half_of_the_tasks(desired: int, threshold: int) -> None:
    assert failure_threshold(desired) == threshold


def test_settled_means_only_healthy_tasks_of_the_primary_and_nobody_leaving() -> None:
    good = [task("a", "new"), task("b", "new")]
    assert settled(2, "new", good, 0)
    assert not settled(2, "new", good, 1)
    assert not settled(2, "new", [*good[:1], task("b", "old")], 0)
    assert not settled(2, "new", [*good[:1], task("b", "new", healthy=False)], 0)


def test_backoff_begins_after_three_failures_and_has_a_limit() -> None:
    assert [backoff(failures) for failures in (0, 2, 3, 4, 50)] == [0.0, 0.0, 10.0, 20.0, 900.0]
