# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Services of other clusters that register tasks in the system's target groups.

Running ones show in the targets. One without a running task shows nowhere but in its own definition, and AWS has no call from a target group to the
services that name it: so the account's other clusters are looked at, within a bound that does not grow with the account. What lies beyond is told.
"""

from __future__ import annotations

import math
import typing as t

from .read import Reader, Shape, each, unique

CLUSTERS_LISTED = 25
"""Clusters whose services are listed, one call each."""
DESCRIPTIONS = 25
"""Calls that describe services, ten in each: the smallest clusters first, so that as many as possible are seen."""
PER_CALL = 10
NAMED = 10


def cluster_list(read: Reader) -> list[str]:
    """ARNs of all the account's clusters, 100 in a call, read once for both sides."""
    return sorted(read.once("clusters", lambda: read.all("ecs", "list_clusters", "clusterArns")))


def groups_of(service: Shape) -> list[str]:
    """ARNs of the target groups a service registers its tasks in, also in turns: blue/green deployments and task sets."""
    balancers = [*service.get("loadBalancers", []), *(item for tasks in service.get("taskSets") or [] for item in tasks.get("loadBalancers") or [])]
    alternates = ((item.get("advancedConfiguration") or {}).get("alternateTargetGroupArn") for item in balancers)
    return unique([*(item.get("targetGroupArn") for item in balancers), *alternates])


def registrants(read: Reader, groups: t.Collection[str], looked_at: t.Collection[str], path: str) -> dict[str, list[str]]:
    """Target group ARN -> services of clusters that were not ``looked_at`` yet, as ``service x of cluster y``."""
    others = [arn for arn in read.if_possible(path, [], lambda: cluster_list(read)) if arn not in looked_at]
    if not groups or not others:
        return {}
    chosen, unread = _within_bound(each(lambda cluster: _listed(read, cluster), others[:CLUSTERS_LISTED]))
    unread += others[CLUSTERS_LISTED:]
    found: dict[str, list[str]] = {}
    for cluster, services in zip(chosen, each(lambda cluster: _described(read, cluster, chosen[cluster]), chosen), strict=True):
        for service in services:
            for group in set(groups_of(service)) & set(groups):
                found.setdefault(group, []).append(f"service {service['serviceName']} of cluster {_name(cluster)}")
    if unread:
        names = sorted(map(_name, unread))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        read.problem("clusters-unread", path, f"The services of {len(names)} other clusters were not looked at: {', '.join(names[:NAMED])}{more}.")
    return {group: sorted(services) for group, services in found.items()}


def _listed(read: Reader, cluster: str) -> tuple[str, list[str], bool]:
    """Cluster, its first 100 services, whether these are all. A cluster that was deleted meanwhile has none."""
    answer = read.existing({}, lambda: read.one("ecs", "list_services", cluster=cluster, maxResults=100), ["ClusterNotFoundException"])
    return cluster, answer.get("serviceArns", []), not answer.get("nextToken")


def _within_bound(listed: t.Sequence[tuple[str, list[str], bool]]) -> tuple[dict[str, list[str]], list[str]]:
    """Clusters to be described, with their services; and those that are too large."""
    chosen: dict[str, list[str]] = {}
    unread = []
    left = DESCRIPTIONS
    for cluster, arns, complete in sorted(listed, key=lambda item: (len(item[1]), item[0])):
        calls = math.ceil(len(arns) / PER_CALL)
        if complete and calls <= left:
            left -= calls
            chosen.update({cluster: arns} if arns else {})
        else:
            unread.append(cluster)
    return chosen, unread


def _described(read: Reader, cluster: str, arns: t.Sequence[str]) -> list[Shape]:
    described = read.batches("ecs", "describe_services", "services", "services", arns, PER_CALL, cluster=cluster)
    return [service for service in described if service.get("status") != "INACTIVE"]


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
