"""The golden systems: tests take one, change what they are about, and look at the plan."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner

Json = t.Dict[str, t.Any]

FOLDER = Path(__file__).parents[2] / "fixtures" / "systems"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def system(case: str = "shop") -> Json:
    return t.cast(Json, json.loads((FOLDER / case / "system.json").read_text()))


def intent(case: str) -> Json:
    return t.cast(Json, yaml.safe_load((FOLDER / case / "intent.yml").read_text()))


def plan(found: Json | None = None, **wanted: t.Any) -> Json:
    return planner.plan(system() if found is None else found, wanted)


def containers(found: Json, service: int = 0) -> dict[str, Json]:
    """The containers of a source's service by name, to be changed in place."""
    return {item["name"]: item for item in found["source"]["services"][service]["TaskDefinition"]["containerDefinitions"]}


def definition(found: Json, service: int = 0) -> Json:
    return t.cast(Json, found["source"]["services"][service]["TaskDefinition"])


def planned(result: Json, family: str = "shop-web-fargate") -> Json:
    return t.cast(Json, next(item for item in result["task_definitions"] if item["family"] == family))


def planned_containers(result: Json, family: str = "shop-web-fargate") -> dict[str, Json]:
    return {item["name"]: item for item in planned(result, family)["containerDefinitions"]}


def ids(result: Json, *severities: str) -> set[str]:
    return {item["id"] for item in result["findings"] if not severities or item["severity"] in severities}


def at(result: Json, kind: str) -> list[str]:
    """The paths of all findings of one id."""
    return [item["path"] for item in result["findings"] if item["id"] == kind]
