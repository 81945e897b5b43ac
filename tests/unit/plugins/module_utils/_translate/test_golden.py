"""One folder per shape of system: system.json and intent.yml in, plan.json out.

``CUTOVER_GOLDEN=write`` writes plan.json anew; read the difference before committing it.
"""

from __future__ import annotations

import copy
import json
import os

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from unit.plugins.module_utils._translate import systems

KEYS = [
    "system", "fqdn", "region", "account_id", "phase", "source", "names", "image", "cluster", "security", "execution_role", "registries", "log_groups", "task_definitions",
    "load_balancer", "services", "dns", "scaling", "deployments", "keep_alive", "alarms", "verify", "scale_in", "teardown", "findings",
]  # fmt: skip
STABLE = [key for key in KEYS if key not in ("phase", "findings")]


@pytest.mark.parametrize("case", systems.CASES)
def test_plan_is_as_recorded(case: str) -> None:
    plan = systems.plan(systems.system(case), **systems.intent(case))
    recorded = systems.FOLDER / case / "plan.json"
    if os.environ.get("CUTOVER_GOLDEN") == "write":
        recorded.write_text(json.dumps(plan, indent=1, sort_keys=True) + "\n")
    assert json.loads(recorded.read_text()) == plan


@pytest.mark.parametrize("case", systems.CASES)
def test_plan_is_total_and_leaves_its_input_alone(case: str) -> None:
    system, intent = systems.system(case), systems.intent(case)
    before = copy.deepcopy((system, intent))
    plan = planner.plan(system, intent)
    assert sorted(plan) == sorted(KEYS)
    assert (system, intent) == before
    assert planner.plan(system, intent) == plan


@pytest.mark.parametrize("later", ["provisioned", "scaled_in"])
def test_the_plan_stays_the_same_while_the_migration_goes_on(later: str) -> None:
    """A second run must find nothing to change; only the number of tasks follows the target once it serves."""
    first, plan = systems.plan(), systems.plan(systems.system(later))
    for key in STABLE:
        if later == "scaled_in" and key in ("services", "alarms", "verify", "dns"):
            continue
        assert plan[key] == first[key], key


def test_phases() -> None:
    phases = {case: systems.plan(systems.system(case))["phase"] for case in ("shop", "provisioned", "cut_over", "scaled_in", "torn_down")}
    assert phases == {"shop": "new", "provisioned": "provisioned", "cut_over": "cut_over", "scaled_in": "scaled_in", "torn_down": "torn_down"}


def test_half_a_target_is_still_new() -> None:
    system = systems.system("provisioned")
    system["target"]["services"].pop()
    assert systems.plan(system)["phase"] == "new"


def test_records_on_both_sides_are_not_a_cutover() -> None:
    system = systems.system("provisioned")
    system["serving"] = "mixed"
    assert systems.plan(system)["phase"] == "provisioned"


def test_after_scale_in_the_remembered_numbers_count() -> None:
    plan = systems.plan(systems.system("scaled_in"))
    assert [item["desired_count"] for item in plan["scale_in"]["services"]] == [2, 1]
    assert plan["scale_in"]["auto_scaling_groups"] == [{"name": "shop-ecs", "min_size": 1, "desired_capacity": 2}]
    assert [item["desired_count"] for item in plan["verify"]["source"]["services"]] == [2, 1]


def test_after_the_cutover_the_target_keeps_its_own_number_of_tasks() -> None:
    plan = systems.plan(systems.system("cut_over"))
    assert {item["name"]: item["desired_count"] for item in plan["services"]} == {"web": 3, "worker": 1}


def test_the_lowered_keep_alive_of_the_source_is_not_cloned() -> None:
    plan = systems.plan(systems.system("cut_over"))
    assert plan["load_balancer"]["attributes"]["client_keep_alive.seconds"] == "3600"


def test_after_teardown_every_playbook_has_nothing_to_do() -> None:
    plan = systems.plan(systems.system("torn_down"))
    assert plan["source"] is None
    assert plan["load_balancer"] is None
    assert plan["verify"]["source"] is None
    empty = ("task_definitions", "services", "log_groups", "alarms", "scaling", "deployments", "findings")
    assert [plan[key] for key in empty] == [[]] * len(empty)
    assert plan["image"]["images"] == plan["teardown"]["items"] == plan["dns"]["record_sets"] == []
    assert plan["scale_in"]["services"] == plan["scale_in"]["auto_scaling_groups"] == []
    assert plan["keep_alive"]["load_balancer_arn"] is None
    assert plan["security"]["ingress"] == plan["security"]["grants"] == []
    assert [item["name"] for item in plan["verify"]["target"]["services"]] == ["web", "worker"]


def test_nothing_at_all_gives_a_plan_too() -> None:
    plan = planner.plan({}, {})
    assert sorted(plan) == sorted(KEYS)
    assert systems.ids(plan) == {"FG-NO-SYSTEM"}
