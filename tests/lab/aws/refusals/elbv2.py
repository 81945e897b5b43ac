"""What Elastic Load Balancing rejects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.operations.elbv2_listeners import find_listener, find_rule, groups_in
from lab.aws.operations.elbv2_load_balancers import ATTRIBUTES, find, named
from lab.aws.operations.elbv2_target_groups import find as find_group
from lab.aws.operations.elbv2_target_groups import named as named_group
from lab.aws.protocol import ApiCall
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

NAME = re.compile(r"[A-Za-z0-9-]{1,32}")
INSTANCE = re.compile(r"i-[0-9a-f]+")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*:[0-9a-fA-F:]*")
MOST_TAGGED = 20
# Attributes with a range, and the range (LoadBalancerAttribute in botocore's model).
RANGES = {"client_keep_alive.seconds": (60, 604800), "idle_timeout.timeout_seconds": (1, 4000)}
BOOLEAN = ("true", "false")


def check_name(name: str, kind: str) -> None:
    """[M] up to 32 letters, digits, hyphens; no hyphen at either end."""
    if len(name) > 32:
        raise AwsError("ValidationError", f"The {kind} name '{name}' cannot be longer than '32' characters")
    if not NAME.fullmatch(name):
        raise AwsError("ValidationError", f"The {kind} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)")
    if name.startswith("-") or name.endswith("-"):
        raise AwsError("ValidationError", f"The {kind} name '{name}' cannot begin or end with '-'")


# -- load balancers ---------------------------------------------------------------------------------------------------------------------------


@refuse("elbv2", "CreateLoadBalancer")
def load_balancer_name(aws: AwsServer, call: ApiCall) -> None:
    check_name(call.parameters["Name"], "load balancer")
    if call.parameters["Name"].startswith("internal-"):
        raise AwsError("ValidationError", f"The load balancer name '{call.parameters['Name']}' cannot begin with 'internal-'")


@refuse("elbv2", "CreateLoadBalancer")
def load_balancer_subnets(aws: AwsServer, call: ApiCall) -> None:
    """[M] existing subnets in at least two Availability Zones of one VPC, one per zone."""
    given = call.parameters
    names = [*(given.get("Subnets") or []), *(item["SubnetId"] for item in given.get("SubnetMappings") or [])]
    known = {name: subnet for subnets in aws.backend("ec2").subnets.values() for name, subnet in subnets.items()}
    missing = [name for name in names if name not in known]
    if missing:
        raise AwsError("SubnetNotFound", f"The subnet ID '{missing[0]}' does not exist")
    zones = [known[name].availability_zone for name in names]
    if given.get("Type") in (None, "application") and len(set(zones)) < 2:
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    if len(set(zones)) < len(zones):
        raise AwsError("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
    if len({known[name].vpc_id for name in names}) > 1:
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")


@refuse("elbv2", "CreateLoadBalancer", "SetSecurityGroups")
def load_balancer_groups(aws: AwsServer, call: ApiCall) -> None:
    """[M] existing security groups."""
    for group in call.parameters.get("SecurityGroups") or []:
        if aws.backend("ec2").get_security_group_from_id(group) is None:
            raise AwsError("InvalidSecurityGroup", f"One or more security groups are invalid: '{group}' does not exist")


@refuse("elbv2", "CreateLoadBalancer")
def load_balancer_duplicate(aws: AwsServer, call: ApiCall) -> None:
    """[M] a name in use, with other settings."""
    given, existing = call.parameters, named(aws, call.parameters["Name"])
    if existing is None:
        return
    subnets = [*(given.get("Subnets") or []), *(item["SubnetId"] for item in given.get("SubnetMappings") or [])]
    same = (
        {subnet.id for subnet in existing.subnets} == set(subnets)
        and (given.get("Scheme") or "internet-facing") == existing.scheme
        and (not given.get("SecurityGroups") or set(given["SecurityGroups"]) == set(existing.security_groups))
        and (given.get("IpAddressType") or "ipv4") == existing.ip_address_type
    )
    if not same:
        raise AwsError("DuplicateLoadBalancerName", f"A load balancer with the same name '{existing.name}' exists, but with different settings")


@refuse("elbv2", "DeleteLoadBalancer")
def deletion_protection(aws: AwsServer, call: ApiCall) -> None:
    """[M] deletion protection holds."""
    balancer = aws.backend("elbv2").load_balancers.get(call.parameters["LoadBalancerArn"])
    if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
        raise AwsError("OperationNotPermitted", f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled")


@refuse("elbv2", "ModifyLoadBalancerAttributes")
def load_balancer_attributes(aws: AwsServer, call: ApiCall) -> None:
    """[M] known keys, values in range; an access log names a bucket."""
    given = {item["Key"]: item.get("Value") or "" for item in call.parameters["Attributes"]}
    for key, value in given.items():
        if key not in ATTRIBUTES and key != "ipv6.deny_all_igw_traffic":
            raise AwsError("ValidationError", f"Load balancer attribute key '{key}' is not recognized")
        low, high = RANGES.get(key, (0, 0))
        if high and not (value.isdigit() and low <= int(value) <= high):
            raise AwsError("ValidationError", f"Load balancer attribute '{key}' must be a number between '{low}' and '{high}', inclusive")
        if key.endswith(".enabled") and value not in BOOLEAN:
            raise AwsError("ValidationError", f"'{key}' must be one of [true, false]")
    attributes = find(aws, call.parameters["LoadBalancerArn"]).attrs | given
    for prefix in ("access_logs.s3", "connection_logs.s3", "health_check_logs.s3"):
        if attributes[f"{prefix}.enabled"] == "true" and not attributes[f"{prefix}.bucket"]:
            raise AwsError("InvalidConfigurationRequest", f"The value of '{prefix}.bucket' cannot be blank")


# -- target groups ----------------------------------------------------------------------------------------------------------------------------


@refuse("elbv2", "CreateTargetGroup")
def target_group_name(aws: AwsServer, call: ApiCall) -> None:
    check_name(call.parameters["Name"], "target group")


@refuse("elbv2", "CreateTargetGroup")
def target_group_duplicate(aws: AwsServer, call: ApiCall) -> None:
    """[M] a name in use, with other settings."""
    given, existing = call.parameters, named_group(aws, call.parameters["Name"])
    if existing is None:
        return
    compared: dict[str, Any] = {
        "Protocol": existing.protocol,
        "Port": int(existing.port),
        "VpcId": existing.vpc_id,
        "TargetType": existing.target_type,
        "HealthCheckPath": existing.health_check_path,
        "HealthCheckIntervalSeconds": int(existing.health_check_interval_seconds),
        "HealthCheckTimeoutSeconds": int(existing.health_check_timeout_seconds),
        "HealthyThresholdCount": int(existing.healthy_threshold_count),
        "UnhealthyThresholdCount": int(existing.unhealthy_threshold_count),
        "Matcher": getattr(existing, "matcher", None),
    }
    if any(given.get(key) not in (None, value) for key, value in compared.items()):
        raise AwsError("DuplicateTargetGroupName", f"A target group with the same name '{existing.name}' exists, but with different settings")


@refuse("elbv2", "CreateTargetGroup", "ModifyTargetGroup")
def health_check(aws: AwsServer, call: ApiCall) -> None:
    """[B CreateTargetGroupInput] its ranges."""
    ranges = {
        "HealthCheckIntervalSeconds": (5, 300),
        "HealthCheckTimeoutSeconds": (2, 120),
        "HealthyThresholdCount": (2, 10),
        "UnhealthyThresholdCount": (2, 10),
    }
    for member, (low, high) in ranges.items():
        value = call.parameters.get(member)
        if value is not None and not low <= int(value) <= high:
            raise AwsError("ValidationError", f"{member} '{value}' must be between '{low}' and '{high}'")


@refuse("elbv2", "DeleteTargetGroup")
def target_group_in_use(aws: AwsServer, call: ApiCall) -> None:
    """[M] not while a listener or rule forwards to it."""
    group = aws.backend("elbv2").target_groups.get(call.parameters["TargetGroupArn"])
    if group is not None and group.load_balancer_arns:
        raise AwsError("ResourceInUse", f"Target group '{group.arn}' is currently in use by a listener or a rule")


@refuse("elbv2", "RegisterTargets")
def target_kind(aws: AwsServer, call: ApiCall) -> None:
    """[M] instances into an instance group, addresses of the VPC into an ip group; running instances only."""
    group = find_group(aws, call.parameters["TargetGroupArn"])
    for target in call.parameters["Targets"]:
        name = target["Id"]
        if group.target_type == "instance":
            _running_instance(aws, name)
        elif group.target_type == "ip" and not ADDRESS.fullmatch(name):
            raise AwsError("ValidationError", f"The IP address '{name}' is not a valid IPv4 address")


def _running_instance(aws: AwsServer, name: str) -> None:
    instance = aws.backend("ec2").get_instance_by_id(name) if INSTANCE.fullmatch(name) else None
    if instance is None:
        raise AwsError("InvalidTarget", f"The following targets are not valid instances: '{name}'")
    if instance.state != "running":
        raise AwsError("InvalidTarget", f"The following targets are not in a running state and cannot be registered: '{name}'")


@refuse("elbv2", "DescribeTags")
def tagged(aws: AwsServer, call: ApiCall) -> None:
    """[B DescribeTagsInput.ResourceArns] at most 20 resources a call; unknown ones are an error. [M]"""
    arns = call.parameters["ResourceArns"]
    if len(arns) > MOST_TAGGED:
        raise AwsError("ValidationError", f"Cannot have more than {MOST_TAGGED} resources described")
    for arn in arns:
        _look_up(arn)(aws, arn)


def _look_up(arn: str) -> Callable[[AwsServer, str], Any]:
    """The look-up for an ARN's kind; each raises the kind's own NotFound."""
    kinds: dict[str, Callable[[AwsServer, str], Any]] = {
        "targetgroup": find_group,
        "loadbalancer": find,
        "listener": find_listener,
        "listener-rule": find_rule,
    }
    return kinds.get(arn.partition("/")[0].rpartition(":")[2], find)


# -- listeners and rules ----------------------------------------------------------------------------------------------------------------------


@refuse("elbv2", "CreateListener", "ModifyListener")
def listener_port(aws: AwsServer, call: ApiCall) -> None:
    """[M] one listener a port."""
    given = call.parameters
    if call.operation == "CreateListener":
        balancer, own = find(aws, given["LoadBalancerArn"]), None
    else:
        listener = find_listener(aws, given["ListenerArn"])
        balancer, own = find(aws, listener.load_balancer_arn), listener.arn
    used = [int(listener.port) for listener in balancer.listeners.values() if listener.arn != own]
    if given.get("Port") is not None and int(given["Port"]) in used:
        raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")


@refuse("elbv2", "CreateListener")
def listener_certificate(aws: AwsServer, call: ApiCall) -> None:
    """[M] exactly one, known, for HTTPS; none for HTTP."""
    certificates = call.parameters.get("Certificates") or []
    if call.parameters.get("Protocol") != "HTTPS":
        if certificates:
            raise AwsError("InvalidConfigurationRequest", "Certificates cannot be specified for HTTP listeners")
        return
    if not certificates:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    if len(certificates) > 1:
        raise AwsError("ValidationError", f"Up to one certificate can be specified, but '{len(certificates)}' were specified")
    _known_certificate(aws, certificates[0]["CertificateArn"])


@refuse("elbv2", "ModifyListener", "AddListenerCertificates")
def listener_certificates(aws: AwsServer, call: ApiCall) -> None:
    for item in call.parameters.get("Certificates") or []:
        _known_certificate(aws, item["CertificateArn"])


def _known_certificate(aws: AwsServer, arn: str) -> None:
    """[M] in ACM (or, as a server certificate, in IAM)."""
    if ":acm:" in arn and arn not in aws.backend("acm")._certificates:
        raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")


@refuse("elbv2", "CreateListener", "ModifyListener", "CreateRule", "ModifyRule")
def forwarded_groups(aws: AwsServer, call: ApiCall) -> None:
    """[M] existing groups, each on one load balancer only; no group twice in an action."""
    given = call.parameters
    if call.operation == "CreateListener":
        own = given["LoadBalancerArn"]
    elif call.operation == "ModifyRule":
        own = find_rule(aws, given["RuleArn"])[0].load_balancer_arn
    else:
        own = find_listener(aws, given["ListenerArn"]).load_balancer_arn
    for arn in groups_in(given.get("DefaultActions") or given.get("Actions")):
        others = [balancer for balancer in find_group(aws, arn).load_balancer_arns if balancer != own]
        if others:
            message = f"The following target groups cannot be associated with more than one load balancer: {arn}"
            raise AwsError("TargetGroupAssociationLimit", message)


@refuse("elbv2", "CreateRule")
def rule_priority(aws: AwsServer, call: ApiCall) -> None:
    """[M] 1 to 50000, free on the listener."""
    priority = int(call.parameters["Priority"])
    if not 1 <= priority <= 50000:
        raise AwsError("ValidationError", f"Rule priority '{priority}' must be between '1' and '50000'")
    if priority in _priorities(find_listener(aws, call.parameters["ListenerArn"])):
        raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")


def _priorities(listener: Any) -> dict[int, str]:
    return {int(rule.priority): rule.arn for rule in listener.rules.values() if not rule.is_default}


@refuse("elbv2", "SetRulePriorities")
def rule_priorities(aws: AwsServer, call: ApiCall) -> None:
    """[M] no two rules with one priority afterwards."""
    given = {item["RuleArn"]: int(item["Priority"]) for item in call.parameters["RulePriorities"]}
    for arn, priority in given.items():
        listener, rule = find_rule(aws, arn)
        if rule.is_default:
            raise AwsError("OperationNotPermitted", "Default rule priority cannot be modified")
        holder = _priorities(listener).get(priority)
        if list(given.values()).count(priority) > 1 or (holder not in (None, arn) and holder not in given):
            raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")


@refuse("elbv2", "DeleteRule")
def default_rule(aws: AwsServer, call: ApiCall) -> None:
    """[M] the default rule goes with its listener."""
    if find_rule(aws, call.parameters["RuleArn"])[1].is_default:
        raise AwsError("OperationNotPermitted", f"Default rule '{call.parameters['RuleArn']}' cannot be deleted")
