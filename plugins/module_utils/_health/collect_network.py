# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads what the reachability is computed from: groups, subnets, routes, ACLs, endpoints, databases and caches. The clients come from outside."""

from __future__ import annotations

import datetime
import typing as t

from .model import Json, Snapshot

MYSQL_PORT, REDIS_PORT = 3306, 6379


def plain(value: t.Any) -> t.Any:
    """Times become seconds since 1970, so that a snapshot is plain JSON."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items() if key != "ResponseMetadata"}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


def pages(client: t.Any, operation: str, key: str, **params: t.Any) -> list[t.Any]:
    """All items of a paginated call."""
    return [plain(item) for page in client.get_paginator(operation).paginate(**params) for item in page.get(key, [])]


def by(name: str, values: t.Iterable[str]) -> list[Json]:
    """A filter of EC2: unlike ids, it does not fail on what is gone."""
    return [{"Name": name, "Values": sorted(values)}]


class NetworkReader:
    def __init__(self, clients: t.Any) -> None:
        self.clients = clients

    def groups(self, snapshot: Snapshot) -> None:
        """The groups of tasks, load balancer and data stores."""
        network = snapshot.network
        ids = {group for signal in snapshot.services for group in signal.groups}
        ids |= set((snapshot.load_balancer or {}).get("SecurityGroups", []))
        ids |= {group for store in network.data_stores for group in store["groups"]}
        if ids:
            found = pages(self.clients("ec2"), "describe_security_groups", "SecurityGroups", Filters=by("group-id", ids))
            network.security_groups = {group["GroupId"]: group for group in found}
        for store in network.data_stores:
            known = [network.security_groups[group] for group in store["groups"] if group in network.security_groups]
            store["vpc_id"] = next((group.get("VpcId") for group in known), None)

    def routes(self, snapshot: Snapshot) -> None:
        ec2, network, subnets = self.clients("ec2"), snapshot.network, _subnets(snapshot)
        if not subnets:
            return
        network.subnets = {entry["SubnetId"]: entry for entry in pages(ec2, "describe_subnets", "Subnets", Filters=by("subnet-id", subnets))}
        vpcs = {str(entry["VpcId"]) for entry in network.subnets.values()}
        if vpcs:
            network.route_tables = pages(ec2, "describe_route_tables", "RouteTables", Filters=by("vpc-id", vpcs))
            network.network_acls = pages(ec2, "describe_network_acls", "NetworkAcls", Filters=by("vpc-id", vpcs))
            network.endpoints = pages(ec2, "describe_vpc_endpoints", "VpcEndpoints", Filters=by("vpc-id", vpcs))

    def databases(self) -> list[Json]:
        """RDS instances and clusters."""
        rds, stores = self.clients("rds"), []
        for entry in pages(rds, "describe_db_instances", "DBInstances"):
            endpoint, groups = entry.get("Endpoint") or {}, group_ids(entry.get("VpcSecurityGroups"), "VpcSecurityGroupId")
            stores += by_address("rds", entry["DBInstanceIdentifier"], [endpoint.get("Address")], endpoint.get("Port") or MYSQL_PORT, groups)
        for entry in pages(rds, "describe_db_clusters", "DBClusters"):
            names, groups = [entry.get("Endpoint"), entry.get("ReaderEndpoint")], group_ids(entry.get("VpcSecurityGroups"), "VpcSecurityGroupId")
            stores += by_address("rds", entry["DBClusterIdentifier"], names, entry.get("Port") or MYSQL_PORT, groups)
        return stores

    def caches(self) -> list[Json]:
        """ElastiCache clusters and replication groups; the latter have the groups of their clusters."""
        client, stores = self.clients("elasticache"), []
        groups_of: dict[str, list[str]] = {}
        for entry in pages(client, "describe_cache_clusters", "CacheClusters", ShowCacheNodeInfo=True):
            groups = group_ids(entry.get("SecurityGroups"), "SecurityGroupId")
            groups_of[str(entry.get("ReplicationGroupId"))] = groups
            ends = [node.get("Endpoint") or {} for node in entry.get("CacheNodes", [])] + [entry.get("ConfigurationEndpoint") or {}]
            stores += _cache(entry["CacheClusterId"], ends, groups)
        for entry in pages(client, "describe_replication_groups", "ReplicationGroups"):
            ends = [node.get(key) or {} for node in entry.get("NodeGroups", []) for key in ("PrimaryEndpoint", "ReaderEndpoint")]
            stores += _cache(entry["ReplicationGroupId"], [entry.get("ConfigurationEndpoint") or {}, *ends], groups_of.get(entry["ReplicationGroupId"], []))
        return stores


def _subnets(snapshot: Snapshot) -> set[str]:
    subnets = {str(zone["SubnetId"]) for zone in (snapshot.load_balancer or {}).get("AvailabilityZones", []) if zone.get("SubnetId")}
    for signal in snapshot.services:
        subnets |= set((((signal.service or {}).get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}).get("subnets", []))
    return subnets


def _cache(identifier: str, ends: list[Json], groups: list[str]) -> list[Json]:
    port = next((int(end["Port"]) for end in ends if end.get("Port")), REDIS_PORT)
    return by_address("elasticache", identifier, [end.get("Address") for end in ends], port, groups)


def group_ids(groups: t.Iterable[Json] | None, key: str) -> list[str]:
    return [str(group[key]) for group in groups or []]


def by_address(kind: str, identifier: str, addresses: t.Iterable[str | None], port: int, groups: list[str]) -> list[Json]:
    """One entry per address, so that each can be looked for in an environment."""
    names = dict.fromkeys(address for address in addresses if address)
    return [{"kind": kind, "id": identifier, "address": name, "port": int(port), "groups": groups, "vpc_id": None} for name in names]
