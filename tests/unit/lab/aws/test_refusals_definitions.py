"""RegisterTaskDefinition: what AWS says no to, and the near miss that it takes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from lab.aws.refusals.ecs_definitions import SIZES, problems

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:v1"
ROLE = "arn:aws:iam::123456789012:role/execution"
LOG = {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "p"}}


def fargate(container: dict[str, Any] | None = None, **task: Any) -> dict[str, Any]:
    """A definition that AWS takes, changed."""
    base = {"name": "a", "image": ECR, "portMappings": [{"containerPort": 80}], "logConfiguration": copy.deepcopy(LOG)}
    merged = {**base, **(container or {})}
    return {
        "family": "f",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": [{key: value for key, value in merged.items() if value is not None}],
        **task,
    }


def ec2(*containers: dict[str, Any], **task: Any) -> dict[str, Any]:
    listed = [{"name": f"c{number}", "image": "nginx", "memory": 64, **container} for number, container in enumerate(containers or ({},))]
    return {"family": "f", "containerDefinitions": listed, **task}


REFUSED: list[tuple[dict[str, Any], str]] = [
    (fargate(memory="8192"), "No Fargate configuration exists for given values"),
    (fargate(cpu="300"), "Invalid 'cpu' setting for task"),
    (fargate(memory=None), "Fargate requires that 'memory' be defined at the task level."),
    (fargate(networkMode="bridge"), "Fargate only supports network mode ‘awsvpc’."),
    (fargate(networkMode=None), "Fargate only supports network mode ‘awsvpc’."),
    (fargate(placementConstraints=[{"type": "memberOf", "expression": "x"}]), "do not support constraints"),
    (fargate(ipcMode="task"), "do not support ipcMode"),
    (fargate(pidMode="host"), "do not support pidMode 'host'"),
    (fargate(ephemeralStorage={"sizeInGiB": 20}), "21 GiB to 200 GiB"),
    (fargate(volumes=[{"name": "v", "host": {"sourcePath": "/data"}}]), "do not support sourcePath"),
    (fargate(volumes=[{"name": "v", "dockerVolumeConfiguration": {"scope": "task"}}]), "do not support dockerVolumeConfiguration"),
    (fargate({"privileged": True}), "'privileged' setting be 'false'"),
    (fargate({"dockerSecurityOptions": ["no-new-privileges"]}), "do not support dockerSecurityOptions"),
    (fargate({"resourceRequirements": [{"type": "GPU", "value": "1"}]}), "do not support GPU resource requirements"),
    (fargate({"linuxParameters": {"devices": [{"hostPath": "/dev/fuse"}]}}), "do not support devices"),
    (fargate({"linuxParameters": {"sharedMemorySize": 64}}), "do not support sharedMemorySize"),
    (fargate({"linuxParameters": {"maxSwap": 0}}), "do not support maxSwap"),
    (fargate({"linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}}}), "NET_ADMIN is not allowed on Fargate."),
    (fargate({"stopTimeout": 121}), "The maximum value is 120 seconds"),
    (fargate({"logConfiguration": {"logDriver": "json-file"}}), "json-file is not a valid log driver. Must be one of [awslogs, splunk, awsfirelens]"),
    (fargate({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}}}), "awslogs-stream-prefix"),
    (fargate(executionRoleArn=None), "execution role ARN to support ECR images."),
    (fargate({"image": "nginx"}, executionRoleArn=None), "execution role ARN to support log driver awslogs."),
    (fargate({"firelensConfiguration": {"type": "fluentbit", "options": {"config-file-type": "s3"}}}), "config file from 's3'"),
    (fargate({"links": ["b"]}), "Links are not supported when networkMode=awsvpc."),
    (fargate({"hostname": "x"}), "hostname is not supported on container when networkMode=awsvpc."),
    (fargate({"dnsServers": ["10.0.0.2"]}), "DNS servers are not supported"),
    (fargate({"extraHosts": [{"hostname": "a", "ipAddress": "10.0.0.1"}]}), "Extra hosts are not supported"),
    (fargate({"portMappings": [{"containerPort": 80, "hostPort": 8080}]}), "host ports and container ports in port mappings must match"),
    (fargate({"portMappings": [{"containerPort": 80}, {"containerPort": 80}]}), "mapped more than once"),
    (fargate({"memory": 1024}), "above the task's memory"),
    (fargate({"cpu": 512}), "above the task's CPU units"),
    (ec2(family="a b"), "Family contains invalid characters"),
    (ec2({"memory": None}), "At least one of 'memory' or 'memoryReservation' must be specified."),
    (ec2({"memory": 64, "memoryReservation": 128}), "must be greater than or equal"),
    (ec2({"essential": False}), "At least one essential container"),
    (ec2({"name": "a"}, {"name": "a"}), "Container names must be unique"),
    (ec2({"dependsOn": [{"containerName": "z", "condition": "START"}]}), "does not exist"),
    (ec2({"dependsOn": [{"containerName": "c1", "condition": "HEALTHY"}]}, {}), "has no health check"),
    (
        ec2({"dependsOn": [{"containerName": "c1", "condition": "START"}]}, {"dependsOn": [{"containerName": "c0", "condition": "START"}]}),
        "must not be circular",
    ),
    (ec2({"links": ["z"]}), "Unknown container 'z'"),
    (ec2({"links": ["c1"]}, {}, networkMode="host"), "Links are not supported when networkMode=host."),
    (ec2({"mountPoints": [{"sourceVolume": "z", "containerPath": "/z"}]}), "Unknown volume 'z'"),
    (ec2({"logConfiguration": {"logDriver": "awslogs", "options": {}}}), "awslogs-group"),
    ({"family": "f", "containerDefinitions": []}, "at least one container"),
    (ec2(*[{} for _ in range(11)]), "at most 10 containers"),
]
TAKEN: list[dict[str, Any]] = [
    fargate(),
    fargate(cpu=".25 vCPU", memory="0.5 GB"),
    fargate(cpu="32768", memory="249856"),
    fargate({"privileged": False, "links": [], "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}, "initProcessEnabled": True}}),
    fargate({"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64}]}, "stopTimeout": 120}),
    fargate({"portMappings": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 80, "protocol": "udp"}]}),
    fargate({"image": "nginx", "logConfiguration": None}, executionRoleArn=None),
    fargate(volumes=[{"name": "v"}, {"name": "w", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}], pidMode="task", ephemeralStorage={"sizeInGiB": 21}),
    ec2({"links": ["c1:db"], "privileged": True, "hostname": "x", "portMappings": [{"containerPort": 80, "hostPort": 8080}]}, {}),
    ec2({"dependsOn": [{"containerName": "c1", "condition": "HEALTHY"}]}, {"healthCheck": {"command": ["CMD", "true"]}}),
    ec2({"memory": None}, memory="512"),
]


@pytest.mark.parametrize(("definition", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused(definition: dict[str, Any], message: str) -> None:
    assert message in next(problems({key: value for key, value in definition.items() if value is not None}), "")


@pytest.mark.parametrize("definition", TAKEN)
def test_taken(definition: dict[str, Any]) -> None:
    assert list(problems(definition)) == []


def test_every_size_of_the_table_is_taken() -> None:
    for cpu, memories in SIZES.items():
        for memory in memories:
            assert list(problems(fargate(cpu=str(cpu), memory=str(memory)))) == []


def test_over_the_wire(client, refuse, name: str) -> None:
    code, message = refuse(client("ecs").register_task_definition, **{**fargate(memory="8192"), "family": name})
    assert (code, message.split(".")[0]) == ("ClientException", "No Fargate configuration exists for given values")
    client("ecs").register_task_definition(**{**fargate(), "family": name})
