# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The target's services: create what is missing, update what drifted, leave the number of tasks to its owner."""

from __future__ import annotations

import hashlib
import json
import typing as t

from .._aws import tags as tagging
from .._aws.apply import CLOCK, Call, Clock, Ids, Ref, apply, overlay, report, resolve
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import KNOWN_AFTER_APPLY
from .._ec2.common import find_group, vpc_of
from .._ecr import used
from .._elbv2.common import find_target_group
from . import attached, connect, registries
from .common import LINKED_ROLE, NEW_ROLE, describe_services, newest_definition, rolls, whole_configuration
from .masking import mask_pair
from .namespaces import NEW_NAMESPACE
from .task_definitions import differs

Wanted = t.Mapping[str, t.Any]
OURS = ("desired_count_enforced", "held")
"""What the plan says of a service beside CreateService's arguments."""

NOT_YET = (*LINKED_ROLE, *NEW_ROLE, *NEW_NAMESPACE, ("InvalidParameterException", "does not have an associated load balancer"))
"""Refusals that pass. ECS sees a target group on its listener a moment after Elastic Load Balancing does."""

DEFAULTS: dict[str, t.Any] = {
    "healthCheckGracePeriodSeconds": 0,
    "enableExecuteCommand": False,
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "platformVersion": "LATEST",
    "availabilityZoneRebalancing": "DISABLED",
}
"""What a service without the member has. [B UpdateServiceRequest.availabilityZoneRebalancing]: "never had a value ... treats this as DISABLED"."""

UPDATABLE = (
    "taskDefinition",
    "networkConfiguration",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "platformVersion",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "availabilityZoneRebalancing",
    "loadBalancers",
    *attached.MEMBERS,
    "serviceRegistries",
)


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> dict[str, t.Any]:
    definitions = {item["family"]: item for item in _planned(params, clients)} if check_mode else {}
    current = read(clients, params["services"], check_mode)
    places = {(item["namespace_id"], item["name"]): item for item in params.get("registries") or []}
    known = registries.read(clients, list(places.values()))
    for key, place in places.items():
        registries.refuse(place, known.get(key))
    looked_up = {item["name"]: look_up(item, definitions, known, clients, check_mode) for item in params["services"]}
    wanted = {name: ours(item, current.get(name)) for name, item in looked_up.items()}
    for name, item in wanted.items():
        refuse_foreign(item, current.get(name))
        if not check_mode and (current.get(name) or {}).get("status") == "DRAINING":
            _wait_until_drained(item, clients, clock, params["wait_timeout"], params["poll_seconds"])
    calls = {name: compare(item, current.get(name)) for name, item in wanted.items()}
    first = [call for key, place in places.items() for call in registries.compare(place, known.get(key))]
    ordered = [call for name in connect.publishers_first(calls, wanted) for call in calls[name]]
    again = connect.late(wanted, {name: service for name, service in current.items() if exists(service)}, ordered)
    calls = {name: [*calls[name], *(call for call in again if call.params["service"] == name)] for name in calls}
    ids: Ids = {}
    changes = apply([*first, *ordered, *again], clients, ids, check_mode, clock)
    before: dict[str, t.Any] = {name: view(service) for name, service in current.items() if exists(service)}
    after: dict[str, t.Any] = {name: resolve(expected(item, current.get(name)), ids) for name, item in wanted.items()}
    if places:
        before["registries"] = {key[1]: registries.shown(found) for key, found in known.items()}
        after["registries"] = {key[1]: registries.expected(place, known.get(key)) for key, place in places.items()}
    return report(changes, *mask_pair(before, after), services=[_outcome(item, current.get(name), calls[name]) for name, item in wanted.items()])


def _planned(params: t.Mapping[str, t.Any], clients: Clients) -> list[Wanted]:
    """The task definitions as the role taskdef registers them."""
    planned = params.get("task_definitions") or []
    found = {item["family"]: newest_definition(clients, item["family"]) for item in planned}
    registered = {family: each.body if each else None for family, each in found.items()}
    return used.resolve(planned, params.get("images") or [], clients, registered, decide=False)


def read(clients: Clients, services: t.Sequence[Wanted], check_mode: bool) -> dict[str, dict[str, t.Any]]:
    """The services by name, as AWS describes them. All of a system's services are in one cluster each; usually in the same."""
    found: dict[str, dict[str, t.Any]] = {}
    for cluster in sorted({item["cluster"] for item in services}):
        described = describe_services(clients, cluster, [item["name"] for item in services if item["cluster"] == cluster])
        if described is None and not check_mode:
            raise CutoverError(f"There is no cluster {cluster}. Run the role cluster first (--tags cluster). No service was created or changed.")
        found.update(described or {})
    return {name: {**service, connect.MEMBER: connect.in_force(service, clients)} for name, service in found.items()}


def exists(service: t.Mapping[str, t.Any] | None) -> bool:
    """A deleted service is still described, as INACTIVE; while it is DRAINING it can't be used again either."""
    return service is not None and service.get("status") == "ACTIVE"


def look_up(
    item: Wanted, definitions: t.Mapping[str, Wanted], known: t.Mapping[registries.Key, registries.Found], clients: Clients, check_mode: bool
) -> dict[str, t.Any]:
    """The plan's entry as CreateService's arguments, ids in place of names."""
    network = {
        "subnets": sorted(item["subnets"]),
        "securityGroups": [_group_id(item, clients, check_mode)],
        "assignPublicIp": item.get("assign_public_ip") or "DISABLED",
    }
    arguments = {
        "cluster": item["cluster"],
        "serviceName": item["name"],
        "taskDefinition": _definition_arn(item, definitions, clients, check_mode),
        "desiredCount": item["desired_count"],
        "launchType": "FARGATE",
        "schedulingStrategy": "REPLICA",
        "platformVersion": item.get("platform_version"),
        "networkConfiguration": {"awsvpcConfiguration": network},
        "loadBalancers": _by_arn(_load_balancer(target, item, clients, check_mode) for target in item.get("load_balancers") or []),
        "serviceRegistries": registries.argument(item, known),
        "healthCheckGracePeriodSeconds": item.get("health_check_grace_period_seconds"),
        "deploymentConfiguration": item.get("deployment_configuration"),
        "enableExecuteCommand": item.get("enable_execute_command"),
        "propagateTags": item.get("propagate_tags"),
        "enableECSManagedTags": item.get("enable_ecs_managed_tags"),
        "availabilityZoneRebalancing": item.get("availability_zone_rebalancing"),
        connect.MEMBER: connect.look_up(item, clients, check_mode),
        "tags": {key: str(value) for key, value in (item.get("tags") or {}).items()},
        "desired_count_enforced": bool(item.get("desired_count_enforced")),
        "held": item.get("held_count") is not None,
    }
    if not arguments["loadBalancers"] and not item.get("vpc_lattice_configurations"):
        arguments["healthCheckGracePeriodSeconds"] = None  # AWS refuses it on a service without a load balancer
    return {**{key: value for key, value in arguments.items() if value not in (None, [], {})}, **attached.wanted(item)}


def _definition_arn(item: Wanted, definitions: t.Mapping[str, Wanted], clients: Clients, check_mode: bool) -> str:
    family = item["family"]
    found = newest_definition(clients, family)
    planned = definitions.get(family)
    if check_mode and (found is None or (planned is not None and differs(planned, found))):
        return f"{family}:{KNOWN_AFTER_APPLY}"
    if found is None:
        raise CutoverError(
            f"The family {family} of service {item['name']} has no active revision. Run the role taskdef first (--tags taskdef). "
            "No service was created or changed."
        )
    return found.arn


def _group_id(item: Wanted, clients: Clients, check_mode: bool) -> str:
    group = find_group(clients, item["security_group"], vpc_of(clients, item["subnets"]))
    if group is None and not check_mode:
        raise CutoverError(
            f"There is no security group {item['security_group']} in the VPC of service {item['name']}. Run the role security first (--tags security). "
            "No service was created or changed."
        )
    return group["GroupId"] if group else KNOWN_AFTER_APPLY


def _load_balancer(target: Wanted, item: Wanted, clients: Clients, check_mode: bool) -> dict[str, t.Any]:
    group = find_target_group(clients, target["target_group"])
    if not check_mode and not (group and group.get("LoadBalancerArns")):
        state = "is not attached to a load balancer" if group else "does not exist"
        raise CutoverError(
            f"The target group {target['target_group']} of service {item['name']} {state}. Run the role alb first (--tags alb). "
            "No service was created or changed."
        )
    return {
        "targetGroupArn": group["TargetGroupArn"] if group else KNOWN_AFTER_APPLY,
        "containerName": target["container_name"],
        "containerPort": target["container_port"],
    }


def _by_arn(targets: t.Iterable[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    return sorted(targets, key=lambda target: str(target["targetGroupArn"]))


def ours(wanted: dict[str, t.Any], current: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """What of it is the plan's to decide, once the service exists."""
    chosen = exists(current) and not rolls(current)
    return {key: value for key, value in wanted.items() if not (chosen and key == "deploymentConfiguration")}


def refuse_foreign(wanted: Wanted, current: t.Mapping[str, t.Any] | None) -> None:
    if current is None or not exists(current):
        return
    owner, name = wanted.get("tags", {}).get(tagging.SYSTEM), wanted["serviceName"]
    if owner is not None and tagging.to_dict(current.get("tags")).get(tagging.SYSTEM) != owner:
        raise CutoverError(
            f"The service {name} in cluster {wanted['cluster']} exists without the tag {tagging.SYSTEM}={owner}, so it is not ours. "
            "Choose another name or cluster for the target, or tag the service if it is this system's. No service was created or changed."
        )
    if current.get("launchType", "FARGATE") != "FARGATE":
        raise CutoverError(
            f"The service {name} in cluster {wanted['cluster']} has the launch type {current['launchType']}; it should be FARGATE, and AWS can't change it. "
            "Delete the service or choose another name. No service was created or changed."
        )


def compare(wanted: Wanted, current: t.Mapping[str, t.Any] | None) -> list[Call]:
    """Create, or update what drifted. The number of tasks belongs to people and to auto scaling once the service exists."""
    if current is None or not exists(current):
        return [_create(wanted, current)]
    return [*_update(wanted, current), *_tag(wanted, current)]


def _create(wanted: Wanted, previous: t.Mapping[str, t.Any] | None) -> Call:
    params = {key: value for key, value in wanted.items() if key not in OURS and value != []}
    params["tags"] = tagging.to_list(wanted.get("tags", {}), lower=True)
    params["clientToken"] = client_token(params, previous)
    text = f"create service {wanted['serviceName']} with {wanted['desiredCount']} tasks"
    return Call(text, "ecs", "create_service", params, gives={Ref("service", wanted["serviceName"]): ("service", "serviceArn")}, again=NOT_YET)


def client_token(params: t.Mapping[str, t.Any], previous: t.Mapping[str, t.Any] | None) -> str:
    """A create that was killed after AWS took it gives the same service when it is sent again. A service that was deleted since gives another token."""
    seed = [params, str((previous or {}).get("createdAt", ""))]
    return hashlib.sha256(json.dumps(seed, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _update(wanted: Wanted, current: t.Mapping[str, t.Any]) -> t.Iterator[Call]:
    """One UpdateService with what differs: each one that touches tasks starts a deployment."""
    now = view(current)
    drift = {key: wanted[key] for key in UPDATABLE if key in wanted and not attached.same(key, now.get(key), wanted[key])}
    if "deploymentConfiguration" in drift:
        drift["deploymentConfiguration"] = whole_configuration(current.get("deploymentConfiguration"), drift["deploymentConfiguration"])
    drift |= connect.drift(now.get(connect.MEMBER), wanted.get(connect.MEMBER))
    if _too_few(wanted, now) or _too_many(wanted, now):
        drift["desiredCount"] = wanted["desiredCount"]
    if drift or _stalled(current):
        text = f"update {', '.join(sorted(drift))} of service {wanted['serviceName']}"
        if _stalled(current):
            drift["forceNewDeployment"] = True
            text = f"deploy service {wanted['serviceName']} again, because its last deployment failed"
        params = {"cluster": wanted["cluster"], "service": wanted["serviceName"], **drift}
        yield Call(text, "ecs", "update_service", params, again=NOT_YET)


def _too_few(wanted: Wanted, now: t.Mapping[str, t.Any]) -> bool:
    """The plan insists on running tasks and there are none (a scaled-in side that is wanted back)."""
    return bool(wanted["desired_count_enforced"] and now["desiredCount"] == 0 and wanted["desiredCount"] > 0)


def _too_many(wanted: Wanted, now: t.Mapping[str, t.Any]) -> bool:
    """A scheduler that the source runs too: two of them do every job twice. Only the hand-over (``source_capacity``) gives it tasks."""
    return bool(wanted["held"] and now["desiredCount"] > 0)


def _stalled(current: t.Mapping[str, t.Any]) -> bool:
    """The circuit breaker gave the deployment up: ECS starts no more tasks until there is a new one.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    return any(each.get("status") == "PRIMARY" and each.get("rolloutState") == "FAILED" for each in current.get("deployments") or [])


def _tag(wanted: Wanted, current: t.Mapping[str, t.Any]) -> t.Iterator[Call]:
    missing = tagging.missing(wanted.get("tags", {}), tagging.to_dict(current.get("tags")))
    if missing:
        text = f"tag service {wanted['serviceName']} with {', '.join(sorted(missing))}"
        yield Call(text, "ecs", "tag_resource", {"resourceArn": current["serviceArn"], "tags": tagging.to_list(missing, lower=True)})


def view(service: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A described service in the shape of CreateService's arguments, defaults filled, order that means nothing removed."""
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    members = (*UPDATABLE, connect.MEMBER, "desiredCount", "launchType", "schedulingStrategy")
    shown = {**DEFAULTS, **{key: service[key] for key in members if service.get(key) is not None}}
    shown["networkConfiguration"] = {
        "awsvpcConfiguration": {
            "subnets": sorted(network.get("subnets") or []),
            "securityGroups": sorted(network.get("securityGroups") or []),
            "assignPublicIp": network.get("assignPublicIp") or "DISABLED",
        }
    }
    parts = ("targetGroupArn", "containerName", "containerPort")
    shown["loadBalancers"] = _by_arn({key: target.get(key) for key in parts} for target in service.get("loadBalancers") or [])
    shown["serviceRegistries"] = [registries.view(registry) for registry in service.get("serviceRegistries") or []]
    shown["tags"] = tagging.to_dict(service.get("tags"))
    return {"serviceName": service["serviceName"], **shown, **attached.described(service)}


def expected(wanted: Wanted, current: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """What will be there afterwards, for the diff."""
    after = {key: value for key, value in wanted.items() if key not in (*OURS, "cluster")}
    if current is None or not exists(current):
        return {**after, **attached.after({}, wanted)}
    now = view(current)
    kept = {} if _too_few(wanted, now) or _too_many(wanted, now) else {"desiredCount": now["desiredCount"]}
    if wanted.get(connect.MEMBER):
        after[connect.MEMBER] = connect.expected(now.get(connect.MEMBER), wanted[connect.MEMBER])
    return {**t.cast("dict[str, t.Any]", overlay(now, {**after, **kept})), **attached.after(now, wanted)}


def _wait_until_drained(wanted: Wanted, clients: Clients, clock: Clock, timeout: float, poll_seconds: float) -> None:
    """AWS refuses a new service while one of the same name is draining ("Unable to Start a service that is still Draining")."""
    cluster, name = wanted["cluster"], wanted["serviceName"]
    deadline = clock.now() + timeout
    while (describe_services(clients, cluster, [name]) or {}).get(name, {}).get("status") == "DRAINING":
        if clock.now() >= deadline:
            raise CutoverError(
                f"The deleted service {name} in cluster {cluster} was still draining after {timeout} s (wait_timeout). Run again later. "
                "No service was created or changed."
            )
        clock.sleep(poll_seconds)


def _outcome(wanted: Wanted, current: t.Mapping[str, t.Any] | None, calls: t.Sequence[Call]) -> dict[str, t.Any]:
    state = "created" if not exists(current) else "updated" if calls else "unchanged"
    return {"name": wanted["serviceName"], "cluster": wanted["cluster"], "task_definition": wanted["taskDefinition"], "state": state}
