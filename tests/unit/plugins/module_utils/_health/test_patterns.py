"""Every row of the tables, in every wording known: cause, confidence and the quoted evidence."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health import patterns
from ansible_collections.cutover.fargate.plugins.module_utils._health.causes import CAUSES, render

FIXTURES = Path(__file__).parents[2] / "fixtures" / "diagnosis"
START = json.loads((FIXTURES / "start_failures.json").read_text())
LOGS = json.loads((FIXTURES / "log_lines.json").read_text())
REVISION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:3"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-nginx-fargate:v7"


def label(row: dict[str, t.Any]) -> str:
    return f"{row['id']}: {row['text'][:50]}"


def no_task_runs() -> dict[str, t.Any]:
    return {
        "services/0/service/runningCount": 0,
        "services/0/service/deployments/0/rolloutState": "IN_PROGRESS",
        "services/0/tasks": [],
        "target_groups/tg-web/TargetHealth": [],
    }


def failed_start(text: str, task: str = "s1", at: float = 1000050.0, **more: t.Any) -> dict[str, t.Any]:
    return {"taskArn": f"task/{task}", "taskDefinitionArn": REVISION, "lastStatus": "STOPPED", "stopCode": "TaskFailedToStart", "stoppedReason": text, "stoppedAt": at, **more}


def changes_of(row: dict[str, t.Any]) -> dict[str, t.Any]:
    changes = no_task_runs()
    if row.get("event"):
        changes["services/0/events"] = [{"id": "e1", "createdAt": 1000050.0, "message": row["text"]}]
    else:
        changes["services/0/stopped"] = [failed_start(row["text"])]
    if row.get("no_way_out"):
        changes["services/0/service/networkConfiguration/awsvpcConfiguration/assignPublicIp"] = "DISABLED"
    if row.get("missing_image"):
        changes["services/0/missing_images"] = [IMAGE]
    if row.get("missing_log_group"):
        changes["services/0/missing_log_groups"] = ["/ecs/shop-web-fargate"]
    return changes


@pytest.mark.parametrize("row", START, ids=label)
def test_a_task_that_does_not_start(kit: t.Any, row: dict[str, t.Any], record_property: t.Any) -> None:
    top = kit.causes(kit.make(changes_of(row)))[0]
    record_property("diagnosis", [row["id"], top.id])
    assert (top.id, top.confidence) == (row["id"], row["confidence"])
    assert row["text"] in [evidence.text for evidence in top.evidence]
    assert all(evidence.at for evidence in top.evidence)


def test_every_row_of_a_start_failure_has_a_fixture() -> None:
    covered = {row["id"] for row in START}
    other_branches = {"HC_ELB", "HC_CONTAINER"}
    assert {row.id for row in patterns.START_FAILURES} - covered == other_branches


@pytest.mark.parametrize("where", ["stoppedReason", "reason"])
def test_the_same_text_counts_in_task_and_container(kit: t.Any, where: str) -> None:
    text = START[9]["text"]
    task = failed_start(text) if where == "stoppedReason" else failed_start("", containers=[{"name": "nginx", "reason": text}])
    top = kit.causes(kit.make({**no_task_runs(), "services/0/stopped": [task]}))[0]
    assert top.id == "PULL_NOTFOUND"
    assert IMAGE in top.summary


def sick(code: int) -> dict[str, t.Any]:
    health = {"State": "unhealthy", "Reason": "Target.ResponseCodeMismatch", "Description": f"Health checks failed with these codes: [{code}]"}
    return {"target_groups/tg-web/TargetHealth/0/TargetHealth": health}


def closed(group: str) -> dict[str, t.Any]:
    """The group does not admit the tasks; and no environment names the store, so that only the log tells."""
    return {
        f"network/security_groups/{group}/IpPermissions/0/UserIdGroupPairs": [{"GroupId": "sg-instances"}],
        "services/0/newest/containerDefinitions/1/environment": [],
        "services/1/newest/containerDefinitions/0/environment": [],
    }


def crash_of(row: dict[str, t.Any]) -> dict[str, t.Any]:
    ended = {"name": row["container"], "exitCode": row["crash"], "lastStatus": "STOPPED"}
    other = {"name": "php-fpm" if row["container"] == "nginx" else "nginx", "exitCode": 0, "lastStatus": "STOPPED"}
    task = {
        **failed_start("Essential container in task exited"), "stopCode": "EssentialContainerExited", "startedAt": 1000045.0, "containers": [ended, other],
    }  # fmt: skip
    return {**no_task_runs(), "services/0/stopped": [task]}


@pytest.mark.parametrize("row", [row for row in LOGS if row.get("crash")], ids=label)
def test_a_log_line_explains_a_crash(kit: t.Any, row: dict[str, t.Any], record_property: t.Any) -> None:
    top = kit.causes(kit.make(crash_of(row), [["shop-web", "s1", row["container"], 1000049.0, row["text"]]]))[0]
    record_property("diagnosis", [row["id"], top.id])
    assert (top.id, top.confidence) == (row["id"], row["confidence"])
    assert top.evidence[0].text == row["text"]
    assert f"{row['container']} exit {row['crash']}" in top.evidence[1].text


@pytest.mark.parametrize("row", [row for row in LOGS if row.get("code")], ids=label)
def test_a_log_line_explains_an_unhealthy_target(kit: t.Any, row: dict[str, t.Any], record_property: t.Any) -> None:
    changes = {**sick(row["code"]), **(closed(row["closed"]) if row.get("closed") else {})}
    if row.get("no_way_out"):
        changes["services/0/service/networkConfiguration/awsvpcConfiguration/assignPublicIp"] = "DISABLED"
    causes = kit.causes(kit.make(changes, [["shop-web", "t1", row["container"], 1000058.0, row["text"]]]))
    record_property("diagnosis", [row["id"], causes[0].id])
    assert (causes[0].id, causes[0].confidence) == (row["id"], row["confidence"])
    assert row["text"] in [evidence.text for evidence in causes[0].evidence]
    assert f"[{row['code']}]" in " ".join(evidence.text for evidence in causes[0].evidence)


def test_every_log_row_has_a_fixture() -> None:
    covered = {row["id"] for row in LOGS} | {"NGX_REFUSED" if row["id"] == "FPM_DOWN" else row["id"] for row in LOGS}
    assert {row.id for row in patterns.LOG_ROWS} - covered == set()


@pytest.mark.parametrize("row", LOGS, ids=label)
def test_a_line_written_before_this_run_is_never_certain(kit: t.Any, row: dict[str, t.Any]) -> None:
    """After a repair the old lines are still in the log of the same task."""
    code = row.get("code", 500)
    changes = {**sick(code), **(closed(row["closed"]) if row.get("closed") else {})}
    causes = kit.causes(kit.make(changes, [["shop-web", "t1", row["container"], 999950.0, row["text"]]]))
    assert "certain" not in [cause.confidence for cause in causes if cause.id == row["id"]]


@pytest.mark.parametrize(
    "line",
    [
        '10.20.0.5 - - [22/Nov/2026:12:00:00 +0000] "GET /health HTTP/1.1" 200 2 "-" "ELB-HealthChecker/2.0"',
        "[22-Nov-2026 12:00:00] NOTICE: ready to handle connections",
        "[22-Nov-2026 12:00:00] NOTICE: fpm is running, pid 1",
        "2026/11/22 12:00:00 [notice] 1#1: start worker processes",
        "[2026-11-22 12:00:00] production.INFO: user 7 reset the password of connection 2002",
        "[2026-11-22 12:00:00][x1] Processing: App\\Jobs\\RecordOrder",
        "production.WARNING: Redis is slow",
        "Killed 3 zombies",
        "2026/11/22 12:00:00 [warn] 9#9: *1 a client request body is buffered to a temporary file",
    ],
)
def test_normal_lines_match_no_row(line: str) -> None:
    assert patterns.log_match(line) is None


def test_a_lone_kill_of_a_worker_is_told_from_the_word() -> None:
    found = patterns.log_match("Killed\n")
    assert found is not None
    assert found[0].id == "QUEUE_KILL"


@pytest.mark.parametrize("text", ["Scaling activity initiated by (deployment ecs-svc/1)", "Task stopped by user", "Essential container in task exited"])
def test_normal_stops_match_no_row(text: str) -> None:
    assert patterns.start_failure(text) is None


def test_every_cause_that_a_table_names_has_texts() -> None:
    named = {row.id for row in patterns.START_FAILURES} | {row.id for row in patterns.LOG_ROWS} | set(patterns.EXIT_CODES.values()) | set(patterns.TARGET_CODES.values())
    assert named <= set(CAUSES)


@pytest.mark.parametrize("identifier", sorted(CAUSES))
def test_texts_stay_readable_without_signals(identifier: str) -> None:
    text = render(identifier, {})
    assert all(part.strip() for part in text)
    assert "{" not in text.summary + text.check
