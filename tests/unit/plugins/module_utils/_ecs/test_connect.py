"""Namespaces against moto, and what needs no account: who is deployed again, what counts as drift. The modules as a whole: tests/integration."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.apply import Call
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ecs import connect
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.cluster import run
from moto.servicediscovery.models import servicediscovery_backends
from unit.plugins.module_utils.apply_account import ACCOUNT, REGION, SYSTEM, Account

NAMESPACE = {"name": "shop-fargate", "description": "Service Connect of shop", "shared": False, "tags": SYSTEM}
SECTION: dict[str, t.Any] = {
    "name": "shop-fargate",
    "configuration": {"executeCommandConfiguration": {"kmsKeyId": "alias/exec", "logging": "DEFAULT"}},
    "service_connect_namespace": "shop-fargate",
    "namespaces": [NAMESPACE],
    "tags": SYSTEM,
}
ENDPOINT = {"portName": "http", "clientAliases": [{"port": 80, "dnsName": "web"}]}


def namespaces(account: Account) -> list[dict[str, t.Any]]:
    return list(account.client("servicediscovery").list_namespaces()["Namespaces"])


def test_the_namespace_is_made_before_the_cluster_that_names_it(account: Account) -> None:
    result = account.run(run, cluster=SECTION)
    assert account.calls == ["CreateHttpNamespace", "CreateCluster"]
    assert result["changes"] == ["create namespace shop-fargate", "create cluster shop-fargate"]
    (found,) = namespaces(account)
    assert account.parameters[0]["Tags"] == [{"Key": "cutover:system", "Value": "shop"}]
    assert account.parameters[1]["serviceConnectDefaults"] == {"namespace": found["Arn"]}
    assert account.parameters[1]["configuration"] == SECTION["configuration"]
    assert result["diff"]["after"]["service_connect_namespace"] == found["Arn"]


def test_check_mode_shows_what_is_not_known_yet(account: Account) -> None:
    result = account.run(run, check_mode=True, cluster=SECTION)
    assert account.calls == []
    assert result["changes"] == ["create namespace shop-fargate", "create cluster shop-fargate"]
    assert result["diff"]["after"]["service_connect_namespace"] == "(known after apply)"


def test_the_configuration_drifts_and_what_the_plan_does_not_name_is_sent_again(account: Account) -> None:
    account.run(run, cluster={**SECTION, "service_connect_namespace": None, "namespaces": []})
    storage = {"managedStorageConfiguration": {"kmsKeyId": "alias/own"}}
    account.client("ecs").update_cluster(cluster="shop-fargate", configuration={**storage, "executeCommandConfiguration": {"logging": "NONE"}})
    account.run(run, cluster={**SECTION, "service_connect_namespace": None, "namespaces": []})
    assert account.calls == ["UpdateCluster"]
    assert account.parameters[0]["configuration"] == {**storage, "executeCommandConfiguration": {"logging": "DEFAULT", "kmsKeyId": "alias/exec"}}
    account.run(run, cluster={**SECTION, "service_connect_namespace": None, "namespaces": []})
    assert account.calls == []


def test_a_cluster_of_somebody_else_keeps_its_configuration(account: Account) -> None:
    account.client("ecs").create_cluster(clusterName="shop-fargate")
    result = account.run(run, cluster=SECTION)
    assert account.calls == ["CreateHttpNamespace"]  # the services need it all the same
    assert {"configuration is another one", "service_connect_namespace is another one"} <= set(result["notes"])


def test_a_namespace_of_another_system_is_refused_before_anything_is_made(account: Account) -> None:
    account.client("servicediscovery").create_http_namespace(Name="shop-fargate", Tags=[{"Key": "cutover:system", "Value": "blog"}])
    with pytest.raises(CutoverError, match=r"without the tag cutover:system=shop.*fargate_names\.namespaces.*Nothing was changed"):
        account.run(run, cluster=SECTION)
    assert account.calls == []
    account.run(run, cluster={**SECTION, "namespaces": [{**NAMESPACE, "shared": True}]})
    assert account.calls == ["CreateCluster"]


def test_a_default_namespace_that_is_gone(account: Account) -> None:
    with pytest.raises(CutoverError, match="There is no namespace shop, which the plan names as the default of cluster shop-fargate"):
        account.run(run, cluster={**SECTION, "service_connect_namespace": "shop", "namespaces": []})
    assert account.calls == []


def test_one_of_another_account_is_taken_by_its_arn(account: Account) -> None:
    arn = "arn:aws:servicediscovery:eu-west-1:210987654321:namespace/ns-1"
    account.run(run, cluster={**SECTION, "service_connect_namespace": arn, "namespaces": []})
    assert account.parameters[0]["serviceConnectDefaults"] == {"namespace": arn}


def test_its_making_is_waited_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    backend, answers = servicediscovery_backends[ACCOUNT][REGION], ["SUBMITTED", "PENDING", "SUCCESS"]
    ask = type(backend).get_operation

    def pending(self: t.Any, operation_id: str) -> t.Any:
        found = ask(self, operation_id)
        found.status = answers.pop(0)
        return found

    monkeypatch.setattr(type(backend), "get_operation", pending)
    account.run(run, cluster=SECTION)
    assert account.time.slept == [2.0, 2.0]
    assert account.calls == ["CreateHttpNamespace", "CreateCluster"]


@pytest.mark.parametrize(("status", "message"), [("FAIL", "could not make namespace shop-fargate"), ("PENDING", "still makes namespace shop-fargate after 300 s")])
def test_its_making_fails_or_takes_too_long(account: Account, monkeypatch: pytest.MonkeyPatch, status: str, message: str) -> None:
    backend = servicediscovery_backends[ACCOUNT][REGION]
    ask = type(backend).get_operation

    def stuck(self: t.Any, operation_id: str) -> t.Any:
        found = ask(self, operation_id)
        found.status = status
        return found

    monkeypatch.setattr(type(backend), "get_operation", stuck)
    with pytest.raises(CutoverError, match=message):
        account.run(run, cluster=SECTION)
    assert "CreateCluster" not in account.calls


def test_a_killed_run_left_its_making_under_way(account: Account) -> None:
    """Cloud Map refuses the second request until the first has ended; then the namespace is there, and ours."""
    account.client("servicediscovery").create_http_namespace(Name="shop-fargate", Tags=[{"Key": "cutover:system", "Value": "shop"}])
    account.run(run, cluster=SECTION)
    assert account.calls == ["CreateCluster"]


def test_the_same_request_is_under_way(account: Account) -> None:
    account.refusals = {"CreateHttpNamespace": [("DuplicateRequest", "The operation is already in progress.")] * 2}
    account.run(run, cluster=SECTION)
    assert account.time.slept == [1.0, 2.0]
    assert account.calls == ["CreateHttpNamespace", "CreateCluster"]


def at(second: int) -> datetime.datetime:
    return datetime.datetime(2026, 11, 1, 0, 0, second, tzinfo=datetime.UTC)


def wanted(name: str, *, publishes: bool, namespace: str = "arn:n") -> dict[str, t.Any]:
    services = {"services": [{**ENDPOINT, "discoveryName": name}]} if publishes else {}
    return {"cluster": "shop-fargate", "serviceName": name, connect.MEMBER: {"enabled": True, "namespace": namespace, **services}}


def present(created: int, deployed: int) -> dict[str, t.Any]:
    return {"createdAt": at(created), "deployments": [{"status": "ACTIVE", "createdAt": at(59)}, {"status": "PRIMARY", "createdAt": at(deployed)}]}


ALL = {"api": wanted("api", publishes=True), "web": wanted("web", publishes=True), "worker": wanted("worker", publishes=False)}


def again(current: dict[str, t.Any], calls: t.Sequence[Call] = (), these: dict[str, t.Any] | None = None) -> list[str]:
    return [str(call.params["service"]) for call in connect.late(these or ALL, current, calls)]


def create(name: str) -> Call:
    return Call("", "ecs", "create_service", ALL[name])


def test_who_uses_endpoints_only_is_made_last() -> None:
    assert connect.publishers_first(["api", "worker", "web"], ALL) == ["api", "web", "worker"]
    assert connect.publishers_first(["b", "a"], {"b": {}, "a": {}}) == ["b", "a"]


def test_who_was_made_before_another_published_is_deployed_again() -> None:
    assert again({}, [create("api"), create("web"), create("worker")]) == ["api"]
    assert again({}, [create("worker"), create("api"), create("web")]) == ["api", "worker"]


def test_it_rests_once_everybody_was_deployed_since() -> None:
    assert again({"api": present(1, 4), "web": present(2, 2), "worker": present(3, 3)}) == []
    assert again({"api": present(1, 1), "web": present(2, 2), "worker": present(3, 3)}) == ["api"]
    # A release of web is no new endpoint.
    assert again({"api": present(1, 4), "web": present(2, 50), "worker": present(3, 3)}) == []


def test_an_endpoint_that_this_run_changes_is_new_to_all_others() -> None:
    current = {"api": present(1, 4), "web": present(2, 5), "worker": present(3, 6)}
    update = Call("", "ecs", "update_service", {"cluster": "shop-fargate", "service": "web", connect.MEMBER: ALL["web"][connect.MEMBER]})
    assert again(current, [update]) == ["api", "worker"]
    tags_only = Call("", "ecs", "update_service", {"cluster": "shop-fargate", "service": "web", "propagateTags": "SERVICE"})
    assert again(current, [tags_only]) == []


@pytest.mark.parametrize("member", ["serviceRegistries", "volumeConfigurations", "vpcLatticeConfigurations", "taskDefinition"])
def test_who_is_deployed_by_this_run_anyway_is_not_deployed_twice(member: str) -> None:
    current = {"api": present(1, 1), "web": present(2, 2), "worker": present(3, 3)}
    assert again(current, [Call("", "ecs", "update_service", {"cluster": "shop-fargate", "service": "api", member: []})]) == []


def test_another_namespace_is_another_world() -> None:
    apart = {"api": wanted("api", publishes=True), "web": wanted("web", publishes=True, namespace="arn:other")}
    assert again({}, [create("api"), create("web")], apart) == []


def test_what_aws_adds_is_no_drift() -> None:
    config = {"enabled": True, "namespace": "arn:n", "services": [ENDPOINT]}
    now = {**config, "services": [{**ENDPOINT, "discoveryName": "http", "clientAliases": [{"port": 80, "dnsName": "web", "testTrafficRules": {}}]}], "later": 1}
    assert connect.drift(now, config) == {}
    assert connect.expected(now, config) == now
    assert connect.drift(now, {**config, "services": []}) == {connect.MEMBER: {**now, "services": []}}
    assert connect.drift(None, config) == {connect.MEMBER: config}
    assert connect.drift(now, None) == {}
