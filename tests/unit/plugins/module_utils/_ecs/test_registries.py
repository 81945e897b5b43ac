"""The Cloud Map services of the services' module, against moto."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.services import run
from unit.plugins.module_utils._ecs.test_services import built, described, web
from unit.plugins.module_utils.apply_account import SYSTEM, Account

__all__ = ["built"]

Entry = dict[str, t.Any]
TAGS = [{"Key": key, "Value": value} for key, value in SYSTEM.items()]


@pytest.fixture
def namespaces(built: Account) -> list[str]:
    """Two: names are unique within one only."""
    client = built.client("servicediscovery")
    for name in ("internal.example", "other.example"):
        client.create_http_namespace(Name=name)
    return [item["Id"] for item in client.list_namespaces()["Namespaces"]]


def place(namespace: str, kind: str = "SRV", ttl: int = 30) -> Entry:
    return {
        "name": "web-fargate",
        "source_arn": None,
        "namespace_id": namespace,
        "namespace_name": "internal.example",
        "dns_config": {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": kind, "TTL": ttl}]},
        "health_check_config": None,
        "health_check_custom_config": {"FailureThreshold": 1},
        "type": None,
        "tags": SYSTEM,
    }


def plan(account: Account, namespace: str, **more: t.Any) -> Entry:
    registry = {"registry_arn": None, "namespace_id": namespace, "name": "web-fargate", "container_name": "nginx", "container_port": 80, "port": None}
    return {"services": [{**web(account), "service_registries": [registry]}], "registries": [place(namespace, **more)]}


def of_cloud_map(account: Account) -> list[Entry]:
    return list(account.client("servicediscovery").list_services()["Services"])


def foreign(account: Account, namespace: str, kind: str = "SRV", **more: t.Any) -> str:
    config = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": kind, "TTL": 30}]}
    made = account.client("servicediscovery").create_service(Name="web-fargate", NamespaceId=namespace, DnsConfig=config, **more)
    return str(made["Service"]["Arn"])


def test_made_before_the_service_and_a_second_run_calls_nothing(built: Account, namespaces: list[str]) -> None:
    foreign(built, namespaces[1])
    built.run(run, **plan(built, namespaces[0]))
    assert built.calls == ["CreateService", "CreateService"]
    made, sent = built.parameters
    assert {key: made[key] for key in ("Name", "NamespaceId", "Tags")} == {"Name": "web-fargate", "NamespaceId": namespaces[0], "Tags": TAGS}
    assert made["DnsConfig"]["DnsRecords"] == [{"Type": "SRV", "TTL": 30}]
    assert "HealthCheckConfig" not in made
    arn = of_cloud_map(built)[1]["Arn"]
    registries = [{"registryArn": arn, "containerName": "nginx", "containerPort": 80}]
    assert sent["serviceRegistries"] == registries == described(built)["serviceRegistries"]
    result = built.run(run, **plan(built, namespaces[0]))
    assert (built.calls, result["changed"]) == ([], False)
    assert result["diff"]["before"] == result["diff"]["after"]


def test_check_mode_tells_and_writes_nothing(built: Account, namespaces: list[str]) -> None:
    result = built.run(run, check_mode=True, **plan(built, namespaces[0]))
    assert built.calls == []
    assert result["changes"] == ["create Cloud Map service web-fargate", "create service web with 2 tasks"]
    assert result["diff"]["after"]["web"]["serviceRegistries"][0]["registryArn"] == "(known after apply)"
    assert result["diff"]["after"]["registries"]["web-fargate"]["dns_config"]["DnsRecords"] == [{"Type": "SRV", "TTL": 30}]


def test_a_foreign_one_of_that_name_is_refused(built: Account, namespaces: list[str]) -> None:
    foreign(built, namespaces[0])
    with pytest.raises(CutoverError, match=r"web-fargate in namespace .* exists without the tag cutover:system=shop"):
        built.run(run, **plan(built, namespaces[0]))
    assert built.calls == []


def test_record_types_that_aws_cannot_change_are_refused(built: Account, namespaces: list[str]) -> None:
    foreign(built, namespaces[0], kind="A", Tags=TAGS)
    with pytest.raises(CutoverError, match="has the record types A; should be SRV"):
        built.run(run, **plan(built, namespaces[0]))
    assert built.calls == []


def test_a_ttl_that_drifted_is_set_again_and_the_health_check_stays(built: Account, namespaces: list[str]) -> None:
    foreign(built, namespaces[0], Tags=TAGS, HealthCheckConfig={"Type": "TCP"})
    built.run(run, **plan(built, namespaces[0], ttl=60))
    assert built.calls == ["UpdateService", "CreateService"]
    assert built.parameters[0]["Service"] == {"DnsConfig": {"DnsRecords": [{"Type": "SRV", "TTL": 60}]}, "HealthCheckConfig": {"Type": "TCP"}}
    built.run(run, **plan(built, namespaces[0], ttl=60))
    assert built.calls == []


def test_a_service_without_the_registration_is_updated(built: Account, namespaces: list[str]) -> None:
    """moto's UpdateService forgets registries, so only what is sent is looked at."""
    built.run(run, services=[web(built)])
    built.run(run, **plan(built, namespaces[0]))
    assert built.calls == ["CreateService", "UpdateService"]
    arn = of_cloud_map(built)[0]["Arn"]
    assert built.parameters[1]["serviceRegistries"] == [{"registryArn": arn, "containerName": "nginx", "containerPort": 80}]


def test_a_registration_that_the_plan_does_not_know_stays(built: Account, namespaces: list[str]) -> None:
    built.run(run, **plan(built, namespaces[0]))
    built.run(run, services=[web(built)])
    assert built.calls == []


def test_an_existing_one_is_used_and_not_touched(built: Account, namespaces: list[str]) -> None:
    arn = foreign(built, namespaces[0])
    registry = {"registry_arn": arn, "namespace_id": None, "name": None, "container_name": None, "container_port": None, "port": 80}
    built.run(run, services=[{**web(built), "service_registries": [registry]}])
    assert built.calls == ["CreateService"]
    assert built.parameters[0]["serviceRegistries"] == [{"registryArn": arn, "port": 80}]


@pytest.mark.parametrize("count", [1, 2])
def test_killed_after_any_call_a_second_run_finishes(built: Account, namespaces: list[str], count: int) -> None:
    assert built.killed_after(count, run, **plan(built, namespaces[0]))
    built.run(run, **plan(built, namespaces[0]))
    assert len(of_cloud_map(built)) == 1
    built.run(run, **plan(built, namespaces[0]))
    assert built.calls == []
