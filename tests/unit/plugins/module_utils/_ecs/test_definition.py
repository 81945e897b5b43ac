"""The normal form of task definitions: what AWS fills in makes no difference, everything else does."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.definition import normalise
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.masking import mask_pair

WANTED: dict[str, t.Any] = {
    "family": "web",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": ".5 vCPU",
    "memory": "1GB",
    "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
    "containerDefinitions": [
        {
            "name": "nginx",
            "image": "nginx:1",
            "portMappings": [{"containerPort": 80}],
            "dependsOn": [{"containerName": "php", "condition": "START"}],
            "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
            "healthCheck": {"command": ["CMD", "true"]},
            "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp"}],
            "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
            "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["NET_RAW", "MKNOD"]}},
        },
        {
            "name": "php",
            "image": "php:1",
            "essential": False,
            "stopTimeout": 60,
            "command": ["php-fpm", "-F"],
            "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1"}},
            "dockerLabels": {"team": "web"},
        },
    ],
    "volumes": [{"name": "tmp", "host": {}}, {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}],
    "tags": [{"key": "cutover:system", "value": "shop"}],
}

DESCRIBED: dict[str, t.Any] = {
    "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:3",
    "family": "web",
    "revision": 3,
    "status": "ACTIVE",
    "requiresAttributes": [{"name": "x"}],
    "placementConstraints": [],
    "compatibilities": ["EC2", "FARGATE"],
    "registeredAt": "2026-11-22",
    "registeredBy": "arn:aws:sts::123456789012:assumed-role/x",
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "512",
    "memory": "1024",
    "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
    "enableFaultInjection": False,
    "volumes": [
        {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/"}},
        {"name": "tmp", "host": {}},
    ],
    "containerDefinitions": [
        {
            "name": "php",
            "image": "php:1",
            "cpu": 0,
            "portMappings": [],
            "essential": False,
            "stopTimeout": 60,
            "command": ["php-fpm", "-F"],
            "environment": [],
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
            "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-region": "eu-west-1", "awslogs-group": "/ecs/web"}, "secretOptions": []},
            "dockerLabels": {"team": "web"},
        },
        {
            "name": "nginx",
            "image": "nginx:1",
            "cpu": 0,
            "links": [],
            "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
            "essential": True,
            "dependsOn": [{"containerName": "php", "condition": "START"}],
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3},
            "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": False}],
            "volumesFrom": [],
            "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
            "linuxParameters": {"capabilities": {"add": [], "drop": ["MKNOD", "NET_RAW"]}, "devices": [], "initProcessEnabled": True, "tmpfs": []},
            "systemControls": [],
        },
    ],
}


def test_what_aws_fills_in_makes_no_difference() -> None:
    assert normalise(WANTED) == normalise(DESCRIBED)


def test_the_argument_is_not_changed() -> None:
    before = copy.deepcopy(WANTED)
    normalise(WANTED)
    assert before == WANTED


PATHS: list[tuple[tuple[t.Any, ...], t.Any]] = [
    (("cpu",), "1024"),
    (("memory",), "2048"),
    (("executionRoleArn",), "arn:aws:iam::123456789012:role/other"),
    (("taskRoleArn",), "arn:aws:iam::123456789012:role/app"),
    (("runtimePlatform",), {"cpuArchitecture": "ARM64"}),
    (("ephemeralStorage",), {"sizeInGiB": 40}),
    (("enableFaultInjection",), True),
    (("containerDefinitions", 0, "image"), "nginx:2"),
    (("containerDefinitions", 0, "cpu"), 10),
    (("containerDefinitions", 0, "memory"), 256),
    (("containerDefinitions", 0, "essential"), False),
    (("containerDefinitions", 0, "portMappings", 0, "containerPort"), 8080),
    (("containerDefinitions", 0, "portMappings", 0, "hostPort"), 0),
    (("containerDefinitions", 0, "environment", 0, "value"), "3"),
    (("containerDefinitions", 0, "environment", 0, "value"), ""),
    (("containerDefinitions", 0, "healthCheck", "interval"), 10),
    (("containerDefinitions", 0, "mountPoints", 0, "readOnly"), True),
    (("containerDefinitions", 0, "ulimits", 0, "softLimit"), 2048),
    (("containerDefinitions", 0, "linuxParameters", "initProcessEnabled"), False),
    (("containerDefinitions", 0, "readonlyRootFilesystem"), True),
    (("containerDefinitions", 0, "versionConsistency"), "disabled"),
    (("containerDefinitions", 1, "command"), ["-F", "php-fpm"]),
    (("containerDefinitions", 1, "stopTimeout"), 61),
    (("containerDefinitions", 1, "secrets", 0, "valueFrom"), "arn:aws:ssm:eu-west-1:123456789012:parameter/other"),
    (("containerDefinitions", 1, "logConfiguration", "options", "awslogs-group"), "/ecs/other"),
    (("containerDefinitions", 1, "dockerLabels", "team"), "other"),
    (("volumes", 1, "efsVolumeConfiguration", "fileSystemId"), "fs-2"),
    (("volumes", 1, "efsVolumeConfiguration", "transitEncryption"), "ENABLED"),
    (("somethingNew",), "that AWS adds one day"),
]


@pytest.mark.parametrize(("path", "value"), PATHS, ids=lambda item: ".".join(map(str, item)) if isinstance(item, tuple) else "")
def test_every_setting_makes_a_difference(path: tuple[t.Any, ...], value: t.Any) -> None:
    """The stock module does not see most of these."""
    changed = copy.deepcopy(WANTED)
    holder: t.Any = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    assert normalise(changed) != normalise(DESCRIBED)


def test_a_member_that_is_gone_makes_a_difference() -> None:
    changed = copy.deepcopy(WANTED)
    del changed["containerDefinitions"][1]["stopTimeout"]
    assert normalise(changed) != normalise(DESCRIBED)


def test_secrets_are_hidden_and_their_change_is_shown() -> None:
    before = {"APP_KEY": "base64:old-old-old-old-old-old", "DB_URL": "mysql://shop:old@db/shop", "A": "1"}
    after = {"APP_KEY": "base64:new-new-new-new-new-new", "DB_URL": "mysql://shop:new@db/shop", "A": "2"}
    left, right = mask_pair(before, after)
    assert "old" not in str(left)
    assert "new" not in str(right)
    assert right["A"] == "2"
    assert left["APP_KEY"] != right["APP_KEY"]
    assert left["DB_URL"] != right["DB_URL"]


def test_a_secret_that_is_the_same_makes_no_difference() -> None:
    left, right = mask_pair({"APP_KEY": "same"}, {"APP_KEY": "same"})
    assert left == right
    assert "same" not in str(left)
