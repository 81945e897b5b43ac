# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One side of a system, source or target: everything behind one load balancer. Both are read by the same code."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._aws.errors import CutoverError
from . import artefacts, balancers, capacity, connect, databases, lattice, mount_targets, network, registries, scheduled, services
from .measured import read_measured
from .other_clusters import groups_of
from .owners import read_owners
from .read import Reader, Shape, together
from .roles import read_roles
from .secret_keys import read_secret_keys


@dataclass(frozen=True)
class Scope:
    """What belongs to the system, as far as the inventory says; ``roles`` and ``file_systems`` are read beside those of the task definitions.

    ``strict``: a side without services is an error (a source before the first provision), else a problem (whatever is half made or half torn down).
    """

    path: str
    hints: t.Sequence[str] = ()
    only: t.Sequence[str] = ()
    roles: t.Sequence[str] = ()
    file_systems: t.Sequence[str] = ()
    strict: bool = False


@dataclass(frozen=True)
class Side:
    """``data`` is the contract's shape; the rest is what the search for other users of the load balancer needs."""

    data: Shape
    elsewhere: t.Mapping[str, list[str]] = field(default_factory=dict)
    """Target group ARN -> services of other clusters."""
    excluded: t.Mapping[str, list[str]] = field(default_factory=dict)
    """Target group ARN -> services of this cluster that the inventory leaves out."""
    others: t.Sequence[Shape] = ()
    """The cluster's services that are not of the system, as DescribeServices gives them."""


def read_side(read: Reader, load_balancer: Shape, scope: Scope) -> Side:
    """Everything of the system behind this load balancer."""
    arn, vpc_id = load_balancer["LoadBalancerArn"], load_balancer["VpcId"]
    tree = together(
        load_balancer=lambda: balancers.read_tree(read, load_balancer, scope.path),
        target_groups=lambda: balancers.read_target_groups(read, arn),
        subnets=lambda: network.read_subnets(read, vpc_id),
        vpc_endpoints=lambda: network.read_endpoints(read, vpc_id, scope.path),
        nat_gateways=lambda: network.read_nat_gateways(read, vpc_id, scope.path),
        network_acls=lambda: network.read_network_acls(read, vpc_id, scope.path),
        vpc_dns=lambda: network.read_vpc_dns(read, vpc_id, scope.path),
    )
    found = services.locate(read, tree["target_groups"], scope.hints, scope.path)
    mine, others = divide(found.services, tree["target_groups"], scope.only)
    # Without a listener there is no target group to find a service by: one cause, told once, and not an error.
    _check(read, load_balancer, found, mine, scope if tree["load_balancer"]["Listeners"] else replace(scope, strict=False))
    _unclaimed(read, tree["target_groups"], found, scope)
    detail = _read_detail(read, load_balancer, tree, found.cluster, mine, scope)
    left_out = [service for service in found.services if service["serviceName"] in others]
    excluded = {group["TargetGroupArn"]: services.names_in(left_out, group["TargetGroupArn"]) for group in tree["target_groups"]}
    daemons = [service["serviceName"] for service in left_out if service.get("schedulingStrategy") == "DAEMON"]
    data = {**tree, "cluster": found.cluster, "other_services": others, "daemons": daemons, **detail}
    return Side({**data, "owners": read_owners(read, data, scope.path)}, found.elsewhere, excluded, left_out)


def divide(all_services: t.Sequence[Shape], target_groups: t.Sequence[Shape], only: t.Sequence[str]) -> tuple[list[Shape], list[str]]:
    """The services of the system, and the names of the cluster's others.

    Of the system are those that register in its target groups, and those without any load balancer (workers). ``only`` names them instead.
    """
    arns = {group["TargetGroupArn"] for group in target_groups}

    def ours(service: Shape) -> bool:
        if only:
            return service["serviceName"] in only
        return not service.get("loadBalancers") or bool(arns & set(groups_of(service)))

    return [service for service in all_services if ours(service)], [service["serviceName"] for service in all_services if not ours(service)]


def _read_detail(
    read: Reader, load_balancer: Shape, tree: Shape, cluster: Shape | None, mine: t.Sequence[Shape], scope: Scope
) -> Shape:
    first = together(
        services=lambda: services.complete(read, cluster, mine, scope.path) if cluster else [],
        capacity=lambda: capacity.read_capacity(read, cluster, mine, load_balancer["VpcId"], scope.path),
        alarms=lambda: artefacts.read_alarms(read, load_balancer, tree["target_groups"], cluster, mine),
        scheduled_tasks=lambda: scheduled.read_scheduled_tasks(read, cluster, scope.path),
    )
    mounts = mount_targets.read_mount_targets(read, first["services"], scope.file_systems, load_balancer["VpcId"], scope.path)
    second = together(
        security_groups=lambda: network.read_security_groups(
            read, load_balancer, first["services"], first["capacity"], tree["vpc_endpoints"], mounts, scope.path
        ),
        log_groups=lambda: artefacts.read_log_groups(read, first["services"], scope.path),
        roles=lambda: read_roles(read, first["services"], scope.roles, scope.path),
        secret_keys=lambda: read_secret_keys(read, first["services"], scope.path),
        repositories=lambda: artefacts.read_repositories(read, first["services"], scope.path),
        namespaces=lambda: connect.read_namespaces(read, cluster, first["services"], scope.path),
        vpc_lattice=lambda: lattice.read_lattice(read, first["services"], scope.path),
        registries=lambda: registries.read_registries(read, first["services"], scope.path),
    )
    used = read_measured(read, cluster, first["services"], scope.path) if cluster and scope.path == "source" else {}
    first["services"] = [{**service, "Measured": used.get(service["serviceName"])} for service in first["services"]]
    return {**first, **second, "mount_targets": mounts, "databases": databases.read_databases(read, second["security_groups"]["admitting"], scope.path)}


def _check(read: Reader, load_balancer: Shape, found: services.Location, mine: t.Sequence[Shape], scope: Scope) -> None:
    """Named services must exist; a source must have services."""
    names = [service["serviceName"] for service in found.services]
    missing = [name for name in scope.only if name not in names]
    account = read.clients.account_id()
    if not any(service.get("loadBalancers") for service in found.services):
        _complain(
            read,
            scope,
            "no-service",
            f"No ECS service registers tasks in the target groups of load balancer {load_balancer['LoadBalancerName']} in account {account}. "
            "fargate_fqdn should be the name of a system that runs on ECS in this account.",
        )
    elif missing:
        cluster = found.cluster["clusterName"] if found.cluster else "none"
        _complain(
            read,
            scope,
            "service-missing",
            f"fargate_services names {', '.join(missing)}, but cluster {cluster} has no such service. It should be some of: {', '.join(names)}.",
        )
    elif not any(service.get("loadBalancers") for service in mine):
        _complain(
            read,
            scope,
            "no-web-service",
            f"fargate_services names only services without load balancer ({', '.join(scope.only)}). "
            f"It should name what serves the FQDN too: {', '.join(names)}.",
        )


def _complain(read: Reader, scope: Scope, identifier: str, message: str) -> None:
    """An error where nothing can be done without services, else a problem beside all that was found."""
    if scope.strict:
        raise CutoverError(f"{message} Nothing was written.")
    read.problem(identifier, f"{scope.path}.services", message)


def _unclaimed(read: Reader, target_groups: t.Sequence[Shape], found: services.Location, scope: Scope) -> None:
    claimed = {arn for service in found.services for arn in groups_of(service)}
    for group in target_groups:
        if group["TargetGroupArn"] not in claimed and group["TargetGroupArn"] not in found.elsewhere:
            name = group["TargetGroupName"]
            read.problem("target-group-without-service", f"{scope.path}.target_groups[{name}]", f"No ECS service registers tasks in target group {name}.")
