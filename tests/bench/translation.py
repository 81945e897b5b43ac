"""Translating 1,000 task definitions, findings and all, against botocore's own validation of the same RegisterTaskDefinition calls and against cfn-lint.

Nobody else translates, so the measure is what a call to AWS costs before it is sent: botocore checks every one of them, and does nothing else here.
"""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from unit.plugins.module_utils._translate import cloudformation, goldens, shapes, systems

from .registry import Table, side_by_side

DEFINITIONS = 1000
LINTED = 50
Json = t.Dict[str, t.Any]


def system() -> Json:
    """One cluster with as many services as definitions: the golden shapes in turn, each in a family of its own."""
    found = systems.system()
    given = [service for case in goldens.every() if case.name.startswith("task_definitions/") for service in case.services if service["serviceName"] == "web"]
    web, worker = found["source"]["services"]
    services = [web]
    for number in range(DEFINITIONS - 1):
        definition = copy.deepcopy(given[number % len(given)]["TaskDefinition"])
        definition |= {"family": f"{definition['family']}-{number}", "taskDefinitionArn": f"arn:aws:ecs:eu-west-1:123456789012:task-definition/d{number}:1"}
        services.append({**worker, "serviceName": f"s{number}", "TaskDefinition": definition})
    found["source"]["services"] = services
    return found


def run() -> Table:
    source = system()
    plan = planner.plan(source, {})
    definitions = plan["task_definitions"]
    assert len(definitions) == DEFINITIONS

    def validated() -> list[str]:
        return [shapes.errors("ecs", "RegisterTaskDefinition", definition) for definition in definitions]

    def linted() -> list[list[str]]:
        return [cloudformation.quick_complaints(definition) for definition in definitions[:LINTED]]

    assert set(validated()) == {""}
    seconds = side_by_side(
        {
            "cutover.fargate `_translate`: the whole plan": lambda: planner.plan(source, {}),
            "botocore: validation of the definitions": validated,
            "cfn-lint: its rules for Fargate tasks": linted,
        },
        rounds=3,
    )
    seconds["cfn-lint: its rules for Fargate tasks"] *= DEFINITIONS / LINTED
    botocore = seconds["botocore: validation of the definitions"]
    containers = sum(len(definition["containerDefinitions"]) for definition in definitions)
    return Table(
        ("tool", "CPU time", "a definition", "time to botocore's"),
        [(name, f"{spent:.2f} s", f"{spent / DEFINITIONS * 1000:.2f} ms", f"{spent / botocore:.2f}") for name, spent in seconds.items()],
        (
            f"One system of {DEFINITIONS} services, a task definition each, {containers} containers together, {len(plan['findings'])} findings; median of 3 rounds in which the tools take turns.",
            f"Our time is that of the plan: load balancer, network, services, alarms and teardown of the {DEFINITIONS} services are in it.",
            f"cfn-lint looked at {LINTED} of them; its time is multiplied.",
        ),
    )
