"""ECS services: desired state only. Tasks, counts, events and rollout states are a reconciler's, on moto's Service object:

``running_count``, ``pending_count``  integers
``events``                            list of {"id", "createdAt", "message"}, newest first (``add_event``)
``deployments``                       list of DescribeServices' deployments, the PRIMARY first: set runningCount, pendingCount, failedTasks,
                                      rolloutState, rolloutStateReason, updatedAt; remove an ACTIVE one when its last task is gone
``status``                            ACTIVE|DRAINING|INACTIVE: set INACTIVE when the last task of a DRAINING service is gone (``retire``)
``configuration``                     what CreateService/UpdateService were given and moto has no attribute for (read it)
"""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random

from lab.aws.errors import AwsError
from lab.aws.operations import ecs_connect, ecs_definitions
from lab.aws.protocol import ApiCall, operation_model
from lab.aws.registry import operation, page
from lab.aws.tasks import FARGATE_PLATFORM

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

# Members of DescribeServices that are kept and returned as they were given.
KEPT = (
    *("deploymentConfiguration", "healthCheckGracePeriodSeconds", "enableExecuteCommand", "enableECSManagedTags", "capacityProviderStrategy"),
    *("availabilityZoneRebalancing", "placementConstraints", "placementStrategy", "serviceConnectConfiguration"),
    *("volumeConfigurations", "vpcLatticeConfigurations"),
)
# Members that DescribeServices shows in the deployments only.
DEPLOYED = ("volumeConfigurations", "vpcLatticeConfigurations")
MOST_EVENTS = 100


# -- look-ups ---------------------------------------------------------------------------------------------------------------------------------


def cluster_name(parameters: dict[str, Any]) -> str:
    return str(parameters.get("cluster") or "default").rsplit("/", 1)[-1]


def find_cluster(aws: AwsServer, parameters: dict[str, Any]) -> Any:
    """moto's cluster of a call that needs one which is alive."""
    cluster = aws.backend("ecs").clusters.get(cluster_name(parameters))
    if cluster is None:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return cluster


def find_service(aws: AwsServer, cluster: Any, name: str) -> Any | None:
    return aws.backend("ecs").services.get(f"{cluster.name}:{name.rsplit('/', 1)[-1]}")


def live_service(aws: AwsServer, parameters: dict[str, Any]) -> Any:
    """The service that a call changes. Raises AwsError when there is none, or none that is alive."""
    service = find_service(aws, find_cluster(aws, parameters), parameters["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    return service


def services_of(aws: AwsServer, cluster: Any) -> list[Any]:
    """The cluster's services that are not INACTIVE."""
    return [item for item in aws.backend("ecs").services.values() if item.cluster_name == cluster.name and item.status != "INACTIVE"]


def tasks_of(aws: AwsServer, service: Any) -> list[Any]:
    """The service's tasks that have not stopped."""
    tasks = aws.backend("ecs").tasks.get(service.cluster_name, {}).values()
    return [task for task in list(tasks) if task.service_name == service.name and task.last_status != "STOPPED"]


# -- what a reconciler calls ------------------------------------------------------------------------------------------------------------------


def add_event(aws: AwsServer, service: Any, message: str) -> None:
    """``(service NAME) MESSAGE`` as the newest of the last 100 events."""
    service.events.insert(0, {"id": str(uuid.uuid4()), "createdAt": aws.now(), "message": f"(service {service.name}) {message}"})
    del service.events[MOST_EVENTS:]


def retire(service: Any) -> None:
    """A DRAINING service whose last task is gone."""
    service.status, service.deployments, service.running_count, service.pending_count = "INACTIVE", [], 0, 0


def deploy(aws: AwsServer, service: Any, desired: int | None = None) -> dict[str, Any]:
    """A new PRIMARY deployment of the service's present settings; the one before stays ACTIVE until its tasks are gone."""
    for deployment in service.deployments:
        deployment["status"] = "ACTIVE"
    fresh = _deployment(aws, service, service.desired_count if desired is None else desired)
    service.deployments.insert(0, fresh)
    return fresh


def _deployment(aws: AwsServer, service: Any, desired: int) -> dict[str, Any]:
    identity = f"ecs-svc/{mock_random.randint(10**18, 10**19 - 1)}"
    now = aws.now()
    fargate = runs_on_fargate(service)
    shown = {
        "id": identity,
        "status": "PRIMARY",
        "taskDefinition": service.task_definition,
        "desiredCount": desired,
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": now,
        "updatedAt": now,
        "launchType": None if service.configuration.get("capacityProviderStrategy") else service.launch_type,
        "capacityProviderStrategy": service.configuration.get("capacityProviderStrategy"),
        "platformVersion": FARGATE_PLATFORM if fargate else None,
        "platformFamily": "Linux" if fargate else None,
        "networkConfiguration": copy.deepcopy(service.network_configuration) or None,
        **ecs_connect.shown(aws, service),
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {identity} in progress.",
        **{name: copy.deepcopy(service.configuration.get(name)) or None for name in DEPLOYED},
    }
    return {key: value for key, value in shown.items() if value is not None}


def runs_on_fargate(service: Any) -> bool:
    strategy = service.configuration.get("capacityProviderStrategy") or []
    return service.launch_type == "FARGATE" or any(item["capacityProvider"].startswith("FARGATE") for item in strategy)


# -- documents --------------------------------------------------------------------------------------------------------------------------------


def document(service: Any, include_tags: bool = False) -> dict[str, Any]:
    """The service as DescribeServices shows it."""
    shown = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "loadBalancers": service.load_balancers,
        "serviceRegistries": service.service_registries,
        "status": service.status,
        "desiredCount": service.desired_count,
        "runningCount": service.running_count,
        "pendingCount": service.pending_count,
        "launchType": None if service.configuration.get("capacityProviderStrategy") else service.launch_type,
        "platformVersion": (service.platform_version or "LATEST") if runs_on_fargate(service) else None,
        "platformFamily": "Linux" if runs_on_fargate(service) else None,
        "taskDefinition": service.task_definition,
        "deployments": service.deployments,
        "roleArn": service.role_arn,
        "events": service.events,
        "createdAt": service.created_at,
        "networkConfiguration": service.network_configuration or None,
        "schedulingStrategy": service.scheduling_strategy,
        "deploymentController": service.deployment_controller,
        "createdBy": service.created_by,
        "propagateTags": service.propagate_tags,
        "tags": service.tags if include_tags and service.tags else None,
        **{name: service.configuration.get(name) for name in KEPT},
    }
    known = operation_model("ecs", "DescribeServices").output_shape.members["services"].member.members
    return {key: value for key, value in shown.items() if value is not None and key in known}


def _defaults(parameters: dict[str, Any]) -> dict[str, Any]:
    """What CreateService fills in (CreateServiceRequest in botocore's model)."""
    daemon = parameters.get("schedulingStrategy") == "DAEMON"
    rolling = {"maximumPercent": 100, "minimumHealthyPercent": 0} if daemon else {"maximumPercent": 200, "minimumHealthyPercent": 100}
    breaker = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
    grace = {"healthCheckGracePeriodSeconds": 0} if parameters.get("loadBalancers") else {}
    return {
        "deploymentConfiguration": {**breaker, **rolling, "strategy": "ROLLING", "bakeTimeInMinutes": 0, **(parameters.get("deploymentConfiguration") or {})},
        "enableExecuteCommand": False,
        "enableECSManagedTags": False,
        "availabilityZoneRebalancing": "DISABLED" if daemon else "ENABLED",
        "placementConstraints": [],
        "placementStrategy": [],
        **grace,
    }


def with_volume_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """[B ServiceManagedEBSVolumeConfiguration.filesystemType] xfs when none is given."""
    if not given.get("volumeConfigurations"):
        return given
    filled = [
        {**item, "managedEBSVolume": {"filesystemType": "xfs", **item["managedEBSVolume"]}} if item.get("managedEBSVolume") else item
        for item in given["volumeConfigurations"]
    ]
    return {**given, "volumeConfigurations": filled}


def _network(given: dict[str, Any] | None) -> dict[str, Any]:
    if not given:
        return {}
    return {"awsvpcConfiguration": {"assignPublicIp": "DISABLED", "securityGroups": [], **given["awsvpcConfiguration"]}}


# -- operations -------------------------------------------------------------------------------------------------------------------------------


@operation("ecs", "CreateService")
def create(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    given = call.parameters
    backend, cluster = aws.backend("ecs"), find_cluster(aws, given)
    existing = find_service(aws, cluster, given["serviceName"])
    if existing is not None and existing.status == "ACTIVE" and given.get("clientToken") and existing.client_token == given["clientToken"]:
        return {"service": document(existing, include_tags=True)}
    strategy = given.get("capacityProviderStrategy") or (None if given.get("launchType") else cluster.default_capacity_provider_strategy)
    service = backend.create_service(
        cluster.name,
        given["serviceName"],
        given.get("desiredCount"),
        ecs_definitions.find(aws, given["taskDefinition"]).arn,
        given.get("loadBalancers"),
        given.get("schedulingStrategy"),
        given.get("tags"),
        given.get("deploymentController"),
        "FARGATE" if strategy else given.get("launchType"),
        service_registries=given.get("serviceRegistries"),
        platform_version=given.get("platformVersion"),
        propagate_tags=given.get("propagateTags") or "NONE",
        network_configuration=_network(given.get("networkConfiguration")) or None,
        role_arn=_role(aws, given),
    )
    given = with_volume_defaults(given)
    service.configuration = _defaults(given) | {name: given[name] for name in KEPT if name in given and name != "deploymentConfiguration"}
    service.configuration[ecs_connect.MEMBER] = ecs_connect.complete(cluster, given.get(ecs_connect.MEMBER))
    if strategy:
        service.configuration["capacityProviderStrategy"] = strategy
        service.launch_type = None
    service.client_token, service.created_at, service.created_by = given.get("clientToken"), aws.now(), f"arn:aws:iam::{aws.account}:role/lab"
    service.running_count = service.pending_count = 0
    service.deployments, service.events = [], []
    deploy(aws, service)
    return {"service": document(service, include_tags=True)}


def _role(aws: AwsServer, given: dict[str, Any]) -> str | None:
    """A service behind a load balancer gets the service-linked role when none is named."""
    if given.get("role"):
        return str(given["role"])
    linked = f"arn:aws:iam::{aws.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    return linked if given.get("loadBalancers") or given.get("networkConfiguration") else None


@operation("ecs", "UpdateService")
def update(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    given = dict(call.parameters)
    service = live_service(aws, given)
    given[ecs_connect.MEMBER] = ecs_connect.complete(find_cluster(aws, given), given.get(ecs_connect.MEMBER))
    before = _deployed(service)
    if given.get("taskDefinition"):
        service.task_definition = ecs_definitions.find(aws, given["taskDefinition"]).arn
    if given.get("networkConfiguration"):
        service.network_configuration = _network(given["networkConfiguration"])
    for member, attribute in (("platformVersion", "platform_version"), ("loadBalancers", "load_balancers"), ("serviceRegistries", "service_registries")):
        if given.get(member) is not None:
            setattr(service, attribute, given[member])
    if given.get("propagateTags"):
        service.propagate_tags = given["propagateTags"]
    _keep(service, given)
    if given.get("desiredCount") is not None:
        service.desired_count = given["desiredCount"]
        for deployment in service.deployments[:1]:
            deployment.update(desiredCount=service.desired_count, updatedAt=aws.now())
    if given.get("forceNewDeployment") or _deployed(service) != before:
        deploy(aws, service)
    return {"service": document(service, include_tags=True)}


def _keep(service: Any, given: dict[str, Any]) -> None:
    given = with_volume_defaults(given)
    for name in KEPT:
        if given.get(name) is not None:
            merged = {**service.configuration.get(name, {}), **given[name]} if name == "deploymentConfiguration" else given[name]
            service.configuration[name] = merged
    if given.get("capacityProviderStrategy"):
        service.launch_type = None


def _deployed(service: Any) -> Any:
    """The settings whose change makes a new deployment."""
    configured = [service.configuration.get(name) for name in ("serviceConnectConfiguration", *DEPLOYED)]
    return copy.deepcopy(
        (service.task_definition, service.network_configuration, service.platform_version, service.load_balancers, service.service_registries, configured)
    )


@operation("ecs", "DeleteService")
def delete(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """DRAINING while tasks are left, INACTIVE after."""
    service = live_service(aws, call.parameters)
    service.status, service.desired_count = "DRAINING", 0
    for deployment in service.deployments:
        deployment["desiredCount"] = 0
    if not tasks_of(aws, service):
        retire(service)
    return {"service": document(service, include_tags=True)}


@operation("ecs", "DescribeServices")
def describe(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    cluster = find_cluster(aws, call.parameters)
    include = "TAGS" in call.parameters.get("include", [])
    found, failures = [], []
    for name in call.parameters["services"]:
        service = find_service(aws, cluster, name)
        if service is None:
            arn = name if name.startswith("arn:") else f"arn:aws:ecs:{aws.region}:{aws.account}:service/{cluster.name}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(document(service, include))
    return {"services": found, "failures": failures}


@operation("ecs", "ListServices")
def list_services(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    arns = [
        service.arn
        for service in services_of(aws, find_cluster(aws, wanted))
        if wanted.get("launchType") in (None, service.launch_type) and wanted.get("schedulingStrategy") in (None, service.scheduling_strategy)
    ]
    shown, token = page(sorted(arns), wanted, 10)
    return {"serviceArns": shown, "nextToken": token}
