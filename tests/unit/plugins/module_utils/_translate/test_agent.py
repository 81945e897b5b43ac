from __future__ import annotations

import base64

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import agent, image
from ansible_collections.cutover.fargate.plugins.module_utils._translate.context import Context
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json


def context(*texts: str) -> Context:
    """One Auto Scaling group for each text of user data."""
    groups: list[Json] = [
        {"AutoScalingGroupName": f"group-{index}", "LaunchTemplate": {"LaunchTemplateData": {"UserData": base64.b64encode(text.encode()).decode()}}}
        for index, text in enumerate(texts)
    ]
    return Context({**systems.system(), "source": {"capacity": {"auto_scaling_groups": groups}}}, {})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 30),
        ("echo ECS_CLUSTER=shop", 30),
        ("echo ECS_CONTAINER_STOP_TIMEOUT=2m >> /etc/ecs/ecs.config", 120),
        ('echo "ECS_CONTAINER_STOP_TIMEOUT=1m30s" >> /etc/ecs/ecs.config', 90),
        ("ECS_CONTAINER_STOP_TIMEOUT='90s'", 90),
        ("ECS_CONTAINER_STOP_TIMEOUT=1500ms", 2),
        ("ECS_CONTAINER_STOP_TIMEOUT=$SECONDS_TO_STOP", 30),
        ("# ECS_CONTAINER_STOP_TIMEOUT=2m", 30),
    ],
)
def test_stop_timeout(text: str, seconds: int) -> None:
    assert agent.stop_timeout(context("#!/bin/sh", text)) == seconds


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("ECS_CLUSTER=shop", None),
        ('ECS_ENGINE_AUTH_DATA={"https://index.docker.io/v1/":{"username":"a","password":"b","email":"c@d.example"}}', {"docker.io"}),
        ('echo "ECS_ENGINE_AUTH_DATA={\\"ghcr.io\\":{\\"auth\\":\\"x\\"},\\"registry.example:5000\\":{}}"', {"ghcr.io", "registry.example:5000"}),
        ("echo ECS_ENGINE_AUTH_DATA=$(aws secretsmanager get-secret-value --secret-id login)", set()),
    ],
)
def test_logins(text: str, hosts: set[str] | None) -> None:
    assert agent.logins(context(text)) == hosts


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("shop/php:1", ["FG-IMAGE-REGISTRY"]),
        ("redis:7", ["FG-IMAGE-HUB"]),
        ("library/redis:7", ["FG-IMAGE-HUB"]),
        ("quay.io/shop/php:1", ["FG-IMAGE-REGISTRY"]),
        ("public.ecr.aws/shop/php:1", []),
    ],
)
def test_a_login_that_cannot_be_read_may_be_for_any_registry_with_private_images(name: str, found: list[str]) -> None:
    given = context("ECS_ENGINE_AUTH_DATA=$(cat /run/login)")
    assert [finding["id"] for finding in image.registry({"image": name}, given, "p")] == found
