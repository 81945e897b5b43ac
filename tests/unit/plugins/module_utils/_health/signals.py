"""Signals as changes to the healthy base: what AWS, a log or a probe says when one thing is wrong."""

from __future__ import annotations

import typing as t

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
