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
        """The groups of tasks, load balancer, data stores and endpoints."""
        network = snapshot.network
        ids = {group for signal in snapshot.services for group in signal.groups}
        ids |= set((snapshot.load_balancer or {}).get("SecurityGroups", []))
        ids |= {group for store in network.data_stores for group in store["groups"]}
        ids |= {group for endpoint in network.endpoints or [] for group in group_ids(endpoint.get("Groups"), "GroupId")}
        if ids:
            found = pages(self.clients("ec2"), "describe_security_groups", "SecurityGroups", Filters=by("group-id", ids))
            network.security_groups = {group["GroupId"]: group for group in found}
        for store in network.data_stores:
            known = [network.security_groups[group] for group in store["groups"] if group in network.security_groups]
            store["vpc_id"] = next((group.get("VpcId") for group in known), None)

    # What one of these cannot read is unknown; the others still count, so each is called for itself.

    def subnets(self, snapshot: Snapshot) -> None:
        wanted = _subnets(snapshot)
        if wanted:
            snapshot.network.subnets = {entry["SubnetId"]: entry for entry in self._ec2("describe_subnets", "Subnets", "subnet-id", wanted)}

    def route_tables(self, snapshot: Snapshot) -> None:
        snapshot.network.route_tables = self._ec2("describe_route_tables", "RouteTables", "vpc-id", _vpcs(snapshot))

    def network_acls(self, snapshot: Snapshot) -> None:
        snapshot.network.network_acls = self._ec2("describe_network_acls", "NetworkAcls", "vpc-id", _vpcs(snapshot))

    def endpoints(self, snapshot: Snapshot) -> None:
        """With their subnets, whose ACLs and blocks count too."""
        network, vpcs = snapshot.network, _vpcs(snapshot)
        if not vpcs:
            return
        found = self._ec2("describe_vpc_endpoints", "VpcEndpoints", "vpc-id", vpcs)
        more = {str(subnet) for endpoint in found for subnet in endpoint.get("SubnetIds", [])} - set(network.subnets)
        if more:
            network.subnets.update({entry["SubnetId"]: entry for entry in self._ec2("describe_subnets", "Subnets", "subnet-id", more)})
        network.endpoints = found

    def _ec2(self, operation: str, key: str, name: str, values: set[str]) -> list[t.Any]:
        return pages(self.clients("ec2"), operation, key, Filters=by(name, values)) if values else []

    def databases(self) -> list[Json]:
        """RDS instances and clusters; a cluster names its subnet group only, which its instances spell out."""
        rds, stores = self.clients("rds"), []
        subnets_of: dict[str, list[str]] = {}
        for entry in pages(rds, "describe_db_instances", "DBInstances"):
            endpoint, groups = entry.get("Endpoint") or {}, group_ids(entry.get("VpcSecurityGroups"), "VpcSecurityGroupId")
            group = entry.get("DBSubnetGroup") or {}
            subnets = subnets_of[str(group.get("DBSubnetGroupName"))] = [str(subnet["SubnetIdentifier"]) for subnet in group.get("Subnets", [])]
            stores += by_address("rds", entry["DBInstanceIdentifier"], [endpoint.get("Address")], endpoint.get("Port") or MYSQL_PORT, groups, subnets)
        for entry in pages(rds, "describe_db_clusters", "DBClusters"):
            names, groups = [entry.get("Endpoint"), entry.get("ReaderEndpoint")], group_ids(entry.get("VpcSecurityGroups"), "VpcSecurityGroupId")
            subnets = subnets_of.get(str(entry.get("DBSubnetGroup")), [])
            stores += by_address("rds", entry["DBClusterIdentifier"], names, entry.get("Port") or MYSQL_PORT, groups, subnets)
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


def _vpcs(snapshot: Snapshot) -> set[str]:
    return {str(entry["VpcId"]) for entry in snapshot.network.subnets.values() if entry.get("VpcId")}


def _subnets(snapshot: Snapshot) -> set[str]:
    subnets = {str(zone["SubnetId"]) for zone in (snapshot.load_balancer or {}).get("AvailabilityZones", []) if zone.get("SubnetId")}
    for signal in snapshot.services:
        subnets |= set((((signal.service or {}).get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}).get("subnets", []))
    return subnets | {subnet for store in snapshot.network.data_stores for subnet in store.get("subnets", [])}


def _cache(identifier: str, ends: list[Json], groups: list[str]) -> list[Json]:
    port = next((int(end["Port"]) for end in ends if end.get("Port")), REDIS_PORT)
    return by_address("elasticache", identifier, [end.get("Address") for end in ends], port, groups)


def group_ids(groups: t.Iterable[Json] | None, key: str) -> list[str]:
    return [str(group[key]) for group in groups or []]


def by_address(kind: str, identifier: str, addresses: t.Iterable[str | None], port: int, groups: list[str], subnets: t.Sequence[str] = ()) -> list[Json]:
    """One entry per address, so that each can be looked for in an environment."""
    names = dict.fromkeys(address for address in addresses if address)
    return [{"kind": kind, "id": identifier, "address": name, "port": int(port), "groups": groups, "vpc_id": None, "subnets": list(subnets)} for name in names]
