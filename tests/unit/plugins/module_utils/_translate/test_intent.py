"""The inventory's answers: waived findings, values that can't be right, their documentation."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._translate import intent, report
from unit.plugins.module_utils._translate import systems


def test_waiving_by_id_and_by_path() -> None:
    system = systems.system()
    for container in systems.containers(system).values():
        container["privileged"] = True
    path = "task_definitions[shop-web].containerDefinitions[nginx].privileged"
    assert [item["path"] for item in report.blockers(systems.plan(system, waive=[f"FG-PRIVILEGED@{path}"]))] == [path.replace("nginx", "php-fpm")]
    assert report.blockers(systems.plan(system, waive=["FG-PRIVILEGED"])) == []


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ({"desired_count": {"wbe": 3}}, "fargate_desired_count[wbe]"),
        ({"images": {"apache": "x"}}, "fargate_images[apache]"),
        ({"volumes": {"uploads": "drop"}}, "fargate_volumes[uploads]"),
        ({"waive": ["FG-NOTHING"]}, "fargate_waive[FG-NOTHING]"),
        ({"architecture": "sparc"}, "fargate_architecture"),
        ({"grants": [{"port": 1}]}, "fargate_grants[0]"),
        ({"names": {"load_balancer": "internal-x"}}, "fargate_names.load_balancer"),
        ({"names": "shop"}, "fargate_names"),
        ({"subnets": "subnet-0a"}, "fargate_subnets"),
    ],
)
def test_answers_that_cannot_be_right_name_the_variable(wanted: dict[str, t.Any], path: str) -> None:
    plan = systems.plan(None, **wanted)
    assert systems.at(plan, "FG-INTENT") == [path]


def test_the_module_documents_every_key_of_the_intent() -> None:
    module = importlib.import_module("ansible_collections.cutover.fargate.plugins.modules.fargate_plan")
    described = yaml.safe_load(module.DOCUMENTATION)["options"]["intent"]["description"]
    assert [text.partition(")")[0].removeprefix("C(") for text in described[1:]] == list(intent.KEYS)
