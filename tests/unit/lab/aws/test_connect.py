"""Service Connect and its namespaces: what is refused, what is described, what is free again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

Refuse = Callable[..., tuple[str, str]]


@dataclass
class Stage:
    """A cluster, a namespace of the same name, and a definition with a named port."""

    ecs: Any
    cloud_map: Any
    name: str
    arn: str

    def service(self, name: str, **connect: Any) -> dict[str, Any]:
        given = {"enabled": True, "namespace": self.name, **connect}
        return {
            "cluster": self.name,
            "serviceName": name,
            "taskDefinition": self.name,
            "desiredCount": 0,
            "serviceConnectConfiguration": {key: value for key, value in given.items() if value is not None},
        }

    def endpoint(self, **changed: Any) -> dict[str, Any]:
        return {"portName": "http", "clientAliases": [{"port": 80}], **changed}

    def primary(self, name: str) -> dict[str, Any]:
        found = self.ecs.describe_services(cluster=self.name, services=[name])["services"][0]
        assert "serviceConnectConfiguration" not in found
        return dict(found["deployments"][0])


@pytest.fixture
def stage(client: Callable[..., Any], name: str) -> Stage:
    ecs, cloud_map = client("ecs"), client("servicediscovery")
    operation = cloud_map.create_http_namespace(Name=name, Tags=[{"Key": "a", "Value": "b"}])["OperationId"]
    identity = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    ecs.create_cluster(clusterName=name)
    container = {"name": "a", "image": "nginx", "memory": 64, "portMappings": [{"name": "http", "containerPort": 80}]}
    ecs.register_task_definition(family=name, containerDefinitions=[container])
    return Stage(ecs, cloud_map, name, cloud_map.get_namespace(Id=identity)["Namespace"]["Arn"])


def test_the_deployment_shows_what_was_given(stage: Stage) -> None:
    stage.ecs.create_service(**stage.service("web", services=[stage.endpoint()]))
    shown = stage.primary("web")
    assert shown["serviceConnectConfiguration"] == {"enabled": True, "namespace": stage.name, "services": [stage.endpoint()]}
    assert [item["discoveryName"] for item in shown["serviceConnectResources"]] == ["http"]


def test_an_update_replaces_the_whole_configuration(stage: Stage) -> None:
    settings = [{"logLevel": "debug"}]
    stage.ecs.create_service(**stage.service("web", services=[stage.endpoint()], containerConfigurations=settings))
    before = stage.primary("web")
    assert before["serviceConnectConfiguration"]["containerConfigurations"] == settings
    given = stage.service("web", services=[stage.endpoint()])["serviceConnectConfiguration"]
    stage.ecs.update_service(cluster=stage.name, service="web", serviceConnectConfiguration=given)
    after = stage.primary("web")
    assert (after["serviceConnectConfiguration"], after["id"] != before["id"]) == (given, True)


def test_the_default_namespace_of_the_cluster(stage: Stage, refuse: Refuse) -> None:
    nowhere = stage.service("web", namespace=None)
    assert "namespace" in refuse(stage.ecs.create_service, **nowhere)[1]
    stage.ecs.update_cluster(cluster=stage.name, serviceConnectDefaults={"namespace": stage.name})
    stage.ecs.create_service(**nowhere)
    assert stage.primary("web")["serviceConnectConfiguration"]["namespace"] == stage.arn
    assert stage.ecs.describe_clusters(clusters=[stage.name])["clusters"][0]["serviceConnectDefaults"] == {"namespace": stage.arn}


def test_a_default_namespace_that_does_not_exist_is_made_by_name_only(stage: Stage, refuse: Refuse) -> None:
    made = stage.ecs.create_cluster(clusterName=f"{stage.name}-2", serviceConnectDefaults={"namespace": f"{stage.name}-2"})["cluster"]
    assert made["serviceConnectDefaults"]["namespace"].startswith("arn:")
    gone = stage.arn[:-4] + "gone"
    code, _message = refuse(stage.ecs.create_cluster, clusterName=f"{stage.name}-3", serviceConnectDefaults={"namespace": gone})
    assert code == "NamespaceNotFoundException"


def test_a_namespace_that_does_not_exist(stage: Stage, refuse: Refuse) -> None:
    code, _message = refuse(stage.ecs.create_service, **stage.service("web", namespace="gone"))
    assert code == "NamespaceNotFoundException"
    assert refuse(stage.ecs.list_services_by_namespace, namespace="gone")[0] == "NamespaceNotFoundException"


def test_a_port_that_has_no_name(stage: Stage, refuse: Refuse) -> None:
    code, message = refuse(stage.ecs.create_service, **stage.service("web", services=[stage.endpoint(portName="grpc")]))
    assert (code, "port name grpc" in message) == ("InvalidParameterException", True)


def test_access_logs_without_a_log(stage: Stage, refuse: Refuse) -> None:
    assert "logConfiguration" in refuse(stage.ecs.create_service, **stage.service("web", accessLogConfiguration={"format": "TEXT"}))[1]


@pytest.mark.parametrize("discovery", [None, "other"])
def test_a_name_that_another_service_has(stage: Stage, refuse: Refuse, discovery: str | None) -> None:
    """The discovery name, by default the port's; else the alias, by default made of both."""
    second = {"discoveryName": discovery, "clientAliases": [{"port": 80, "dnsName": f"http.{stage.name}"}]} if discovery else {}
    stage.ecs.create_service(**stage.service("web", services=[stage.endpoint()]))
    code, message = refuse(stage.ecs.create_service, **stage.service("api", namespace=stage.arn, services=[stage.endpoint(**second)]))
    assert (code, "already used" in message) == ("InvalidParameterException", True)
    stage.ecs.delete_service(cluster=stage.name, service="web")
    stage.ecs.create_service(**stage.service("api", namespace=stage.arn, services=[stage.endpoint(**second)]))


def test_who_is_in_a_namespace(stage: Stage) -> None:
    for number in range(12):
        stage.ecs.create_service(**stage.service(f"s{number}", namespace=stage.arn if number % 2 else stage.name))
    stage.ecs.create_service(**{**stage.service("off"), "serviceConnectConfiguration": {"enabled": False}})
    pages = stage.ecs.get_paginator("list_services_by_namespace").paginate(namespace=stage.name)
    assert [len(page["serviceArns"]) for page in pages] == [10, 2]


def test_namespaces_are_found_by_name_made_once_and_deleted_when_empty(stage: Stage, refuse: Refuse) -> None:
    filters = [{"Name": "HTTP_NAME", "Values": [stage.name], "Condition": "EQ"}]
    (found,) = stage.cloud_map.list_namespaces(Filters=filters)["Namespaces"]
    assert found["Arn"] == stage.arn
    assert refuse(stage.cloud_map.create_http_namespace, Name=stage.name)[0] == "NamespaceAlreadyExists"
    stage.ecs.create_service(**stage.service("web", services=[stage.endpoint()]))
    assert refuse(stage.cloud_map.delete_namespace, Id=found["Id"])[0] == "ResourceInUse"
    stage.ecs.delete_service(cluster=stage.name, service="web")
    stage.cloud_map.delete_namespace(Id=found["Id"])
    assert stage.cloud_map.list_namespaces(Filters=filters)["Namespaces"] == []
