# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The calls that delete an item. Order and proof are decided elsewhere."""

from __future__ import annotations

import typing as t

from .._aws.apply import Call
from .._aws.clients import Clients
from . import proof
from .items import Item

# Refusals that pass once AWS has noticed that what used the item is gone.
SETTLING = {
    "cluster": (("ClusterContainsServicesException", ""), ("ClusterContainsTasksException", ""), ("UpdateInProgressException", "")),
    "capacity_provider": (("ClientException", "in use"),),
    "auto_scaling_group": (("ScalingActivityInProgress", ""), ("ResourceInUse", "")),
    "target_group": (("ResourceInUse", ""),),
    "security_group": (("DependencyViolation", ""),),
}


def calls(item: Item, clients: Clients) -> list[Call]:
    """Each kind has its own; a kind without a function here cannot be deleted."""
    return [_call(item, service, operation, params) for service, operation, params in DELETES[item.kind](item.id, clients)]


Operation = t.Tuple[str, str, t.Dict[str, t.Any]]


def _call(item: Item, service: str, operation: str, params: t.Mapping[str, t.Any]) -> Call:
    verb = {"deregister_task_definition": "deregister", "revoke_security_group_ingress": "revoke"}.get(operation, "delete")
    what = f"task definition {params['taskDefinition'].rpartition('/')[2]}" if operation == "deregister_task_definition" else str(item)
    if operation == "deregister_scalable_target":
        verb, what = "end", f"the auto scaling of {item}"
    if operation == "modify_load_balancer_attributes":
        verb, what = "lift", f"the deletion protection of {item}"
    return Call(f"{verb} {what}", service, operation, params, again=SETTLING.get(item.kind, ()))


def _service(arn: str, clients: Clients) -> list[Operation]:
    """Its scalable target goes first, with its policies and their alarms: Application Auto Scaling must not find a service gone."""
    cluster, name = proof.cluster_of(arn), arn.rpartition("/")[2]
    resource = {"ServiceNamespace": "ecs", "ResourceIds": [f"service/{cluster}/{name}"]}
    targets = clients("application-autoscaling").describe_scalable_targets(**resource)["ScalableTargets"]
    named = [{key: target[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")} for target in targets]
    scaling: list[Operation] = [("application-autoscaling", "deregister_scalable_target", params) for params in named]
    return [*scaling, ("ecs", "delete_service", {"cluster": cluster, "service": arn})]


def _load_balancer(arn: str, clients: Clients) -> list[Operation]:
    """Listeners go with it. A protected one must be released first: the confirmation covers that."""
    attributes = {each["Key"]: each["Value"] for each in clients("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    unprotect = {"LoadBalancerArn": arn, "Attributes": [{"Key": "deletion_protection.enabled", "Value": "false"}]}
    before: list[Operation] = [("elbv2", "modify_load_balancer_attributes", unprotect)] if attributes.get("deletion_protection.enabled") == "true" else []
    return [*before, ("elbv2", "delete_load_balancer", {"LoadBalancerArn": arn})]


def _ingress_rule(key: str, clients: Clients) -> list[Operation]:
    return [("ec2", "revoke_security_group_ingress", {"GroupId": key.split("/", maxsplit=1)[0], "SecurityGroupRuleIds": proof.rule_ids(key, clients)})]


def _task_definition(family: str, clients: Clients) -> list[Operation]:
    return [("ecs", "deregister_task_definition", {"taskDefinition": arn}) for arn in proof.revisions(family, clients)]


def _repository(arn: str, _clients: Clients) -> list[Operation]:
    account, name = arn.split(":")[4], arn.partition(":repository/")[2]
    return [("ecr", "delete_repository", {"registryId": account, "repositoryName": name, "force": True})]


def _simple(service: str, operation: str, key: str, **more: t.Any) -> t.Callable[[str, Clients], list[Operation]]:
    return lambda identity, _clients: [(service, operation, {key: identity, **more})]


DELETES: dict[str, t.Callable[[str, Clients], list[Operation]]] = {
    "alarm": lambda name, _clients: [("cloudwatch", "delete_alarms", {"AlarmNames": [name]})],
    "service": _service,
    "cluster": _simple("ecs", "delete_cluster", "cluster"),
    "capacity_provider": _simple("ecs", "delete_capacity_provider", "capacityProvider"),
    "auto_scaling_group": _simple("autoscaling", "delete_auto_scaling_group", "AutoScalingGroupName"),
    "launch_template": _simple("ec2", "delete_launch_template", "LaunchTemplateId"),
    "launch_configuration": _simple("autoscaling", "delete_launch_configuration", "LaunchConfigurationName"),
    "load_balancer": _load_balancer,
    "target_group": _simple("elbv2", "delete_target_group", "TargetGroupArn"),
    "ingress_rule": _ingress_rule,
    "security_group": _simple("ec2", "delete_security_group", "GroupId"),
    "task_definition": _task_definition,
    "repository": _repository,
    "log_group": _simple("logs", "delete_log_group", "logGroupName"),
}
