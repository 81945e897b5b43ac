"""ECS tasks by the API: found by every filter, never moved by being looked at. What they do is a reconciler's (``lab.aws.tasks``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws import tasks
from lab.aws.errors import AwsError
from lab.aws.operations import ecs_definitions
from lab.aws.operations.ecs_services import find_cluster
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation, page

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


def tasks_in(aws: AwsServer, cluster: Any) -> list[tasks.EcsTask]:
    return list(aws.backend("ecs").tasks.get(cluster.name, {}).values())


@operation("ecs", "ListTasks")
def list_tasks(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Filters combine; desiredStatus is RUNNING unless asked otherwise."""
    wanted = call.parameters
    instance = (wanted.get("containerInstance") or "").rsplit("/", 1)[-1]
    service = (wanted.get("serviceName") or "").rsplit("/", 1)[-1]
    found = [
        task.task_arn
        for task in tasks_in(aws, find_cluster(aws, wanted))
        if task.desired_status == (wanted.get("desiredStatus") or "RUNNING")
        and (not service or task.service_name == service)
        and (not instance or (task.container_instance_arn or "").endswith(f"/{instance}"))
        and wanted.get("family") in (None, task.task_definition_arn.rsplit("/", 1)[-1].partition(":")[0])
        and wanted.get("startedBy") in (None, task.started_by)
        and wanted.get("launchType") in (None, task.launch_type)
    ]
    arns, token = page(found, wanted, 100)
    return {"taskArns": arns, "nextToken": token}


@operation("ecs", "DescribeTasks")
def describe(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    cluster = find_cluster(aws, call.parameters)
    known = {task.id: task for task in tasks_in(aws, cluster)}
    include = "TAGS" in call.parameters.get("include", [])
    found, failures = [], []
    for name in call.parameters["tasks"]:
        task = known.get(name.rsplit("/", 1)[-1])
        if task is None:
            arn = name if name.startswith("arn:") else f"arn:aws:ecs:{aws.region}:{aws.account}:task/{cluster.name}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(tasks.document(task, include))
    return {"tasks": found, "failures": failures}


@operation("ecs", "RunTask")
def run(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Tasks in PROVISIONING; a reconciler places and starts them."""
    given = call.parameters
    cluster, definition = find_cluster(aws, given), ecs_definitions.find(aws, given["taskDefinition"])
    strategy = given.get("capacityProviderStrategy") or (None if given.get("launchType") else cluster.default_capacity_provider_strategy)
    launch = tasks.Launch(
        given.get("group") or f"family:{definition.family}",
        given.get("startedBy") or "",
        given.get("launchType"),
        strategy[0]["capacityProvider"] if strategy else None,
        given.get("networkConfiguration"),
        overrides=given.get("overrides"),
        tags=given.get("tags") or (),
        enable_execute_command=bool(given.get("enableExecuteCommand")),
    )
    started = [tasks.create(aws, cluster, definition, launch) for _ in range(given.get("count") or 1)]
    return {"tasks": [tasks.document(task, include_tags=True) for task in started], "failures": []}


@operation("ecs", "StopTask")
def stop(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Desired status STOPPED: a reconciler stops the containers."""
    name = call.parameters["task"].rsplit("/", 1)[-1]
    task = next((item for item in tasks_in(aws, find_cluster(aws, call.parameters)) if item.id == name), None)
    if task is None:
        raise AwsError("InvalidParameterException", "The referenced task was not found.")
    if task.desired_status != "STOPPED":
        task.desired_status, task.stop_code = "STOPPED", "UserInitiated"
        task.stopped_reason = call.parameters.get("reason") or "Task stopped by user"
    return {"task": tasks.document(task)}
