"""Whatever the plan calls ready starts in the lab's Fargate: role, secrets, log group, order of the containers, sizes, users and health checks, for real.

The images of the golden cases are nobody's: what runs is a small image of the lab with a command that sleeps. With the image goes what lies in it: its command and
entry point, the command of its health check, its users by name, its working directory, its processor. A container that others wait for to end, ends. Secrets get
the lab's ARNs. All else of the planned definition stays, and the lab's rules of AWS see it first (``tests/integration/test_predictions.py`` does so for every case).

A dozen shapes start here; ``CUTOVER_STARTS=all`` starts every definition of a ready plan, among them what the near misses of all findings make of it.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from e2e.conftest import lab_settings
from e2e.harness import Lab
from integration.lab.usable import NEEDS_LAB
from unit.plugins.module_utils._translate import goldens
from unit.plugins.module_utils._translate.goldens import Golden

Json = dict[str, Any]
NAME = "goldens"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx:v1"
SLEEP = ["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"]
END = ["sh", "-c", "exit 0"]
POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
AT_ONCE, PATIENCE = 4, 120
DOZEN = (
    "systems/shop",
    "systems/restricted_egress",
    "systems/environment_placeholders",
    "rules/FG-EBS-NAME/near_miss",
    *(
        f"task_definitions/{shape}"
        for shape in (
            "app_mesh_envoy",
            "datadog_agent_fargate_ready",
            "django_gunicorn",
            "dotnet_api",
            "efs_access_point_iam",
            "firelens_file_config",
            "go_scratch",
            "java_spring",
            "laravel_octane",
            "wordpress_efs_answered",
        )
    ),
)

pytestmark = NEEDS_LAB


@dataclass
class Fargate:
    """The lab's account, with a cluster for the tests and the network of its system."""

    lab: Lab
    clients: dict[str, Any]
    network: Json

    def outcome(self, definition: Json) -> str:
        """RUNNING, or why it isn't: the task's reason, or what is missing to its health."""
        ecs = self.clients["ecs"]
        revision = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
        (task,) = ecs.run_task(cluster=NAME, taskDefinition=revision, launchType="FARGATE", networkConfiguration=self.network)["tasks"]
        seen = self._awaited(task["taskArn"], definition)
        ecs.stop_task(cluster=NAME, task=task["taskArn"])
        return seen

    def _awaited(self, arn: str, definition: Json) -> str:
        deadline = time.monotonic() + PATIENCE
        checked = any(container.get("healthCheck") and container.get("essential", True) for container in definition["containerDefinitions"])
        while time.monotonic() < deadline:
            (task,) = self.clients["ecs"].describe_tasks(cluster=NAME, tasks=[arn])["tasks"]
            if task["lastStatus"] in ("DEPROVISIONING", "STOPPING", "STOPPED"):
                return f"{task.get('stoppedReason')} {[container.get('reason') for container in task['containers']]}"
            if task["lastStatus"] == "RUNNING" and (not checked or task["healthStatus"] == "HEALTHY"):
                return "RUNNING"
            time.sleep(0.3)
        return f"{task['lastStatus']} {task['healthStatus']} after {PATIENCE} s"


@pytest.fixture(scope="module")
def fargate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fargate]:
    lab = Lab(lab_settings(), tmp_path_factory.mktemp("reports"))
    lab.command("up")
    clients = {service: lab.client(service) for service in ("ecs", "ec2", "iam", "logs", "secretsmanager", "ssm")}
    clients["ecs"].create_cluster(clusterName=NAME)
    subnet = clients["ec2"].describe_subnets()["Subnets"][0]
    group = clients["ec2"].create_security_group(GroupName=NAME, Description=NAME, VpcId=subnet["VpcId"])["GroupId"]
    yield Fargate(lab, clients, {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]], "securityGroups": [group]}})
    lab.command("down")


def wanted() -> list[Golden]:
    every = [case for case in goldens.every() if not case.blocked()]
    return every if os.environ.get("CUTOVER_STARTS") == "all" else [case for case in every if case.name in DOZEN]


def distinct(cases: list[Golden]) -> dict[str, Json]:
    """The definitions that differ, by the first case that has each."""
    found: dict[str, tuple[str, Json]] = {}
    for case in cases:
        for definition in case.plan["task_definitions"]:
            stand_in = replaced(definition)
            found.setdefault(json.dumps({**stand_in, "tags": []}, sort_keys=True), (f"{case.name} {definition['family']}", stand_in))
    return dict(found.values())


def replaced(definition: Json) -> Json:
    """The planned definition with the lab's image."""
    result = copy.deepcopy(definition)
    result["runtimePlatform"]["cpuArchitecture"] = "X86_64"
    ends = {
        item["containerName"]
        for container in result["containerDefinitions"]
        for item in container.get("dependsOn") or []
        if item["condition"] in ("COMPLETE", "SUCCESS")
    }
    for container in result["containerDefinitions"]:
        for member in ("entryPoint", "workingDirectory", "repositoryCredentials"):
            container.pop(member, None)
        container |= {"image": IMAGE, "command": END if container["name"] in ends else SLEEP}
        if not str(container.get("user") or "0").replace(":", "").isdigit():
            del container["user"]
        if container.get("healthCheck"):
            container["healthCheck"]["command"] = ["CMD-SHELL", "exit 0"]
    return result


def furnished(definition: Json, clients: dict[str, Any]) -> Json:
    """What the role ``cluster`` and people make before a task starts: execution role, log groups, secrets."""
    _once(clients["iam"].create_role, RoleName=definition["executionRoleArn"].rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(TRUST))
    clients["iam"].attach_role_policy(RoleName=definition["executionRoleArn"].rpartition("/")[2], PolicyArn=POLICY)
    for container in definition["containerDefinitions"]:
        options = container["logConfiguration"].get("options") or {}
        if "awslogs-group" in options:
            _once(clients["logs"].create_log_group, logGroupName=options["awslogs-group"])
        for secret in container.get("secrets") or []:
            secret["valueFrom"] = _secret(clients, secret["valueFrom"])
    return definition


def _secret(clients: dict[str, Any], value: str) -> str:
    if ":secretsmanager:" not in value:
        clients["ssm"].put_parameter(Name=value.partition(":parameter")[2] or value, Value="x", Type="SecureString", Overwrite=True)
        return value
    name = value.split(":")[6]
    _once(clients["secretsmanager"].create_secret, Name=name, SecretString="x")
    return str(clients["secretsmanager"].describe_secret(SecretId=name)["ARN"])


def _once(call: Any, **arguments: Any) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        if "Exist" not in error.response["Error"]["Code"]:
            raise


def test_what_is_ready_starts(fargate: Fargate) -> None:
    definitions = {name: furnished(definition, fargate.clients) for name, definition in distinct(wanted()).items()}
    assert len(definitions) >= len(DOZEN)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = dict(zip(definitions, pool.map(fargate.outcome, definitions.values()), strict=True))
    assert {name: outcome for name, outcome in outcomes.items() if outcome != "RUNNING"} == {}
    print(f"{len(outcomes)} planned task definitions run")


def test_a_task_that_cannot_start_is_seen(fargate: Fargate) -> None:
    """The comparison can fail: a definition whose log group nobody made."""
    definition = next(iter(distinct(wanted()).values()))
    furnished(definition, fargate.clients)
    definition["containerDefinitions"][0]["logConfiguration"] = {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/nobody", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "x"},
    }
    assert "/nobody" in fargate.outcome(definition)
