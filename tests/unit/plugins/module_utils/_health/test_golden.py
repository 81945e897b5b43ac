"""Rows of the tables and states of ECS and the load balancer, each with a case that looks like it and is something else (``fixtures/diagnosis``).

A case with ``made_by`` is a line that this program really wrote (paths changed). ``expect`` null: nothing is wrong. The near misses of ``near_misses.json``
name the row they must not be taken for.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health import patterns

Row = t.Dict[str, t.Any]
DIAGNOSIS = Path(__file__).parents[2] / "fixtures" / "diagnosis"
LOGS, NEAR, STATES = (json.loads((DIAGNOSIS / name).read_text()) for name in ("log_lines.json", "near_misses.json", "states.json"))
REVISION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:3"
HEALTH = "target_groups/tg-web/TargetHealth/0/TargetHealth"
NOBODY = {"services/0/service/runningCount": 0, "services/0/service/deployments/0/rolloutState": "IN_PROGRESS", "services/0/tasks": [], "target_groups/tg-web/TargetHealth": []}


def stopped(row: Row, code: int | None, container: str = "nginx", **more: t.Any) -> Row:
    ended = [{"name": container, "exitCode": code, "lastStatus": "STOPPED"}]
    return {
        "taskArn": "task/s1", "taskDefinitionArn": REVISION, "lastStatus": "STOPPED", "createdAt": 1000030.0, "startedAt": 1000040.0, "stoppedAt": 1000050.0,
        "containers": ended, **row, **more,
    }  # fmt: skip


def mismatch(code: int) -> Row:
    return {"State": "unhealthy", "Reason": "Target.ResponseCodeMismatch", "Description": f"Health checks failed with these codes: [{code}]"}


def signals(row: Row) -> tuple[Row, list[list[t.Any]]]:
    """(what differs from the healthy base, log lines)."""
    if row.get("table") == "start":
        if row.get("event"):
            return {**NOBODY, "services/0/events": [{"id": "e1", "createdAt": 1000050.0, "message": row["text"]}]}, []
        task = stopped({"stopCode": "TaskFailedToStart", "stoppedReason": row["text"]}, None, startedAt=None)
        return {**NOBODY, "services/0/stopped": [task]}, []
    if row.get("table") == "log":
        if row.get("crash"):
            task = stopped({"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited"}, row["crash"], row["container"])
            return {**NOBODY, "services/0/stopped": [task]}, [["shop-web", "s1", row["container"], 1000049.0, row["text"]]]
        return {HEALTH: mismatch(row["code"])}, [["shop-web", "t1", row["container"], 1000058.0, row["text"]]]
    return state(row), [["shop-web", "s1", "nginx", 1000049.0, row["log"]]] if row.get("log") else []


def state(row: Row) -> Row:
    """Of the second to fifth section: a task that stopped, the health of a target, an event of the service."""
    changes: Row = {}
    if "stop" in row:
        healthy = row["expect"] is None
        changes = {"services/0/stopped": [stopped(row["stop"], row["exit"])], **({} if healthy else {"services/0/service/runningCount": 1})}
        changes["services/0/stopped"][0].update({key: value for key, value in row["stop"].items() if value is None})
    if "health" in row:
        changes[HEALTH] = row["health"]
    if row.get("no_rule"):
        changes["listeners/1/DefaultActions"] = [{"Type": "fixed-response"}]
    if row.get("old_target"):
        changes["target_groups/tg-web/TargetHealth/-"] = {"Target": {"Id": "10.20.1.9", "Port": 80}, "TargetHealth": {"State": "draining"}}
    if "event" in row:
        event = {"id": "e1", "createdAt": 1000050.0, "message": row["event"]}
        changes = {"services/0/events": [event], "services/0/service/runningCount": 1, "target_groups/tg-web/TargetHealth": []}
    return changes


def label(row: Row) -> str:
    return f"{row.get('of') or row['section'] + ' ' + row['row']}: {str(row.get('text', row['expect']))[:40]}"


@pytest.mark.parametrize("row", STATES, ids=label)
def test_a_state(kit: t.Any, row: Row, record_property: t.Any) -> None:
    causes = kit.causes(kit.make(*signals(row)))
    found = causes[0].id if causes else None
    record_property("diagnosis", [row["expect"] or "healthy", found or "healthy"])
    assert found == row["expect"], [(cause.id, cause.confidence, cause.evidence) for cause in causes]
    if causes and row["confidence"]:
        assert causes[0].confidence == row["confidence"]
        assert row["quoted"] in " | ".join(evidence.text for evidence in causes[0].evidence)
        assert all(evidence.at for evidence in causes[0].evidence)


@pytest.mark.parametrize("row", NEAR, ids=label)
def test_a_near_miss(kit: t.Any, row: Row, record_property: t.Any) -> None:
    causes = kit.causes(kit.make(*signals(row)))
    record_property("diagnosis", [row["expect"], causes[0].id])
    assert causes[0].id == row["expect"]
    assert row["of"] not in [cause.id for cause in causes]


def test_every_row_has_a_near_miss() -> None:
    """And the states: each row of the sections has a positive case, and one that looks like it."""
    rows = {row.id for row in patterns.START_FAILURES} | {row.id for row in patterns.LOG_ROWS}
    # These two have their own branch of the tree; their near misses are states.
    assert rows - {row["of"] for row in NEAR} == {"HC_ELB", "HC_CONTAINER"}
    assert {row["of"] for row in NEAR} <= rows
    positive = {(row["section"], row["row"]) for row in STATES if not row.get("near_miss")}
    near = {(row["section"], row["row"]) for row in STATES if row.get("near_miss")}
    assert positive - near == set()
    assert {("exit code", str(code)) for code in patterns.EXIT_CODES} <= positive
    assert {("target code", str(code)) for code in patterns.TARGET_CODES} <= positive


def test_many_log_lines_are_real() -> None:
    assert {row["made_by"] for row in [*LOGS, *NEAR] if row.get("made_by")} == {"nginx 1.22.1", "php-fpm 8.2.36"}


def test_what_is_normal_in_events_is_no_near_miss_of_a_start() -> None:
    messages = [row["event"] for row in STATES if row["section"] == "event" and row.get("near_miss")]
    assert messages
    assert all(patterns.start_failure(message) is None for message in messages)
