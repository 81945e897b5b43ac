"""ECS task definitions: every member that was registered comes back, with AWS's defaults. moto knows a part of the members only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation, page

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

CONTAINER_DEFAULTS: dict[str, Any] = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}
UNITS = re.compile(r"^\s*([\d.]+)\s*(vcpu|gb)\s*$", re.IGNORECASE)


def units(value: str | None) -> str | None:
    """Task size in CPU units or MiB: ``1 vCPU`` is 1024, ``0.5 GB`` is 512."""
    match = UNITS.match(value or "")
    return str(int(float(match[1]) * 1024)) if match else value


def find(aws: AwsServer, name: str) -> Any:
    """moto's task definition by ARN, family:revision, or family (its newest ACTIVE revision)."""
    family, _, revision = name.rsplit("/", 1)[-1].partition(":")
    revisions = aws.backend("ecs").task_definitions.get(family, {})
    if revision:
        found = revisions.get(int(revision)) if revision.isdigit() else None
    else:
        found = next((item for _, item in sorted(revisions.items(), reverse=True) if item.status == "ACTIVE"), None)
    if found is None:
        raise AwsError("ClientException", "Unable to describe task definition.")
    return found


@operation("ecs", "RegisterTaskDefinition")
def register(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    given = dict(call.parameters)
    network_mode = given.get("networkMode")
    given["containerDefinitions"] = [_container(item, network_mode) for item in given["containerDefinitions"]]
    given["volumes"] = [_volume(item) for item in given.get("volumes", [])]
    for size in ("cpu", "memory"):
        if size in given:
            given[size] = units(given[size])
    backend = aws.backend("ecs")
    definition = backend.register_task_definition(
        given["family"],
        given["containerDefinitions"],
        volumes=given["volumes"],
        network_mode=network_mode,
        tags=given.pop("tags", None),
        requires_compatibilities=given.get("requiresCompatibilities"),
        cpu=given.get("cpu"),
        memory=given.get("memory"),
        task_role_arn=given.get("taskRoleArn"),
        execution_role_arn=given.get("executionRoleArn"),
        pid_mode=given.get("pidMode"),
    )
    definition.network_mode = network_mode or "bridge"
    definition.compatibilities = _compatibilities(given)
    definition.document = {"placementConstraints": [], **given}
    definition.registered_at = aws.now()
    definition.deregistered_at = None
    return {"taskDefinition": document(aws, definition), "tags": definition.tags}


def _container(given: dict[str, Any], network_mode: str | None) -> dict[str, Any]:
    container = {**CONTAINER_DEFAULTS, **given}
    container["portMappings"] = [_port_mapping(item, network_mode) for item in container["portMappings"]]
    return container


def _port_mapping(given: dict[str, Any], network_mode: str | None) -> dict[str, Any]:
    """Absent host ports are dynamic (0) in bridge mode and equal to the container's port elsewhere (PortMapping in the API reference)."""
    same = given.get("containerPort") if network_mode in ("awsvpc", "host") else 0
    return {"protocol": "tcp", **given, **({} if "hostPort" in given or "containerPort" not in given else {"hostPort": same})}


def _volume(given: dict[str, Any]) -> dict[str, Any]:
    kinds = [key for key in given if key.endswith("Configuration") or key in ("host", "configuredAtLaunch")]
    return given if kinds else {**given, "host": {}}


def _compatibilities(given: dict[str, Any]) -> list[str]:
    if "FARGATE" in given.get("requiresCompatibilities", []):
        return ["EC2", "FARGATE"]
    return ["EC2"] if given.get("networkMode") == "awsvpc" else ["EXTERNAL", "EC2"]


def document(aws: AwsServer, definition: Any) -> dict[str, Any]:
    """The definition as DescribeTaskDefinition shows it."""
    shown = {
        **definition.document,
        "taskDefinitionArn": definition.arn,
        "revision": definition.revision,
        "status": definition.status,
        "compatibilities": definition.compatibilities,
        "registeredAt": definition.registered_at,
        "registeredBy": f"arn:aws:sts::{aws.account}:assumed-role/admin/lab",
    }
    return shown | ({"deregisteredAt": definition.deregistered_at} if definition.deregistered_at else {})


@operation("ecs", "DescribeTaskDefinition")
def describe(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    definition = find(aws, call.parameters["taskDefinition"])
    tags = {"tags": definition.tags} if "TAGS" in call.parameters.get("include", []) else {}
    return {"taskDefinition": document(aws, definition), **tags}


@operation("ecs", "DeregisterTaskDefinition")
def deregister(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """The revision becomes INACTIVE: running services keep it, new ones cannot use it."""
    name = call.parameters["taskDefinition"]
    if ":" not in name.rsplit("/", 1)[-1]:
        raise AwsError("ClientException", "Revision is missing.")
    definition = find(aws, name)
    if definition.status == "ACTIVE":
        definition.status = "INACTIVE"
        definition.deregistered_at = aws.now()
    return {"taskDefinition": document(aws, definition)}


@operation("ecs", "ListTaskDefinitions")
def list_definitions(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    prefix, status = call.parameters.get("familyPrefix"), call.parameters.get("status") or "ACTIVE"
    found = [
        definition.arn
        for family, revisions in sorted(aws.backend("ecs").task_definitions.items())
        for _, definition in sorted(revisions.items())
        if (prefix is None or family == prefix) and definition.status == status
    ]
    if call.parameters.get("sort") == "DESC":
        found.reverse()
    arns, token = page(found, call.parameters, 100)
    return {"taskDefinitionArns": arns, "nextToken": token}


@operation("ecs", "ListTaskDefinitionFamilies")
def list_families(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    prefix, status = call.parameters.get("familyPrefix") or "", call.parameters.get("status") or "ALL"
    found = [
        family
        for family, revisions in sorted(aws.backend("ecs").task_definitions.items())
        if family.startswith(prefix) and (status == "ALL" or _family_status(revisions) == status)
    ]
    families, token = page(found, call.parameters, 100)
    return {"families": families, "nextToken": token}


def _family_status(revisions: dict[int, Any]) -> str:
    return "ACTIVE" if any(item.status == "ACTIVE" for item in revisions.values()) else "INACTIVE"
