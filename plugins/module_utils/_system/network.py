# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Security groups, who admits them, and the subnets of the VPC."""

from __future__ import annotations

import re
import typing as t

from .._aws import tags
from .capacity import tagged
from .read import Reader, Shape, together, unique

# What AWS writes into the description of the network interfaces it makes. RDS's does not tell the database and ElastiCache's tells one node, so both are
# listed as well: what the lists say goes before.
_INTERFACES = (
    ("rds", re.compile(r"^RDSNetworkInterface()$")),
    ("elasticache", re.compile(r"^ElastiCache (.+)$")),
    ("rds_proxy", re.compile(r"^Network interface for DBProxy (.+)$")),
    ("load_balancer", re.compile(r"^ELB (?:(?:app|net|gwy)/)?([^/]+)")),
    ("lambda", re.compile(r"^AWS Lambda VPC ENI-(.+?)(?:-[0-9a-f]{8}-[0-9a-f-]{27})?$")),
    ("efs", re.compile(r"^(?:EFS mount target for|Mount target fsmt-[0-9a-f]+ for file system) (fs-[0-9a-f]+)")),
    ("endpoint", re.compile(r"^VPC Endpoint Interface (vpce-[0-9a-f]+)")),
    ("opensearch", re.compile(r"^(?:ES|OpenSearch) (.+)$")),
    ("mq", re.compile(r"^Amazon ?MQ.*?(b-[0-9a-f-]+)?$")),
    ("msk", re.compile(r"^.*Amazon MSK network interface for cluster arn:.+:cluster/([^/]+)/")),
    ("redshift", re.compile(r"^RedshiftNetworkInterface()$")),
    ("directory", re.compile(r"^AWS created network interface for directory (d-[0-9a-f]+)")),
)


def read_security_groups(
    read: Reader,
    load_balancer: Shape,
    services: t.Sequence[Shape],
    capacity: Shape,
    endpoints: t.Sequence[Shape],
    mount_targets: t.Mapping[str, t.Sequence[Shape]],
    path: str,
) -> Shape:
    """``security_groups`` of a side."""
    ours = load_balancer.get("SecurityGroups") or []
    tasks = _task_groups(services, capacity)
    of_endpoints = unique(group["GroupId"] for endpoint in endpoints for group in endpoint.get("Groups") or [])
    of_mounts = unique(group for targets in mount_targets.values() for target in targets for group in target["Groups"])
    answers = together(
        described=lambda: _described(read, unique([*ours, *tasks, *of_endpoints, *of_mounts])),
        admitting=lambda: read.all("ec2", "describe_security_groups", "SecurityGroups", Filters=[{"Name": "ip-permission.group-id", "Values": tasks}])
        if tasks
        else [],
    )
    known = {group["GroupId"]: tagged(group) for group in answers["described"]}
    for missing in [group for group in [*ours, *tasks] if group not in known]:
        read.problem("security-group-missing", f"{path}.security_groups", f"Security group {missing} does not exist any more.")
    return {
        "load_balancer": [known[group] for group in ours if group in known],
        "tasks": [known[group] for group in tasks if group in known],
        "endpoints": [known[group] for group in of_endpoints if group in known],
        "mount_targets": [known[group] for group in of_mounts if group in known],
        "admitting": _admitting(read, answers["admitting"], set(tasks), path),
    }


def read_subnets(read: Reader, vpc_id: str) -> list[Shape]:
    """``subnets`` of a side: every subnet of the VPC, with where its default route leads and how many addresses are free."""
    which = [{"Name": "vpc-id", "Values": [vpc_id]}]
    answers = together(
        subnets=lambda: read.all("ec2", "describe_subnets", "Subnets", Filters=which),
        tables=lambda: read.all("ec2", "describe_route_tables", "RouteTables", Filters=which),
    )
    return [
        {
            **tagged(subnet),
            "route": default_route(subnet["SubnetId"], answers["tables"]),
            "RouteTableId": (route_table(subnet["SubnetId"], answers["tables"]) or {}).get("RouteTableId"),
            "Routes": (route_table(subnet["SubnetId"], answers["tables"]) or {}).get("Routes", []),
            "free": subnet["AvailableIpAddressCount"],
        }
        for subnet in sorted(answers["subnets"], key=lambda subnet: subnet["SubnetId"])
    ]


def read_endpoints(read: Reader, vpc_id: str, path: str) -> list[Shape]:
    """``vpc_endpoints`` of a side: how the VPC reaches AWS without the internet."""
    which = [{"Name": "vpc-id", "Values": [vpc_id]}]
    found = read.if_possible(f"{path}.vpc_endpoints", [], lambda: read.all("ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=which))
    return [tagged(item) for item in sorted(found, key=lambda item: item["VpcEndpointId"])]


def read_nat_gateways(read: Reader, vpc_id: str, path: str) -> list[Shape]:
    """``nat_gateways`` of a side that are in use, with their addresses."""
    which = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "state", "Values": ["available"]}]
    found = read.if_possible(f"{path}.nat_gateways", [], lambda: read.all("ec2", "describe_nat_gateways", "NatGateways", Filters=which))
    return [tagged(item) for item in sorted(found, key=lambda item: item["NatGatewayId"])]


def read_network_acls(read: Reader, vpc_id: str, path: str) -> list[Shape]:
    """``network_acls`` of a side, with the subnets they are associated with."""
    which = [{"Name": "vpc-id", "Values": [vpc_id]}]
    found = read.if_possible(f"{path}.network_acls", [], lambda: read.all("ec2", "describe_network_acls", "NetworkAcls", Filters=which))
    return [tagged(item) for item in sorted(found, key=lambda item: item["NetworkAclId"])]


def read_vpc_dns(read: Reader, vpc_id: str, path: str) -> Shape:
    """``vpc_dns`` of a side: ``{support, hostnames}``, None for what can't be read. One attribute for each call."""
    names = {"support": "enableDnsSupport", "hostnames": "enableDnsHostnames"}
    return together(**{key: _vpc_attribute(read, vpc_id, name, path) for key, name in names.items()})


def _vpc_attribute(read: Reader, vpc_id: str, name: str, path: str) -> t.Callable[[], bool | None]:
    def ask() -> bool | None:
        value = read.one("ec2", "describe_vpc_attribute", VpcId=vpc_id, Attribute=name)[name[0].upper() + name[1:]].get("Value")
        return None if value is None else bool(value)

    return lambda: read.if_possible(f"{path}.vpc_dns", None, ask)


def route_table(subnet: str, tables: t.Sequence[Shape]) -> Shape | None:
    """The table of a subnet. A subnet without a table of its own uses the VPC's main one."""
    own = [table for table in tables if any(link.get("SubnetId") == subnet for link in table.get("Associations", []))]
    main = [table for table in tables if any(link.get("Main") for link in table.get("Associations", []))]
    return next(iter(own or main), None)


def default_route(subnet: str, tables: t.Sequence[Shape]) -> str:
    """``igw``, ``nat``, ``other`` (transit gateway, appliance, peering) or ``none``."""
    routes = (route_table(subnet, tables) or {}).get("Routes", [])
    route = next((route for route in routes if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State") != "blackhole"), None)
    if route is None:
        return "none"
    if str(route.get("GatewayId", "")).startswith("igw-"):
        return "igw"
    return "nat" if route.get("NatGatewayId") else "other"


def _task_groups(services: t.Sequence[Shape], capacity: Shape) -> list[str]:
    """Groups that the tasks' packets carry: of the instances (bridge, host) and of the tasks' own interfaces (awsvpc).

    At zero instances the launch templates tell what they will be.
    """
    own = [group for service in services for group in _awsvpc(service).get("securityGroups", [])]
    instances = [group["GroupId"] for instance in capacity["instances"] for group in instance.get("SecurityGroups", [])]
    return unique([*(instances or _launched(capacity["auto_scaling_groups"])), *own])


def _awsvpc(service: Shape) -> Shape:
    return (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}


def _launched(groups: t.Sequence[Shape]) -> list[str]:
    data = [(group["LaunchTemplate"] or {}).get("LaunchTemplateData") or {} for group in groups]
    cards = [card for item in data for card in item.get("NetworkInterfaces", [])]
    return [group for item in data for group in item.get("SecurityGroupIds", [])] + [group for card in cards for group in card.get("Groups", [])]


def _described(read: Reader, ids: t.Sequence[str]) -> list[Shape]:
    """By filter, so that a group that is gone is left out instead of failing the call."""
    return read.all("ec2", "describe_security_groups", "SecurityGroups", Filters=[{"Name": "group-id", "Values": list(ids)}]) if ids else []


def _admitting(read: Reader, groups: t.Sequence[Shape], tasks: set[str], path: str) -> list[Shape]:
    told = users(read, [group["GroupId"] for group in groups], f"{path}.security_groups.admitting") if groups else {}
    return [
        {
            "GroupId": group["GroupId"],
            "GroupName": group["GroupName"],
            "VpcId": group.get("VpcId"),
            "Tags": tags.to_dict(group.get("Tags")),
            "rules": _rules_naming(group["IpPermissions"], tasks),
            "IpPermissions": group["IpPermissions"],
            "used_by": told.get(group["GroupId"], []),
        }
        for group in sorted(groups, key=lambda group: group["GroupName"])
    ]


def _rules_naming(permissions: t.Sequence[Shape], tasks: set[str]) -> list[Shape]:
    """The ingress rules, each with only the pairs that name a group of the tasks."""
    found = []
    for permission in permissions:
        pairs = [pair for pair in permission.get("UserIdGroupPairs", []) if pair.get("GroupId") in tasks]
        if pairs:
            found.append({**permission, "UserIdGroupPairs": pairs, "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": []})
    return found


def database_list(read: Reader, path: str) -> list[Shape]:
    """All of RDS's instances, read once: there is no filter by security group."""
    return read.optional(path, [], lambda: read.once("rds", lambda: read.all("rds", "describe_db_instances", "DBInstances")))


def users(read: Reader, groups: t.Sequence[str], path: str) -> dict[str, list[dict[str, str]]]:
    """Group -> what it protects. RDS (with Neptune and DocumentDB) and ElastiCache have no filter by group; their lists are read once."""
    answers = together(
        rds=lambda: database_list(read, path),
        elasticache=lambda: read.optional(path, [], lambda: read.once("caches", lambda: read.all("elasticache", "describe_cache_clusters", "CacheClusters"))),
        interfaces=lambda: read.all("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=[{"Name": "group-id", "Values": list(groups)}]),
    )
    listed = [
        *((link["VpcSecurityGroupId"], "rds", item["DBInstanceIdentifier"]) for item in answers["rds"] for link in item.get("VpcSecurityGroups", [])),
        *((link["SecurityGroupId"], "elasticache", _cache(item)) for item in answers["elasticache"] for link in item.get("SecurityGroups") or []),
    ]
    told = {(group, kind) for group, kind, _name in listed}
    seen = [(link["GroupId"], *interface_user(item)) for item in answers["interfaces"] for link in item.get("Groups", [])]
    found = [*listed, *(use for use in seen if use[:2] not in told)]
    return {group: [{"kind": kind, "id": name} for kind, name in unique((kind, name) for of, kind, name in found if of == group)] for group in groups}


def _cache(item: Shape) -> str:
    """The replication group, where there is one: people know that name."""
    return str(item.get("ReplicationGroupId") or item["CacheClusterId"])


def interface_user(interface: Shape) -> tuple[str, str]:
    """Kind and name of who uses a network interface, told from its attachment or from the description AWS wrote."""
    instance = interface.get("Attachment", {}).get("InstanceId")
    if instance:
        return "instance", instance
    for kind, pattern in _INTERFACES:
        found = pattern.match(interface.get("Description", ""))
        if found:
            return kind, found[1] or interface["NetworkInterfaceId"]
    return interface.get("InterfaceType", "interface"), interface["NetworkInterfaceId"]
