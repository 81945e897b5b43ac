"""A source in which something is gone gives a plan with findings, never a traceback."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner, report
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.rules import Case
from unit.plugins.module_utils._translate.systems import Json

# What may have become of a source, and the finding that stops the migration.
BROKEN = {
    "task definition gone": "FG-NO-TASK-DEFINITION",
    "service draining": "FG-SERVICE-STATUS",
    "load balancer without listener": "FG-NO-LISTENER",
    "no service left": "FG-NO-SERVICE",
    "target group on no listener": "FG-TG-UNATTACHED",
    "nothing left": "FG-NO-SYSTEM",
    "container linked to one that is gone": "FG-LINK-UNKNOWN",
    "no record": "FG-DNS-NONE",
}


@pytest.mark.parametrize("kind", BROKEN.values(), ids=BROKEN)
def test_broken_source_is_told(kind: str) -> None:
    plan = Case(f"{kind}/positive").plan
    assert report.summary(plan)
    told = next(item for item in plan["findings"] if item["id"] == kind)
    assert told["path"]
    assert told["fix"]


def members(value: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """The places of everything in the document."""
    items: t.Iterable[tuple[t.Any, t.Any]] = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from members(item, (*path, key))


def without(system: Json, path: tuple[t.Any, ...]) -> Json:
    """A copy of the way to a place: a member is null there, as discovery leaves what it could not read; an element of a list is gone."""
    result = holder = copy.copy(system)
    for key in path[:-1]:
        holder[key] = holder = copy.copy(holder[key])
    if isinstance(holder, list):
        del holder[path[-1]]
    else:
        holder[path[-1]] = None
    return result


def test_whatever_is_missing_there_is_a_plan() -> None:
    """Every member of a system in turn."""
    system = systems.system("cut_over")
    keys = set(systems.plan(system))
    for path in members(system):
        plan = planner.plan(without(system, path), {})
        assert set(plan) == keys, path
    for service in range(2):
        for key in system["source"]["services"][service]:
            changed = copy.deepcopy(system)
            del changed["source"]["services"][service][key]
            assert report.summary(planner.plan(changed, {})), key
