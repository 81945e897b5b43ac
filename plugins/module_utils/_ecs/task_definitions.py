# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Register a task definition if, and only if, the newest active revision of its family says something else."""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import CLOCK, Call, Clock, Ids, Ref, apply, report
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import KNOWN_AFTER_APPLY
from .._ecr import used
from .common import NEW_ROLE, Definition, newest_definition
from .definition import normalise
from .masking import mask_pair

Wanted = t.Mapping[str, t.Any]


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> dict[str, t.Any]:
    current = {item["family"]: newest_definition(clients, item["family"]) for item in params["task_definitions"]}
    registered = {family: found.body if found else None for family, found in current.items()}
    wanted = used.resolve(params["task_definitions"], params.get("images") or [], clients, registered, decide=not check_mode)
    for item in wanted:
        refuse_foreign(item, current[item["family"]])
    calls = [call for item in wanted for call in compare(item, current[item["family"]])]
    ids: Ids = {}
    changes = apply(calls, clients, ids, check_mode, clock)
    before, after = diff(wanted, current)
    return report(changes, before, after, task_definitions=[_outcome(item, current[item["family"]], ids) for item in wanted])


def refuse_foreign(wanted: Wanted, current: Definition | None) -> None:
    """The source's own family stays untouched for rollback: a service that deploys "the newest revision" would pick ours up."""
    owner = tagging.to_dict(wanted.get("tags")).get(tagging.SYSTEM)
    if current is None or owner is None or current.tags.get(tagging.SYSTEM) == owner:
        return
    if "FARGATE" not in current.body.get("requiresCompatibilities", []):
        raise CutoverError(
            f"The family {wanted['family']} is already used by {current.arn}, which is not for Fargate and has no tag {tagging.SYSTEM}={owner}. "
            "Choose another family for the target. Nothing was registered."
        )


def differs(wanted: Wanted, current: Definition | None) -> bool:
    return current is None or normalise(wanted) != normalise(current.body)


def compare(wanted: Wanted, current: Definition | None) -> list[Call]:
    family = wanted["family"]
    if current is None or differs(wanted, current):
        text = f"register task definition {family}" if current is None else f"register a new revision of task definition {family} after {current.revision}"
        gives = {Ref("task_definition", family): ("taskDefinition", "taskDefinitionArn")}
        params = {key: value for key, value in wanted.items() if value is not None and not (key == "tags" and not value)}
        return [Call(text, "ecs", "register_task_definition", params, gives=gives, again=NEW_ROLE)]
    missing = tagging.missing(tagging.to_dict(wanted.get("tags")), current.tags)
    if missing:
        text = f"tag task definition {family}:{current.revision} with {', '.join(sorted(missing))}"
        return [Call(text, "ecs", "tag_resource", {"resourceArn": current.arn, "tags": tagging.to_list(missing, lower=True)})]
    return []


def diff(wanted: t.Sequence[Wanted], current: t.Mapping[str, Definition | None]) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Both sides by family, in normal form, containers by name, secret-looking values hidden."""
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    for item in wanted:
        family, found = item["family"], current[item["family"]]
        old = _shown(found.body, found.tags) if found else {}
        new = _shown(item, {**(found.tags if found and not differs(item, found) else {}), **tagging.to_dict(item.get("tags"))})
        old, new = mask_pair(old, new)
        after[family] = new
        if found:
            before[family] = old
    return before, after


def _shown(definition: Wanted, tags: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Lists of named things as mappings: a diff of one changed value is then one line."""
    body = normalise(definition)
    containers = {item["name"]: {**item} for item in body.get("containerDefinitions", [])}
    for container in containers.values():
        for member, value in (("environment", "value"), ("secrets", "valueFrom")):
            if member in container:
                container[member] = {item["name"]: item.get(value) for item in container[member]}
    return {**body, "containerDefinitions": containers, "tags": dict(tags)}


def _outcome(wanted: Wanted, current: Definition | None, ids: t.Mapping[Ref, str]) -> dict[str, t.Any]:
    registered = ids.get(Ref("task_definition", wanted["family"]))
    if registered is None and differs(wanted, current):
        registered = KNOWN_AFTER_APPLY
    arn = registered or t.cast(Definition, current).arn
    return {"family": wanted["family"], "arn": arn, "registered": registered is not None}
