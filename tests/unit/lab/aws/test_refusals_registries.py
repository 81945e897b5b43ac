"""Cloud Map, and services that register in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import Vpc


@dataclass
class Stage:
    ecs: Any
    cloud_map: Any
    name: str
    namespace: str
    network: dict[str, Any]

    def registry(self, *types: str) -> str:
        records = {"DnsConfig": {"DnsRecords": [{"Type": kind, "TTL": 30} for kind in types]}} if types else {}
        made = self.cloud_map.create_service(Name="-".join([self.name, *types]), NamespaceId=self.namespace, **records)
        return str(made["Service"]["Arn"])

    def service(self, registries: list[dict[str, Any]], kind: str = "fargate") -> dict[str, Any]:
        fargate = {"launchType": "FARGATE", "networkConfiguration": self.network} if kind == "fargate" else {}
        return {
            "cluster": self.name,
            "serviceName": "web",
            "taskDefinition": f"{self.name}-{kind}",
            "desiredCount": 0,
            "serviceRegistries": registries,
            **fargate,
        }


@pytest.fixture
def stage(client: Callable[..., Any], vpc: Vpc, name: str) -> Stage:
    ecs, cloud_map = client("ecs"), client("servicediscovery")
    ecs.create_cluster(clusterName=name)
    container = {"name": "a", "image": "nginx", "memory": 64, "portMappings": [{"containerPort": 80}]}
    fargate = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
    ecs.register_task_definition(family=f"{name}-fargate", containerDefinitions=[container], **fargate)
    ecs.register_task_definition(family=f"{name}-bridge", containerDefinitions=[container])
    cloud_map.create_private_dns_namespace(Name=f"{name}.internal", Vpc=vpc.id)
    namespace = next(item["Id"] for item in cloud_map.list_namespaces()["Namespaces"] if item["Name"] == f"{name}.internal")
    return Stage(ecs, cloud_map, name, namespace, {"awsvpcConfiguration": {"subnets": vpc.subnets, "securityGroups": [vpc.group]}})


PAIR = {"containerName": "a", "containerPort": 80}


@pytest.mark.parametrize(
    ("kind", "types", "more", "words"),
    [
        ("fargate", ("A",), PAIR, "do not require a value for 'containerPort'"),
        ("fargate", ("A",), {"port": 80}, "A port was provided but is not required"),
        ("fargate", ("SRV",), {**PAIR, "port": 80}, "but not both"),
        ("fargate", ("SRV",), {}, "Specify a value for either 'port'"),
        ("fargate", ("SRV",), {"containerName": "a", "containerPort": 81}, "did not have a container port 81"),
        ("fargate", ("SRV",), {"containerName": "b", "containerPort": 80}, "b"),
        ("bridge", ("SRV",), {}, "When specifying 'host' or 'bridge' for networkMode"),
        ("bridge", ("A",), PAIR, "SRV records are required"),
    ],
)
def test_ports_fit_records_and_network_mode(stage: Stage, refuse: Any, kind: str, types: tuple[str, ...], more: dict[str, Any], words: str) -> None:
    code, message = refuse(stage.ecs.create_service, **stage.service([{"registryArn": stage.registry(*types), **more}], kind))
    assert code == "InvalidParameterException"
    assert words in message


@pytest.mark.parametrize(
    ("kind", "types", "more"),
    [("fargate", ("A",), {}), ("fargate", ("SRV",), PAIR), ("fargate", ("SRV",), {"port": 80}), ("fargate", (), {}), ("bridge", ("SRV",), PAIR)],
)
def test_what_fits_is_kept(stage: Stage, kind: str, types: tuple[str, ...], more: dict[str, Any]) -> None:
    registries = [{"registryArn": stage.registry(*types), **more}]
    stage.ecs.create_service(**stage.service(registries, kind))
    (found,) = stage.ecs.describe_services(cluster=stage.name, services=["web"])["services"]
    assert found["serviceRegistries"] == registries


def test_one_registry_that_exists(stage: Stage, refuse: Any) -> None:
    arn = stage.registry("SRV")
    assert "Multiple" in refuse(stage.ecs.create_service, **stage.service([{"registryArn": arn, **PAIR}] * 2))[1]
    assert "does not exist" in refuse(stage.ecs.create_service, **stage.service([{"registryArn": arn + "x", **PAIR}]))[1]


def test_cloud_map_refuses_what_is_taken_unknown_or_in_use(stage: Stage, refuse: Any) -> None:
    service = stage.registry().rpartition("/")[2]
    assert refuse(stage.cloud_map.create_service, Name=stage.name.upper(), NamespaceId=stage.namespace)[0] == "ServiceAlreadyExists"
    assert refuse(stage.cloud_map.create_service, Name="x", NamespaceId="ns-none")[0] == "NamespaceNotFound"
    both = {"HealthCheckCustomConfig": {"FailureThreshold": 1}, "HealthCheckConfig": {"Type": "TCP"}}
    assert refuse(stage.cloud_map.create_service, Name="x", NamespaceId=stage.namespace, **both)[0] == "InvalidInput"
    stage.cloud_map.register_instance(ServiceId=service, InstanceId="i", Attributes={"AWS_INSTANCE_IPV4": "10.9.0.9"})
    assert refuse(stage.cloud_map.delete_service, Id=service)[0] == "ResourceInUse"
    stage.cloud_map.deregister_instance(ServiceId=service, InstanceId="i")
    stage.cloud_map.delete_service(Id=service)
