# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What health_verify has to prove, for each side. runbook step 7"""

from __future__ import annotations

import typing as t

from .context import Context, Json
from .service import kind, source_count


def target(services: t.Sequence[Json], context: Context) -> Json:
    """The planned services; once the source has none any more, those that exist."""
    entries = [_entry(item["name"], item["kind"], item["family"], item["desired_count"], item["load_balancers"]) for item in services]
    if not services:
        entries = [_observed(service, service.get("desiredCount") or 0) for service in context.target_services.values()]
    return _side("target", context.names["load_balancer"], context.names["cluster"], entries, context)


def source(context: Context) -> Json | None:
    """The services of the EC2 side with the numbers it has when it is up; None after teardown."""
    if not context.source:
        return None
    entries = [_observed(service, source_count(service)) for service in context.replica_services]
    cluster = (context.source.get("cluster") or {}).get("clusterName")
    return _side("source", context.source_load_balancer.get("LoadBalancerName"), cluster, entries, context)


def probes(context: Context) -> list[t.Any]:
    """The inventory's; without any, health_verify asks for the front page and the health check's paths."""
    return list(context.intent.get("probes") or [])


def _side(side: str, load_balancer: str | None, cluster: str | None, services: list[Json], context: Context) -> Json:
    return {
        "side": side,
        "fqdn": context.fqdn,
        "load_balancer": load_balancer,
        "cluster": cluster,
        "services": sorted(services, key=lambda item: str(item["name"])),
        "probes": probes(context),
        "probe_proxy": context.intent.get("probe_proxy"),
    }


def _observed(service: Json, desired: int) -> Json:
    family = str((service.get("TaskDefinition") or {}).get("family") or "")
    balancers = [{"container_name": item.get("containerName"), "container_port": item.get("containerPort")} for item in service.get("loadBalancers") or []]
    return _entry(str(service.get("serviceName")), kind(service), family, desired, balancers)


def _entry(name: str, kind_: str, family: str, desired: int, balancers: t.Sequence[Json]) -> Json:
    first = balancers[0] if balancers else {}
    return {
        "name": name,
        "kind": kind_,
        "family": family,
        "desired_count": desired,
        "container_name": first.get("container_name"),
        "container_port": first.get("container_port"),
    }
