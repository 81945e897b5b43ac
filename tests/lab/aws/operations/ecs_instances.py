"""Container instances: counts that follow the tasks. They are moto's objects in ``backend("ecs").container_instances[cluster][id]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.operations.ecs_services import find_cluster
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation, page

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")


def instances_of(aws: AwsServer, cluster: Any) -> dict[str, Any]:
    return dict(aws.backend("ecs").container_instances.get(cluster.name, {}))


def document(aws: AwsServer, cluster: Any, instance: Any) -> dict[str, Any]:
    """The instance as DescribeContainerInstances shows it."""
    tasks = aws.backend("ecs").tasks.get(cluster.name, {}).values()
    own = [task.last_status for task in list(tasks) if task.container_instance_arn == instance.container_instance_arn]
    return {
        "containerInstanceArn": instance.container_instance_arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "status": instance.status,
        "agentConnected": instance.agent_connected,
        "runningTasksCount": own.count("RUNNING"),
        "pendingTasksCount": sum(status in STARTING for status in own),
        "registeredResources": instance.registered_resources,
        "remainingResources": instance.remaining_resources,
        "versionInfo": instance.version_info,
        "attributes": [{"name": name, "value": value} for name, value in instance.attributes.items() if value is not None],
        "registeredAt": instance.registered_at,
        "attachments": [],
        "tags": [],
        "version": 1,
    }


@operation("ecs", "ListContainerInstances")
def list_instances(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters.get("status")
    known = instances_of(aws, find_cluster(aws, call.parameters)).values()
    arns = sorted(item.container_instance_arn for item in known if wanted in (None, item.status))
    shown, token = page(arns, call.parameters, 100)
    return {"containerInstanceArns": shown, "nextToken": token}


@operation("ecs", "DescribeContainerInstances")
def describe_instances(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    cluster = find_cluster(aws, call.parameters)
    known = instances_of(aws, cluster)
    found, failures = [], []
    for name in call.parameters["containerInstances"]:
        instance = known.get(name.rsplit("/", 1)[-1])
        if instance is None:
            arn = name if name.startswith("arn:") else f"arn:aws:ecs:{aws.region}:{aws.account}:container-instance/{cluster.name}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(document(aws, cluster, instance))
    return {"containerInstances": found, "failures": failures}
