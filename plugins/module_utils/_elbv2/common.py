# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Look-ups by name. What AWS answers with "not found" is None here."""

from __future__ import annotations

import typing as t

from .._aws.clients import Clients
from .._aws.errors import error_code
from .._aws.run import ClientError


def find_load_balancer(clients: Clients, name: str) -> dict[str, t.Any] | None:
    try:
        found = clients("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    except ClientError as error:
        if error_code(error) in ("LoadBalancerNotFound", "LoadBalancerNotFoundException"):
            return None
        raise
    return found[0] if found else None


def find_target_group(clients: Clients, name: str) -> dict[str, t.Any] | None:
    try:
        found = clients("elbv2").describe_target_groups(Names=[name])["TargetGroups"]
    except ClientError as error:
        if error_code(error) in ("TargetGroupNotFound", "TargetGroupNotFoundException"):
            return None
        raise
    return found[0] if found else None


def full_name(arn: str) -> str:
    """The value of CloudWatch's dimension: ``app/shop/50dc6c495c0c9188``, ``targetgroup/shop/73e2d6bc24d8a067``."""
    resource = arn.rpartition(":")[2]
    return resource.removeprefix("loadbalancer/")


def group_name(arn: str) -> str:
    """The name of a target group, read from its ARN: ``...:targetgroup/<name>/<id>``."""
    return arn.rpartition(":")[2].split("/")[1]
