"""PHP-FPM that is refused: it ended, it listens elsewhere, or it started too late. Each is told from the others by its own proof."""

from __future__ import annotations

import typing as t

import pytest

REVISION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:3"
REFUSED = 'connect() failed (111: Connection refused) while connecting to upstream, upstream: "fastcgi://127.0.0.1:9000"'
READY = "NOTICE: ready to handle connections"
STARTED, STOPPING = 1000040.0, 1000050.0
Lines = t.List[t.List[t.Any]]


def stopped(task: str = "s1", after: float = 0.0) -> dict[str, t.Any]:
    """ECS gave the task up ten seconds after its start; it drains, and php-fpm runs until it is over."""
    both = [{"name": "nginx", "exitCode": 0}, {"name": "php-fpm", "exitCode": 137}]
    return {
        "taskArn": f"task/{task}", "taskDefinitionArn": REVISION, "lastStatus": "STOPPED", "stopCode": "ServiceSchedulerInitiated", "containers": both,
        "stoppedReason": "Task failed ELB health checks in (target-group tg-web)", "createdAt": STARTED - 10 + after, "startedAt": STARTED + after,
        "stoppingAt": STOPPING + after, "stoppedAt": STOPPING + 8 + after,
    }  # fmt: skip


def changes(*tasks: dict[str, t.Any], reason: str = "Health checks failed with these codes: [502]") -> dict[str, t.Any]:
    message = f"(service shop-web) (task s1) (port 80) is unhealthy in (target-group tg-web) due to (reason {reason})"
    return {
        "services/0/service/runningCount": 1, "services/0/service/healthCheckGracePeriodSeconds": 60, "target_groups/tg-web/TargetHealth": [],
        "services/0/events": [{"id": "1", "createdAt": STOPPING, "message": message}], "services/0/stopped": list(tasks) or [stopped()],
    }  # fmt: skip


def lines(*told: tuple[str, float, str], task: str = "s1") -> Lines:
    return [["shop-web", task, container, at, text] for container, at, text in told]


EARLY, LATE, LATEST = STARTED + 1, STOPPING - 3, STOPPING + 2
CASES: dict[str, tuple[Lines, str, str]] = {
    "never said that it is ready": (lines(("nginx", STOPPING - 1, REFUSED)), "FPM_DOWN", "likely"),
    "ready when the task was given up": (lines(("nginx", STOPPING - 1, REFUSED), ("php-fpm", LATEST, READY)), "SLOW_START", "certain"),
    "ready shortly before": (lines(("nginx", LATE - 1, REFUSED), ("php-fpm", LATE, READY)), "SLOW_START", "likely"),
    "ready at last, and refused all the same": (lines(("php-fpm", LATE, READY), ("nginx", LATE + 2.5, REFUSED)), "FPM_DOWN", "certain"),
    "ready at once, and refused all the same": (lines(("php-fpm", EARLY, READY), ("nginx", STOPPING - 1, REFUSED)), "FPM_DOWN", "certain"),
    "refused before it was ready, early": (lines(("nginx", EARLY - 1, REFUSED), ("php-fpm", EARLY, READY)), "FPM_DOWN", "likely"),
    "refused only while the task ends": (lines(("php-fpm", EARLY, READY), ("nginx", STOPPING + 4, REFUSED)), "HC_502", "likely"),
    "only a sidecar is ready": (lines(("agent", EARLY, "Listening on :8126"), ("nginx", STOPPING - 1, REFUSED)), "FPM_DOWN", "likely"),
    "a sidecar is ready late": (lines(("agent", LATEST, "Listening on :8126"), ("nginx", STOPPING - 1, REFUSED)), "FPM_DOWN", "likely"),
    "only nginx is ready": (lines(("nginx", EARLY, "start worker processes"), ("nginx", STOPPING - 1, REFUSED)), "FPM_DOWN", "likely"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(kit: t.Any, name: str, record_property: t.Any) -> None:
    logs, identifier, confidence = CASES[name]
    top = kit.causes(kit.make(changes(), logs))[0]
    record_property("diagnosis", [identifier, top.id])
    assert (top.id, top.confidence) == (identifier, confidence)
    assert "<" not in top.summary + top.fix
    if confidence == "certain":
        assert READY in [evidence.text for evidence in top.evidence]


def test_a_slow_start_names_the_container_and_the_grace_period(kit: t.Any) -> None:
    top = kit.causes(kit.make(changes(), CASES["ready when the task was given up"][0]))[0]
    assert "before php-fpm listens" in top.summary
    assert "is 60 s" in top.summary
    assert "health_check_grace_period_seconds" in top.fix
    assert [evidence.source.rpartition("/")[2] for evidence in top.evidence] == ["s1", "target task s1:80 in shop-fargate-1", "s1", "task s1"]


def test_a_task_that_replaced_it_and_failed_too_does_not_make_it_certain(kit: t.Any) -> None:
    """A slow start looks the same until a container says that it is ready."""
    again = [*lines(("nginx", STOPPING - 1, REFUSED)), *lines(("nginx", STOPPING + 19, REFUSED), task="s2")]
    top = kit.causes(kit.make({**changes(stopped(), stopped("s2", 20)), "at": STOPPING + 30}, again))[0]
    assert (top.id, top.confidence) == ("FPM_DOWN", "likely")


def test_a_web_server_that_starts_too_late(kit: t.Any) -> None:
    refused = changes(reason="Health checks failed")
    top = kit.causes(kit.make(refused, lines(("nginx", LATEST, "start worker processes"))))[0]
    assert (top.id, top.confidence) == ("SLOW_START", "certain")
    top = kit.causes(kit.make(refused, lines(("nginx", EARLY, "start worker processes"))))[0]
    assert (top.id, top.confidence) == ("HC_REFUSED", "certain")


def test_what_happened_before_this_run_is_not_certain(kit: t.Any) -> None:
    snapshot = kit.make(changes(), CASES["ready when the task was given up"][0])
    snapshot.started = snapshot.at + 1
    top = kit.causes(snapshot)[0]
    assert (top.id, top.confidence) == ("SLOW_START", "likely")


def test_a_task_that_lived_on_disproves_it(kit: t.Any) -> None:
    """What ended the old tasks long ago does not explain why nothing answers now."""
    later = {
        "taskArn": "task/s9", "taskDefinitionArn": REVISION, "lastStatus": "STOPPED", "stopCode": "UserInitiated",
        "createdAt": STOPPING + 1, "startedAt": STOPPING + 1, "stoppedAt": STOPPING + 21,
    }  # fmt: skip
    told = changes(stopped(), later, reason="Health checks failed")
    told["at"] = STOPPING + 30
    assert kit.causes(kit.make(told, CASES["ready when the task was given up"][0]))[0].id == "HC_REFUSED"
