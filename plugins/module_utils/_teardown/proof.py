# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A fresh look at an item. None: it is gone. []: nothing uses it. Otherwise: who uses it, in words."""

from __future__ import annotations

import typing as t

from .._aws.clients import Clients
from .._aws.errors import ClientError, error_code
from .._elbv2 import silence
from .._elbv2.common import full_name
from .._system.other_clusters import groups_of
from .items import Item

Users = list[str] | None


def users(item: Item, clients: Clients, params: t.Mapping[str, t.Any]) -> Users:
    """Who uses it, apart from items that are deleted before it."""
    try:
        return LOOKS[item.kind](item.id, clients, params)
    except ClientError as error:
        if error_code(error) in GONE:
            return None
        raise


GONE = frozenset(
    [
        "ClusterNotFoundException",
        "ServiceNotFoundException",
        "LoadBalancerNotFound",
        "TargetGroupNotFound",
        "InvalidGroup.NotFound",
        "InvalidLaunchTemplateId.NotFound",
        "InvalidLaunchTemplateId.NotFoundException",
        "RepositoryNotFoundException",
        "ResourceNotFoundException",
    ],
)


def _alarm(name: str, clients: Clients, _params: t.Any) -> Users:
    return [] if clients("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"] else None


def cluster_of(service_arn: str) -> str:
    return service_arn.split("/")[1]


def _service(arn: str, clients: Clients, _params: t.Any) -> Users:
    found = clients("ecs").describe_services(cluster=cluster_of(arn), services=[arn])["services"]
    if not found or found[0]["status"] == "INACTIVE":
        return None
    service = found[0]
    return [f"{service['runningCount']} running of {service['desiredCount']} wanted task(s)"] if service["runningCount"] or service["desiredCount"] else []


def _cluster(arn: str, clients: Clients, _params: t.Any) -> Users:
    found = clients("ecs").describe_clusters(clusters=[arn])["clusters"]
    if not found or found[0]["status"] == "INACTIVE":
        return None
    cluster = found[0]
    services = [each["serviceArn"] for each in live_services(clients, arn)]
    counts = {"running task(s)": cluster["runningTasksCount"], "container instance(s)": cluster["registeredContainerInstancesCount"]}
    return [f"service {service}" for service in services] + [f"{count} {what}" for what, count in counts.items() if count]


def _capacity_provider(name: str, clients: Clients, _params: t.Any) -> Users:
    found = clients("ecs").describe_capacity_providers(capacityProviders=[name])["capacityProviders"]
    return [] if found and found[0].get("status") != "INACTIVE" else None


def _auto_scaling_group(name: str, clients: Clients, _params: t.Any) -> Users:
    found = clients("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not found:
        return None
    group = found[0]
    return [f"{len(group['Instances'])} instance(s), desired capacity {group['DesiredCapacity']}"] if group["Instances"] or group["DesiredCapacity"] else []


def _launch_template(identity: str, clients: Clients, _params: t.Any) -> Users:
    if not clients("ec2").describe_launch_templates(LaunchTemplateIds=[identity])["LaunchTemplates"]:
        return None
    return [f"Auto Scaling group {group['AutoScalingGroupName']}" for group in _groups(clients) if _template_id(group) == identity]


def _launch_configuration(name: str, clients: Clients, _params: t.Any) -> Users:
    if not clients("autoscaling").describe_launch_configurations(LaunchConfigurationNames=[name])["LaunchConfigurations"]:
        return None
    return [f"Auto Scaling group {group['AutoScalingGroupName']}" for group in _groups(clients) if group.get("LaunchConfigurationName") == name]


def _groups(clients: Clients) -> t.Iterator[dict[str, t.Any]]:
    for page in clients("autoscaling").get_paginator("describe_auto_scaling_groups").paginate():
        yield from page["AutoScalingGroups"]


def _template_id(group: t.Mapping[str, t.Any]) -> str | None:
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
    return t.cast("str | None", (group.get("LaunchTemplate") or mixed).get("LaunchTemplateId"))


def _load_balancer(arn: str, clients: Clients, params: t.Mapping[str, t.Any]) -> Users:
    """Nobody may have used it for the whole window, whatever the records say."""
    clients("elbv2").describe_load_balancers(LoadBalancerArns=[arn])
    reading = silence.read(params, clients, full_name(arn))
    return [f"{reading.requests} request(s) in the last {params['silence_seconds']:g} s"] if reading.requests > params["max_requests"] else []


def _target_group(arn: str, clients: Clients, _params: t.Any) -> Users:
    group = clients("elbv2").describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    targets = clients("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    alive = [each for each in targets if each["TargetHealth"]["State"] != "draining"]
    balancers = [f"load balancer {each}" for each in group["LoadBalancerArns"] if load_balancer_exists(each, clients)]
    return balancers + [f"service {service}" for service in _registrants(arn, clients)] + ([f"{len(alive)} target(s)"] if alive else [])


def _registrants(group: str, clients: Clients) -> t.Iterator[str]:
    """Services of any cluster that name the group. One that has no task now has no target either, and AWS has no call from a group to its services."""
    for page in clients("ecs").get_paginator("list_clusters").paginate():
        for cluster in page["clusterArns"]:
            yield from (service["serviceArn"] for service in live_services(clients, cluster) if group in groups_of(service))


def load_balancer_exists(load_balancer_arn: str, clients: Clients) -> bool:
    try:
        return bool(clients("elbv2").describe_load_balancers(LoadBalancerArns=[load_balancer_arn])["LoadBalancers"])
    except ClientError as error:
        if error_code(error) in GONE:
            return False
        raise


def rule_ids(key: str, clients: Clients) -> list[str]:
    """The ids of the ingress rules that an item names. Deleting by id is exact: no description or order has to match."""
    group, protocol, first, last, source = key.split("/")
    wanted = {"IpProtocol": protocol, "FromPort": int(first), "ToPort": int(last)}
    found: list[str] = []
    filters = [{"Name": "group-id", "Values": [group]}]
    for page in clients("ec2").get_paginator("describe_security_group_rules").paginate(Filters=filters):
        for rule in page["SecurityGroupRules"]:
            same = all(rule.get(name) == value for name, value in wanted.items() if protocol != "-1" or name == "IpProtocol")
            if same and not rule["IsEgress"] and rule.get("ReferencedGroupInfo", {}).get("GroupId") == source:
                found.append(rule["SecurityGroupRuleId"])
    return found


def _ingress_rule(key: str, clients: Clients, _params: t.Any) -> Users:
    return _interfaces(key.rpartition("/")[2], clients) if rule_ids(key, clients) else None


def _interfaces(group_id: str, clients: Clients) -> list[str]:
    """Network interfaces that carry a security group."""
    filters = [{"Name": "group-id", "Values": [group_id]}]
    found = [each for page in clients("ec2").get_paginator("describe_network_interfaces").paginate(Filters=filters) for each in page["NetworkInterfaces"]]
    return [f"network interface {each['NetworkInterfaceId']} ({each.get('Description') or 'no description'})" for each in found]


def _security_group(identity: str, clients: Clients, _params: t.Any) -> Users:
    clients("ec2").describe_security_groups(GroupIds=[identity])
    filters = [{"Name": "ip-permission.group-id", "Values": [identity]}]
    referring = clients("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    return _interfaces(identity, clients) + [f"a rule of security group {each['GroupId']}" for each in referring if each["GroupId"] != identity]


def _task_definition(family: str, clients: Clients, _params: t.Any) -> Users:
    """Deregistering never stops a task; the services that used the family are deleted before."""
    return [] if revisions(family, clients) else None


def revisions(family: str, clients: Clients) -> list[str]:
    """ARNs of the ACTIVE revisions of exactly this family."""
    found: list[str] = []
    for page in clients("ecs").get_paginator("list_task_definitions").paginate(familyPrefix=family, status="ACTIVE"):
        found += page["taskDefinitionArns"]
    return [arn for arn in found if arn.rpartition("/")[2].rpartition(":")[0] == family]


def _repository(arn: str, clients: Clients, params: t.Mapping[str, t.Any]) -> Users:
    """The target must not pull from it."""
    name = arn.partition(":repository/")[2] or arn
    repository = clients("ecr").describe_repositories(repositoryNames=[name])["repositories"][0]
    own = (repository["repositoryUri"] + ":", repository["repositoryUri"] + "@")
    mine = [f"container {container} of the target" for container, image in target_images(clients, params) if image.startswith(own)]
    return [*mine, *(f"service {each}" for each in others_that_run(Item("repository", arn, name), clients, params["target_cluster"]))]


def others_that_run(item: Item, clients: Clients, cluster: str) -> t.Iterator[str]:
    """ARNs of the services of other clusters that pull from a repository or write to a log group: systems of one account may share them.

    A service whose image is gone starts no task any more, and neither does one whose log group is gone. Other kinds give none.
    """
    uses = USES.get(item.kind)
    if uses is None:
        return
    for page in clients("ecs").get_paginator("list_clusters").paginate():
        for other in (arn for arn in page["clusterArns"] if cluster not in (arn, arn.rpartition("/")[2])):
            yield from (
                service["serviceArn"]
                for service in live_services(clients, other)
                if any(uses(item, container) for definition in _definitions(service) for container in _containers(definition, clients))
            )


def _definitions(service: t.Mapping[str, t.Any]) -> set[str]:
    """A service that deploys by CodeDeploy or a controller of its own has them in its task sets."""
    parts = [service, *(service.get("deployments") or []), *(service.get("taskSets") or [])]
    return {str(part["taskDefinition"]) for part in parts if part.get("taskDefinition")}


def _containers(definition: str, clients: Clients) -> list[dict[str, t.Any]]:
    try:
        return list(clients("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]["containerDefinitions"])
    except ClientError as error:
        if error_code(error) == "ClientException":  # deleted: no task can start from it
            return []
        raise


def _pulls(item: Item, container: t.Mapping[str, t.Any]) -> bool:
    account, name = item.id.split(":")[4], item.id.partition(":repository/")[2]
    host, _slash, rest = str(container.get("image")).partition("/")
    return host.startswith(f"{account}.dkr.ecr") and rest.partition("@")[0].partition(":")[0] == name


def _logs(item: Item, container: t.Mapping[str, t.Any]) -> bool:
    return ((container.get("logConfiguration") or {}).get("options") or {}).get("awslogs-group") == item.id


USES: dict[str, t.Callable[[Item, t.Mapping[str, t.Any]], bool]] = {"repository": _pulls, "log_group": _logs}


def live_services(clients: Clients, cluster: str) -> t.Iterator[dict[str, t.Any]]:
    """With their tags. Raises ClusterNotFoundException."""
    for page in clients("ecs").get_paginator("list_services").paginate(cluster=cluster, PaginationConfig={"PageSize": 10}):
        if page["serviceArns"]:
            found = clients("ecs").describe_services(cluster=cluster, services=page["serviceArns"], include=["TAGS"])["services"]
            yield from (service for service in found if service["status"] != "INACTIVE")


def target_images(clients: Clients, params: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str]]:
    """Container names and images of the task definitions that the target's services run."""
    for service in live_services(clients, params["target_cluster"]):
        definition = clients("ecs").describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        yield from ((container["name"], container["image"]) for container in definition["containerDefinitions"])


def _log_group(name: str, clients: Clients, params: t.Mapping[str, t.Any]) -> Users:
    groups = clients("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    if not any(each["logGroupName"] == name for each in groups):
        return None
    return [f"service {each}" for each in others_that_run(Item("log_group", name, name), clients, params["target_cluster"])]


LOOKS: dict[str, t.Callable[[str, Clients, t.Any], Users]] = {
    "alarm": _alarm,
    "service": _service,
    "cluster": _cluster,
    "capacity_provider": _capacity_provider,
    "auto_scaling_group": _auto_scaling_group,
    "launch_template": _launch_template,
    "launch_configuration": _launch_configuration,
    "load_balancer": _load_balancer,
    "target_group": _target_group,
    "ingress_rule": _ingress_rule,
    "security_group": _security_group,
    "task_definition": _task_definition,
    "repository": _repository,
    "log_group": _log_group,
}
