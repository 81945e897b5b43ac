"""A scheduler changes hands: never do both sides have a task of it, whenever a run dies and whatever is run next."""

from __future__ import annotations

import itertools
import os
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._capacity import apply as capacity
from ansible_collections.cutover.fargate.plugins.module_utils._capacity import observe
from unit.plugins.module_utils._capacity.tasks import Tasks
from unit.plugins.module_utils.apply_account import SYSTEM, Account

pytestmark = pytest.mark.account

OURS = [{"key": key, "value": value} for key, value in SYSTEM.items()]
SOURCE, TARGET = {"source": 2, "target": 0}, {"source": 0, "target": 2}
"""The desired counts while either side has it."""


class System:
    """A source with a scheduler of two tasks (and a worker, which most tests leave alone), and the target's scheduler at none. Both schedulers scale."""

    def __init__(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        self.account, self.both, self.pauses = account, False, 0
        ecs = account.client("ecs")
        ecs.register_task_definition(family="scheduler", containerDefinitions=[{"name": "scheduler", "image": "shop", "memory": 64}])
        for cluster, services in (("shop", {"worker": 1, "scheduler": 2}), ("shop-fargate", {"worker": 1, "scheduler": 0})):
            ecs.create_cluster(clusterName=cluster)
            for name, count in services.items():
                tags = OURS if cluster == "shop-fargate" else []
                ecs.create_service(cluster=cluster, serviceName=name, taskDefinition="scheduler", desiredCount=count, tags=tags)
            self.scale(cluster, suspended=cluster == "shop-fargate")
        self.tasks = Tasks(account, self.look, monkeypatch)
        self.tasks.settle()

    def scale(self, cluster: str, suspended: bool) -> None:
        self.account.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs", ResourceId=f"service/{cluster}/scheduler", ScalableDimension="ecs:service:DesiredCount", MinCapacity=1, MaxCapacity=4,
            SuspendedState=dict.fromkeys(observe.SUSPENDED_STATE, suspended),
        )  # fmt: skip

    def look(self, tasks: Tasks) -> None:
        """After every call of a run."""
        alive = [tasks.alive(cluster, "scheduler") for cluster in ("shop", "shop-fargate")]
        self.both = self.both or all(alive) or sum(alive) > 2  # nor the next of one side beside those of it that are still ending

    def params(self, state: str, **more: t.Any) -> dict[str, t.Any]:
        schedulers = [{"name": "scheduler", "cluster": "shop-fargate", "desired_count": 2}]
        services = [{"name": "scheduler"}]
        defaults = {"auto_scaling_groups": [], "delete_volumes": False}
        return {"state": state, "system": "shop", "cluster": "shop", "services": services, "schedulers": schedulers, **defaults, **more}

    def run(self, state: str, **more: t.Any) -> dict[str, t.Any]:
        return self.account.run(capacity.run, **self.params(state, **more))

    def killed_after(self, count: int, state: str) -> bool:
        return self.account.killed_after(count, capacity.run, **self.params(state))

    def desired(self) -> dict[str, int]:
        ecs = self.account.client("ecs")
        clusters = {"source": "shop", "target": "shop-fargate"}
        return {side: ecs.describe_services(cluster=cluster, services=["scheduler"])["services"][0]["desiredCount"] for side, cluster in clusters.items()}

    def suspended(self) -> dict[str, bool]:
        targets = self.account.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        return {each["ResourceId"].split("/")[1]: all(each["SuspendedState"].values()) for each in targets}


@pytest.fixture
def system(account: Account, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(account, monkeypatch)


def test_there_and_back(system: System) -> None:
    system.run("idle")
    assert system.desired() == TARGET
    assert system.suspended() == {"shop": True, "shop-fargate": False}
    assert system.tasks.alive("shop-fargate", "scheduler") == 2
    system.run("running")
    system.tasks.settle()
    assert system.desired() == SOURCE
    assert system.suspended() == {"shop": False, "shop-fargate": True}
    assert system.tasks.alive("shop", "scheduler") == 2
    assert not system.both


def test_the_second_run_changes_nothing(system: System) -> None:
    for state in ("idle", "running"):
        system.run(state)
        system.tasks.settle()
        assert not system.run(state)["changed"]
        assert system.account.calls == []


def test_the_scheduler_goes_before_all_else_and_waits_for_nothing_else(system: System) -> None:
    """A worker's task may take its stopTimeout to end; nobody runs the scheduler for that long."""
    system.run("idle", services=[{"name": "scheduler"}, {"name": "worker"}])
    updated = [(call["cluster"], call["service"], call["desiredCount"]) for call in system.account.parameters if "desiredCount" in call]
    assert updated == [("shop", "scheduler", 0), ("shop-fargate", "scheduler", 2), ("shop", "worker", 0)]


@pytest.mark.parametrize("state", ["idle", "running"])
def test_killed_after_any_call_the_next_run_completes(system: System, state: str) -> None:
    other = {"idle": "running", "running": "idle"}[state]
    if state == "running":
        system.run("idle")
    for count in itertools.count(1):
        if not system.killed_after(count, state):
            break
        system.run(state)
        assert system.desired() == (TARGET if state == "idle" else SOURCE), f"killed after call {count}"
        system.run(other)
    assert count == 6
    assert not system.both


@pytest.mark.parametrize("state", ["idle", "running"])
def test_killed_after_any_call_the_run_in_the_other_direction_undoes_it(system: System, state: str) -> None:
    other = {"idle": "running", "running": "idle"}[state]
    if state == "running":
        system.run("idle")
    for count in itertools.count(1):
        if not system.killed_after(count, state):
            break
        system.run(other)
        assert system.desired() == (TARGET if other == "idle" else SOURCE), f"killed after call {count}"
    assert count == 6
    assert not system.both


def test_killed_on_the_way_there_and_on_the_way_back(system: System) -> None:
    """The second run goes the other way, dies too, and a third goes on."""
    pairs = itertools.product(range(1, 6), range(1, 6)) if os.environ.get("CUTOVER_KILLS") == "all" else [(3, 1), (5, 1), (5, 2)]
    for there, back in pairs:
        system.run("running")
        system.killed_after(there, "idle")
        system.killed_after(back, "running")
        system.run("idle")
        assert system.desired() == TARGET, f"killed after calls {there} and {back}"
    assert not system.both


def test_two_that_run_already_are_one_after_either_way(system: System) -> None:
    """A target that an older version built, or a person who set a number."""
    for state, expected in (("idle", TARGET), ("running", SOURCE)):
        for cluster in ("shop", "shop-fargate"):
            system.account.client("ecs").update_service(cluster=cluster, service="scheduler", desiredCount=2)
        system.tasks.settle()
        system.run(state)
        assert system.desired() == expected


def test_a_number_that_a_person_gave_the_target_stays(system: System) -> None:
    system.run("idle")
    system.account.client("ecs").update_service(cluster="shop-fargate", service="scheduler", desiredCount=1)
    assert not system.run("idle")["changed"]
    assert system.desired() == {"source": 0, "target": 1}


def test_one_that_never_ran_on_the_source_is_left_alone(system: System) -> None:
    ecs = system.account.client("ecs")
    ecs.update_service(cluster="shop", service="scheduler", desiredCount=0)
    ecs.update_service(cluster="shop-fargate", service="scheduler", desiredCount=1)
    for state in ("idle", "running"):
        system.run(state)
        assert system.desired() == {"source": 0, "target": 1}


@pytest.mark.parametrize("missing", ["service", "tag"])
def test_without_a_target_to_hand_over_to_nothing_is_stopped(system: System, missing: str) -> None:
    ecs = system.account.client("ecs")
    arn = ecs.describe_services(cluster="shop-fargate", services=["scheduler"])["services"][0]["serviceArn"]
    if missing == "service":
        ecs.delete_service(cluster="shop-fargate", service="scheduler")
    else:
        ecs.untag_resource(resourceArn=arn, tagKeys=list(SYSTEM))
    with pytest.raises(CutoverError, match=r"scheduler can't be handed over.*Run prepare.*Nothing was changed"):
        system.run("idle")
    assert system.account.calls == []
    assert not system.run("running")["changed"]


@pytest.mark.parametrize(("state", "other"), [("idle", "source"), ("running", "target")])
def test_a_task_that_does_not_end_keeps_the_other_side_waiting(system: System, monkeypatch: pytest.MonkeyPatch, state: str, other: str) -> None:
    if state == "running":
        system.run("idle")
    monkeypatch.setattr("unit.plugins.module_utils._capacity.tasks.GOING", ("STOPPING",) * 10_000)
    with pytest.raises(CutoverError, match=rf"no scheduler of the {other} runs; it is 2 of scheduler in shop\S* not stopped"):
        system.run(state, wait_timeout=15.0)
    assert system.desired() == {"source": 0, "target": 0}
    assert not system.both


def test_check_mode_tells_and_changes_nothing(system: System) -> None:
    result = system.account.run(capacity.run, check_mode=True, **system.params("idle", services=[{"name": "scheduler"}, {"name": "worker"}]))
    assert system.account.calls == []
    assert "set the desired count of the target's service scheduler to 2" in result["changes"]
    assert len(result["changes"]) == len(set(result["changes"]))
    assert result["diff"]["after"] == {"service scheduler": "desired=0", "service worker": "desired=0", "target's service scheduler": "desired=2"}
