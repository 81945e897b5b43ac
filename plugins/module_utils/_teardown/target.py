# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Removing the target again, while the source serves: as if the migration had never begun. Any doubt: nothing is removed.

Parts are looked up by name, and only those that carry ``cutover:system=<system>`` are removed. What stays, and why, is told.
"""

from __future__ import annotations

import typing as t

from .._aws.apply import CLOCK, Clock, apply
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import Progress, silent
from .._elbv2 import silence
from .._elbv2.common import find_load_balancer, full_name
from .._route53.common import bare_name, find_record_set
from . import proof, target_parts
from .target_parts import Part

ARGUMENT_SPEC: dict[str, t.Any] = {
    "system": {"type": "str", "required": True},
    "confirm": {"type": "str"},
    "source_load_balancer": {"type": "str"},
    "record_sets": {"type": "list", "elements": "dict", "default": []},
    "vpc_id": {"type": "str", "required": True},
    "cluster": {"type": "str", "required": True},
    "load_balancer": {"type": "str", "required": True},
    "security_group": {"type": "str", "required": True},
    "registries": {"type": "list", "elements": "dict", "default": []},
    **{
        name: {"type": "list", "elements": "str", "default": []}
        for name in ("target_groups", "families", "alarms", "repositories", "log_groups", "namespaces")
    },
    "silence_seconds": {"type": "float", "default": 900},
    "metric_delay": {"type": "float", "default": 120},
    "metric_period": {"type": "int", "default": 60},
    "max_requests": {"type": "int", "default": 0},
    "wait_timeout": {"type": "float", "default": 900},
    "poll_seconds": {"type": "float", "default": 5},
}
Params = t.Mapping[str, t.Any]


def run(params: Params, clients: Clients, check_mode: bool, progress: Progress = silent, clock: Clock = CLOCK) -> dict[str, t.Any]:
    """Remove the target. In check mode: tell what would be removed and what stands in the way."""
    parts = target_parts.find(params, clients)
    ours = [part for part in parts if part.belongs_to(params["system"])]
    kept = [f"{part} does not carry the tag cutover:system={params['system']}" for part in parts if part not in ours]
    shared = [(part, next(proof.others_that_run(part.item, clients, params["cluster"]), None)) for part in ours]
    kept += [f"{part} is used by service {user}" for part, user in shared if user]
    ours = [part for part, user in shared if not user]
    result = {"changed": False, "changes": [], "kept": kept, "items": [{"kind": each.item.kind, "id": each.item.id, "name": each.item.name} for each in ours]}
    if not ours:
        return result
    obstacles = find_obstacles(params, ours, parts, clients)
    if obstacles:
        raise CutoverError(f"Removing the target of {params['system']} refused: {' '.join(obstacles)} Nothing was removed.", **result)
    changes: list[str] = []
    for part in ours:
        if part.item.kind == "cluster" and not check_mode:
            _wait_for_tasks(params, clients, progress, clock)
        done = apply(part.calls(clients), clients, {}, check_mode, clock)
        changes += done
        for text in done:
            progress(("would " if check_mode else "") + text)
    before = {"target": [str(each) for each in ours]}
    return {**result, "changed": bool(changes), "changes": changes, "diff": {"before": before, "after": {"target": []}}}


def find_obstacles(params: Params, ours: t.Sequence[Part], parts: t.Sequence[Part], clients: Clients) -> list[str]:
    """Everything that forbids it, one sentence each."""
    found = []
    if params.get("confirm") != params["system"]:
        given = f"is {params['confirm']!r}" if params.get("confirm") else "is not set"
        listed = ", ".join(str(each) for each in ours)
        found.append(f"fargate_abandon_confirm {given}; to remove {listed}, it must be {params['system']!r}.")
    return [
        *found,
        *_served(params, clients),
        *_heard(params, clients),
        *_guests(parts, params["system"]),
        *_connected(ours, clients),
        *_shared_groups(ours, clients),
        *_foreign_rules(ours, clients),
        *_foreign_instances(params, ours, clients),
    ]


def _served(params: Params, clients: Clients) -> t.Iterator[str]:
    """Every record must lead to the source now: looked up freshly, whatever the plan saw."""
    name = params.get("source_load_balancer")
    source = find_load_balancer(clients, name) if name else None
    if source is None:
        yield f"The source's load balancer{f' {name}' if name else ''} does not exist, so nothing else serves."
        return
    if not params["record_sets"]:
        yield "No record is known that leads to the source."
    for entry in params["record_sets"]:
        record_set = find_record_set(clients, entry["zone_id"], entry["record_set"])
        alias = bare_name((record_set or {}).get("AliasTarget", {}).get("DNSName", ""))
        if alias != bare_name(source["DNSName"]):
            yield f"Record {entry['record_set']['Name']} {entry['record_set']['Type']} points to {alias or 'nothing'}, not to {name}; run rollback first."


def _heard(params: Params, clients: Clients) -> t.Iterator[str]:
    """Clients that keep old answers of DNS may still be on the target. RequestCount counts a verification's probes too."""
    found = find_load_balancer(clients, params["load_balancer"])
    requests = silence.read(params, clients, full_name(found["LoadBalancerArn"])).requests if found else 0
    if requests > params["max_requests"]:
        yield (
            f"Load balancer {params['load_balancer']} served {requests} request(s) in the last {params['silence_seconds']:g} s; "
            "wait until nobody (probes of a verification count too) uses it any more."
        )


def _guests(parts: t.Sequence[Part], system: str) -> t.Iterator[str]:
    """Somebody else's service in the target's cluster would lose it."""
    for part in parts:
        if part.item.kind == "service" and not part.belongs_to(system):
            yield f"{str(part).capitalize()} runs in the target's cluster and is not of this system."


def _connected(ours: t.Sequence[Part], clients: Clients) -> t.Iterator[str]:
    """Services of others in our namespace reach the target by it."""
    mine = {part.item.id for part in ours if part.item.kind == "service"}
    for part in ours:
        if part.item.kind == "namespace":
            pages = clients("ecs").get_paginator("list_services_by_namespace").paginate(namespace=part.item.name)
            others = sorted(arn for page in pages for arn in page["serviceArns"] if arn not in mine)
            if others:
                yield f"{str(part).capitalize()} is used by service {', '.join(others)}."


def _shared_groups(ours: t.Sequence[Part], clients: Clients) -> t.Iterator[str]:
    """A target group that somebody attached to another load balancer is in use there."""
    balancers = {part.item.id for part in ours if part.item.kind == "load_balancer"}
    for part in ours:
        if part.item.kind == "target_group":
            group = clients("elbv2").describe_target_groups(TargetGroupArns=[part.item.id])["TargetGroups"][0]
            others = [full_name(arn) for arn in group["LoadBalancerArns"] if arn not in balancers and proof.load_balancer_exists(arn, clients)]
            if others:
                yield f"{str(part).capitalize()} is used by load balancer {', '.join(others)}."


def _foreign_rules(ours: t.Sequence[Part], clients: Clients) -> t.Iterator[str]:
    """AWS keeps a security group that a rule of another group names; and a rule without our tag is not ours to revoke."""
    revoked = {part.item.id for part in ours if part.item.kind == "security_group_rule"}
    for part in ours:
        if part.item.kind == "security_group":
            for rule in target_parts.rules_naming(part.item.id, clients):
                if rule["SecurityGroupRuleId"] not in revoked:
                    yield f"{str(part).capitalize()} is named by rule {rule['SecurityGroupRuleId']} of {rule['GroupId']}, which is not of this system."


def _foreign_instances(params: Params, ours: t.Sequence[Part], clients: Clients) -> t.Iterator[str]:
    """AWS keeps a Cloud Map service that has instances. Those of the target's tasks go with them; ECS writes on each whose it is.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
    """
    for part in ours:
        if part.item.kind == "cloud_map_service":
            pages = clients("servicediscovery").get_paginator("list_instances").paginate(ServiceId=part.item.id)
            instances = [instance for page in pages for instance in page["Instances"]]
            others = [each["Id"] for each in instances if each.get("Attributes", {}).get("ECS_CLUSTER_NAME") != params["cluster"]]
            if others:
                yield f"{str(part).capitalize()} has instances that are not of this system: {', '.join(others)}."


def _wait_for_tasks(params: Params, clients: Clients, progress: Progress, clock: Clock) -> None:
    """A cluster goes when its last task has stopped: targets drain first, then containers get their stop timeout."""
    deadline, shown = clock.now() + params["wait_timeout"], -1
    while True:
        tasks = _tasks(params["cluster"], clients)
        if not tasks:
            return
        if tasks != shown:
            progress(f"waiting for {tasks} task(s) of cluster {params['cluster']} to stop")
            shown = tasks
        if clock.now() >= deadline:
            raise CutoverError(
                f"{tasks} task(s) of cluster {params['cluster']} still run after {params['wait_timeout']:g} s. "
                "The services are gone; run it again to remove the rest."
            )
        clock.sleep(params["poll_seconds"])


def _tasks(cluster: str, clients: Clients) -> int:
    found = clients("ecs").describe_clusters(clusters=[cluster])["clusters"]
    return sum(each["runningTasksCount"] + each["pendingTasksCount"] for each in found)
