"""The execution role's module against moto."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.execution_role import run
from unit.plugins.module_utils.apply_account import SYSTEM, Account

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


@pytest.fixture
def section(account: Account) -> dict[str, t.Any]:
    iam = account.client("iam")
    policies = [iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"] for name in ("pull", "log")]
    return {"name": "ecsTaskExecutionRole", "arn": None, "managed_policy_arns": policies, "assume_role_policy": TRUST, "tags": SYSTEM}


CREATION = ["CreateRole", "AttachRolePolicy", "AttachRolePolicy"]


def attached(account: Account) -> int:
    return len(account.client("iam").list_attached_role_policies(RoleName="ecsTaskExecutionRole")["AttachedPolicies"])


def test_first_and_second_run(account: Account, section: dict[str, t.Any]) -> None:
    result = account.run(run, execution_role=section)
    assert account.calls == CREATION
    assert result["arn"] == "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
    again = account.run(run, execution_role=section)
    assert account.calls == []
    assert again["diff"]["before"] == again["diff"]["after"]


def test_check_mode_writes_nothing(account: Account, section: dict[str, t.Any]) -> None:
    result = account.run(run, check_mode=True, execution_role=section)
    assert account.calls == []
    assert result["arn"] == "(known after apply)"
    assert len(result["changes"]) == 3


@pytest.mark.parametrize("count", [1, 2, 3])
def test_killed_after_any_call_the_next_run_completes(account: Account, section: dict[str, t.Any], count: int) -> None:
    assert account.killed_after(count, run, execution_role=section)
    account.run(run, execution_role=section)
    assert account.calls == CREATION[count:]
    assert attached(account) == 2


def test_drift(account: Account, section: dict[str, t.Any]) -> None:
    account.run(run, execution_role=section)
    changed = {**section, "tags": {**SYSTEM, "team": "web"}, "assume_role_policy": {**TRUST, "Id": "x"}}
    account.run(run, execution_role=changed)
    assert account.calls == ["UpdateAssumeRolePolicy", "TagRole"]
    account.run(run, execution_role=changed)
    assert account.calls == []


def test_more_policies_stay(account: Account, section: dict[str, t.Any]) -> None:
    account.run(run, execution_role=section)
    account.run(run, execution_role={**section, "managed_policy_arns": []})
    assert account.calls == []
    assert attached(account) == 2


def test_a_role_of_somebody_else_is_used_and_never_changed(account: Account, section: dict[str, t.Any]) -> None:
    account.client("iam").create_role(RoleName="ecsTaskExecutionRole", AssumeRolePolicyDocument=json.dumps(TRUST))
    result = account.run(run, execution_role=section)
    assert account.calls == []
    assert result["changed"] is False
    assert result["notes"][0] == "Role ecsTaskExecutionRole has no tag cutover:system=shop; it is used as it is."
    assert len(result["notes"]) == 3
