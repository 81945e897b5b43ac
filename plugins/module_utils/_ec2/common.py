# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Look-ups of groups and subnets."""

from __future__ import annotations

import typing as t

from .._aws.clients import Clients
from .._aws.errors import CutoverError


def find_group(clients: Clients, name: str, vpc_id: str) -> dict[str, t.Any] | None:
    """The security group of that name; names are unique within a VPC."""
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc_id]}]
    groups = clients("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    return groups[0] if groups else None


def groups_by_id(clients: Clients, ids: t.Iterable[str]) -> dict[str, dict[str, t.Any]]:
    """Those of the groups that exist, by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    pages = clients("ec2").get_paginator("describe_security_groups").paginate(Filters=[{"Name": "group-id", "Values": wanted}])
    return {group["GroupId"]: group for page in pages for group in page["SecurityGroups"]}


def vpc_of(clients: Clients, subnets: t.Sequence[str]) -> str:
    """The one VPC that all of the subnets are in."""
    found = clients("ec2").describe_subnets(SubnetIds=list(subnets))["Subnets"]
    vpcs = sorted({subnet["VpcId"] for subnet in found})
    if len(vpcs) != 1:
        raise CutoverError(f"The subnets {', '.join(subnets)} are in {len(vpcs)} VPCs ({', '.join(vpcs)}); they should all be in one. Nothing was changed.")
    return str(vpcs[0])
