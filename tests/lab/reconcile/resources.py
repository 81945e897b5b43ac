"""What Fargate needs before it pulls an image: a way to ECR, a role that may, secrets that exist. And an image for the task's platform."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from lab.aws.operations import ecs_definitions
from lab.aws.tasks import EcsTask
from lab.reconcile import reasons
from lab.reconcile.reasons import StartError
from lab.reconcile.world import World

HTTPS = 443
NO_WAY_OUT = 240.0  # seconds that Fargate tries to reach ECR before it gives up
# Of AmazonECSTaskExecutionRolePolicy, for policies that moto keeps by name only.
MANAGED = {"AmazonECSTaskExecutionRolePolicy": ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "logs:*")}
PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}


def reaches_ecr(world: World, task: EcsTask) -> bool:
    """Whether a group of the task's interface lets HTTPS out (the lab's subnets all have a NAT gateway)."""
    with world.state():
        rules = [rule for group in task.interface.group_set for rule in group.egress_rules] if task.interface else []
        return any(_admits_https(rule) for rule in rules)


def _admits_https(rule: Any) -> bool:
    every = rule.ip_protocol == "-1" or rule.from_port in (None, -1)
    return bool(rule.ip_range.get("CidrIp")) and (every or int(rule.from_port) <= HTTPS <= int(rule.to_port))


def check(world: World, task: EcsTask) -> None:
    """The execution role and the secrets, as Fargate asks for them. Raises StartError."""
    with world.state():
        definition = ecs_definitions.find(world.aws, task.task_definition_arn)
        arn = definition.execution_role_arn
        role = next((item for item in world.backend("iam").roles.values() if item.arn == arn), None) if arn else None
        allowed = list(_actions(role)) if role is not None else []
        secrets = [item["valueFrom"] for container in definition.container_definitions for item in container.get("secrets") or []]
        missing = [value for value in secrets if not _exists(world, value)]
    if arn and not any(fnmatchcase("ecr:GetAuthorizationToken", action) for action in allowed):
        raise StartError(reasons.registry_auth_denied(arn, task.id))
    if missing:
        raise StartError(reasons.secret_missing(missing[0]))


def _actions(role: Any) -> Iterable[str]:
    """What a role's policies allow, resources left aside."""
    for policy in role.managed_policies.values():
        yield from MANAGED.get(policy.name, ()) or _allowed(policy.document)
    for document in role.policies.values():
        yield from _allowed(document)


def _allowed(document: str | Mapping[str, Any]) -> Iterable[str]:
    parsed = json.loads(document) if isinstance(document, str) else document
    statements = parsed.get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        if statement.get("Effect") == "Allow":
            actions = statement.get("Action", [])
            yield from [actions] if isinstance(actions, str) else actions


def _exists(world: World, value: str) -> bool:
    """A secret by ARN (with ECS's suffixes for key and version), a parameter by ARN or name."""
    if ":secretsmanager:" in value:
        name = value.split(":")[6]
        return any(secret.arn.split(":")[6] == name for secret in world.backend("secretsmanager").secrets.values())
    parameters = world.backend("ssm")._parameters
    name = value.partition(":parameter")[2] or value
    return name in parameters or name.lstrip("/") in parameters


def check_platform(world: World, task: EcsTask, architecture: str, container: str) -> None:
    """An image of another platform than the task's. Raises StartError."""
    with world.state():
        definition = ecs_definitions.find(world.aws, task.task_definition_arn)
        wanted = PLATFORMS[(definition.document.get("runtimePlatform") or {}).get("cpuArchitecture") or "X86_64"]
    if wanted != f"linux/{architecture}":
        raise StartError(reasons.no_platform(wanted), container)
