"""What the decision tree must not call a cause, or not with certainty: what is over, what belongs to another deployment, what could not be read."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import LogLine
from unit.plugins.module_utils._health.signals import (
    CHECK,
    CLOSED_RDS,
    CLOSED_REDIS,
    NEWEST,
    NO_ENVIRONMENT,
    REFUSED,
    SQLSTATE,
    TIMED_OUT,
    answered,
    crashed,
    probe,
)


@pytest.mark.parametrize("crash", ["PULL_NOTFOUND", "NGX_HOST"])
def test_what_a_later_task_disproves_is_over(kit: t.Any, crash: str) -> None:
    """The image was pushed, the conf rewritten, while the service went on trying: now something else is wrong."""
    logs = [["shop-web", "s1", "nginx", 1000009.0, 'nginx: [emerg] host not found in upstream "php-fpm"']]
    pull: dict[str, t.Any] = {"stop_code": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: manifest unknown", "startedAt": None}
    changes = crashed(1, at=1000010.0) if crash == "NGX_HOST" else crashed(None, at=1000010.0, **pull)
    assert crash in {cause.id for cause in kit.causes(kit.make(changes, logs))}
    later = {"services/0/tasks/0/createdAt": 1000020.0, "services/0/tasks/0/startedAt": 1000025.0, "services/0/tasks/1/createdAt": 1000020.0}
    assert crash not in {cause.id for cause in kit.causes(kit.make({**changes, **later}, logs))}


def test_old_crashes_are_not_certain(kit: t.Any) -> None:
    """An hour of stopped tasks stays visible after the repair."""
    logs = [["shop-web", "s1", "nginx", 999949.0, 'nginx: [emerg] host not found in upstream "php-fpm"']]
    top = kit.causes(kit.make(crashed(1, at=999950.0), logs))[0]
    assert (top.id, top.confidence, top.settled) == ("NGX_HOST", "likely", False)


def test_old_crashes_of_a_deployment_that_was_given_up_are_certain(kit: t.Any) -> None:
    """The circuit breaker starts no other task, so there will be no newer evidence."""
    logs = [["shop-web", "s1", "nginx", 999949.0, 'nginx: [emerg] host not found in upstream "php-fpm"']]
    changes = {**crashed(1, at=999950.0), "services/0/service/deployments/0/rolloutState": "FAILED"}
    top = kit.causes(kit.make(changes, logs))[0]
    assert (top.id, top.confidence, top.settled) == ("NGX_HOST", "certain", True)


def test_two_crashes_in_this_run_settle_it(kit: t.Any) -> None:
    changes = crashed(1)
    changes["services/0/stopped"].append({**changes["services/0/stopped"][0], "taskArn": "task/s2", "stoppedAt": 1000040.0})
    logs = [["shop-web", "s1", "nginx", 1000049.0, 'nginx: [emerg] host not found in upstream "php-fpm"']]
    assert kit.causes(kit.make(changes, logs))[0].settled


def worker_crashed(*tasks: str) -> tuple[dict[str, t.Any], list[list[t.Any]]]:
    """Each in turn, with its exception as Laravel logs it."""
    arn = NEWEST.replace("web", "worker")
    stopped = [
        {"taskArn": f"task/{task}", "taskDefinitionArn": arn, "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
         "createdAt": 1000000.0 + 10 * number, "startedAt": 1000005.0 + 10 * number, "stoppedAt": 1000009.0 + 10 * number, "containers": [{"name": "worker", "exitCode": 1}]}
        for number, task in enumerate(tasks)
    ]  # fmt: skip
    error = 'production.ERROR: The [x] queue connection has not been configured. {"exception":"[object] (InvalidArgumentException(code: 0)'
    logs = [["shop-worker", task, "worker", 1000008.0 + 10 * number, error] for number, task in enumerate(tasks)]
    return {"services/1/service/runningCount": 0, "services/1/tasks": [], "services/1/stopped": stopped}, logs


def test_a_worker_that_ends_at_start_is_no_error_of_the_web_application(kit: t.Any) -> None:
    """Once may be bad luck; the second task makes it certain. The newest one's lines may still be on their way."""
    changes, logs = worker_crashed("s1")
    assert [(cause.id, cause.confidence) for cause in kit.causes(kit.make(changes, logs))] == [("EXIT_1", "likely")]
    changes, logs = worker_crashed("s1", "s2")
    causes = kit.causes(kit.make({**changes, "started": 1000020.0}, logs[:1]))
    assert [(cause.id, cause.confidence) for cause in causes] == [("EXIT_1", "likely")]
    causes = kit.causes(kit.make(changes, logs[:1]))
    assert [(cause.id, cause.confidence, cause.settled) for cause in causes] == [("EXIT_1", "certain", True)]
    assert causes[0].summary == "worker ended with an error (exit 1): The [x] queue connection has not been configured."
    assert [evidence.source for evidence in causes[0].evidence] == ["task s1", "log /ecs/shop-worker-fargate worker/worker/s1"]


@pytest.mark.parametrize(("at", "confidence"), [(1000057.0, "certain"), (1000059.0, "likely")])
def test_a_target_that_answers_well_again_is_only_waited_for(kit: t.Any, at: float, confidence: str) -> None:
    """The load balancer wants several good answers in a row, minutes apart in all; meanwhile the reason of the last failure stays."""
    logs = [["shop-web", "t1", "php-fpm", 1000056.0, "production.ERROR: cold"], ["shop-web", "t1", "nginx", 1000058.0, CHECK.replace("499", "500")]]
    logs.append(["shop-web", "t1", "nginx", at, CHECK.replace("499", "200")])
    top = kit.causes(kit.make(answered(500), logs))[0]
    assert (top.id, top.confidence) == ("APP_500", confidence)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({**TIMED_OUT, "network/security_groups/sg-task/IpPermissions": []}, "ALB_SG"),
        ({**REFUSED, "services/0/tasks/0/containers/0": {"name": "nginx", "lastStatus": "STOPPED", "exitCode": 0}}, "HC_DOWN"),
    ],
)
def test_a_target_that_is_not_reached_any_more_does_not_recover(kit: t.Any, changes: dict[str, t.Any], cause: str) -> None:
    """Its newest logged health check is from when all was well."""
    top = kit.causes(kit.make(changes, [["shop-web", "t1", "nginx", 1000030.0, CHECK.replace("499", "200")]]))[0]
    assert (top.id, top.confidence) == (cause, "certain")


def redeployed(owner: str) -> dict[str, t.Any]:
    """The same revision again: t1 is still of the deployment ``owner``, and unhealthy."""
    return {**answered(500), "services/0/tasks/0/startedBy": owner, "services/0/tasks/1/startedBy": "ecs-svc/1"}


@pytest.mark.parametrize(("owner", "cause"), [("ecs-svc/1", "APP_500"), ("ecs-svc/0", "WAITING"), ("somebody's tool", "APP_500")])
def test_what_an_earlier_deployment_says_is_history(kit: t.Any, owner: str, cause: str) -> None:
    """Right after a repair the old tasks still run, fail and log."""
    logs = [["shop-web", "t1", "php-fpm", 1000058.0, "production.ERROR: Undefined variable $total"]]
    assert kit.causes(kit.make(redeployed(owner), logs))[0].id == cause


def test_an_earlier_deployment_does_not_explain_a_probe(kit: t.Any) -> None:
    logs = [["shop-web", "t1", "php-fpm", 1000056.0, SQLSTATE]]
    old = {"services/0/tasks/0/startedBy": "ecs-svc/0"}
    assert kit.causes(kit.make(probe("status", 500), logs))[0].id == "DB_TIMEOUT"
    assert kit.causes(kit.make({**probe("status", 500), **old}, logs))[0].id == "PROBE_FAILED"
    other = {"services/0/tasks/0/taskDefinitionArn": NEWEST.replace(":3", ":2")}
    assert kit.causes(kit.make({**probe("status", 500), **other}, logs))[0].id == "PROBE_FAILED"


@pytest.mark.parametrize(("task", "at", "quoted"), [("t1", 1000058.0, True), ("t1", 999950.0, False), ("t0", 1000058.0, False)])
def test_a_closed_database_is_not_shown_by_lines_of_before(kit: t.Any, task: str, at: float, quoted: bool) -> None:
    old = {"taskArn": "task/t0", "taskDefinitionArn": NEWEST, "startedBy": "ecs-svc/0", "stopCode": "UserInitiated", "createdAt": 999000.0, "stoppedAt": 1000059.0}
    top = kit.causes(kit.make({**CLOSED_RDS, "services/0/stopped": [old]}, [["shop-web", task, "php-fpm", at, SQLSTATE]]))[0]
    assert (top.id, top.confidence) == ("DB_TIMEOUT", "certain")
    assert (SQLSTATE in [evidence.text for evidence in top.evidence]) is quoted


def test_stops_of_an_earlier_deployment_are_history(kit: t.Any) -> None:
    changes = crashed(1, startedBy="ecs-svc/0")
    assert [cause.id for cause in kit.causes(kit.make(changes))] == ["WAITING"]
    changes = crashed(1, startedBy="ecs-svc/1")
    assert [cause.id for cause in kit.causes(kit.make(changes))] == ["NO_OUTPUT"]


def test_stops_of_another_revision_are_history(kit: t.Any) -> None:
    changes = crashed(1)
    changes["services/0/stopped"][0]["taskDefinitionArn"] = NEWEST.replace(":3", ":2")
    causes = kit.causes(kit.make(changes))
    assert [cause.id for cause in causes] == ["WAITING"]


def test_stops_on_purpose_are_no_cause(kit: t.Any) -> None:
    changes = crashed(0, stop_code="ServiceSchedulerInitiated", stoppedReason="Scaling activity initiated by (deployment ecs-svc/1)")
    assert [cause.id for cause in kit.causes(kit.make(changes))] == ["WAITING"]


def test_a_target_that_was_unhealthy_and_recovered_is_no_cause(kit: t.Any) -> None:
    record = {
        "target_group": "tg-web", "id": "10.20.1.11", "port": 80, "state": "unhealthy", "reason": "Target.Timeout", "description": "Request timed out", "at": 1000010.0,
    }  # fmt: skip
    assert kit.causes(kit.make({"health_history": [record], "target_groups/tg-web/TargetHealth/-": {"Target": {"Id": "10.9.9.9", "Port": 80}, "TargetHealth": {"State": "draining"}}})) == []


def test_a_prefix_list_is_not_read_so_nothing_is_claimed(kit: t.Any) -> None:
    changes = {**TIMED_OUT, "network/security_groups/sg-task/IpPermissions": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": [{"PrefixListId": "pl-1"}]}]}
    assert kit.causes(kit.make(changes))[0].id == "HC_TIMEOUT"


def test_a_database_in_another_network_is_not_judged(kit: t.Any) -> None:
    """Its groups could not be read, so nothing is known about them."""
    changes = {**CLOSED_RDS, "network/security_groups/sg-rds": None}
    assert kit.causes(kit.make(changes)) == []


def test_a_log_line_about_something_else_does_not_explain_a_404(kit: t.Any) -> None:
    logs = [["shop-web", "t1", "php-fpm", 1000058.0, "production.ERROR: The MAC is invalid."]]
    assert kit.causes(kit.make(answered(404), logs))[0].id == "HC_404"


def test_idle_worker_is_healthy_and_needs_no_log(kit: t.Any) -> None:
    log = next(outcome for outcome in kit.judge(kit.make()) if outcome.name == "log")
    assert (log.ok, log.last) == (True, "no line yet (normal for an idle worker)")


def test_a_job_that_fails_is_not_the_platforms_fault(kit: t.Any) -> None:
    logs = [["shop-worker", "w1", "worker", 1000059.0, "production.ERROR: Undefined variable $total"]]
    assert kit.causes(kit.make({}, logs)) == []


def test_a_worker_that_recovered_is_healthy(kit: t.Any) -> None:
    """The line is older than the settling window."""
    logs = [["shop-worker", "w1", "worker", 1000005.0, "RedisException: Connection refused"], ["shop-worker", "w1", "worker", 1000050.0, "Processed: App\\Jobs\\RecordOrder"]]
    assert kit.causes(kit.make({}, logs)) == []


def test_the_source_is_judged_by_what_runs(kit: t.Any) -> None:
    """A newer revision that was never deployed, an old service without rolloutState, a database group that is being torn down: none of it blocks a rollback."""
    changes = {
        "side": "source", **CLOSED_RDS,
        "services/0/service/deployments/0/taskDefinition": NEWEST.replace(":3", ":2"),
        "services/0/service/deployments/0/rolloutState": None,
    }  # fmt: skip
    assert [outcome.name for outcome in kit.judge(kit.make(changes)) if not outcome.ok] == []


def test_root_causes_outrank_symptoms(kit: t.Any) -> None:
    logs = [
        ["shop-web", "t1", "nginx", 1000058.0, "upstream timed out (110: Connection timed out) while reading response header from upstream"],
        ["shop-web", "t1", "php-fpm", 1000057.0, SQLSTATE],
    ]
    causes = kit.causes(kit.make({**answered(504), **CLOSED_RDS, **NO_ENVIRONMENT}, logs))
    assert [cause.id for cause in causes] == ["DB_TIMEOUT"]


def test_two_faults_at_once_are_both_named(kit: t.Any) -> None:
    changes = {**CLOSED_RDS, **CLOSED_REDIS, **answered(302)}
    assert {cause.id for cause in kit.causes(kit.make(changes))} == {"DB_TIMEOUT", "REDIS_TIMEOUT", "HC_REDIRECT"}


@pytest.mark.parametrize(("line", "cause"), [("start worker process 7", "HC_LOST"), (None, "HC_TIMEOUT")])
def test_an_earlier_health_check_gives_a_missing_line_its_worth(kit: t.Any, line: str | None, cause: str) -> None:
    """This deployment logs them, this task has none, and its log is there."""
    snapshot = kit.make(TIMED_OUT, [["shop-web", "t1", "nginx", 1000050.0, line]] if line else [])
    snapshot.services[0].logged_check = LogLine("t0", "nginx", "/ecs/shop-web-fargate", "nginx/nginx/t0", 999950.0, CHECK.replace("499", "200"))
    assert kit.causes(snapshot)[0].id == cause


@pytest.mark.parametrize(("failed", "said"), [((), "no evidence"), (("network",), "could not be determined")])
def test_what_a_missing_log_line_is_worth(kit: t.Any, failed: tuple[str, ...], said: str) -> None:
    """Nothing, unless the configuration is seen to log health checks; and groups that could not be read admit nobody for sure."""
    snapshot = kit.make(TIMED_OUT)
    if failed:
        snapshot.network.security_groups = {}
    top = kit.causes(snapshot)[0]
    assert top.id == "HC_TIMEOUT"
    assert said in top.fix
    assert ("The groups admit them." in top.fix) is not bool(failed)
