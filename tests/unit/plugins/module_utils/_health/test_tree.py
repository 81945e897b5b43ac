"""The decision tree, branch by branch: signals in, top cause with its evidence out."""

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.module_utils._health.signals import (
    CHECK,
    CLOSED_RDS,
    CLOSED_REDIS,
    HEALTH,
    NO_ENVIRONMENT,
    REFUSED,
    SQLSTATE,
    TIMED_OUT,
    answered,
    crashed,
    probe,
    to_channel,
    unhealthy,
)

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


def test_the_healthy_base_passes_every_check(kit: t.Any) -> None:
    """Else the cases above would prove nothing."""
    snapshot = kit.make()
    assert [outcome for outcome in kit.judge(snapshot) if outcome.ok is not True] == []
    assert kit.causes(snapshot) == []
