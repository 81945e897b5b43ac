"""Whatever AWS call fails during a verification, and whatever is wrong with the system: no verdict and no cause comes from what could not be read."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health.clock import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._health.collect import Collector
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import POSSIBLE, Snapshot, StepResult
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import Verifier
from botocore.exceptions import ClientError, EndpointConnectionError

Changes = t.Dict[str, t.Any]
KEYS = {"changed", "verdict", "checks", "causes", "verified", "seconds", "spent", "lines"}
PARAMS: Changes = {
    "side": "target", "fqdn": "shop.example.test", "load_balancer": "shop-fargate", "compare_load_balancer": "shop", "cluster": "shop-fargate",
    "services": [
        {"name": "shop-web", "kind": "web", "family": "shop-web-fargate", "desired_count": 2, "container_name": "nginx", "container_port": 80},
        {"name": "shop-worker", "kind": "worker", "family": "shop-worker-fargate", "desired_count": 1},
    ],
    "timeout": 1.0, "settle_seconds": 20.0, "poll_seconds": 5.0,
}  # fmt: skip
REVISION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:3"
HEALTH = "target_groups/tg-web/TargetHealth/0/TargetHealth"
TIMED_OUT = {HEALTH: {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}}
ANSWERED_500 = {HEALTH: {"State": "unhealthy", "Reason": "Target.ResponseCodeMismatch", "Description": "Health checks failed with these codes: [500]"}}
NOBODY = {"services/0/service/runningCount": 0, "services/0/tasks": [], "target_groups/tg-web/TargetHealth": [], "services/0/service/deployments/0/rolloutState": "IN_PROGRESS"}
PRIVATE = {"services/0/service/networkConfiguration/awsvpcConfiguration/assignPublicIp": "DISABLED"}
ENDPOINTS = [
    {"VpcEndpointId": f"vpce-{name}", "VpcId": "vpc-1", "ServiceName": f"com.amazonaws.eu-west-1.{name}", "State": "available", "PrivateDnsEnabled": True,
     "VpcEndpointType": "Interface", "Groups": [{"GroupId": "sg-redis"}], "SubnetIds": ["subnet-a"]}
    for name in ("ecr.api", "ecr.dkr", "s3", "logs", "secretsmanager")
]  # fmt: skip


def stopped(stop_code: str, reason: str, code: int | None = None, **more: t.Any) -> Changes:
    task = {
        "taskArn": "task/s1", "taskDefinitionArn": REVISION, "lastStatus": "STOPPED", "stopCode": stop_code, "stoppedReason": reason, "createdAt": 1000030.0,
        "startedAt": 1000040.0, "stoppedAt": 1000062.0, "containers": [{"name": "nginx", "exitCode": code}], **more,
    }  # fmt: skip
    return {**NOBODY, "services/0/stopped": [task]}


PULL = stopped("TaskFailedToStart", "CannotPullContainerError: cut sho", startedAt=None)
ESSENTIAL = stopped("EssentialContainerExited", "Essential container in task exited", 1)
OPEN_ENDPOINTS: Changes = {"network/security_groups/sg-redis/IpPermissions/0": {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-task"}]}}

# name: (changes of the base, text in every log stream of the web tasks, answers of AWS)
SYSTEMS: dict[str, tuple[Changes, str, Changes]] = {
    "healthy": ({}, "", {}),
    "database closed": ({"network/security_groups/sg-rds/IpPermissions": []}, "", {}),
    "load balancer not admitted": ({**TIMED_OUT, "network/security_groups/sg-task/IpPermissions": []}, "", {}),
    "network ACL": ({**TIMED_OUT, "network/network_acls/0/Entries/0/RuleAction": "deny"}, "", {}),
    "hangs": (TIMED_OUT, "", {}),
    "hangs, health checks in the log": (TIMED_OUT, '"GET /health HTTP/1.1" 499 0 "-" "ELB-HealthChecker/2.0"', {}),
    "application error": (ANSWERED_500, "production.ERROR: Undefined variable $total", {}),
    "silent 500": (ANSWERED_500, "", {}),
    "conf not rewritten": (ESSENTIAL, 'nginx: [emerg] host not found in upstream "php-fpm"', {}),
    "ends without output": (ESSENTIAL, "", {}),
    "no way out": ({**PULL, **PRIVATE}, "", {}),
    "endpoints instead of a way out, another fault": ({**PULL, **PRIVATE, **OPEN_ENDPOINTS}, "", {"describe_vpc_endpoints": {"VpcEndpoints": ENDPOINTS}}),
    "image missing": (PULL, "", {"describe_images": "ImageNotFoundException"}),
    "log group missing": (stopped("TaskFailedToStart", "failed to validate logger args: log group does not exist", startedAt=None), "", {}),
    "no rule": ({"listeners/1/DefaultActions": [{"Type": "fixed-response"}]}, "", {}),
    "still starting": ({"services/0/service/runningCount": 1, "services/0/service/deployments/0/rolloutState": "IN_PROGRESS"}, "", {}),
}  # fmt: skip
OPERATIONS = (
    "describe_services", "list_tasks", "describe_tasks", "describe_task_definition", "describe_load_balancers", "describe_listeners", "describe_rules",
    "describe_target_groups", "describe_target_health", "describe_network_interfaces", "describe_security_groups", "describe_subnets", "describe_route_tables",
    "describe_network_acls", "describe_vpc_endpoints", "describe_db_instances", "describe_db_clusters", "describe_cache_clusters",
    "describe_replication_groups", "filter_log_events", "describe_images",
)  # fmt: skip
# Without the log, the routes or the registry, these say less about the same thing.
LESS = {"HC_500": "HC_STATUS", "NO_OUTPUT": "EXIT_1", "NGX_HOST": "EXIT_1", "APP_500": "HC_STATUS", "PULL_NET": "PULL_OTHER", "PULL_NOTFOUND": "PULL_OTHER"}

# What each system gives when every call is answered; the same for all of them.
USUAL: dict[str, tuple[Changes, t.Any]] = {}


def client_error(operation: str, code: str) -> ClientError:
    answer: t.Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"RetryAttempts": 9}}
    return ClientError(answer, operation)


def log_of(text: str) -> t.Callable[..., t.Any]:
    def answer(logGroupName: str, startTime: int, **asked: t.Any) -> t.Any:  # noqa: N803
        web = logGroupName == "/ecs/shop-web-fargate" and "filterPattern" not in asked
        return {"events": [{"eventId": "1", "timestamp": 1000061000, "message": text}] if web and text and startTime <= 1000061000 else []}

    return answer


def verify(aws: t.Any, name: str, more: Changes | None = None, **refused: Exception) -> tuple[dict[str, t.Any], t.Any]:
    changes, text, answers = SYSTEMS[name]
    given = {key: client_error(key, value) if isinstance(value, str) else value for key, value in answers.items()}
    clients = aws(changes, **{"filter_log_events": log_of(text), "describe_vpc_endpoints": {"VpcEndpoints": []}, **given, **refused})
    now = [1000062.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def probe(snapshot: Snapshot) -> list[StepResult]:
        return [StepResult("front page", "GET /", address, "", "GET / 200", snapshot.at, status=200) for address in snapshot.addresses]

    clock = Clock(lambda: now[0], lambda: now[0], sleep)
    params = {**PARAMS, **(more or {})}
    verifier = Verifier(params, Collector(params, clients, clock).look, probe, clock)
    try:
        return verifier.run(False), clients
    except CutoverError as error:
        return error.details, clients


EXPECTED = {
    "healthy": None, "database closed": "DB_TIMEOUT", "load balancer not admitted": "ALB_SG", "network ACL": "NACL", "hangs": "HC_TIMEOUT",
    "hangs, health checks in the log": "HC_SLOW", "application error": "APP_500", "silent 500": "HC_500", "conf not rewritten": "NGX_HOST",
    "ends without output": "NO_OUTPUT", "no way out": "PULL_NET", "endpoints instead of a way out, another fault": "PULL_OTHER", "image missing": "PULL_NOTFOUND",
    "log group missing": "LOG_GROUP", "no rule": "NO_RULE", "still starting": "WAITING",
}  # fmt: skip


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_is_wrong_when_every_call_is_answered(aws: t.Any, name: str) -> None:
    result, clients = verify(aws, name)
    assert set(result) == KEYS
    assert next((cause["id"] for cause in result["causes"]), None) == EXPECTED[name]
    assert {operation for operation, _params in clients.calls} <= set(OPERATIONS)


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "connection"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_refused_call_makes_a_verdict_or_a_cause(aws: t.Any, operation: str, code: str) -> None:
    """Denied with every system; the other refusals, which go the same way, with every second one. ``CUTOVER_REFUSALS=all`` asks for all of them."""
    error = EndpointConnectionError(endpoint_url="https://x") if code == "connection" else client_error(operation, code)
    every = code == "AccessDeniedException" or os.environ.get("CUTOVER_REFUSALS") == "all"
    for name in list(SYSTEMS)[:: 1 if every else 2]:
        if name not in USUAL:
            USUAL[name] = verify(aws, name)
        usual, clients = USUAL[name]
        if not clients.asked(operation):
            continue
        result, clients = verify(aws, name, **{operation: error})
        assert set(result) == KEYS
        assert result["verdict"] in (usual["verdict"], "undetermined"), (name, result["lines"])
        known = {cause["id"] for cause in usual["causes"]}
        claimed = {cause["id"] for cause in result["causes"] if cause["confidence"] != POSSIBLE}
        assert claimed <= known | {LESS.get(cause, cause) for cause in known}, (name, result["lines"])
        assert any("note:" in line for line in result["lines"]), (name, result["lines"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_that_fails_once_is_made_again(aws: t.Any, operation: str) -> None:
    changes, _text, _answers = SYSTEMS["healthy"]
    clients = aws(changes, describe_vpc_endpoints={"VpcEndpoints": []}, filter_log_events=log_of(""))
    usual, failed = clients.answers.get(operation, {}), [False]

    def once(**params: t.Any) -> t.Any:
        if not failed[0]:
            failed[0] = True
            raise client_error(operation, "ThrottlingException")
        return usual(**params) if callable(usual) else usual

    result, _clients = verify(aws, "healthy", **{operation: once})  # type: ignore[arg-type]
    assert result["verdict"] == "healthy", result["lines"]


STORES = ("describe_db_instances", "describe_db_clusters", "describe_cache_clusters", "describe_replication_groups", "describe_security_groups")


@pytest.mark.parametrize("operation", STORES)
def test_who_may_not_read_databases_and_caches_needs_own_probes(aws: t.Any, operation: str) -> None:
    """They can use what could not be looked at. Without them nobody has, so nobody knows: and no wait will change that."""
    denied = {operation: client_error(operation, "AccessDeniedException")}
    result, _clients = verify(aws, "healthy", {}, **denied)
    assert (result["verdict"], result["causes"]) == ("undetermined", [])
    assert result["checks"][-1]["last"].endswith("give probes that use them (fargate_probes)")
    own: Changes = {"probes": [{"path": "/health?deep=1"}], "timeout": 100.0}
    result, _clients = verify(aws, "healthy", own, **denied)
    assert result["verdict"] == "healthy"
    assert any("note: AWS refused" in line for line in result["lines"])
    result, _clients = verify(aws, "healthy", {"side": "source", "timeout": 100.0}, **denied)
    assert result["verdict"] == "healthy", "a rollback does not wait for it"


def test_a_denial_is_not_waited_for(aws: t.Any) -> None:
    result, _clients = verify(aws, "healthy", {"timeout": 100.0}, describe_db_instances=client_error("describe_db_instances", "AccessDeniedException"))
    assert (result["verdict"], result["seconds"]) == ("undetermined", 5.0)
