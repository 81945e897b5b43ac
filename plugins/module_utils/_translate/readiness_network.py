# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Whether the tasks get out of their subnets to what they need before they can start, and by which addresses. fargate-rules.md 8"""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t

from . import image, network
from .context import Context, Json, as_block
from .findings import Finding, found
from .outline import Outline

HTTPS = 443
OF_INSTANCES = ("", "ecs", "ecs-agent", "ecs-telemetry", "ec2messages")
"""Endpoints that only the agents of instances ask, and those of somebody else's services."""
EVERYWHERE = ipaddress.IPv4Network("0.0.0.0/0")
EVERY_TASK = "a public address of its own, another one for every task"
_SERVICE = re.compile(r"^(?:cn\.)?com\.amazonaws\.[a-z0-9-]+\.(.+)$")
_SECRETS_MANAGER = re.compile(r"^arn:[a-z-]+:secretsmanager:")


def needs(definition: Json, context: Context) -> set[str]:
    """What a task talks to before its application starts: services as VPC endpoints are named, and registries as hosts.

    KMS is not among them: Secrets Manager and Parameter Store decrypt. [D AmazonECR/vpc-endpoints, ecs/vpc-endpoints]
    """
    found_needs: set[str] = set()
    for container in definition.get("containerDefinitions") or []:
        source = str(container.get("image") or "")
        own = image.ecr_region(source) == context.region
        found_needs |= {"ecr.api", "ecr.dkr", "s3"} if own else {image.parse(source).host}
        log = container.get("logConfiguration") or {}
        found_needs |= {"logs"} if log.get("logDriver") == "awslogs" else set()
        secrets = [str(item.get("valueFrom") or "") for item in [*(container.get("secrets") or []), *(log.get("secretOptions") or [])]]
        found_needs |= {"secretsmanager" if _SECRETS_MANAGER.match(secret) else "ssm" for secret in secrets}
        found_needs |= {"secretsmanager"} if container.get("repositoryCredentials") else set()
        found_needs |= {"s3"} if container.get("environmentFiles") else set()
    return found_needs


def egress(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Image pull, logs and secrets leave through the task's own interface: no way out means no task ever starts. fargate-rules.md 8

    A way is a default route, or a VPC endpoint for each service. An interface endpoint with private DNS takes the service's name over for the whole
    VPC, whatever its zones and NAT or not: then its groups must admit the tasks. S3 needs the gateway endpoint in the subnet's route table.
    """
    wanted = set().union(*(needs(definition, context) for definition in outline.definitions)) if outline.definitions else set()
    closed: dict[str, Json] = {}
    for subnet in network.chosen(outline.placement, context):
        ways = {need: [item for item in endpoints(context, need) if _serves(item, subnet)] for need in sorted(wanted)}
        open_ = {need: any(_admits(item, subnet, outline, context) for item in ways[need]) for need in ways}
        closed.update({str(item.get("VpcEndpointId")): item for need in ways if ways[need] and not open_[need] for item in ways[need]})
        yield from _subnet(subnet, sorted(need for need in ways if not ways[need]), outline, context)
    for identifier, endpoint in sorted(closed.items()):
        yield found("FG-ENDPOINT-CLOSED", f"vpc_endpoints[{identifier}]", ", ".join(_groups(endpoint)), service=service_of(endpoint))


def _subnet(subnet: Json, without_endpoint: t.Sequence[str], outline: Outline, context: Context) -> t.Iterator[Finding]:
    route, path = subnet.get("route"), f"{network.PATH}.subnets[{subnet.get('SubnetId')}]"
    shut = _is_shut(subnet, outline)
    if shut and without_endpoint:
        yield found("FG-NO-EGRESS", path, route, outline.placement.assign_public_ip, needs=", ".join(without_endpoint))
    elif shut and outline.definitions and leaving(context):
        yield found("FG-EGRESS-ENDPOINTS", path, ", ".join(leaving(context)))
    elif route == "other" and without_endpoint:
        yield found("FG-EGRESS-OTHER", path, route)


def _is_shut(subnet: Json, outline: Outline) -> bool:
    """Whether tasks in the subnet have no way to the internet."""
    return subnet.get("route") == "none" or (subnet.get("route") == "igw" and outline.placement.assign_public_ip == "DISABLED")


def policies(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """An endpoint's policy may admit the instances' role only, or not ECR's bucket of layers. fargate-rules.md 8 (endpoint policy, App's own egress)

    Also those that no task needs to start: what takes a service's name over, or its route, takes it over for the application.
    """
    subnets = network.chosen(outline.placement, context) if outline.definitions else []
    for endpoint in sorted(context.source.get("vpc_endpoints") or [], key=service_of):
        used = service_of(endpoint) not in OF_INSTANCES and _is_available(endpoint) and any(_serves(endpoint, subnet) for subnet in subnets)
        if used and not _is_open(endpoint):
            yield found("FG-ENDPOINT-POLICY", f"vpc_endpoints[{endpoint.get('VpcEndpointId')}].PolicyDocument", service_of(endpoint))


def _is_open(endpoint: Json) -> bool:
    """Whether the policy is the one that AWS gives an endpoint: everything to everybody. One that was not read counts as open."""
    if not endpoint.get("PolicyDocument"):
        return True
    try:
        statements = json.loads(endpoint["PolicyDocument"]).get("Statement") or []
    except (ValueError, TypeError, AttributeError):
        return False
    every = [statement for statement in (statements if isinstance(statements, list) else [statements]) if isinstance(statement, dict)]
    whole = [item for item in every if item.get("Principal") in ("*", {"AWS": "*"}) and item.get("Action") == "*" and item.get("Resource") == "*"]
    denied = any(statement.get("Effect") == "Deny" for statement in every)
    return not denied and any(item.get("Effect") == "Allow" and not item.get("Condition") for item in whole)


def shells(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """ECS Exec's agent opens a channel to ssmmessages; tasks start without one, and nobody gets a shell. fargate-rules.md 7 enableExecuteCommand, 8"""
    names = [service["name"] for service in outline.services if service["enable_execute_command"]]
    for subnet in network.chosen(outline.placement, context) if names else []:
        ways = [item for item in endpoints(context, "ssmmessages") if _serves(item, subnet)]
        shut = _is_shut(subnet, outline) and not ways
        if shut or (ways and not any(_admits(item, subnet, outline, context) for item in ways)):
            yield found("FG-EXEC-EGRESS", f"{network.PATH}.subnets[{subnet.get('SubnetId')}]", subnet.get("route"), services=", ".join(names))


def resolver(_outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Tasks ask the VPC's resolver; private names of endpoints need names for addresses too. fargate-rules.md 8 DNS"""
    told = context.source.get("vpc_dns") or {}
    if told.get("support") is False:
        yield found("FG-VPC-DNS", f"{network.PATH}.enableDnsSupport", False)
    elif told.get("hostnames") is False:
        yield found("FG-VPC-DNS-NAMES", f"{network.PATH}.enableDnsHostnames", False)


def addresses(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Partners' allow lists know the addresses of the instances or of their NAT gateway, not those of the tasks. fargate-rules.md 4 (Elastic IP)"""
    subnets = network.chosen(outline.placement, context)
    now = leaving(context)
    if outline.placement.assign_public_ip == "ENABLED":
        then = [EVERY_TASK] if subnets else []
    else:
        then = sorted({_nat(subnet, context) for subnet in subnets if subnet.get("route") == "nat"})
        then = [] if not now or set(then) <= set(now) else then
    if then:
        yield found("FG-EGRESS-ADDRESS", network.PATH, ", ".join(now) or None, ", ".join(then))


def leaving(context: Context) -> list[str]:
    """The addresses by which the source's instances reach the internet; [] when none does, or none is running."""
    known = {str(subnet.get("SubnetId")): subnet for subnet in context.source.get("subnets") or []}
    ways = set()
    for instance in (context.source.get("capacity") or {}).get("instances") or []:
        subnet = known.get(str(instance.get("SubnetId"))) or {}
        if subnet.get("route") == "nat":
            ways.add(_nat(subnet, context))
        elif subnet.get("route") == "igw" and instance.get("PublicIpAddress"):
            ways.add(_public(instance))
    return sorted(ways)


def _public(instance: Json) -> str:
    """An address that somebody other than Amazon owns is an Elastic IP: it stays when the instance is replaced."""
    links = [interface.get("Association") or {} for interface in instance.get("NetworkInterfaces") or []]
    own = any(link.get("PublicIp") == instance["PublicIpAddress"] and link.get("IpOwnerId") not in (None, "amazon") for link in links)
    return f"{instance['PublicIpAddress']}{' (Elastic IP)' if own else ''}"


def _nat(subnet: Json, context: Context) -> str:
    """``nat-1 (192.0.2.1)`` of the subnet's default route."""
    route: Json = next((item for item in subnet.get("Routes") or [] if item.get("NatGatewayId") and item.get("DestinationCidrBlock") == "0.0.0.0/0"), {})
    gateway: Json = next((item for item in context.source.get("nat_gateways") or [] if item.get("NatGatewayId") == route.get("NatGatewayId")), {})
    public = sorted(str(item["PublicIp"]) for item in gateway.get("NatGatewayAddresses") or [] if item.get("PublicIp"))
    name = str(route.get("NatGatewayId") or "NAT gateway")
    return f"{name} ({', '.join(public)})" if public else name


def endpoints(context: Context, service: str) -> list[Json]:
    """The VPC's endpoints for one service."""
    return [item for item in context.source.get("vpc_endpoints") or [] if service_of(item) == service and _is_available(item)]


def _is_available(endpoint: Json) -> bool:
    return str(endpoint.get("State")).lower() == "available"


def service_of(endpoint: Json) -> str:
    """ecr.api of com.amazonaws.eu-west-1.ecr.api; empty for an endpoint service of somebody else."""
    match = _SERVICE.match(str(endpoint.get("ServiceName") or ""))
    return match[1] if match else ""


def _serves(endpoint: Json, subnet: Json) -> bool:
    """A gateway where the subnet's route table names it; an interface where it takes the service's name over. ECR's layers need S3's gateway."""
    if endpoint.get("VpcEndpointType") == "Gateway":
        routed = any(route.get("GatewayId") == endpoint.get("VpcEndpointId") for route in subnet.get("Routes") or [])
        return routed or subnet.get("RouteTableId") in (endpoint.get("RouteTableIds") or [None])
    return bool(endpoint.get("PrivateDnsEnabled")) and service_of(endpoint) != "s3"


def _admits(endpoint: Json, subnet: Json, outline: Outline, context: Context) -> bool:
    """Whether the endpoint's groups let tasks of the subnet in. What can't be told (a prefix list, groups that were not read) counts as open."""
    if endpoint.get("VpcEndpointType") == "Gateway":
        return True
    return admits(_groups(endpoint), "endpoints", HTTPS, subnet, outline, context)


def admits(groups: t.Collection[str], kind: str, port: int, subnet: Json, outline: Outline, context: Context) -> bool:
    """Whether groups, of one kind of the source's, let tasks of the subnet in on a port, by their rules or by those that the plan adds."""
    ours = set(groups)
    described = [group for group in (context.source.get("security_groups") or {}).get(kind) or [] if group.get("GroupId") in ours]
    granted = any(grant["group_id"] in ours and _covers(port, grant["protocol"], grant["from_port"], grant["to_port"]) for grant in outline.grants)
    if granted or len(described) < len(ours):
        return True
    tasks = {group.get("GroupId") for group in (context.target.get("security_groups") or {}).get("tasks") or []}
    permissions = [permission for group in described for permission in group.get("IpPermissions") or []]
    return any(_lets_in(permission, port, subnet, tasks) for permission in permissions)


def _lets_in(permission: Json, port: int, subnet: Json, tasks: t.Collection[t.Any]) -> bool:
    if not _covers(port, str(permission.get("IpProtocol")), permission.get("FromPort"), permission.get("ToPort")):
        return False
    if permission.get("PrefixListIds") or any(pair.get("GroupId") in tasks for pair in permission.get("UserIdGroupPairs") or []):
        return True
    block = as_block(subnet.get("CidrBlock")) or EVERYWHERE
    return any(block.subnet_of(allowed) for item in permission.get("IpRanges") or [] if (allowed := as_block(item.get("CidrIp"))))


def _covers(port: int, protocol: str, first: int | None, last: int | None) -> bool:
    """Whether a rule is about a TCP port; all ports are -1 or absent."""
    whole = first in (None, -1) or last in (None, -1)
    return protocol == "-1" or (protocol in ("tcp", "6") and (whole or int(first or 0) <= port <= int(last or 0)))


def _groups(endpoint: Json) -> list[str]:
    return sorted(str(group.get("GroupId")) for group in endpoint.get("Groups") or [])


RULES = (egress, policies, shells, resolver, addresses)
