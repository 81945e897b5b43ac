# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Confirmation, bake time, silence, a fresh look at every item, then deletion in order. Any doubt: nothing is deleted."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._aws import tags as aws_tags
from .._aws.apply import CLOCK, Call, Clock, apply
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import Progress, silent
from .._ecs.common import describe_services
from .._elbv2.common import find_load_balancer
from .._route53.common import bare_name, find_record_set
from . import delete, items, proof
from .items import Item

ARGUMENT_SPEC: dict[str, t.Any] = {
    "system": {"type": "str", "required": True},
    "confirm": {"type": "str"},
    "target_load_balancer": {"type": "str", "required": True},
    "target_cluster": {"type": "str", "required": True},
    "record_sets": {"type": "list", "elements": "dict", "default": []},
    "schedulers": {"type": "list", "elements": "dict", "default": []},
    "items": {"type": "list", "elements": "dict", "default": []},
    "bake_seconds": {"type": "float", "default": 2592000},
    "silence_seconds": {"type": "float", "default": 900},
    "metric_delay": {"type": "float", "default": 120},
    "metric_period": {"type": "int", "default": 60},
    "max_requests": {"type": "int", "default": 0},
}
Params = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class State:
    """``todo`` are the items that still exist, with who uses them."""

    target: dict[str, t.Any] | None
    tags: dict[str, str]
    todo: dict[Item, list[str]]

    @property
    def manifest(self) -> dict[str, str]:
        return {key: value for key, value in self.tags.items() if key.startswith(items.MANIFEST)}


def run(params: Params, clients: Clients, check_mode: bool, progress: Progress = silent, clock: Clock = CLOCK) -> dict[str, t.Any]:
    """Delete the source. In check mode: tell what would be deleted and what stands in the way."""
    state = read(params, clients)
    result = {"changed": False, "changes": [], "items": [{"kind": each.kind, "id": each.id, "name": each.name} for each in state.todo]}
    if not state.todo:
        forgotten = apply(_forget(state), clients, {}, check_mode, clock)
        return {**result, "changed": bool(forgotten), "changes": forgotten}
    obstacles = find_obstacles(params, state, clients, datetime.datetime.now(datetime.UTC))
    if obstacles:
        raise CutoverError(f"Teardown of {params['system']} refused: {' '.join(obstacles)} Nothing was deleted.", **result)
    changes = apply(_write_manifest(state), clients, {}, check_mode, clock)
    for item in state.todo:
        done = apply(delete.calls(item, clients), clients, {}, check_mode, clock)
        changes += done
        for text in done:
            progress(("would " if check_mode else "") + text)
    changes += apply(_forget(state if state.manifest else _with_manifest(state)), clients, {}, check_mode, clock)
    before = {"source": [str(each) for each in state.todo]}
    return {**result, "changed": bool(changes), "changes": changes, "diff": {"before": before, "after": {"source": []}}}


def read(params: Params, clients: Clients) -> State:
    target = find_load_balancer(clients, params["target_load_balancer"])
    tags: dict[str, str] = {}
    if target is not None:
        tags = aws_tags.to_dict(clients("elbv2").describe_tags(ResourceArns=[target["LoadBalancerArn"]])["TagDescriptions"][0]["Tags"])
    todo: dict[Item, list[str]] = {}
    for item in items.merge(items.from_plan(params["items"]), items.from_manifest(tags)):
        users = proof.users(item, clients, params)
        if users is not None:
            todo[item] = users
    return State(target, tags, todo)


def find_obstacles(params: Params, state: State, clients: Clients, now: datetime.datetime) -> list[str]:
    """Everything that forbids the deletion, one sentence each. Users that are items themselves go before what they use."""
    found = []
    if params.get("confirm") != params["system"]:
        given = f"is {params['confirm']!r}" if params.get("confirm") else "is not set"
        listed = ", ".join(str(each) for each in state.todo)
        found.append(f"fargate_teardown_confirm {given}; to delete {listed} for ever, it must be {params['system']!r}.")
    found += _baked(params, state, now)
    found += _moved(params, clients, state)
    found += _not_handed_over(params, clients)
    planned = {each.id for each in state.todo} | {each.id.split("/")[0] for each in state.todo if each.kind == "ingress_rule"}
    for item, users in state.todo.items():
        others = [user for user in users if not _goes_before(user, planned)]
        if others:
            found.append(f"{str(item).capitalize()} is still used: {'; '.join(others)}.")
    return found


def _goes_before(user: str, planned: set[str]) -> bool:
    """``Auto Scaling group shop``, ``a rule of security group sg-1``: is the user itself on the list?"""
    return user.rpartition(" ")[2] in planned


def _baked(params: Params, state: State, now: datetime.datetime) -> list[str]:
    """The bake time counts from the last cutover, which is a tag on the target's load balancer."""
    at = state.tags.get(aws_tags.CUTOVER_AT)
    if at is None:
        return [f"The tag {aws_tags.CUTOVER_AT} on load balancer {params['target_load_balancer']} is missing, so there was no cutover."]
    since = (now - datetime.datetime.fromisoformat(at.replace("Z", "+00:00"))).total_seconds()
    if since < params["bake_seconds"]:
        left = datetime.timedelta(seconds=round(params["bake_seconds"] - since))
        return [f"The cutover was at {at}; fargate_bake_seconds ({params['bake_seconds']:g}) are over in {left}."]
    return []


def _not_handed_over(params: Params, clients: Clients) -> list[str]:
    """A scale-in that was killed in between leaves a scheduler on neither side, and only the source remembers its number."""
    names = [each["name"] for each in params["schedulers"] if each["desired_count"]]
    services = describe_services(clients, params["target_cluster"], names) or {} if names else {}
    idle = [name for name in names if not (services.get(name) or {}).get("desiredCount")]
    return [f"The scheduler {name} has no task on the target yet; scale_in should have handed it over. Run scale_in again." for name in idle]


def _moved(params: Params, clients: Clients, state: State) -> list[str]:
    """Every record must point to the target now."""
    found = []
    for entry in params["record_sets"]:
        record_set = find_record_set(clients, entry["zone_id"], entry["record_set"])
        alias = bare_name((record_set or {}).get("AliasTarget", {}).get("DNSName", ""))
        if state.target is None or alias != bare_name(state.target["DNSName"]):
            name = f"{entry['record_set']['Name']} {entry['record_set']['Type']}"
            found.append(f"Record {name} points to {alias or 'nothing'}, not to {params['target_load_balancer']}.")
    return found


def _with_manifest(state: State) -> State:
    return State(state.target, {**state.tags, **items.to_manifest(state.todo)}, state.todo)


def _write_manifest(state: State) -> list[Call]:
    """Written once, before the first deletion."""
    if state.manifest or state.target is None:
        return []
    wanted = {"ResourceArns": [state.target["LoadBalancerArn"]], "Tags": aws_tags.to_list(items.to_manifest(state.todo))}
    return [Call(f"write the list of what is deleted to tags of {state.target['LoadBalancerName']}", "elbv2", "add_tags", wanted)]


def _forget(state: State) -> list[Call]:
    if not state.manifest or state.target is None:
        return []
    params = {"ResourceArns": [state.target["LoadBalancerArn"]], "TagKeys": sorted(state.manifest)}
    return [Call(f"remove the list of what was deleted from {state.target['LoadBalancerName']}", "elbv2", "remove_tags", params)]
