"""Lowered and restored, with the old value never lost."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2 import keep_alive
from unit.plugins.module_utils.apply_account import Account

LOWER = {"load_balancer": "shop", "state": "lowered", "seconds": 60}
RESTORE = {"load_balancer": "shop", "state": "restored", "seconds": 60}


@pytest.fixture
def arn(account: Account) -> str:
    elbv2 = account.client("elbv2")
    made = str(elbv2.create_load_balancer(Name="shop", Subnets=account.subnets[:2])["LoadBalancers"][0]["LoadBalancerArn"])
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=made, Attributes=[{"Key": keep_alive.ATTRIBUTE, "Value": "1800"}])
    return made


def run(account: Account, **params: object) -> dict[str, object]:
    return account.run(lambda params, clients, check_mode, clock: keep_alive.run(params, clients, check_mode), **params)


def present(account: Account, arn: str) -> str:
    found = account.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return str({each["Key"]: each["Value"] for each in found}[keep_alive.ATTRIBUTE])


def test_lowered_and_restored(account: Account, arn: str) -> None:
    assert run(account, **LOWER)["changed"]
    assert account.calls == ["AddTags", "ModifyLoadBalancerAttributes"]
    assert present(account, arn) == "60"
    assert not run(account, **LOWER)["changed"]
    assert account.calls == []
    assert run(account, **RESTORE)["changed"]
    assert present(account, arn) == "1800"
    assert not run(account, **RESTORE)["changed"]
    assert account.calls == []


def test_killed_between_remembering_and_changing(account: Account, arn: str) -> None:
    for count in (1, 2):
        wrapped = lambda params, clients, check_mode, clock: keep_alive.run(params, clients, check_mode)  # noqa: E731
        account.killed_after(count, wrapped, **LOWER)
        run(account, **LOWER)
        run(account, **RESTORE)
        assert present(account, arn) == "1800"


def test_check_mode(account: Account, arn: str) -> None:
    result = account.run(lambda params, clients, check_mode, clock: keep_alive.run(params, clients, check_mode), check_mode=True, **LOWER)
    assert result["diff"] == {"before": {keep_alive.ATTRIBUTE: "1800"}, "after": {keep_alive.ATTRIBUTE: "60"}}
    assert account.calls == []
    assert present(account, arn) == "1800"


def test_a_lower_value_stays(account: Account, arn: str) -> None:
    assert not run(account, **{**LOWER, "seconds": 3600})["changed"]


def test_without_a_load_balancer_there_is_nothing_to_do(account: Account) -> None:
    assert not run(account, **LOWER)["changed"]
