"""Target groups: every attribute, targets by (id, port), health as the data plane observes it (``lab.aws.targets``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws import targets
from lab.aws.errors import AwsError
from lab.aws.observed import Health
from lab.aws.operations.elbv2_load_balancers import find as find_balancer
from lab.aws.operations.elbv2_load_balancers import paged, pairs
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

# TargetGroupAttribute in botocore's model: the keys of an HTTP target group and their defaults.
ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")


def find(aws: AwsServer, arn: str) -> Any:
    found = aws.backend("elbv2").target_groups.get(arn)
    if found is None:
        raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
    return found


def named(aws: AwsServer, name: str) -> Any | None:
    return next((item for item in aws.backend("elbv2").target_groups.values() if item.name == name), None)


def document(group: Any) -> dict[str, Any]:
    http = group.health_check_protocol in ("HTTP", "HTTPS")
    shown = {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": group.protocol,
        "Port": int(group.port) if group.port else None,
        "VpcId": group.vpc_id,
        "HealthCheckProtocol": group.health_check_protocol,
        "HealthCheckPort": str(group.health_check_port),
        "HealthCheckEnabled": group.health_check_enabled,
        "HealthCheckIntervalSeconds": int(group.health_check_interval_seconds),
        "HealthCheckTimeoutSeconds": int(group.health_check_timeout_seconds),
        "HealthyThresholdCount": int(group.healthy_threshold_count),
        "UnhealthyThresholdCount": int(group.unhealthy_threshold_count),
        "HealthCheckPath": group.health_check_path if http else None,
        "Matcher": group.matcher if http else None,
        "LoadBalancerArns": list(group.load_balancer_arns),
        "TargetType": group.target_type,
        "ProtocolVersion": group.protocol_version,
        "IpAddressType": group.ip_address_type,
    }
    return {key: value for key, value in shown.items() if value is not None}


@operation("elbv2", "CreateTargetGroup")
def create(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Idempotent: the same name with the same settings is returned (another one is refused)."""
    existing = named(aws, call.parameters["Name"])
    if existing is None:
        arn = aws.ask_moto(call)["TargetGroups"][0]["TargetGroupArn"]
        existing = find(aws, arn)
        existing.attributes = dict(ATTRIBUTES)
    return {"TargetGroups": [document(existing)]}


@operation("elbv2", "DescribeTargetGroups")
def describe(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    if wanted.get("TargetGroupArns"):
        found = [find(aws, arn) for arn in wanted["TargetGroupArns"]]
    elif wanted.get("Names"):
        found = [_by_name(aws, name) for name in wanted["Names"]]
    else:
        found = sorted(aws.backend("elbv2").target_groups.values(), key=lambda group: group.name)
    if wanted.get("LoadBalancerArn"):
        balancer = find_balancer(aws, wanted["LoadBalancerArn"])
        found = [group for group in found if balancer.arn in group.load_balancer_arns]
    shown, marker = paged(found, wanted)
    return {"TargetGroups": [document(group) for group in shown], "NextMarker": marker}


def _by_name(aws: AwsServer, name: str) -> Any:
    found = named(aws, name)
    if found is None:
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    return found


@operation("elbv2", "ModifyTargetGroup")
def modify(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    aws.ask_moto(call)
    group = find(aws, call.parameters["TargetGroupArn"])
    return {"TargetGroups": [document(group)]}


@operation("elbv2", "DeleteTargetGroup")
def delete(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """No error when it does not exist."""
    arn = call.parameters["TargetGroupArn"]
    aws.backend("elbv2").target_groups.pop(arn, None)
    for key in [key for key in aws.observed.target_health if key[0] == arn]:
        del aws.observed.target_health[key]
    return {}


@operation("elbv2", "DescribeTargetGroupAttributes")
def describe_attributes(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    return {"Attributes": pairs(find(aws, call.parameters["TargetGroupArn"]).attributes)}


@operation("elbv2", "ModifyTargetGroupAttributes")
def modify_attributes(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    aws.ask_moto(call)
    return {"Attributes": pairs(find(aws, call.parameters["TargetGroupArn"]).attributes)}


@operation("elbv2", "RegisterTargets")
def register(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    group = find(aws, call.parameters["TargetGroupArn"])
    for target in call.parameters["Targets"]:
        targets.register(aws, group, target["Id"], int(target.get("Port") or group.port))
    return {}


@operation("elbv2", "DeregisterTargets")
def deregister(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Without a port, all of the target's. No error for a target that isn't registered."""
    group = find(aws, call.parameters["TargetGroupArn"])
    for target in call.parameters["Targets"]:
        for target_id, port in targets.registered(group):
            if target_id == target["Id"] and int(target.get("Port") or port) == port:
                targets.deregister(aws, group, target_id, port)
    return {}


@operation("elbv2", "DescribeTargetHealth")
def describe_health(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    group = find(aws, call.parameters["TargetGroupArn"])
    shown = targets.health(aws, group)
    asked = [(item["Id"], int(item.get("Port") or group.port)) for item in call.parameters.get("Targets", [])]
    return {"TargetHealthDescriptions": [_description(group, key, shown.get(key, NOT_REGISTERED)) for key in asked or shown]}


def _description(group: Any, key: tuple[str, int], health: Health) -> dict[str, Any]:
    target_id, port = key
    state = {"State": health.state, "Reason": health.reason, "Description": health.description}
    checked = str(port) if group.health_check_port == "traffic-port" else str(group.health_check_port)
    return {
        "Target": {"Id": target_id, "Port": port},
        "HealthCheckPort": checked,
        "TargetHealth": {key: value for key, value in state.items() if value},
        "AdministrativeOverride": {
            "State": "no_override",
            "Reason": "AdministrativeOverride.NoOverride",
            "Description": "No override is currently active on target",
        },
    }
