"""Service discovery against the lab's AWS, from discovery to abandon: made once, nothing on a second run, gone with the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.apply import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ec2 import security_groups
from ansible_collections.cutover.fargate.plugins.module_utils._ecs import cluster, services, task_definitions
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2 import load_balancer
from ansible_collections.cutover.fargate.plugins.module_utils._system import system as discovery
from ansible_collections.cutover.fargate.plugins.module_utils._teardown import target
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from lab.aws.server import AwsServer
from unit.lab.aws.conftest import Vpc, client, name, running, vpc

__all__ = ["client", "name", "running", "vpc"]

Json = dict[str, Any]
READS = ("describe", "list", "get")


@dataclass
class World:
    """A source on EC2 whose web service registers in Cloud Map, and the modules that move it."""

    clients: Clients
    name: str
    vpc: Vpc
    registry: str
    calls: list[str]
    aws: AwsServer

    def plan(self, **intent: Any) -> Json:
        system = discovery.run({"name": self.name, "fqdn": f"{self.name}.example.test"}, self.clients, False)["system"]
        return planner.plan(system, {"images": {"nginx": "nginx:1"}, "architecture": "x86_64", "subnets": self.vpc.subnets, **intent})

    def prepare(self, plan: Json, check_mode: bool = False) -> Json:
        """The roles cluster, security, taskdef, alb and service; the result of the last."""
        self.calls.clear()
        times = {"wait_timeout": 5.0, "poll_seconds": 0.1}
        cluster.run({"cluster": plan["cluster"]}, self.clients, check_mode)
        security_groups.run({"security": plan["security"]}, self.clients, check_mode)
        task_definitions.run({"task_definitions": plan["task_definitions"]}, self.clients, check_mode)
        load_balancer.run({"load_balancer": plan["load_balancer"], **times}, self.clients, check_mode, Clock(sleep=self._provision))
        return services.run({"services": plan["services"], "registries": plan["registries"], **times}, self.clients, check_mode)

    def _provision(self, _seconds: float) -> None:
        """What the lab's data plane does, which these tests go without."""
        with self.aws.lock:
            self.aws.observed.load_balancer_state.update(dict.fromkeys(self.aws.backend("elbv2").load_balancers, "active"))

    def abandon(self, plan: Json) -> Json:
        parts = {
            "target_groups": [group["name"] for group in plan["load_balancer"]["target_groups"]],
            "families": [item["family"] for item in plan["task_definitions"]],
            "registries": plan["registries"],
            "alarms": [],
            "repositories": [],
            "log_groups": [],
            "namespaces": [],
        }
        names = {key: plan["names"][key] for key in ("cluster", "load_balancer", "security_group")}
        silence = {"silence_seconds": 900.0, "metric_delay": 120.0, "metric_period": 60, "max_requests": 0, "wait_timeout": 5.0, "poll_seconds": 0.1}
        source = {"source_load_balancer": self.name, "record_sets": plan["dns"]["record_sets"], "vpc_id": self.vpc.id}
        return target.run({"system": self.name, "confirm": self.name, **source, **names, **parts, **silence}, self.clients, False)

    def cloud_map(self) -> list[str]:
        return sorted(item["Name"] for item in self.clients("servicediscovery").list_services()["Services"] if self.name in item["Name"])


@pytest.fixture
def world(running: AwsServer, client: Callable[..., Any], vpc: Vpc, name: str) -> World:
    keys = {"access_key": "AKIATESTTESTTESTTEST", "secret_key": "test"}
    clients, calls = Clients({"region": "eu-west-1", "endpoint_url": running.url, **keys}), []

    def note(model: Any, **_more: Any) -> None:
        if not model.name.lower().startswith(READS):
            calls.append(model.name)

    clients.session().events.register("before-call", note)
    return World(clients, name, vpc, source(client, vpc, name), calls, running)


def source(client: Callable[..., Any], vpc: Vpc, name: str) -> str:
    elb, ecs, cloud_map, route53 = (client(service) for service in ("elbv2", "ecs", "servicediscovery", "route53"))
    balancer = elb.create_load_balancer(Name=name, Subnets=vpc.subnets, SecurityGroups=[vpc.group])["LoadBalancers"][0]
    group = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc.id, TargetType="instance")["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward)
    zone = route53.create_hosted_zone(Name=f"{name}.example.test", CallerReference=name)["HostedZone"]["Id"]
    alias = {"HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": balancer["DNSName"], "EvaluateTargetHealth": False}
    change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": f"{name}.example.test", "Type": "A", "AliasTarget": alias}}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    cloud_map.create_private_dns_namespace(Name=f"{name}.internal", Vpc=vpc.id)
    namespace = next(item["Id"] for item in cloud_map.list_namespaces()["Namespaces"] if item["Name"] == f"{name}.internal")
    records = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "SRV", "TTL": 30}]}
    registry = cloud_map.create_service(Name=name, NamespaceId=namespace, DnsConfig=records, HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]["Arn"]
    ecs.create_cluster(clusterName=name)
    web = {"name": "nginx", "image": "nginx:1", "memory": 64, "portMappings": [{"containerPort": 80, "hostPort": 0}]}
    worker = {"name": "worker", "image": "nginx:1", "memory": 64, "environment": [{"name": "API_URL", "value": f"http://{name}.{name}.internal/"}]}
    for family, container in (("web", web), ("worker", worker)):
        ecs.register_task_definition(family=f"{name}-{family}", containerDefinitions=[container])
    pair = {"containerName": "nginx", "containerPort": 80}
    behind = {"loadBalancers": [{"targetGroupArn": group, **pair}], "serviceRegistries": [{"registryArn": registry, **pair}]}
    ecs.create_service(cluster=name, serviceName="web", taskDefinition=f"{name}-web", desiredCount=1, **behind)
    ecs.create_service(cluster=name, serviceName="worker", taskDefinition=f"{name}-worker", desiredCount=1)
    return str(registry)


def test_there_and_back(world: World) -> None:
    plan = world.plan()
    assert world.prepare(plan, check_mode=True)["changes"][0] == f"create Cloud Map service {world.name}-fargate"
    assert world.calls == []
    world.prepare(plan)
    (web,) = world.clients("ecs").describe_services(cluster=plan["names"]["cluster"], services=["web"])["services"]
    made = web["serviceRegistries"][0]["registryArn"]
    assert (made != world.registry, world.cloud_map()) == (True, [world.name, f"{world.name}-fargate"])
    found = world.clients("servicediscovery").get_service(Id=made.rpartition("/")[2])["Service"]
    assert (found["DnsConfig"]["DnsRecords"], found["HealthCheckCustomConfig"]) == ([{"Type": "SRV", "TTL": 30}], {"FailureThreshold": 1})
    environment = [item for task in plan["task_definitions"] for item in task["containerDefinitions"][0].get("environment") or []]
    assert environment == [{"name": "API_URL", "value": f"http://{world.name}-fargate.{world.name}.internal/"}]

    again = world.plan()
    assert {key: again[key] for key in ("services", "registries", "security")} == {key: plan[key] for key in ("services", "registries", "security")}
    assert world.prepare(again)["changed"] is False
    assert world.calls == []

    world.abandon(again)
    assert world.cloud_map() == [world.name]
    assert world.abandon(again)["changed"] is False


def test_a_cloud_map_service_with_foreign_instances_keeps_the_target(world: World) -> None:
    plan = world.plan()
    world.prepare(plan)
    cloud_map = world.clients("servicediscovery")
    made = next(item["Id"] for item in cloud_map.list_services()["Services"] if item["Name"] == f"{world.name}-fargate")
    cloud_map.register_instance(ServiceId=made, InstanceId="theirs", Attributes={"AWS_INSTANCE_IPV4": "10.9.0.9", "AWS_INSTANCE_PORT": "80"})
    with pytest.raises(CutoverError, match=r"instances that are not of this system: theirs.*Nothing was removed"):
        world.abandon(plan)


def test_both_sides_under_one_name_when_the_inventory_says_so(world: World) -> None:
    plan = world.plan(service_registries={"web": world.registry})
    assert [item["path"] for item in plan["findings"] if item["id"] == "FG-REGISTRY-SHARED"] == ["services[web].serviceRegistries"]
    world.prepare(plan)
    (web,) = world.clients("ecs").describe_services(cluster=plan["names"]["cluster"], services=["web"])["services"]
    assert web["serviceRegistries"] == [{"registryArn": world.registry, "containerName": "nginx", "containerPort": 80}]
    world.abandon(plan)
    assert world.cloud_map() == [world.name]
