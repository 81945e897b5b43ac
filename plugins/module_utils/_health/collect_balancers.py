# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads a load balancer: itself, its listeners and rules, whether anybody is behind it, and the addresses it answers at. The clients come from outside."""

from __future__ import annotations

import typing as t

from .._aws.errors import ClientError, is_code
from . import predicates
from .addresses import ipv6_works, node_addresses
from .collect_network import pages, plain
from .model import Json


class BalancerReader:
    def __init__(self, clients: t.Any) -> None:
        self.clients = clients

    def balancer(self, name: str) -> Json | None:
        try:
            found = self.clients("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
        except ClientError as error:
            if is_code(error, "LoadBalancerNotFound", "LoadBalancerNotFoundException"):
                return None
            raise
        return next((plain(entry) for entry in found), None)

    def listeners(self, arn: str) -> list[Json]:
        elbv2 = self.clients("elbv2")
        listeners = pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn)
        for listener in listeners:
            listener["Rules"] = pages(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
        return listeners

    def has_targets(self, arn: str) -> bool:
        """Whether anybody is registered: after a scale-in, and before the first task, nobody is."""
        elbv2 = self.clients("elbv2")
        groups = pages(elbv2, "describe_target_groups", "TargetGroups", LoadBalancerArn=arn)
        return any(
            predicates.registered({"TargetHealth": elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]})
            for group in groups
        )

    def addresses(self, balancer: Json | None, through_proxy: bool) -> list[str]:
        if balancer is None:
            return []
        suffix = str(balancer["LoadBalancerArn"]).split(":loadbalancer/", 1)[-1]
        cards = pages(self.clients("ec2"), "describe_network_interfaces", "NetworkInterfaces", Filters=[{"Name": "description", "Values": [f"ELB {suffix}"]}])
        return node_addresses(balancer, cards, through_proxy, ipv6_works)
