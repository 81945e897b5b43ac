"""The task definitions' module against moto."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.task_definitions import run
from unit.plugins.module_utils.apply_account import Account

SECRET = "base64:c2VjcmV0LWtleS1vZi10aGUtc2hvcA=="


def definition(family: str = "shop-web-fargate") -> dict[str, t.Any]:
    return {
        "family": family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "taskRoleArn": None,
        "containerDefinitions": [
            {
                "name": "nginx",
                "image": "nginx:1",
                "memory": 128,
                "portMappings": [{"containerPort": 80}],
                "environment": [{"name": "APP_KEY", "value": SECRET}, {"name": "APP_ENV", "value": "production"}],
            }
        ],
        "tags": [{"key": "cutover:system", "value": "shop"}],
    }


def plan() -> list[dict[str, t.Any]]:
    return [definition(), definition("shop-worker-fargate")]


def revisions(account: Account, family: str = "shop-web-fargate") -> list[str]:
    arns = account.client("ecs").list_task_definitions(familyPrefix=family)["taskDefinitionArns"]
    return [arn.rpartition("/")[2] for arn in arns]


def test_first_run_registers_each_family(account: Account) -> None:
    result = account.run(run, task_definitions=plan())
    assert account.calls == ["RegisterTaskDefinition"] * 2
    assert [item["arn"].rpartition("/")[2] for item in result["task_definitions"]] == ["shop-web-fargate:1", "shop-worker-fargate:1"]
    tags = account.client("ecs").describe_task_definition(taskDefinition="shop-web-fargate", include=["TAGS"])["tags"]
    assert tags == [{"key": "cutover:system", "value": "shop"}]


def test_second_run_makes_no_mutating_call(account: Account) -> None:
    account.run(run, task_definitions=plan())
    result = account.run(run, task_definitions=plan())
    assert account.calls == []
    assert result["changed"] is False
    assert result["diff"]["before"] == result["diff"]["after"]
    assert [item["registered"] for item in result["task_definitions"]] == [False, False]


def test_check_mode_shows_the_definition_and_registers_nothing(account: Account) -> None:
    result = account.run(run, check_mode=True, task_definitions=plan())
    assert account.calls == []
    assert result["task_definitions"][0] == {"family": "shop-web-fargate", "arn": "(known after apply)", "registered": True}
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["shop-web-fargate"]["containerDefinitions"]["nginx"]["environment"]["APP_ENV"] == "production"


def test_one_change_is_one_revision_of_that_family_only(account: Account) -> None:
    account.run(run, task_definitions=plan())
    changed = plan()
    changed[0]["containerDefinitions"][0]["environment"][1]["value"] = "staging"
    result = account.run(run, task_definitions=changed)
    assert account.calls == ["RegisterTaskDefinition"]
    assert result["changes"] == ["register a new revision of task definition shop-web-fargate after 1"]
    assert revisions(account) == ["shop-web-fargate:1", "shop-web-fargate:2"]
    assert revisions(account, "shop-worker-fargate") == ["shop-worker-fargate:1"]


@pytest.mark.parametrize("count", [1, 2])
def test_killed_after_any_call_no_revision_is_doubled(account: Account, count: int) -> None:
    assert account.killed_after(count, run, task_definitions=plan())
    account.run(run, task_definitions=plan())
    assert len(account.calls) == 2 - count
    assert revisions(account) == ["shop-web-fargate:1"]
    assert revisions(account, "shop-worker-fargate") == ["shop-worker-fargate:1"]


def test_only_tags_differ(account: Account) -> None:
    account.run(run, task_definitions=[definition()])
    tagged = copy.deepcopy(definition())
    tagged["tags"].append({"key": "team", "value": "web"})
    account.run(run, task_definitions=[tagged])
    assert account.calls == ["TagResource"]
    account.run(run, task_definitions=[tagged])
    assert account.calls == []
    assert revisions(account) == ["shop-web-fargate:1"]


def test_a_deregistered_revision_does_not_count(account: Account) -> None:
    account.run(run, task_definitions=[definition()])
    account.client("ecs").deregister_task_definition(taskDefinition="shop-web-fargate:1")
    account.run(run, task_definitions=[definition()])
    assert account.calls == ["RegisterTaskDefinition"]


def test_the_sources_own_family_is_refused(account: Account) -> None:
    container = {"name": "nginx", "image": "nginx:1", "memory": 128}
    account.client("ecs").register_task_definition(family="shop-web-fargate", containerDefinitions=[container])
    with pytest.raises(CutoverError, match=r"family shop-web-fargate is already used by .*which is not for Fargate"):
        account.run(run, task_definitions=plan())
    assert account.calls == []


def test_no_secret_is_shown(account: Account) -> None:
    first = account.run(run, task_definitions=plan())
    changed = plan()
    changed[0]["containerDefinitions"][0]["environment"][0]["value"] = "base64:YW5vdGhlci1rZXktb2YtdGhlLXNob3A="
    second = account.run(run, task_definitions=changed)
    for result in (first, second):
        assert SECRET not in json.dumps(result)
        assert "YW5vdGhlci1r" not in json.dumps(result)
    environments = [second["diff"][side]["shop-web-fargate"]["containerDefinitions"]["nginx"]["environment"] for side in ("before", "after")]
    assert environments[0]["APP_KEY"] != environments[1]["APP_KEY"]
    assert account.client("ecs").describe_task_definition(taskDefinition="shop-web-fargate")["taskDefinition"]["containerDefinitions"][0]["environment"][0][
        "value"
    ].startswith("base64:YW5v")


def test_a_role_that_was_just_created_is_waited_for(account: Account) -> None:
    account.refusals = {"RegisterTaskDefinition": [("ClientException", "Role is not valid")]}
    account.run(run, task_definitions=[definition()])
    assert account.time.slept == [1.0]
    assert revisions(account) == ["shop-web-fargate:1"]


def test_a_role_that_never_comes_fails_within_the_limit(account: Account) -> None:
    account.refusals = {"RegisterTaskDefinition": [("ClientException", "Role is not valid")] * 100}
    with pytest.raises(CutoverError, match=r"Could not register task definition shop-web-fargate.*Role is not valid.*Nothing was changed before that"):
        account.run(run, task_definitions=[definition()])
    assert 90 <= account.time.time <= 105
