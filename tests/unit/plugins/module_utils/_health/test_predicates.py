"""Readiness, predicate by predicate."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health import predicates
from ansible_collections.cutover.fargate.plugins.module_utils._health.clock import Clock, ticks
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import Failure, Snapshot

WEB = "services/0/"
DEPLOYMENT = f"{WEB}service/deployments/0/"
REVISION_2 = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:2"


@pytest.mark.parametrize(
    ("changes", "ok", "said"),
    [
        ({}, True, "2 of 2 tasks run shop-web-fargate:3"),
        ({f"{WEB}service/runningCount": 1}, False, "1 of 2 tasks of shop-web-fargate:3 run"),
        ({f"{WEB}service/runningCount": 1, f"{DEPLOYMENT}failedTasks": 3}, False, "1 of 2 tasks of shop-web-fargate:3 run, the last 3 failed"),
        ({f"{DEPLOYMENT}rolloutState": "IN_PROGRESS"}, False, "not completed yet"),
        ({f"{DEPLOYMENT}rolloutState": None}, False, "not completed yet"),
        ({f"{DEPLOYMENT}rolloutState": "FAILED", f"{DEPLOYMENT}rolloutStateReason": "tasks failed to start"}, False, "failed: tasks failed to start"),
        ({f"{DEPLOYMENT}taskDefinition": REVISION_2}, False, "the newest revision is shop-web-fargate:3"),
        ({f"{WEB}service/deployments/-": {"status": "ACTIVE", "taskDefinition": REVISION_2}}, False, "1 older deployment"),
        ({f"{WEB}service/desiredCount": 0}, False, "the desired count is 0"),
        ({f"{WEB}service": None}, False, "does not exist"),
        ({f"{WEB}service/status": "INACTIVE"}, False, "does not exist"),
        ({"side": "source", f"{DEPLOYMENT}rolloutState": "IN_PROGRESS"}, True, "2 of 2"),
        ({"side": "source", f"{DEPLOYMENT}rolloutState": None, f"{WEB}service/runningCount": 1}, False, "1 of 2"),
        ({"side": "source", f"{DEPLOYMENT}taskDefinition": REVISION_2}, True, "shop-web-fargate:2"),
    ],
)
def test_rollout(kit: t.Any, changes: dict[str, t.Any], ok: bool, said: str) -> None:
    snapshot = kit.make(changes)
    outcome = predicates.rollout(snapshot, snapshot.services[0])
    assert outcome.ok is ok
    assert said in outcome.last


def test_a_worker_that_is_planned_idle_may_be_idle(kit: t.Any) -> None:
    idle = {"services/1/desired_count": 0, "services/1/service/desiredCount": 0, "services/1/service/runningCount": 0, "services/1/tasks": []}
    snapshot = kit.make(idle)
    assert predicates.rollout(snapshot, snapshot.services[1]).ok is True
    assert predicates.stays_up(snapshot, snapshot.services[1], 20).ok is True


def crash(started: float, stopped: float, arn: str = REVISION_2.replace(":2", ":3"), **more: t.Any) -> dict[str, t.Any]:
    return {"taskArn": "task/s1", "taskDefinitionArn": arn, "startedAt": started, "stoppedAt": stopped, "stopCode": "EssentialContainerExited", **more}


@pytest.mark.parametrize(
    ("changes", "ok"),
    [
        ({}, True),
        ({f"{WEB}tasks/0/startedAt": 1000050.0}, False),
        ({f"{WEB}tasks/0/startedAt": None}, False),
        ({f"{WEB}stopped": [crash(1000040.0, 1000050.0)]}, False),
        ({f"{WEB}stopped": [crash(999000.0, 999010.0)]}, True),
        ({f"{WEB}stopped": [crash(1000040.0, 1000050.0, stoppedReason="Scaling activity initiated by (deployment ecs-svc/1)")]}, True),
        ({f"{WEB}stopped": [crash(1000040.0, 1000050.0, stopCode="UserInitiated")]}, True),
        ({f"{WEB}stopped": [crash(1000040.0, 1000050.0, arn=REVISION_2)]}, True),
    ],
)
def test_tasks_stay_up(kit: t.Any, changes: dict[str, t.Any], ok: bool) -> None:
    snapshot = kit.make(changes)
    assert predicates.stays_up(snapshot, snapshot.services[0], 20).ok is ok


def test_a_loop_slower_than_the_window_is_seen_through(kit: t.Any) -> None:
    """Tasks that die after 25 s: one that is up for 21 s proves nothing, one for 51 s does."""
    changes = {f"{WEB}stopped": [crash(1000000.0, 1000025.0)], f"{WEB}tasks/0/startedAt": 1000039.0, f"{WEB}tasks/1/startedAt": 1000039.0}
    snapshot = kit.make(changes)
    assert predicates.stays_up(snapshot, snapshot.services[0], 20).ok is False
    snapshot.at = 1000090.0
    assert predicates.stays_up(snapshot, snapshot.services[0], 20).ok is True


def test_an_old_long_lived_task_does_not_hold_up_the_verdict(kit: t.Any) -> None:
    """It lived for hours and was lost a minute ago: six windows are the most one has to wait."""
    snapshot = kit.make({f"{WEB}stopped": [crash(900000.0, 999935.0)]})
    assert predicates.needed_age(snapshot, snapshot.services[0], 20) == 120


def test_instance_targets_are_instances_and_host_ports(kit: t.Any) -> None:
    tasks = [
        {
            "taskArn": f"task/e{n}", "lastStatus": "RUNNING", "containerInstanceArn": f"ci/{n}", "startedAt": 999920.0,
            "containers": [{"name": "nginx", "networkBindings": [{"containerPort": 80, "hostPort": 32768 + n}]}],
        }
        for n in (1, 2)
    ]  # fmt: skip
    health = [{"Target": {"Id": f"i-{n}", "Port": 32768 + n}, "TargetHealth": {"State": "healthy"}} for n in (1, 2)]
    changes = {
        "side": "source", f"{WEB}tasks": tasks, f"{WEB}instances": {"ci/1": "i-1", "ci/2": "i-2"},
        "target_groups/tg-web/TargetType": "instance", "target_groups/tg-web/TargetHealth": health,
    }  # fmt: skip
    snapshot = kit.make(changes)
    assert predicates.targets(snapshot, snapshot.services[0], "tg-web").ok is True
    assert predicates.verified(snapshot)["target_groups"] == {"tg-web": ["i-1:32769", "i-2:32770"]}
    snapshot.services[0].instances = {"ci/1": "i-1"}
    assert predicates.targets(snapshot, snapshot.services[0], "tg-web").last == "registered, but no running task of the service: i-2:32770"


@pytest.mark.parametrize(
    ("changes", "ok", "said"),
    [
        ({}, True, "2 healthy: 10.20.1.11:80, 10.20.1.12:80"),
        ({"target_groups/tg-web/TargetHealth/0/TargetHealth": {"State": "initial", "Reason": "Elb.InitialHealthChecking"}}, False, "1 of 2 targets initial"),
        ({"target_groups/tg-web/TargetHealth/0/TargetHealth": {"State": "draining"}}, False, "not registered: 10.20.1.11:80"),
        ({"target_groups/tg-web/TargetHealth/-": {"Target": {"Id": "10.9.9.9", "Port": 80}, "TargetHealth": {"State": "draining"}}}, True, "2 healthy"),
        ({"target_groups/tg-web/TargetHealth/-": {"Target": {"Id": "10.9.9.9", "Port": 80}, "TargetHealth": {"State": "healthy"}}}, False, "10.9.9.9:80"),
        ({"target_groups/tg-web/TargetHealth": []}, False, "not registered"),
        ({"target_groups/tg-web": None}, False, "not one of the load balancer's"),
        ({"listeners/1/DefaultActions": [], "listeners/1/Rules": []}, False, "no listener rule"),
        ({"listeners/1/DefaultActions": [], "listeners/1/Rules": [{"Actions": [{"Type": "forward", "TargetGroupArn": "tg-web"}]}]}, True, "2 healthy"),
    ],
)
def test_targets(kit: t.Any, changes: dict[str, t.Any], ok: bool, said: str) -> None:
    snapshot = kit.make(changes)
    outcome = predicates.targets(snapshot, snapshot.services[0], "tg-web")
    assert outcome.ok is ok
    assert said in outcome.last


def test_an_ipv6_group_holds_ipv6_addresses(kit: t.Any) -> None:
    changes: dict[str, t.Any] = {"target_groups/tg-web/IpAddressType": "ipv6"}
    for number in (0, 1):
        changes[f"{WEB}tasks/{number}/attachments/0/details/-"] = {"name": "privateIPv6Address", "value": f"2001:db8::{number}"}
        changes[f"target_groups/tg-web/TargetHealth/{number}/Target"] = {"Id": f"2001:db8::{number}", "Port": 80}
    snapshot = kit.make(changes)
    assert predicates.targets(snapshot, snapshot.services[0], "tg-web").ok is True


@pytest.mark.parametrize("section", ["services", "tasks", "targets", "load_balancer"])
def test_what_could_not_be_read_is_unknown_not_wrong(kit: t.Any, section: str) -> None:
    snapshot = kit.make({"services/0/tasks": [], "target_groups/tg-web/TargetHealth": []})
    snapshot.failures = [Failure(section, "ThrottlingException")]
    assert predicates.targets(snapshot, snapshot.services[0], "tg-web").ok is None


def test_the_load_balancer_must_be_active(kit: t.Any) -> None:
    assert predicates.load_balancer(kit.make()).ok is True
    assert predicates.load_balancer(kit.make({"load_balancer/State/Code": "provisioning"})).ok is False


def test_ticks_start_at_once_and_end_at_the_total() -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert list(ticks(Clock(lambda: now[0], lambda: now[0], sleep), 12, lambda: 5.0)) == [0.0, 5.0, 10.0, 12.0]


def test_nothing_of_a_missing_load_balancer_is_proven() -> None:
    assert predicates.verified(Snapshot()) == {}
