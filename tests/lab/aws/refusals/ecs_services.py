"""What CreateService, UpdateService, DeleteService, RunTask and the cluster calls reject."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.operations.ecs_definitions import find as find_definition
from lab.aws.operations.ecs_services import cluster_name, find_cluster, find_service, live_service, services_of
from lab.aws.protocol import ApiCall
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
MOST_SERVICES = 10
MOST_TASKS = 100


def reject(message: str, code: str = "InvalidParameterException") -> AwsError:
    return AwsError(code, message)


def on_fargate(parameters: dict[str, Any]) -> bool:
    providers = [item["capacityProvider"] for item in parameters.get("capacityProviderStrategy") or []]
    return parameters.get("launchType") == "FARGATE" or any(name in FARGATE_PROVIDERS for name in providers)


# -- where the tasks run ----------------------------------------------------------------------------------------------------------------------


@refuse("ecs", "CreateService", "UpdateService", "RunTask")
def live_cluster(aws: AwsServer, call: ApiCall) -> None:
    """[M] an INACTIVE cluster takes nothing."""
    cluster = find_cluster(aws, call.parameters)
    if cluster.status != "ACTIVE":
        raise reject("The referenced cluster was inactive.", "ClusterNotFoundException")


@refuse("ecs", "CreateService", "RunTask")
def one_launch(aws: AwsServer, call: ApiCall) -> None:
    """[M] a launch type or a strategy, not both."""
    if call.parameters.get("launchType") and call.parameters.get("capacityProviderStrategy"):
        raise reject("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")


@refuse("ecs", "CreateService", "UpdateService", "RunTask")
def known_providers(aws: AwsServer, call: ApiCall) -> None:
    """[M] a strategy names providers of the cluster."""
    cluster = find_cluster(aws, call.parameters)
    for item in call.parameters.get("capacityProviderStrategy") or []:
        if item["capacityProvider"] not in (cluster.capacity_providers or []):
            raise reject(f"The specified capacity provider '{item['capacityProvider']}' is not associated with the cluster '{cluster.name}'.")


@refuse("ecs", "CreateService", "RunTask")
def platform_version(aws: AwsServer, call: ApiCall) -> None:
    """[M] only Fargate has platform versions."""
    if call.parameters.get("platformVersion") and not on_fargate(call.parameters):
        raise reject("The platform version must be null when specifying an EC2 launch type.")


@refuse("ecs", "CreateService", "RunTask")
def placement(aws: AwsServer, call: ApiCall) -> None:
    """[M] Fargate places by itself."""
    if on_fargate(call.parameters):
        for member, words in (("placementConstraints", "constraints"), ("placementStrategy", "strategies")):
            if call.parameters.get(member):
                raise reject(f"Placement {words} are not supported with FARGATE launch type.")


@refuse("ecs", "CreateService")
def scheduling(aws: AwsServer, call: ApiCall) -> None:
    """[M] no daemons on Fargate."""
    if on_fargate(call.parameters) and call.parameters.get("schedulingStrategy") == "DAEMON":
        raise reject("The daemon scheduling strategy is not supported for services with FARGATE launch type.")


# -- what runs --------------------------------------------------------------------------------------------------------------------------------


@refuse("ecs", "CreateService", "UpdateService", "RunTask")
def usable_definition(aws: AwsServer, call: ApiCall) -> None:
    """[M] an ACTIVE revision that was validated for the launch type."""
    name = call.parameters.get("taskDefinition")
    if not name:
        return
    try:
        definition = find_definition(aws, name)
    except AwsError:
        raise reject("TaskDefinition not found.", "ClientException") from None
    if definition.status != "ACTIVE":
        raise reject("TaskDefinition is inactive", "ClientException")
    if _fargate(aws, call) and "FARGATE" not in definition.compatibilities:
        raise reject("Task definition does not support launch_type FARGATE.")


def _fargate(aws: AwsServer, call: ApiCall) -> bool:
    if call.operation != "UpdateService":
        return on_fargate(call.parameters)
    return bool(live_service(aws, call.parameters).launch_type == "FARGATE")


@refuse("ecs", "CreateService", "UpdateService", "RunTask")
def network_configuration(aws: AwsServer, call: ApiCall) -> None:
    """[M] required with awsvpc, not allowed with any other mode."""
    definition, given = effective(aws, call)
    if definition is None:
        return
    if definition.network_mode == "awsvpc" and not given:
        raise reject("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if definition.network_mode != "awsvpc" and given:
        raise reject("Network Configuration is not valid for the given networkMode of this task definition.")


def effective(aws: AwsServer, call: ApiCall) -> tuple[Any, Any]:
    """(task definition, network configuration) that the call would leave in force."""
    given = call.parameters
    name, network = given.get("taskDefinition"), given.get("networkConfiguration")
    if call.operation == "UpdateService":
        service = live_service(aws, given)
        name, network = name or service.task_definition, network or service.network_configuration
    return (find_definition(aws, name) if name else None), network


@refuse("ecs", "CreateService", "UpdateService", "RunTask")
def network_members(aws: AwsServer, call: ApiCall) -> None:
    """[M] existing subnets and groups of one VPC; at most 16 and 5; a public address only on Fargate."""
    vpc = (call.parameters.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if not vpc:
        return
    if not vpc.get("subnets"):
        raise reject("subnets can not be empty.")
    for member, most in (("subnets", 16), ("securityGroups", 5)):
        if len(vpc.get(member) or []) > most:
            raise reject(f"{member} can have at most {most} items.")
    subnets = [_subnet(aws, name) for name in vpc["subnets"]]
    groups = [_group(aws, name) for name in vpc.get("securityGroups") or []]
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise reject("Subnets must be in the same VPC.")
    if any(group.vpc_id != subnets[0].vpc_id for group in groups):
        raise reject("Security groups and subnets must be in the same VPC.")
    if vpc.get("assignPublicIp") == "ENABLED" and not _fargate(aws, call):
        raise reject("Assign public IP is not supported for this launch type.")


def _subnet(aws: AwsServer, name: str) -> Any:
    found = next((subnets[name] for subnets in aws.backend("ec2").subnets.values() if name in subnets), None)
    if found is None:
        code = "InvalidSubnetID.NotFound"
        raise reject(f"Error retrieving subnet information for [{name}]: The subnet ID '{name}' does not exist (ErrorCode: {code})")
    return found


def _group(aws: AwsServer, name: str) -> Any:
    found = aws.backend("ec2").get_security_group_from_id(name)
    if found is None:
        code = "InvalidGroup.NotFound"
        raise reject(f"Error retrieving security group information for [{name}]: The security group '{name}' does not exist (ErrorCode: {code})")
    return found


@refuse("ecs", "RunTask")
def somewhere_to_run(aws: AwsServer, call: ApiCall) -> None:
    """[M] a task on EC2 needs an instance in the cluster."""
    cluster = find_cluster(aws, call.parameters)
    strategy = call.parameters.get("capacityProviderStrategy") or cluster.default_capacity_provider_strategy
    if not on_fargate(call.parameters) and not strategy and not aws.backend("ecs").container_instances.get(cluster.name):
        raise reject("No Container Instances were found in your cluster.")


# -- what sends traffic to it -----------------------------------------------------------------------------------------------------------------


@refuse("ecs", "CreateService", "UpdateService")
def load_balancers(aws: AwsServer, call: ApiCall) -> None:
    """[M] each names a container and port of the definition, and a target group that a listener uses, of the fitting type."""
    given = call.parameters.get("loadBalancers")
    definition, _ = effective(aws, call)
    for item in given or []:
        container_port(definition, item)
        if item.get("loadBalancerName"):
            raise reject("Services with tasks that use the awsvpc network mode only support Application and Network Load Balancers.")
        _target_group(aws, definition, item["targetGroupArn"])


def container_port(definition: Any, item: dict[str, Any]) -> None:
    name, port = item.get("containerName"), item.get("containerPort")
    container = next((found for found in definition.container_definitions if found["name"] == name), None)
    if container is None:
        raise reject(f"The container {name} does not exist in the task definition.")
    if port not in [mapping.get("containerPort") for mapping in container["portMappings"]]:
        raise reject(f"The container {name} did not have a container port {port} defined.")


def _target_group(aws: AwsServer, definition: Any, arn: str) -> None:
    group = aws.backend("elbv2").target_groups.get(arn)
    if group is None:
        raise reject(f"The specified target group does not exist. (targetGroupArn {arn})")
    if not group.load_balancer_arns:
        raise reject(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
    wanted = "ip" if definition.network_mode == "awsvpc" else "instance"
    if group.target_type != wanted:
        raise reject(
            f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the {definition.network_mode} "
            "network mode specified in the task definition."
        )


@refuse("ecs", "CreateService")
def service_role(aws: AwsServer, call: ApiCall) -> None:
    """[M] awsvpc uses the service-linked role."""
    definition, _ = effective(aws, call)
    if call.parameters.get("role") and definition is not None and definition.network_mode == "awsvpc":
        raise reject("You cannot specify an IAM role for services that require a service linked role.")


@refuse("ecs", "CreateService", "UpdateService")
def grace_period(aws: AwsServer, call: ApiCall) -> None:
    """[M] a grace period needs a load balancer. [B CreateServiceRequest.healthCheckGracePeriodSeconds] or VPC Lattice."""
    given = call.parameters.get("loadBalancers") or call.parameters.get("vpcLatticeConfigurations")
    if call.operation == "UpdateService" and given is None:
        service = live_service(aws, call.parameters)
        given = service.load_balancers or service.configuration.get("vpcLatticeConfigurations")
    if call.parameters.get("healthCheckGracePeriodSeconds") is not None and not given:
        raise reject("Health check grace period is only valid for services configured to use load balancers")


# -- names ------------------------------------------------------------------------------------------------------------------------------------


@refuse("ecs", "CreateService")
def service_name(aws: AwsServer, call: ApiCall) -> None:
    """[M] valid, and free in the cluster: a call with another token or other settings is not idempotent."""
    name = call.parameters["serviceName"]
    if not NAME.fullmatch(name):
        raise reject("Service name contains invalid characters or is too long (1 to 255 letters, numbers, hyphens, underscores).")
    existing = find_service(aws, find_cluster(aws, call.parameters), name)
    if existing is None or existing.status == "INACTIVE":
        return
    if existing.status == "DRAINING":
        raise reject("Unable to Start a service that is still Draining.")
    token = call.parameters.get("clientToken")
    if not token or token != existing.client_token:
        raise reject("Creation of service was not idempotent.")


@refuse("ecs", "CreateCluster")
def cluster_name_valid(aws: AwsServer, call: ApiCall) -> None:
    """[B CreateClusterRequest.clusterName] up to 255 letters, numbers, hyphens, underscores."""
    if not NAME.fullmatch(cluster_name({"cluster": call.parameters.get("clusterName")})):
        raise reject("Cluster name contains invalid characters or is too long (1 to 255 letters, numbers, hyphens, underscores).")


# -- deletions and bulk reads -----------------------------------------------------------------------------------------------------------------


@refuse("ecs", "DeleteService")
def scaled_down(aws: AwsServer, call: ApiCall) -> None:
    """[M] desired count 0 first, or force."""
    service = live_service(aws, call.parameters)
    if service.desired_count > 0 and not call.parameters.get("force"):
        raise reject("The service cannot be stopped while it is scaled above 0.")


@refuse("ecs", "DeleteCluster")
def empty_cluster(aws: AwsServer, call: ApiCall) -> None:
    """[M] no services, container instances or tasks."""
    cluster = find_cluster(aws, call.parameters)
    if services_of(aws, cluster):
        raise reject("The Cluster cannot be deleted while Services are active.", "ClusterContainsServicesException")
    if aws.backend("ecs").container_instances.get(cluster.name):
        message = "The Cluster cannot be deleted while Container Instances are active or draining."
        raise reject(message, "ClusterContainsContainerInstancesException")
    if any(task.last_status != "STOPPED" for task in aws.backend("ecs").tasks.get(cluster.name, {}).values()):
        raise reject("The Cluster cannot be deleted while Tasks are active.", "ClusterContainsTasksException")


@refuse("ecs", "DescribeServices", "DescribeTasks")
def bulk(aws: AwsServer, call: ApiCall) -> None:
    """[B DescribeServicesRequest.services, DescribeTasksRequest.tasks] at most 10 services and 100 tasks a call, and not none."""
    member, most = ("services", MOST_SERVICES) if call.operation == "DescribeServices" else ("tasks", MOST_TASKS)
    count = len(call.parameters.get(member) or [])
    if not count:
        raise reject(f"{member.capitalize()} cannot be empty.")
    if count > most:
        raise reject(f"{member.capitalize()} cannot have more than {most} items.")
