"""The cluster's module against moto."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.cluster import run
from unit.plugins.module_utils.apply_account import SYSTEM, Account

SECTION: dict[str, t.Any] = {
    "name": "shop-fargate",
    "settings": {"containerInsights": "enabled"},
    "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
    "tags": SYSTEM,
}


def described(account: Account) -> dict[str, t.Any]:
    return dict(account.client("ecs").describe_clusters(clusters=["shop-fargate"], include=["SETTINGS", "TAGS"])["clusters"][0])


def test_first_run_creates_the_cluster_whole(account: Account) -> None:
    result = account.run(run, cluster=SECTION)
    assert account.calls == ["CreateCluster"]
    assert result["changes"] == ["create cluster shop-fargate"]
    found = described(account)
    assert found["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert sorted(found["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]
    assert found["tags"] == [{"key": "cutover:system", "value": "shop"}]


def test_second_run_makes_no_mutating_call(account: Account) -> None:
    account.run(run, cluster=SECTION)
    result = account.run(run, cluster=SECTION)
    assert account.calls == []
    assert result["changed"] is False
    assert result["diff"]["before"] == result["diff"]["after"]


def test_check_mode_writes_nothing(account: Account) -> None:
    result = account.run(run, check_mode=True, cluster=SECTION)
    assert account.calls == []
    assert result["diff"] == {"before": {}, "after": SECTION}


@pytest.mark.parametrize(
    ("member", "value", "operation"),
    [
        ("settings", {"containerInsights": "enhanced"}, "UpdateCluster"),
        ("capacity_providers", ["FARGATE", "own"], "PutClusterCapacityProviders"),
        ("tags", {**SYSTEM, "team": "web"}, "TagResource"),
    ],
)
def test_drift_of_each_member(account: Account, member: str, value: t.Any, operation: str) -> None:
    account.run(run, cluster=SECTION)
    changed = {**SECTION, member: value}
    account.run(run, cluster=changed)
    assert account.calls == [operation]
    account.run(run, cluster=changed)
    assert account.calls == []


def test_what_the_plan_does_not_name_stays(account: Account) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    account.client("ecs").create_cluster(
        clusterName="shop-fargate",
        capacityProviders=["FARGATE_SPOT"],
        defaultCapacityProviderStrategy=strategy,
        tags=[{"key": "cutover:system", "value": "shop"}, {"key": "team", "value": "web"}],
    )
    account.run(run, cluster={**SECTION, "capacity_providers": ["FARGATE"]})
    found = described(account)
    assert sorted(found["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]
    assert found["defaultCapacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"
    assert {"key": "team", "value": "web"} in found["tags"]


def test_a_cluster_of_somebody_else_is_used_and_never_changed(account: Account) -> None:
    account.client("ecs").create_cluster(clusterName="shop-fargate")
    result = account.run(run, cluster=SECTION)
    assert account.calls == []
    assert result["changed"] is False
    assert result["notes"] == [
        "Cluster shop-fargate has no tag cutover:system=shop; it is used as it is.",
        "containerInsights is disabled, not enabled",
        "FARGATE is not a capacity provider",
        "FARGATE_SPOT is not a capacity provider",
    ]


def test_a_deleted_cluster_is_created_again(account: Account) -> None:
    account.run(run, cluster=SECTION)
    account.client("ecs").delete_cluster(cluster="shop-fargate")
    account.run(run, cluster=SECTION)
    assert account.calls == ["CreateCluster"]
    assert described(account)["status"] == "ACTIVE"


def test_killed_after_creation_nothing_is_left_to_do(account: Account) -> None:
    assert account.killed_after(1, run, cluster=SECTION)
    account.run(run, cluster=SECTION)
    assert account.calls == []


def test_a_new_service_linked_role_is_waited_for(account: Account) -> None:
    text = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
    account.refusals = {"CreateCluster": [("InvalidParameterException", text)] * 3}
    account.run(run, cluster=SECTION)
    assert account.time.slept == [1.0, 2.0, 4.0]
    assert account.calls == ["CreateCluster"]
