"""What Fargate refuses before it pulls an image."""

from __future__ import annotations

import json
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from lab.reconcile import resources
from lab.reconcile.reasons import StartError

ROLE = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/token-AbCdEf"
TASK: Any = SimpleNamespace(id="0123", task_definition_arn="shop-web-fargate:1")
PULLS = json.dumps({"Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}})


def rule(protocol: str, first: int | None, last: int | None, everywhere: bool = True) -> Any:
    return SimpleNamespace(ip_protocol=protocol, from_port=first, to_port=last, ip_range={"CidrIp": "0.0.0.0/0"} if everywhere else {})


def world(policies: dict[str, str], secrets: list[str], architecture: str = "X86_64") -> Any:
    containers = [{"name": "web", "secrets": [{"name": "TOKEN", "valueFrom": value} for value in secrets]}]
    definition = SimpleNamespace(
        execution_role_arn=ROLE, container_definitions=containers, document={"runtimePlatform": {"cpuArchitecture": architecture}}, status="ACTIVE"
    )
    role = SimpleNamespace(arn=ROLE, managed_policies={}, policies=policies)
    backends = {
        "ecs": SimpleNamespace(task_definitions={"shop-web-fargate": {1: definition}}),
        "iam": SimpleNamespace(roles={"1": role}),
        "secretsmanager": SimpleNamespace(secrets={"known": SimpleNamespace(arn=SECRET)}),
        "ssm": SimpleNamespace(_parameters={"/shop/token": []}),
    }
    return SimpleNamespace(state=nullcontext, backend=backends.get, aws=SimpleNamespace(backend=backends.get))


@pytest.mark.parametrize(
    ("rules", "reaches"),
    [
        ([rule("-1", None, None)], True),
        ([rule("tcp", 443, 443)], True),
        ([rule("tcp", 3306, 3306)], False),
        ([rule("tcp", 443, 443, everywhere=False)], False),
        ([], False),
    ],
)
def test_https_must_get_out(rules: list[Any], reaches: bool) -> None:
    task: Any = SimpleNamespace(interface=SimpleNamespace(group_set=[SimpleNamespace(egress_rules=rules)]))
    assert resources.reaches_ecr(SimpleNamespace(state=nullcontext), task) is reaches  # type: ignore[arg-type]


def test_a_role_that_may_pull_and_secrets_that_exist_pass() -> None:
    resources.check(world({"pull": PULLS}, [SECRET, f"{SECRET}:key::", "/shop/token", "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/token"]), TASK)


def test_a_role_without_permission_is_refused() -> None:
    with pytest.raises(StartError, match=r"assumed-role/ecsTaskExecutionRole/0123 is not authorized to perform: ecr:GetAuthorizationToken"):
        resources.check(world({}, []), TASK)


@pytest.mark.parametrize("value", [f"{SECRET}x", "/shop/other"])
def test_a_secret_that_does_not_exist_is_named(value: str) -> None:
    with pytest.raises(StartError) as caught:
        resources.check(world({"pull": PULLS}, [value]), TASK)
    assert value in caught.value.reason


def test_an_image_must_be_of_the_tasks_platform() -> None:
    resources.check_platform(world({}, []), TASK, "amd64", "web")
    with pytest.raises(StartError, match="descriptor matching platform 'linux/arm64'"):
        resources.check_platform(world({}, [], "ARM64"), TASK, "amd64", "web")
