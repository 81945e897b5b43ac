"""Cases of one finding each: a change to a golden system, and the inventory. docs/architecture.md shows how to write one.

``change`` is laid over the system: a mapping over a mapping, member by member; a mapping over a list, whose keys are the names of its elements (or their
numbers, where they have none) and may add one; null takes a member or an element away; everything else replaces what was there.
"""

from __future__ import annotations

import copy
import functools
import typing as t
from dataclasses import dataclass
from functools import cached_property

import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

FOLDER = systems.FOLDER.parent / "rules"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
CASES = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.glob("*/*.yml"))
# By what an element of a list is known.
NAMES = ("name", "serviceName", "TargetGroupName", "AutoScalingGroupName", "SubnetId", "GroupId", "logGroupName", "repositoryName", "AlarmName")
SERVICES = ("source", "services")
# Short for what most cases change.
PLACES: dict[str, tuple[str, ...]] = {
    "web": (*SERVICES, "web"),
    "web_task": (*SERVICES, "web", "TaskDefinition"),
    "nginx": (*SERVICES, "web", "TaskDefinition", "containerDefinitions", "nginx"),
    "php-fpm": (*SERVICES, "web", "TaskDefinition", "containerDefinitions", "php-fpm"),
    "worker": (*SERVICES, "worker"),
    "worker_task": (*SERVICES, "worker", "TaskDefinition"),
    "worker_container": (*SERVICES, "worker", "TaskDefinition", "containerDefinitions", "worker"),
    "load_balancer": ("source", "load_balancer"),
    "target_group": ("source", "target_groups", "shop-web"),
    "capacity": ("source", "capacity"),
}


@dataclass(frozen=True)
class Case:
    """``FG-HOSTNAME/positive`` or ``FG-HOSTNAME/near_miss``, or either with a further word: ``positive_of_two``."""

    name: str

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]

    @property
    def positive(self) -> bool:
        return self.name.partition("/")[2].startswith("positive")

    @cached_property
    def given(self) -> Json:
        text = (FOLDER / f"{self.name}.yml").read_text().replace("$ECR", ECR)
        return t.cast(Json, yaml.safe_load(text) or {})

    @property
    def base(self) -> str:
        return str(self.given.get("base") or "shop")

    @property
    def intent(self) -> Json:
        return t.cast(Json, self.given.get("intent") or {})

    @property
    def odd(self) -> bool:
        """Whether the case is about a definition that ECS would not have taken."""
        return bool(self.given.get("odd"))

    def system(self) -> Json:
        found = systems.system(self.base)
        for place, change in (self.given.get("change") or {}).items():
            path = PLACES.get(place, (place,))
            found = laid_over(found, functools.reduce(lambda inner, part: {part: inner}, reversed(path), change))
        return found

    @cached_property
    def plan(self) -> Json:
        return planner.plan(self.system(), self.intent)


def laid_over(value: t.Any, change: t.Any) -> t.Any:
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    if isinstance(value, list) and (value or any(isinstance(item, dict) for item in change.values())):
        return _elements(value, change)
    result = dict(value) if isinstance(value, dict) else {}
    for key, item in change.items():
        if item is None:
            result.pop(key, None)
        else:
            result[key] = laid_over(result.get(key), item)
    return result


def _elements(values: list[t.Any], change: Json) -> list[t.Any]:
    result: list[t.Any] = list(values)
    for key, item in change.items():
        at = key if isinstance(key, int) else next((index for index, value in enumerate(result) if name_of(value) == key), len(result))
        result[at : at + 1] = [] if item is None else [laid_over(result[at] if at < len(result) else None, item)]
    return result


def name_of(value: t.Any) -> str | None:
    """What a person would call an element of a list."""
    return next((str(value[key]) for key in NAMES if value.get(key)), None) if isinstance(value, dict) else None


def difference(before: t.Any, after: t.Any, path: str = "") -> Json:
    """What one plan has otherwise than another: path -> what is there instead, None where nothing is."""
    if before == after:
        return {}
    if isinstance(before, dict) and isinstance(after, dict):
        found: Json = {}
        for key in sorted({*before, *after}):
            found |= difference(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        return found
    if isinstance(before, list) and isinstance(after, list):
        names = [name_of(item) or str(item.get("family")) for item in (*before, *after) if isinstance(item, dict)]
        if names and len(names) == len(before) + len(after) and "None" not in names and len(set(names[: len(before)])) == len(before):
            old, new = dict(zip(names, before, strict=False)), dict(zip(names[len(before) :], after, strict=True))
            found = {}
            for name in {**old, **new}:
                found |= difference(old.get(name), new.get(name), f"{path}[{name}]")
            return found
    return {path: after}
