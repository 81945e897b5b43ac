"""The decision tree, branch by branch: signals in, top cause with its evidence out; and what must not be called a cause."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import LogLine

NEWEST = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:3"
HEALTH = "target_groups/tg-web/TargetHealth/0/TargetHealth"
CHECK = '10.20.0.5 - - [22/Nov/2026:12:00:00 +0000] "GET /health HTTP/1.1" 499 0 "-" "ELB-HealthChecker/2.0"'
Case = t.Tuple[t.Dict[str, t.Any], t.List[t.List[t.Any]]]


def unhealthy(reason: str, description: str) -> dict[str, t.Any]:
    return {HEALTH: {"State": "unhealthy", "Reason": reason, "Description": description}}


TIMED_OUT = unhealthy("Target.Timeout", "Request timed out")
REFUSED = unhealthy("Target.FailedHealthChecks", "Health checks failed")


def answered(code: int) -> dict[str, t.Any]:
    return unhealthy("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]")


def crashed(code: int | None, container: str = "nginx", at: float = 1000050.0, stop_code: str = "EssentialContainerExited", **more: t.Any) -> dict[str, t.Any]:
    task = {
        "taskArn": "task/s1", "taskDefinitionArn": NEWEST, "lastStatus": "STOPPED", "stopCode": stop_code, "stoppedReason": "Essential container in task exited",
        "createdAt": at - 20, "startedAt": at - 10, "stoppedAt": at, "containers": [{"name": container, "exitCode": code}], **more,
    }  # fmt: skip
    return {"services/0/service/runningCount": 1, "services/0/stopped": [task]}


def probe(problem: str, status: int = 0, server: str = "nginx", **more: t.Any) -> dict[str, t.Any]:
    result = {
        "probe": "deep", "step": "GET /health?deep=1", "address": "192.0.2.10", "problem": problem, "text": f"got {status}", "at": 1000055.0,
        "url": "https://shop.example.test/health?deep=1", "status": status, "server": server, **more,
    }  # fmt: skip
    return {"probes": [result]}


def to_channel(name: str) -> dict[str, t.Any]:
    return {"services/0/newest/containerDefinitions/1/environment/-": {"name": "LOG_CHANNEL", "value": name}}


CLOSED_RDS = {"network/security_groups/sg-rds/IpPermissions/0/UserIdGroupPairs": [{"GroupId": "sg-instances"}]}
CLOSED_REDIS = {"network/security_groups/sg-redis/IpPermissions/0/UserIdGroupPairs": [{"GroupId": "sg-instances"}]}
NO_ENVIRONMENT: dict[str, t.Any] = {"services/0/newest/containerDefinitions/1/environment": []}
SQLSTATE = "[2026-11-22 12:00:00] production.ERROR: SQLSTATE[HY000] [2002] Connection timed out (SQL: select 1)"

# name: (changes, log lines, id, confidence, settled, text that the evidence quotes)
CASES: dict[str, tuple[dict[str, t.Any], list[list[t.Any]], str, str, bool, str]] = {
    # 0
    "cluster missing": ({"cluster_missing": True}, [], "NO_CLUSTER", "certain", True, "does not exist"),
    "load balancer missing": ({"load_balancer": None}, [], "NO_LOAD_BALANCER", "certain", True, "does not exist"),
    "service missing": ({"services/0/service": None}, [], "NO_SERVICE", "certain", True, "does not exist"),
    "desired count zero": ({"services/0/service/desiredCount": 0, "services/0/service/runningCount": 0}, [], "DESIRED_ZERO", "certain", True, "desiredCount 0"),
    # 1
    "pending without a way out": (
        {
            "services/0/service/runningCount": 0,
            "services/0/tasks": [{"taskArn": "task/p1", "lastStatus": "PENDING", "createdAt": 1000040.0}],
            "services/0/service/networkConfiguration/awsvpcConfiguration/assignPublicIp": "DISABLED",
            "target_groups/tg-web/TargetHealth": [],
        },
        [], "PULL_NET", "certain", False, "the tasks have no public address",
    ),
    "pending for long": (
        {"services/0/service/runningCount": 0, "services/0/tasks": [{"taskArn": "task/p1", "lastStatus": "PENDING", "createdAt": 999900.0}], "target_groups/tg-web/TargetHealth": []},
        [], "PULL_NET", "possible", False, "image not pulled",
    ),
    "stopped before the pull": (crashed(None, stop_code="TaskFailedToStart", stoppedReason="", startedAt=None), [], "STAGE_ENI", "possible", False, "TaskFailedToStart"),
    "stopped in the pull": (
        crashed(None, stop_code="TaskFailedToStart", stoppedReason="", startedAt=None, pullStartedAt=1000041.0), [], "STAGE_IMAGE", "possible", False, "TaskFailedToStart",
    ),
    "stopped after the pull": (
        crashed(None, stop_code="TaskFailedToStart", stoppedReason="", startedAt=None, pullStartedAt=1000041.0, pullStoppedAt=1000045.0),
        [], "STAGE_CREATE", "possible", False, "TaskFailedToStart",
    ),
    "new revision not deployed": (
        {"services/0/service/deployments/0/taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:2"}, [], "OLD_REVISION", "likely", False, ":3",
    ),
    # 2
    "old conf": (
        crashed(1), [["shop-web", "s1", "nginx", 1000049.0, 'nginx: [emerg] host not found in upstream "php-fpm" in /etc/nginx/conf.d/default.conf:14']],
        "NGX_HOST", "certain", False, 'host not found in upstream "php-fpm"',
    ),
    "php-fpm crashed, nginx was stopped with it": (
        crashed(None, containers=[{"name": "nginx", "exitCode": 0}, {"name": "php-fpm", "exitCode": 78}]),
        [["shop-web", "s1", "php-fpm", 1000049.0, "ERROR: unable to bind listening socket for address '9000': Address already in use (98)"]],
        "FPM_BIND", "certain", False, "unable to bind",
    ),
    "out of memory": (
        crashed(None, containers=[{"name": "php-fpm", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"}, {"name": "nginx", "exitCode": 0}]),
        [], "OOM", "certain", False, "OutOfMemoryError",
    ),
    "killed": (crashed(137), [], "EXIT_137", "possible", False, "nginx exit 137"),
    "ended by itself": (crashed(0), [["shop-web", "s1", "nginx", 1000049.0, "bye"]], "EXIT_0", "likely", False, "bye"),
    "error without a known line": (crashed(1), [["shop-web", "s1", "nginx", 1000049.0, "something new"]], "EXIT_1", "likely", False, "something new"),
    "error with a message, once": (
        crashed(1), [["shop-web", "s1", "nginx", 1000049.0, "production.ERROR: Class \"Foo\" not found"], ["shop-web", "s1", "nginx", 1000049.1, "#0 {main}"]],
        "EXIT_1", "likely", False, "#0 {main}",
    ),
    "PHP ends with 255 after a fatal error": (
        crashed(255), [["shop-web", "s1", "nginx", 1000049.0, "PHP Fatal error:  Uncaught Error: Call to undefined function foo()"]], "EXIT_1", "likely", False, "undefined function",
    ),
    "a request went wrong before it was stopped": (crashed(143), [["shop-web", "s1", "nginx", 1000049.0, "production.ERROR: of a request"]], "EXIT_143", "likely", False, "exit 143"),
    "error without output": (crashed(1), [], "NO_OUTPUT", "possible", False, "nginx exit 1"),
    "not executable": (crashed(126), [], "EXIT_126", "possible", False, "exit 126"),
    "not found": (crashed(127), [], "EXIT_127", "possible", False, "exit 127"),
    "configuration refused": (crashed(78, "php-fpm"), [], "EXIT_78", "possible", False, "exit 78"),
    "aborted": (crashed(134), [], "EXIT_134", "possible", False, "exit 134"),
    "segmentation fault": (crashed(139), [], "EXIT_139", "possible", False, "exit 139"),
    "terminated": (crashed(143), [], "EXIT_143", "possible", False, "exit 143"),
    "exit 255": (crashed(255), [], "EXIT_255", "possible", False, "exit 255"),
    "container health check": (
        crashed(None, stop_code="ServiceSchedulerInitiated", stoppedReason="Task failed container health checks"), [], "HC_CONTAINER", "likely", False, "container health checks",
    ),
    "spot": (crashed(None, stop_code="SpotInterruption", stoppedReason="Your Spot Task was interrupted."), [], "INFRASTRUCTURE", "likely", False, "interrupted"),
    "host unhealthy": (crashed(None, stop_code="InfrastructureHealth", stoppedReason="host"), [], "INFRASTRUCTURE", "likely", False, "host"),
    "worker cut off at start": (
        {"services/1/service/runningCount": 0, "services/1/tasks": [], "services/1/stopped": [
            {"taskArn": "task/s1", "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-worker-fargate:3", "stopCode": "EssentialContainerExited",
             "startedAt": 1000040.0, "stoppedAt": 1000050.0, "containers": [{"name": "worker", "exitCode": 1}]}]},
        [["shop-worker", "s1", "worker", 1000049.0, "RedisException: Connection refused"]], "REDIS_REFUSED", "likely", False, "RedisException",
    ),
    # 3
    "service without a target group": ({"services/0/service/loadBalancers": []}, [], "SERVICE_NO_LB", "certain", True, "loadBalancers is empty"),
    "no rule": ({"listeners/1/DefaultActions": [{"Type": "fixed-response"}]}, [], "NO_RULE", "certain", True, "weight above 0"),
    "rule with weight 0": (
        {"listeners/1/DefaultActions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "tg-web", "Weight": 0}]}}]},
        [], "NO_RULE", "certain", True, "weight above 0",
    ),
    "zone not enabled": (
        {HEALTH: {"State": "unused", "Reason": "Target.NotInUse", "Description": "Target is in an Availability Zone that is not enabled for the load balancer"}},
        [], "AZ_DISABLED", "certain", True, "Availability Zone",
    ),
    "a task is not registered": ({"target_groups/tg-web/TargetHealth": []}, [], "NOT_REGISTERED", "possible", False, "10.20.1.11:80"),
    "a foreign target": (
        {"target_groups/tg-web/TargetHealth/-": {"Target": {"Id": "10.20.9.9", "Port": 80}, "TargetHealth": {"State": "healthy"}}},
        [], "FOREIGN_TARGETS", "possible", False, "10.20.9.9:80",
    ),
    "load balancer not admitted": (
        {**TIMED_OUT, "network/security_groups/sg-task/IpPermissions": []}, [], "ALB_SG", "certain", True, "sg-task of shop-web does not admit sg-alb",
    ),
    "load balancer admitted on another port": (
        {**TIMED_OUT, "network/security_groups/sg-task/IpPermissions/0/FromPort": 8080, "network/security_groups/sg-task/IpPermissions/0/ToPort": 8080},
        [], "ALB_SG", "certain", True, "on TCP 80",
    ),
    "load balancer's egress": (
        {**TIMED_OUT, "network/security_groups/sg-alb/IpPermissionsEgress": [{"IpProtocol": "tcp", "FromPort": 32768, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": "sg-instances"}]}]},
        [], "ALB_EGRESS", "certain", True, "sg-alb of the load balancer lets nothing out",
    ),
    "network ACL": (
        {**TIMED_OUT, "network/network_acls/0/Entries/0/RuleAction": "deny"}, [], "NACL", "certain", True, "the network ACL of subnet-a stops",
    ),
    "this task gets no health check, the other one logs them": (
        TIMED_OUT, [["shop-web", "t2", "nginx", 1000058.0, CHECK.replace("499", "200")], ["shop-web", "t1", "nginx", 999921.0, "start worker processes"]],
        "HC_LOST", "likely", False, "ELB-HealthChecker",
    ),
    "this task's log is empty, which says nothing": (TIMED_OUT, [["shop-web", "t2", "nginx", 1000058.0, CHECK.replace("499", "200")]], "HC_TIMEOUT", "possible", False, "timed out"),
    "slow": (TIMED_OUT, [["shop-web", "t1", "nginx", 1000058.0, CHECK]], "HC_SLOW", "likely", False, "499"),
    "hangs": (
        TIMED_OUT, [["shop-web", "t1", "nginx", 1000053.0, CHECK], ["shop-web", "t1", "nginx", 1000058.0, CHECK]], "HC_SLOW", "certain", False, "499",
    ),
    "hung once": (
        TIMED_OUT, [["shop-web", "t1", "nginx", 1000053.0, CHECK], ["shop-web", "t1", "nginx", 1000058.0, CHECK.replace("499", "200")]], "HC_SLOW", "likely", False, '" 200 ',
    ),
    "hangs, and a database that the environment does not name is closed": (
        {**TIMED_OUT, **CLOSED_RDS, **NO_ENVIRONMENT}, [["shop-web", "t1", "nginx", 1000053.0, CHECK], ["shop-web", "t1", "nginx", 1000058.0, CHECK]],
        "DB_TIMEOUT", "likely", False, "sg-rds of shop-db does not admit sg-task",
    ),
    "slow because of the database": (
        {**TIMED_OUT, **CLOSED_RDS}, [["shop-web", "t1", "php-fpm", 1000058.0, SQLSTATE]], "DB_TIMEOUT", "certain", True, "SQLSTATE",
    ),
    "times out, nothing known": (TIMED_OUT, [], "HC_TIMEOUT", "possible", False, "Request timed out"),
    "nothing listens": (REFUSED, [], "HC_REFUSED", "likely", False, "Health checks failed"),
    "nothing listens, though the container is up": (
        REFUSED, [["shop-web", "t1", "nginx", 999921.0, "[notice] 1#1: start worker processes"]], "HC_REFUSED", "certain", False, "start worker processes",
    ),
    "nothing listens, the container was up after the first checks": (
        REFUSED, [["shop-web", "t1", "nginx", 999926.0, "[notice] 1#1: start worker processes"]], "HC_REFUSED", "likely", False, "Health checks failed",
    ),
    "nothing listens, another container is up": (
        REFUSED, [["shop-web", "t1", "php-fpm", 999921.0, "NOTICE: ready to handle connections"]], "HC_REFUSED", "likely", False, "Health checks failed",
    ),
    "nothing listens, the other task's container is up": (
        REFUSED, [["shop-web", "t2", "nginx", 999921.0, "[notice] 1#1: start worker processes"]], "HC_REFUSED", "likely", False, "Health checks failed",
    ),
    "nothing listens, an error that somebody got an answer with": (
        REFUSED, [["shop-web", "t1", "php-fpm", 1000058.0, "production.ERROR: The MAC is invalid."]], "HC_REFUSED", "likely", False, "Health checks failed",
    ),
    "wrong port": (
        {**REFUSED, "target_groups/tg-web/HealthCheckPort": "8080"}, [], "HC_PORT", "certain", True, "maps 80",
    ),
    "nginx is down": (
        {**REFUSED, "services/0/tasks/0/containers/0": {"name": "nginx", "lastStatus": "STOPPED", "exitCode": 0}}, [], "HC_DOWN", "certain", False, "nginx is STOPPED",
    ),
    "php-fpm is down": (
        {**answered(502), "services/0/tasks/0/containers/1": {"name": "php-fpm", "lastStatus": "STOPPED", "exitCode": 139}},
        [["shop-web", "t1", "nginx", 1000058.0, 'connect() failed (111: Connection refused) while connecting to upstream, upstream: "fastcgi://127.0.0.1:9000"']],
        "FPM_DOWN", "certain", False, "php-fpm is STOPPED (exit 139)",
    ),
    "redirect": (answered(301), [], "HC_REDIRECT", "certain", False, "matcher 200, path /health"),
    "matcher": (answered(204), [], "HC_MATCHER", "certain", False, "matcher 200"),
    "bad request": (answered(400), [], "HC_400", "likely", False, "[400]"),
    "login": (answered(401), [], "HC_401", "likely", False, "[401]"),
    "forbidden": (answered(403), [], "HC_403", "likely", False, "[403]"),
    "not there": (answered(404), [], "HC_404", "likely", False, "[404]"),
    "csrf": (answered(419), [], "HC_419", "likely", False, "[419]"),
    "silent 500": (answered(500), [], "HC_500", "likely", False, "[500]"),
    "silent 500, logged into a file": ({**answered(500), **to_channel("single")}, [], "HC_500", "certain", False, "php-fpm: LOG_CHANNEL=single"),
    "silent 500, logged where it can be read": ({**answered(500), **to_channel("stderr")}, [], "HC_500", "likely", False, "[500]"),
    "silent 500, logged by a stack": ({**answered(500), **to_channel("stack")}, [], "HC_500", "likely", False, "[500]"),
    "silent 502": (answered(502), [], "HC_502", "likely", False, "[502]"),
    "maintenance": (answered(503), [], "HC_503", "likely", False, "[503]"),
    "slow 504": (answered(504), [], "HC_504", "likely", False, "[504]"),
    "odd status": (answered(418), [], "HC_STATUS", "likely", False, "[418]"),
    "internal error of the load balancer": (unhealthy("Elb.InternalError", "Health checks failed due to an internal error"), [], "ELB_INTERNAL", "possible", False, "internal error"),
    "application 500": (
        answered(500), [["shop-web", "t1", "php-fpm", 1000058.0, "production.ERROR: Undefined variable $total"]], "APP_500", "certain", False, "Undefined variable",
    ),
    "told by an event, current wording": (
        {"target_groups/tg-web/TargetHealth": [], "services/0/service/runningCount": 1, "services/0/events": [{"id": "1", "createdAt": 1000050.0, "message":
            "(service shop-web) (task t9) (port 80) is unhealthy in (target-group tg-web) due to (reason Health checks failed with these codes: [302])."}]},
        [], "HC_REDIRECT", "certain", False, "[302]",
    ),
    "told by an event, older wording": (
        {"target_groups/tg-web/TargetHealth": [], "services/0/service/runningCount": 1, "services/0/events": [{"id": "1", "createdAt": 1000050.0, "message":
            "(service shop-web) (port 80) is unhealthy in target-group tg-web due to (reason Health checks failed with these codes: [404])"}]},
        [], "HC_404", "likely", False, "[404]",
    ),
    "remembered from a task that is gone": (
        {"target_groups/tg-web/TargetHealth": [], "services/0/service/runningCount": 1, "health_history": [
            {"target_group": "tg-web", "id": "10.20.1.7", "port": 80, "state": "unhealthy", "reason": "Target.ResponseCodeMismatch",
             "description": "Health checks failed with these codes: [401]", "at": 1000030.0}]},
        [], "HC_401", "likely", False, "10.20.1.7:80",
    ),
    # data tier by configuration alone
    "database closed": (CLOSED_RDS, [], "DB_TIMEOUT", "certain", True, "sg-rds of shop-db does not admit sg-task of shop-web on TCP 3306"),
    "database behind a network ACL": (
        {"network/data_stores/0/subnets": ["subnet-p"], "network/network_acls/0/Entries/1/CidrBlock": "10.20.1.0/24"}, [], "STORE_NACL", "certain", True,
        "the network ACL of subnet-a stops TCP 3306 to 10.20.0.0/24",
    ),
    "cache closed": (CLOSED_REDIS, [], "REDIS_TIMEOUT", "certain", True, "sg-redis of shop-redis does not admit sg-task"),
    "tasks' own egress": (
        {"network/security_groups/sg-task/IpPermissionsEgress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]},
        [], "DB_TIMEOUT", "certain", True, "sg-task of shop-web lets nothing out to shop-db",
    ),
    # 4
    "deep probe 500, database closed, told by the log": (
        {**probe("status", 500), **CLOSED_RDS, **NO_ENVIRONMENT}, [["shop-web", "t1", "php-fpm", 1000056.0, SQLSTATE]], "DB_TIMEOUT", "certain", True, "SQLSTATE[HY000] [2002]",
    ),
    "deep probe 504, database closed, log silent": (
        {**probe("status", 504), **CLOSED_RDS, **NO_ENVIRONMENT}, [], "DB_TIMEOUT", "likely", False, "does not admit sg-task",
    ),
    "probe hangs, cache closed": ({**probe("timeout"), **CLOSED_REDIS, **NO_ENVIRONMENT, "services/1/newest/containerDefinitions/0/environment": []}, [],
                                  "REDIS_TIMEOUT", "likely", False, "does not admit sg-task"),
    "probe hangs": (probe("timeout"), [], "PROBE_TIMEOUT", "likely", False, "deep"),
    "probe 500, application error": (
        probe("status", 500), [["shop-web", "t2", "php-fpm", 1000056.0, "production.ERROR: Undefined variable $total"]], "APP_500", "certain", False, "Undefined variable",
    ),
    "probe 500, other APP_KEY": (
        probe("status", 500), [["shop-web", "t2", "php-fpm", 1000056.0, "production.ERROR: The MAC is invalid."]], "APP_KEY", "certain", False, "The MAC is invalid",
    ),
    "probe 500, silent": (probe("status", 500), [], "PROBE_FAILED", "likely", False, "got 500"),
    "certificate of another name": (probe("tls_name"), [], "TLS_NAME", "certain", False, "192.0.2.10"),
    "certificate not trusted": (probe("tls_trust"), [], "TLS_TRUST", "certain", False, "192.0.2.10"),
    "certificate expired": (probe("tls_expired"), [], "TLS_EXPIRED", "certain", False, "192.0.2.10"),
    "handshake": (probe("tls"), [], "TLS_OTHER", "certain", False, "192.0.2.10"),
    "not reachable from here": (probe("connect"), [], "PROBE_UNREACHABLE", "certain", False, "192.0.2.10"),
    "proxy down": (probe("proxy"), [], "PROBE_PROXY", "certain", False, "192.0.2.10"),
    "no rule for the host": (probe("status", 404, "awselb/2.0"), [], "ALB_RULE", "likely", False, "got 404"),
    "rule to an empty group": (probe("status", 503, "awselb/2.0"), [], "ALB_503", "likely", False, "got 503"),
    "connection dropped": (probe("status", 502, "awselb/2.0"), [], "ALB_502", "likely", False, "got 502"),
    "no answer in time": (probe("status", 504, "awselb/2.0"), [], "ALB_504", "likely", False, "got 504"),
    "web ACL": (probe("status", 403), [], "WAF", "likely", False, "got 403"),
    "session lost, a form expired": (probe("status", 419, crossed=True), [], "SESSION", "certain", False, "got 419"),
    "session lost, sent to the login": (probe("status", 302, crossed=True), [], "SESSION", "certain", False, "got 302"),
    "session lost, another token": (probe("expect", 200, crossed=True), [], "SESSION", "certain", False, "got 200"),
    "session lost or something else": (probe("status", 429, crossed=True), [], "SESSION", "likely", False, "got 429"),
    "redirect loop": (probe("redirect_loop"), [], "REDIRECT_LOOP", "certain", False, "deep"),
    "other answer by the bare name": (probe("parity", 404), [], "PARITY", "certain", False, "got 404"),
    "another answer than the other side": (probe("differs"), [], "DIFFERENT", "certain", False, "deep"),
    # worker
    "worker cannot reach its queue": (
        NO_ENVIRONMENT, [["shop-worker", "w1", "worker", 1000055.0, "production.ERROR: RedisException: Connection timed out"]], "REDIS_TIMEOUT", "likely", False, "RedisException",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_cause(kit: t.Any, name: str, record_property: t.Any) -> None:
    changes, logs, identifier, confidence, settled, quoted = CASES[name]
    causes = kit.causes(kit.make(changes, logs))
    assert causes, "no cause at all"
    top = causes[0]
    record_property("diagnosis", [identifier, top.id])
    assert (top.id, top.confidence) == (identifier, confidence), [(cause.id, cause.confidence) for cause in causes]
    assert top.settled is settled
    assert quoted in " | ".join(evidence.text + evidence.source for evidence in top.evidence)
    assert len(causes) <= 3


@pytest.mark.parametrize("crash", ["PULL_NOTFOUND", "NGX_HOST"])
def test_what_a_later_task_disproves_is_over(kit: t.Any, crash: str) -> None:
    """The image was pushed, the conf rewritten, while the service went on trying: now something else is wrong."""
    logs = [["shop-web", "s1", "nginx", 1000009.0, 'nginx: [emerg] host not found in upstream "php-fpm"']]
    pull: dict[str, t.Any] = {"stop_code": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: manifest unknown", "startedAt": None}
    changes = crashed(1, at=1000010.0) if crash == "NGX_HOST" else crashed(None, at=1000010.0, **pull)
    assert crash in {cause.id for cause in kit.causes(kit.make(changes, logs))}
    later = {"services/0/tasks/0/createdAt": 1000020.0, "services/0/tasks/0/startedAt": 1000025.0, "services/0/tasks/1/createdAt": 1000020.0}
    assert crash not in {cause.id for cause in kit.causes(kit.make({**changes, **later}, logs))}


def test_the_healthy_base_passes_every_check(kit: t.Any) -> None:
    """Else the cases above would prove nothing."""
    snapshot = kit.make()
    assert [outcome for outcome in kit.judge(snapshot) if outcome.ok is not True] == []
    assert kit.causes(snapshot) == []


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
