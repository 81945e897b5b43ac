"""A source in which something is gone gives a plan with findings, never a traceback."""

from __future__ import annotations

import copy
import functools
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._report import page
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner, report
from ansible_collections.cutover.fargate.plugins.module_utils._translate.context import whole
from ansible_collections.cutover.fargate.plugins.module_utils._translate.run import run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.plugins.module_utils._translate import goldens, systems
from unit.plugins.module_utils._translate.rules import Case
from unit.plugins.module_utils._translate.systems import Json
from unit.plugins.module_utils._translate.test_translation import EXAMPLES

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


def test_a_volume_of_which_nothing_but_the_name_is_told() -> None:
    system = Case("FG-EBS-VOLUME/positive").system()
    for deployment in system["source"]["services"][0]["deployments"]:
        deployment["volumeConfigurations"] = [{"name": item["name"]} for item in deployment["volumeConfigurations"]]
    assert any(", each with an EBS volume" in line for line in report.summary(planner.plan(system, {})))


@functools.cache
def cases() -> list[tuple[goldens.Golden, list[tuple[t.Any, ...]]]]:
    return [(golden, list(members(golden.system))) for golden in goldens.every()]


@st.composite
def broken(draw: st.DrawFn) -> tuple[Json, Json]:
    """A golden system in which up to three places are gone, null, empty or nonsense; and its inventory."""
    golden, places = draw(st.sampled_from(cases()))
    system = copy.deepcopy(golden.system)
    for path in draw(st.lists(st.sampled_from(places), min_size=1, max_size=3)):
        spoil(system, path, draw(st.sampled_from(["gone", "null", "empty", "nonsense"])))
    return system, golden.intent


def spoil(system: Json, path: tuple[t.Any, ...], how: str) -> None:
    """Nonsense has the right type: whoever writes a text instead of a list gets no answer from AWS either."""
    try:
        holder = functools.reduce(lambda value, key: value[key], path[:-1], t.cast(t.Any, system))
        before = holder[path[-1]]
    except (KeyError, IndexError, TypeError):
        return  # spoiled already
    if how == "gone":
        del holder[path[-1]]
    elif how == "nonsense":
        holder[path[-1]] = "nonsense" if isinstance(before, str) else not before if isinstance(before, bool) else before
    else:
        holder[path[-1]] = None if how == "null" or before is None else type(before)()


@given(broken())
@settings(max_examples=EXAMPLES // 2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_spoiled_there_are_plan_summary_and_page(given_: tuple[Json, Json]) -> None:
    """In any golden system, however deep."""
    system, intent = given_
    result = run({"system": system, "intent": intent}, lambda _probes: None)
    assert result["summary"]
    assert page.render(whole(system), result["plan"])
