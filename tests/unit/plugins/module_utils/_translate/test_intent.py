"""The inventory's answers: waived findings, values that can't be right, their documentation."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._health import probe_data
from ansible_collections.cutover.fargate.plugins.module_utils._translate import intent, report, run
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
        ({"grants": [{"group_id": "sg-1", "port": "https"}]}, "fargate_grants[0]"),
        ({"grants": [{"group_id": "sg-1", "from_port": 80, "to_port": None}]}, "fargate_grants[0]"),
        ({"names": {"load_balancer": "internal-x"}}, "fargate_names.load_balancer"),
        ({"size_table": {256: [512, "many"]}}, "fargate_size_table"),
        ({"size_table": {256: []}}, "fargate_size_table"),
        ({"names": "shop"}, "fargate_names"),
        ({"names": {"clusters": "x"}}, "fargate_names.clusters"),
        ({"names": {"families": "x"}}, "fargate_names.families"),
        ({"names": {"cluster": ["x"]}}, "fargate_names.cluster"),
        ({"desired_count": "many"}, "fargate_desired_count"),
        ({"desired_count": -1}, "fargate_desired_count"),
        ({"desired_count": {"web": "2.5"}}, "fargate_desired_count[web]"),
        ({"sizes": {"shop": {"cpu": 512, "memory": 1024}}}, "fargate_sizes[shop]"),
        ({"size_table": {"256": ["small"]}}, "fargate_size_table"),
        ({"headroom": 0.5}, "fargate_headroom"),
        ({"images": {"nginx": ""}}, "fargate_images[nginx]"),
        ({"task_role_arn": {"web": ["x"]}}, "fargate_task_role_arn[web]"),
        ({"task_role_arn": "arn:aws:iam::999:role/shop"}, "fargate_task_role_arn"),
        ({"execution_role": "arn:aws:iam::123456789012:user/shop"}, "fargate_execution_role"),
        ({"keep_alive_seconds": 5}, "fargate_keep_alive_seconds"),
        ({"log_retention_days": 17}, "fargate_log_retention_days"),
        ({"grants": [{"group_id": "sg-0db"}]}, "fargate_grants[0]"),
        ({"waive": "FG-LINKS"}, "fargate_waive"),
        ({"subnets": "subnet-0a"}, "fargate_subnets"),
    ],
)
def test_answers_that_cannot_be_right_name_the_variable(wanted: dict[str, t.Any], path: str) -> None:
    plan = systems.plan(None, **wanted)
    assert systems.at(plan, "FG-INTENT") == [path]


@pytest.mark.parametrize(
    "wanted",
    [
        {"desired_count": 0},
        {"desired_count": {"web": "3", "worker": None}},
        {"sizes": {"shop-web": {"cpu": 512, "memory": 2048}}},
        {"size_table": {"256": [512, 1024], 512: [1024]}},
        {"headroom": "1.5"},
        {"keep_alive_seconds": "60"},
        {"log_retention_days": 3653},
        {"grants": [{"group_id": "sg-0a", "port": 443}, {"group_id": "sg-0b", "protocol": "-1"}, {"group_id": "sg-0c", "from_port": 1, "to_port": 9}]},
        {"names": {"cluster": "x", "families": {"shop-web": "y"}}},
        {"architecture": ""},
        {"execution_role": "ecsTaskExecutionRole", "task_role_arn": "arn:aws-us-gov:iam::123456789012:role/teams/shop"},
    ],
)
def test_right_answers_are_taken(wanted: dict[str, t.Any]) -> None:
    assert systems.at(systems.plan(None, **wanted), "FG-INTENT") == []


ROLE = "arn:aws:iam::123456789012:role/"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"execution_role": ROLE + "gone"}, {"fargate_execution_role": "the ARN of one that exists in this account."}),
        ({"execution_role": ROLE + "app"}, {"fargate_execution_role": ROLE + "teams/app."}),
        ({"execution_role": "gone"}, {}),  # made when it doesn't exist
        ({"execution_role": ROLE + "teams/app", "task_role_arn": "app"}, {}),
        ({"task_role_arn": ROLE + "gone"}, {"fargate_task_role_arn": "the ARN of one that exists in this account."}),
        ({"task_role_arn": "gone"}, {"fargate_task_role_arn": "the ARN of one that exists in this account."}),
        ({"task_role_arn": {"web": ROLE + "teams/app", "worker": ROLE + "gone"}}, {"fargate_task_role_arn[worker]": "the ARN of one that exists in this account."}),
    ],
)
def test_a_role_that_does_not_exist_stops_the_plan(wanted: dict[str, t.Any], told: dict[str, str]) -> None:
    system = systems.system()
    system["source"]["roles"] = [{"RoleName": "app", "Arn": ROLE + "teams/app", "TrustedServices": ["ecs-tasks.amazonaws.com"]}]
    blockers = [item for item in report.blockers(systems.plan(system, **wanted)) if item["id"] == "FG-INTENT"]
    assert {item["path"]: item["why"].partition("there is no such role; it should be ")[2] for item in blockers} == told


def test_a_role_that_may_not_be_read_is_not_called_missing() -> None:
    system = systems.system()
    system["source"]["roles"] = []
    system["problems"] = [{"id": "not-readable", "path": "source.roles", "message": "not authorized to perform: iam:GetRole"}]
    assert systems.at(systems.plan(system, execution_role=ROLE + "gone"), "FG-INTENT") == []


def test_a_wrong_answer_leaves_the_right_ones_beside_it() -> None:
    plan = systems.plan(None, desired_count={"web": -1, "worker": 4}, stop_timeout={"nginx": 300})
    assert {item["name"]: item["desired_count"] for item in plan["services"]} == {"web": 2, "worker": 4}
    why = {item["path"]: item["why"] for item in report.blockers(plan)}
    assert why == {
        "fargate_desired_count[web]": "A variable of the inventory can't be used: it should be a number of tasks, 0 or more.",
        "fargate_stop_timeout[nginx]": "A variable of the inventory can't be used: it should be a number of seconds from 2 to 120.",
    }


def test_a_wrong_type_is_told_with_the_right_one() -> None:
    (finding,) = report.blockers(systems.plan(None, subnets="subnet-0a"))
    assert finding["why"] == "A variable of the inventory can't be used: it should be a list. Subnets of the tasks."


@pytest.mark.parametrize(("probes", "told"), [([{"sets": "http"}], "fargate_probes[0]"), ([{"set": "http"}], None), ("no list", "it should be a list.")])
def test_probes_are_looked_at_before_anything_is_built(probes: t.Any, told: str | None) -> None:
    result = run.run({"system": systems.system(), "intent": {"probes": probes}}, probe_data.misspelt)
    assert [item["path"] for item in result["blockers"]] == (["fargate_probes"] if told else [])
    assert (told or "Nothing stands in the way.") in "\n".join(result["summary"])


def test_every_type_has_its_word() -> None:
    assert {key.types for key in intent.KEYS.values()} <= set(intent.WORDS)

NONSENSE = (0, -1, 1.5, True, "x", [], {}, [None], ["x"], [{}], [["x"]], {"web": None}, {"web": "x"}, {"web": {}}, {"web": [{}]}, {"web": {"cpu": "x"}}, {1: 2, "x": []}, {1: []})


@pytest.mark.parametrize("key", intent.KEYS)
def test_whatever_the_inventory_says_there_is_a_plan(key: str) -> None:
    for value in NONSENSE:
        assert report.summary(systems.plan(None, **{key: value})), value


def test_the_module_documents_every_key_of_the_intent() -> None:
    module = importlib.import_module("ansible_collections.cutover.fargate.plugins.modules.fargate_plan")
    described = yaml.safe_load(module.DOCUMENTATION)["options"]["intent"]["description"]
    assert [text.partition(")")[0].removeprefix("C(") for text in described[1:]] == list(intent.KEYS)
