"""Every finding has a folder with a system that causes it and a near miss that doesn't; one that lacks either fails here.

``fixtures/rules/<finding>/positive*.yml`` and ``near_miss*.yml`` are the cases (rules.py says how they are written), ``plan.json`` what becomes of each: its
findings of this id, and what else the plan has otherwise than the plan of the golden system that the case changes. ``CUTOVER_GOLDEN=write`` writes it anew;
read the difference before committing it.
"""

from __future__ import annotations

import functools
import json
import os
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from ansible_collections.cutover.fargate.plugins.module_utils._translate.findings import KINDS
from lab.aws.refusals import ecs_definitions
from unit.plugins.module_utils._translate import rules, shapes, systems
from unit.plugins.module_utils._translate.rules import Case
from unit.plugins.module_utils._translate.systems import Json

READ_ONLY = {"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy", "deregisteredAt"}


@functools.cache
def case(name: str) -> Case:
    return Case(name)


@functools.cache
def base(name: str) -> Json:
    return planner.plan(systems.system(name), {})


@pytest.mark.parametrize("name", rules.CASES)
def test_positive_is_found_and_near_miss_is_not(name: str) -> None:
    found = {finding["id"] for finding in case(name).plan["findings"]}
    assert (case(name).kind in found) == case(name).positive


def test_every_finding_has_a_positive_and_a_near_miss() -> None:
    assert {kind: _lacks(kind) for kind in KINDS if _lacks(kind)} == {}
    assert {case(name).kind for name in rules.CASES} == {path.name for path in rules.FOLDER.iterdir()} == set(KINDS)


def _lacks(kind: str) -> list[str]:
    names = [name for name in rules.CASES if case(name).kind == kind]
    return [which for which in ("positive", "near_miss") if not any(name.startswith(f"{kind}/{which}") for name in names)]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_plan_is_as_recorded(kind: str) -> None:
    outcomes = {name.partition("/")[2]: outcome(case(name)) for name in rules.CASES if case(name).kind == kind}
    recorded = rules.FOLDER / kind / "plan.json"
    if os.environ.get("CUTOVER_GOLDEN") == "write":
        recorded.write_text(json.dumps(outcomes, indent=1).replace(rules.ECR, "$ECR") + "\n")
    assert json.loads(recorded.read_text().replace("$ECR", rules.ECR)) == outcomes


def outcome(one: Case) -> Json:
    """Short enough to be read: what every finding of an id has in common is in the table of findings."""
    before, after = (_lines(plan["findings"]) for plan in (base(one.base), one.plan))
    rest = [{key: value for key, value in plan.items() if key != "findings"} for plan in (base(one.base), one.plan)]
    found = [{key: item[key] for key in ("path", "source_value", "new_value")} for item in one.plan["findings"] if item["id"] == one.kind]
    others = sorted([f"+ {line}" for line in after - before] + [f"- {line}" for line in before - after])
    result = {"found": found, "other_findings": [line for line in others if f" {one.kind} " not in line], "plan": rules.difference(*rest)}
    return t.cast(Json, json.loads(json.dumps(result)))


def _lines(found: list[Json]) -> set[str]:
    return {f"{item['severity']} {item['id']} {item['path']}{' (waived)' if item['waived'] else ''}" for item in found}


@pytest.mark.parametrize("name", rules.CASES)
def test_the_changed_definitions_are_some_that_ecs_runs_on_instances(name: str) -> None:
    """A case that is about something else says ``odd: true``."""
    problems = [problem for source in _definitions(case(name)) for problem in _refused(source)]
    assert bool(problems) == case(name).odd, problems


def _definitions(one: Case) -> list[Json]:
    found = [service.get("TaskDefinition") or {} for service in (one.system().get("source") or {}).get("services") or []]
    return [{key: value for key, value in definition.items() if key not in READ_ONLY} for definition in found if definition]


def _refused(source: Json) -> list[str]:
    known = {key: value for key, value in source.items() if key in shapes.model("ecs").operation_model("RegisterTaskDefinition").input_shape.members}
    invalid = shapes.errors("ecs", "RegisterTaskDefinition", known)
    return [invalid] if invalid else list(ecs_definitions.problems({**known, "requiresCompatibilities": ["EC2"]}))
