"""Task definitions as people run them: <shape>.yml is the source (and the inventory's answers), <shape>.json all that becomes of it.

``CUTOVER_GOLDEN=write`` writes the latter anew; read the difference before committing it. ``$ECR`` is the account's registry.
"""

from __future__ import annotations

import json
import os

import pytest
import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._translate import image, intent, task_definition
from ansible_collections.cutover.fargate.plugins.module_utils._translate.context import Context
from ansible_collections.cutover.fargate.plugins.module_utils._translate.task_definition import Translated
from lab.aws.refusals import ecs_definitions
from unit.plugins.module_utils._translate import cloudformation, shapes, systems
from unit.plugins.module_utils._translate.systems import Json

FOLDER = systems.FOLDER.parent / "task_definitions"
SHAPES = sorted(path.stem for path in FOLDER.glob("*.yml"))
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
# What a person must take apart: waived, ECS would still refuse it.
BY_HAND = {"FG-PORT-CLASH", "FG-CONTAINERS"}


def read(shape: str) -> tuple[Json, Json]:
    """Source and intent. The source is one that ECS on EC2 takes."""
    given = yaml.safe_load((FOLDER / f"{shape}.yml").read_text().replace("$ECR", ECR))
    source, wanted = given["source"], given.get("intent") or {}
    assert shapes.errors("ecs", "RegisterTaskDefinition", source) == ""
    return source, wanted


def translated(shape: str) -> Translated:
    source, wanted = read(shape)
    service = {"serviceName": "web", "TaskDefinition": source}
    system = {**systems.system(), "source": {"capacity": {"architectures": ["x86_64"]}, "services": [service]}}
    context = Context(system, wanted)
    assert intent.check(context) == []
    (task,) = task_definition.collect([service], context)
    task_definition.translate(task, image.entries({task.key: task.source}, context), context)
    return task


def plan(task: Translated) -> Json:
    """What becomes of it, short: a line for each finding, and the definition."""
    lines = [f"{item['severity']} {item['id']} {item['path'].removeprefix(task.path + '.')}" for item in task.findings]
    return {"findings": sorted(set(lines)), "definition": task.definition}


@pytest.mark.parametrize("shape", SHAPES)
def test_becomes_what_is_recorded(shape: str) -> None:
    result = plan(translated(shape))
    recorded = FOLDER / f"{shape}.json"
    if os.environ.get("CUTOVER_GOLDEN") == "write":
        recorded.write_text(json.dumps(result, indent=1, sort_keys=True).replace(ECR, "$ECR") + "\n")
    assert json.loads(recorded.read_text().replace("$ECR", ECR)) == result


@pytest.mark.parametrize("shape", SHAPES)
def test_what_ecs_would_refuse_was_predicted(shape: str) -> None:
    task = translated(shape)
    assert shapes.errors("ecs", "RegisterTaskDefinition", task.definition) == ""
    refused = list(ecs_definitions.problems(task.definition))
    assert not refused or BY_HAND & {finding["id"] for finding in task.findings}


@pytest.mark.parametrize("shape", SHAPES)
def test_is_ready_or_not_as_the_shape_says(shape: str) -> None:
    ready = yaml.safe_load((FOLDER / f"{shape}.yml").read_text())["ready"]
    assert ready == all(finding["severity"] != "BLOCKER" for finding in translated(shape).findings)


def test_cfn_lint_has_nothing_against_any() -> None:
    assert {shape: found for shape in SHAPES if (found := cloudformation.quick_complaints(translated(shape).definition))} == {}


def test_every_plan_has_its_source() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == SHAPES
