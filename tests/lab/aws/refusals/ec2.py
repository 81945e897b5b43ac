"""What EC2 rejects about security groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lab.aws import interfaces
from lab.aws.errors import AwsError
from lab.aws.operations.ec2 import find_group, rules_of
from lab.aws.protocol import ApiCall
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

Peer = tuple[str, str]
Rule = tuple[str, int, int, Peer]
PEERS = (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId"), ("UserIdGroupPairs", "GroupId"))


def asked(permissions: list[dict[str, Any]]) -> Iterator[Rule]:
    """The single rules of a call's permissions: one peer each."""
    for permission in permissions:
        protocol = str(permission["IpProtocol"])
        low, high = (-1, -1) if protocol == "-1" else (int(permission.get("FromPort", -1)), int(permission.get("ToPort", -1)))
        for member, key in PEERS:
            for peer in permission.get(member) or []:
                if peer.get(key):
                    yield protocol, low, high, (key, peer[key])


def present(rule: Any) -> Rule:
    """moto's rule in the same form."""
    peer = rule.ip_range or rule.source_group or {"PrefixListId": rule.prefix_list_id}
    key = next(name for _, name in PEERS if peer.get(name))
    return str(rule.ip_protocol), -1 if rule.from_port is None else int(rule.from_port), -1 if rule.to_port is None else int(rule.to_port), (key, peer[key])


@refuse("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def duplicate_rule(aws: AwsServer, call: ApiCall) -> None:
    """[M] a rule is its protocol, ports and peer; another description does not make another rule."""
    group = find_group(aws, call.parameters.get("GroupId") or "")
    if group is None:
        return
    kept = group.egress_rules if call.operation.endswith("Egress") else group.ingress_rules
    known = {present(rule) for rule in kept}
    for protocol, low, high, (kind, peer) in asked(call.parameters.get("IpPermissions") or []):
        if (protocol, low, high, (kind, peer)) in known:
            ports = "ALL" if protocol == "-1" else f"{protocol.upper()}, from port: {low}, to port: {high}"
            raise AwsError("InvalidPermission.Duplicate", f'the specified rule "peer: {peer}, {ports}, ALLOW" already exists')


@refuse("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def known_peer(aws: AwsServer, call: ApiCall) -> None:
    """[M] a group that a rule refers to exists."""
    for _, _, _, (kind, peer) in asked(call.parameters.get("IpPermissions") or []):
        if kind == "GroupId" and find_group(aws, peer) is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{peer}' does not exist")


@refuse("ec2", "DeleteSecurityGroup")
def group_in_use(aws: AwsServer, call: ApiCall) -> None:
    """[M] not while an interface carries it, a data store names it, or another group's rule refers to it."""
    group_id = call.parameters.get("GroupId") or ""
    if any(True for _ in uses(aws, group_id)):
        raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")


def uses(aws: AwsServer, group_id: str) -> Iterator[str]:
    """Ids of what depends on the group."""
    yield from (interface.id for interface in interfaces.using_group(aws, group_id))
    yield from (identity for identity, item in aws.backend("rds").databases.items() if group_id in item.vpc_security_group_ids)
    yield from (identity for identity, item in aws.backend("elasticache").cache_clusters.items() if group_id in item.security_group_ids)
    for groups in aws.backend("ec2").groups.values():
        for group in groups.values():
            if group.id != group_id and any(rule.source_group.get("GroupId") == group_id for rule in rules_of(group)):
                yield group.id
