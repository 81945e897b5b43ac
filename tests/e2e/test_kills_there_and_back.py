"""SIGKILL on the way back and on the way out: what was remembered outlives it, the next run completes, and no user notices."""

from __future__ import annotations

import typing as t

import pytest

from .harness import Lab, assert_unharmed
from .test_there_and_back import CONFIRMED, left_of_the_source

Totals = t.Callable[[], dict[str, t.Any]]


@pytest.fixture(scope="module")
def totals(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Totals]:
    with lab.load(tmp_path_factory.mktemp("load")) as numbers:
        lab.play("migrate").ok()
        yield numbers
    assert_unharmed(numbers())


def test_killed_scale_in_and_killed_rollback_bring_every_number_back(lab: Lab, totals: Totals) -> None:
    """A scale-in that was killed half way must not remember its own zeros as the source's numbers: the rollback would bring them back."""
    before = numbers_of_the_source(lab)
    killed(lab, "scale_in", 2)
    lab.play("scale_in").unchanged()
    assert numbers_of_the_source(lab) != before
    assert lab.served_by() == "shop-fargate"
    killed(lab, "rollback", 3)
    lab.play("rollback").unchanged()
    assert numbers_of_the_source(lab) == before
    assert lab.served_by() == "shop"
    assert totals()["failed"] == 0


def test_killed_teardown_leaves_nothing_of_the_source(lab: Lab, totals: Totals) -> None:
    lab.play("migrate").ok()
    lab.play("scale_in").ok()
    killed(lab, "teardown", 3, *CONFIRMED)
    lab.play("teardown", *CONFIRMED).unchanged()
    assert left_of_the_source(lab) == []
    assert lab.served_by() == "shop-fargate"
    assert totals()["failed"] == 0


def killed(lab: Lab, playbook: str, times: int, *arguments: str) -> None:
    """Run it to its end after so many kills. What a killed run did stays done, so each kill lands at the next mutating call."""
    landed = sum(lab.kill_at(playbook, 1, *arguments) for _kill in range(times))
    assert landed == times, f"only {landed} of {times} runs of {playbook} lived long enough to be killed"
    lab.play(playbook, *arguments).ok()


def numbers_of_the_source(lab: Lab) -> dict[str, t.Any]:
    """What a rollback has to bring back: the group's sizes, suspended processes and the services' counts."""
    group = lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]
    services = lab.client("ecs").describe_services(cluster="shop", services=["web", "worker"])["services"]
    return {
        "group": [group[key] for key in ("MinSize", "DesiredCapacity", "MaxSize")],
        "suspended": sorted(each["ProcessName"] for each in group["SuspendedProcesses"]),
        "services": {each["serviceName"]: each["desiredCount"] for each in services},
    }
