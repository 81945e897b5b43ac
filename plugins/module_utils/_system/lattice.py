# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""VPC Lattice: the target groups that services register in, and the prefix lists that its requests come from."""

from __future__ import annotations

import typing as t

from .read import Reader, Shape, each, together, unique

GONE = ["ResourceNotFoundException"]


def read_lattice(read: Reader, services: t.Sequence[Shape], path: str) -> Shape:
    """``vpc_lattice`` of a side. Nothing is asked unless a service uses VPC Lattice. A target group that doesn't exist any more is left out."""
    deployments = [deployment for service in services for deployment in service.get("deployments") or []]
    arns = unique(item.get("targetGroupArn", "") for deployment in deployments for item in deployment.get("vpcLatticeConfigurations") or [])
    if not arns:
        return {"target_groups": [], "prefix_lists": []}
    where = f"{path}.vpc_lattice"
    return together(
        target_groups=lambda: [group for group in each(lambda arn: _group(read, arn, where), arns) if group],
        prefix_lists=lambda: _prefix_lists(read, where),
    )


def _group(read: Reader, arn: str, path: str) -> Shape | None:
    return read.if_possible(path, None, lambda: read.one("vpc-lattice", "get_target_group", targetGroupIdentifier=arn), GONE)


def _prefix_lists(read: Reader, path: str) -> list[Shape]:
    """For both families of addresses. [D vpc-lattice/security-groups]"""
    names = [f"com.amazonaws.{read.clients.region}.{name}" for name in ("vpc-lattice", "ipv6.vpc-lattice")]
    which = [{"Name": "prefix-list-name", "Values": names}]
    found = read.if_possible(path, [], lambda: read.all("ec2", "describe_managed_prefix_lists", "PrefixLists", Filters=which))
    return [{key: item[key] for key in ("PrefixListId", "PrefixListName")} for item in found]
