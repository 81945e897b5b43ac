"""Load balancers: all attributes with AWS's defaults, interfaces in the subnets, a state that follows the data plane, names that are never reused.

A reconciler sets ``observed.load_balancer_state[arn]``; it reads the addresses to serve on from ``load_balancer.interfaces``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random

from lab.aws import interfaces
from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

# Hosted zones of Elastic Load Balancing, which alias records must name (AWS General Reference, "Elastic Load Balancing endpoints and quotas").
HOSTED_ZONES = {"eu-west-1": "Z32O12XQLNTSW2", "us-east-1": "Z35SXDOTRQ7X7K", "eu-central-1": "Z215JYRZR1TBD5", "ap-northeast-1": "Z14GRHDCWA56QT"}
# LoadBalancerAttribute in botocore's model: the keys of an Application Load Balancer and their defaults.
ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "health_check_logs.s3.enabled": "false",
    "health_check_logs.s3.bucket": "",
    "health_check_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
PAGE = 400


def find(aws: AwsServer, arn: str) -> Any:
    found = aws.backend("elbv2").load_balancers.get(arn)
    if found is None:
        raise AwsError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
    return found


def named(aws: AwsServer, name: str) -> Any | None:
    return next((item for item in aws.backend("elbv2").load_balancers.values() if item.name == name), None)


def relink(aws: AwsServer) -> None:
    """``target_group.load_balancer_arns`` from what listeners and rules name now; moto only ever adds."""
    backend = aws.backend("elbv2")
    used: dict[str, list[str]] = {}
    for balancer in backend.load_balancers.values():
        for arn in sorted({arn for listener in balancer.listeners.values() for arn in target_groups_of(listener)}):
            used.setdefault(arn, []).append(balancer.arn)
    for group in backend.target_groups.values():
        group.load_balancer_arns = used.get(group.arn, [])


def target_groups_of(listener: Any) -> set[str]:
    """ARNs of the target groups that the listener's rules forward to."""
    return {arn for rule in listener.rules.values() for action in rule.actions for arn in action_targets(action.data)}


def action_targets(action: dict[str, Any]) -> list[str]:
    """ARNs of the target groups that one action forwards to."""
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    return list(dict.fromkeys([*([action["TargetGroupArn"]] if action.get("TargetGroupArn") else []), *(item["TargetGroupArn"] for item in groups)]))


def document(aws: AwsServer, balancer: Any) -> dict[str, Any]:
    zones = [{"ZoneName": subnet.availability_zone, "SubnetId": subnet.id, "LoadBalancerAddresses": []} for subnet in balancer.subnets]
    return {
        "LoadBalancerArn": balancer.arn,
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": balancer.canonical_hosted_zone_id,
        "CreatedTime": balancer.created_time,
        "LoadBalancerName": balancer.name,
        "Scheme": balancer.scheme,
        "VpcId": balancer.vpc_id,
        "State": {"Code": aws.observed.load_balancer_state.get(balancer.arn, "provisioning")},
        "Type": balancer.type,
        "AvailabilityZones": zones,
        "SecurityGroups": balancer.security_groups,
        "IpAddressType": balancer.ip_address_type,
    }


@operation("elbv2", "CreateLoadBalancer")
def create(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Idempotent: the same name with the same settings is returned (another one is refused)."""
    given = call.parameters
    existing = named(aws, given["Name"])
    if existing is not None:
        return {"LoadBalancers": [document(aws, existing)]}
    backend = aws.backend("elbv2")
    subnets = [*given.get("Subnets", []), *(item["SubnetId"] for item in given.get("SubnetMappings", []))]
    balancer = backend.create_load_balancer(
        name=given["Name"],
        security_groups=given.get("SecurityGroups", []),
        subnet_ids=subnets,
        scheme=given.get("Scheme") or "internet-facing",
        loadbalancer_type=given.get("Type") or "application",
        ip_address_type=given.get("IpAddressType") or "ipv4",
        tags=given.get("Tags"),
    )
    _complete(aws, balancer)
    return {"LoadBalancers": [document(aws, balancer)]}


def _complete(aws: AwsServer, balancer: Any) -> None:
    prefix = "internal-" if balancer.scheme == "internal" else ""
    balancer.dns_name = f"{prefix}{balancer.name}-{mock_random.randint(10**8, 2 * 10**9)}.{aws.region}.elb.amazonaws.com"
    balancer.canonical_hosted_zone_id = HOSTED_ZONES[aws.region]
    balancer.created_time = aws.now()
    balancer.attrs = dict(ATTRIBUTES)
    if not balancer.security_groups:
        balancer.security_groups = [aws.backend("ec2").get_default_security_group(balancer.vpc_id).id]
    description = "ELB " + balancer.arn.partition("loadbalancer/")[2]
    balancer.interfaces = [interfaces.create(aws, subnet.id, balancer.security_groups, description, "amazon-elb") for subnet in balancer.subnets]


@operation("elbv2", "DescribeLoadBalancers")
def describe(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    if wanted.get("LoadBalancerArns"):
        found = [find(aws, arn) for arn in wanted["LoadBalancerArns"]]
    elif wanted.get("Names"):
        found = [_by_name(aws, name) for name in wanted["Names"]]
    else:
        found = list(aws.backend("elbv2").load_balancers.values())
    shown, marker = paged(found, wanted)
    return {"LoadBalancers": [document(aws, item) for item in shown], "NextMarker": marker}


def paged(items: list[Any], wanted: dict[str, Any]) -> tuple[list[Any], str | None]:
    """Elastic Load Balancing's pages: Marker, PageSize (at most and by default 400)."""
    start = int(wanted.get("Marker") or 0)
    end = start + min(int(wanted.get("PageSize") or PAGE), PAGE)
    return items[start:end], str(end) if end < len(items) else None


def _by_name(aws: AwsServer, name: str) -> Any:
    found = named(aws, name)
    if found is None:
        raise AwsError("LoadBalancerNotFound", f"Load balancers '[{name}]' not found")
    return found


@operation("elbv2", "DeleteLoadBalancer")
def delete(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """With its listeners and interfaces. No error when it does not exist."""
    balancer = aws.backend("elbv2").load_balancers.pop(call.parameters["LoadBalancerArn"], None)
    if balancer is not None:
        for interface in balancer.interfaces:
            interfaces.delete(aws, interface)
        aws.observed.load_balancer_state.pop(balancer.arn, None)
        relink(aws)
    return {}


@operation("elbv2", "DescribeLoadBalancerAttributes")
def describe_attributes(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    return {"Attributes": pairs(find(aws, call.parameters["LoadBalancerArn"]).attrs)}


@operation("elbv2", "ModifyLoadBalancerAttributes")
def modify_attributes(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    balancer = find(aws, call.parameters["LoadBalancerArn"])
    balancer.attrs |= {item["Key"]: item.get("Value") or "" for item in call.parameters["Attributes"]}
    return {"Attributes": pairs(balancer.attrs)}


def pairs(attributes: dict[str, Any]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": str(value)} for key, value in attributes.items()]


@operation("elbv2", "SetSecurityGroups")
def set_security_groups(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    balancer = find(aws, call.parameters["LoadBalancerArn"])
    balancer.security_groups = call.parameters["SecurityGroups"]
    for interface in balancer.interfaces:
        interfaces.set_groups(aws, interface, balancer.security_groups)
    return {"SecurityGroupIds": balancer.security_groups}
