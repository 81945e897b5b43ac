"""``verify`` in the life of a system: it changes nothing at any time, proves sessions, database, Redis and queue, compares both sides, and says what AWS refused."""

from __future__ import annotations

import json
import threading
import time
import typing as t
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import run as verify
from lab.settings import REGION

from . import diagnosis
from .diagnosis import SINGLES, Target
from .harness import Lab, Run, report_of

SOURCE = ("-e", "verify_side=source")
PROVEN = {
    "GET /", "GET /login", "GET /health?deep=1", "GET /health", "the front page opens a session", "a session of the source continues on the target and back",
    "a login on the source continues on the target and back", "login", "database write", "Redis session", "queue job", "parity with the other side",
    "redirect to HTTPS",
}  # fmt: skip
CROSSING = {name for name in PROVEN if "source continues" in name} | {"parity with the other side"}


@pytest.fixture(scope="module")
def prepared(lab: Lab) -> Target:
    lab.play("prepare").ok()
    return Target(lab, json.loads((lab.reports / "shop" / "plan.json").read_text()))


def verdict(lab: Lab) -> dict[str, t.Any]:
    """What the run report says of the verification."""
    return next(dict(step["result"]) for step in report_of(lab.reports)["steps"] if "verdict" in step.get("result", {}))


def proven(lab: Lab, run: Run) -> set[str]:
    """The probes that passed at both addresses, after a run that changed nothing."""
    run.unchanged()
    said = verdict(lab)
    assert said["verdict"] == "healthy"
    passed = [check["name"].partition(": ")[2] for check in said["checks"] if check["group"].startswith("asked at") and check["ok"]]
    return {name for name in passed if passed.count(name) == 2}


def test_before_there_is_a_target(lab: Lab) -> None:
    """The source is verified without what needs the target; of the target it is said that it does not exist."""
    run = lab.play("verify", *SOURCE)
    assert proven(lab, run) == PROVEN - CROSSING
    assert "the target has no load balancer" in run.output
    run = lab.play("verify").failed()
    assert run.mutating == []
    assert "NO_CLUSTER" in run.output
    assert verdict(lab)["verdict"] == "unhealthy"


def test_before_the_cutover(lab: Lab, prepared: Target) -> None:
    assert proven(lab, lab.play("verify")) == PROVEN
    assert proven(lab, lab.play("verify", *SOURCE)) == PROVEN


def test_check_mode_writes_nothing_to_the_shop(lab: Lab, prepared: Target) -> None:
    run = lab.play("verify", "--check")
    assert proven(lab, run) == PROVEN - {"login", "a login on the source continues on the target and back", "database write", "Redis session", "queue job"}
    assert "check mode asks only what reads" in run.output


def test_how_long_a_healthy_target_takes(lab: Lab, prepared: Target, capsys: pytest.CaptureFixture[str]) -> None:
    """Told, not asserted: what verification adds to the time that the last task needs to be healthy and old enough; with the pause between looks as by default."""
    params = {key: value for key, value in prepared.params.items() if key != "poll_seconds"}
    steady = verify({**params, "timeout": 60.0}, clients(lab), False)
    ecs = lab.client("ecs")
    old = set(ecs.list_tasks(cluster="shop-fargate")["taskArns"])
    for task in old:
        ecs.stop_task(cluster="shop-fargate", task=task)
    with watching(lab, old) as seen:
        began = time.time()
        result = verify({**params, "timeout": 120.0}, clients(lab), False)
        ended = time.time()
    ready = max(seen["healthy"], seen["started"] + float(params["settle_seconds"]))
    with capsys.disabled():
        print(f"\nverify at rest: {steady['seconds']} s {steady['spent']}")
        print(f"verify while all tasks are replaced: {result['seconds']} s {result['spent']}; ready after {ready - began:.1f} s, said so {ended - ready:.1f} s later")
    assert steady["verdict"] == result["verdict"] == "healthy"
    assert sum(result["spent"].values()) == pytest.approx(result["seconds"], rel=0.2)


def clients(lab: Lab) -> Clients:
    return Clients({"region": REGION, "endpoint_url": lab.settings.api_url, "access_key": "AKIAE2E", "secret_key": "e2e-e2e-e2e"})


@contextmanager
def watching(lab: Lab, old: set[str]) -> t.Iterator[dict[str, float]]:
    """When the last new task had started, and when the targets were first all healthy and new: seen by somebody else, ten times a second."""
    ecs, elbv2 = lab.client("ecs"), lab.client("elbv2")
    group = elbv2.describe_target_groups(Names=["shop-web-fargate"])["TargetGroups"][0]["TargetGroupArn"]
    seen: dict[str, float] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1) and "healthy" not in seen:
            arns = set(ecs.list_tasks(cluster="shop-fargate")["taskArns"])
            found = ecs.describe_tasks(cluster="shop-fargate", tasks=sorted(arns))["tasks"] if arns else []
            running = [task for task in found if task["lastStatus"] == "RUNNING" and task["taskArn"] not in old]
            states = [entry["TargetHealth"]["State"] for entry in elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]]
            if len(running) == len(found) == len(old) and states.count("healthy") == 2 and not set(states) - {"healthy", "draining"}:
                seen.update(healthy=time.time(), started=max(task["startedAt"].timestamp() for task in running))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def test_another_app_key_loses_sessions(lab: Lab, prepared: Target) -> None:
    case = next(case for case in SINGLES if case.id == "app-key")
    prepared.break_it(case)
    try:
        run = lab.play("verify").failed()
    finally:
        assert prepared.mend().verdict == "healthy"
    lost(lab, run)


@pytest.mark.parametrize("name", ["REDIS_PREFIX", "SESSION_DRIVER"])
def test_another_session_store_loses_sessions(lab: Lab, prepared: Target, name: str) -> None:
    """The new revision runs and is healthy; only who was logged in on the source no longer is."""
    ecs = lab.client("ecs")
    good = ecs.describe_services(cluster="shop-fargate", services=["web"])["services"][0]["taskDefinition"]
    other = deploy(ecs, {name: "file" if name == "SESSION_DRIVER" else "another_"}, good)
    try:
        run = lab.play("verify").failed()
    finally:
        ecs.update_service(cluster="shop-fargate", service="web", taskDefinition=good)
        ecs.deregister_task_definition(taskDefinition=other)
        assert prepared.verify(diagnosis.RECOVERY).verdict == "healthy"
    lost(lab, run)


def lost(lab: Lab, run: Run) -> None:
    assert run.mutating == []
    said = verdict(lab)
    assert (said["verdict"], said["causes"][0]["id"], said["verified"]) == ("unhealthy", "SESSION", {})
    session = [check["ok"] for check in said["checks"] if "a session of the source continues on the target and back" in check["name"]]
    assert session == [False, False]


def deploy(ecs: t.Any, values: dict[str, str], arn: str) -> str:
    """A newer revision of the target's web tasks with other environment values."""
    old = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    given = {key: old[key] for key in ("family", "cpu", "memory", "networkMode", "requiresCompatibilities", "executionRoleArn", "runtimePlatform", "volumes") if key in old}
    containers = [
        {**container, "environment": [*(entry for entry in container.get("environment", []) if entry["name"] not in values),
                                      *({"name": name, "value": value} for name, value in values.items())]}
        for container in old["containerDefinitions"]
    ]  # fmt: skip
    new = ecs.register_task_definition(**given, containerDefinitions=containers)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster="shop-fargate", service="web", taskDefinition=new)
    return str(new)


TARGET_HEALTH = {"service": "elbv2", "operation": "DescribeTargetHealth"}


def test_calls_that_are_refused_for_a_while_are_made_again(lab: Lab, prepared: Target) -> None:
    throttled = lab.get("/_lab/faults", "POST", {"action": "throttle", **TARGET_HEALTH, "times": 3})
    lab.play("verify").unchanged()
    assert next(fault["acted"] for fault in lab.get("/_lab/faults")["faults"] if fault["id"] == throttled["id"]) == 3
    lab.get("/_lab/faults", "DELETE")


@pytest.mark.parametrize("operation", ["elbv2:DescribeTargetHealth", "ecs:DescribeServices", "ecs:ListTasks", "elbv2:DescribeListeners"])
def test_calls_that_are_refused_for_good_make_no_verdict(lab: Lab, prepared: Target, operation: str) -> None:
    """By the work function: the playbook would stop earlier, at reading the system."""
    service, _colon, name = operation.partition(":")
    lab.get("/_lab/faults", "POST", {"action": "error", "service": service, "operation": name, "code": "AccessDenied", "message": "no", "status": 403, "times": 0})
    before = lab.last_call()
    try:
        with pytest.raises(CutoverError) as caught:
            verify({**prepared.params, "timeout": 60.0}, clients(lab), False)
    finally:
        lab.get("/_lab/faults", "DELETE")
    found = caught.value.details
    assert (found["verdict"], found["causes"], found["verified"]) == ("undetermined", [], {})
    assert "could not be determined" in caught.value.message
    assert name in caught.value.message
    assert [call for call in lab.calls(before) if call["mutating"]] == []


def test_after_the_cutover(lab: Lab, prepared: Target) -> None:
    lab.play("cutover").ok()
    assert proven(lab, lab.play("verify")) == PROVEN


def test_after_the_scale_in_nobody_asks_the_source(lab: Lab, prepared: Target) -> None:
    lab.play("scale_in").ok()
    run = lab.play("verify")
    assert proven(lab, run) == PROVEN - CROSSING
    assert "the source has no targets" in run.output


def test_a_rollback_does_not_depend_on_the_side_it_leaves(lab: Lab, prepared: Target) -> None:
    """The target answers 500: probes that compare with it or continue its sessions must not keep the traffic there."""
    prepared.break_it(next(case for case in SINGLES if case.id == "app-500"))
    try:
        lab.play("rollback").ok()
        assert lab.served_by() == "shop"
    finally:
        assert prepared.mend().verdict == "healthy"


def test_after_the_rollback(lab: Lab, prepared: Target) -> None:
    assert proven(lab, lab.play("verify", *SOURCE)) == PROVEN
    assert proven(lab, lab.play("verify")) == PROVEN


def test_the_report_holds_no_secret(lab: Lab, prepared: Target) -> None:
    newest = max((lab.reports / "shop").glob("run-*.json"), key=lambda path: path.stat().st_mtime)
    ecs = lab.client("ecs")
    definition = ecs.describe_task_definition(taskDefinition="shop-web-fargate")["taskDefinition"]
    values = {entry["name"]: entry["value"] for container in definition["containerDefinitions"] for entry in container.get("environment", [])}
    secrets = [values[name] for name in ("APP_KEY", "DB_PASSWORD") if name in values]
    assert secrets
    assert [secret for secret in secrets if secret in Path(newest).read_text()] == []
