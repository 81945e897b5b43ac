"""Service Connect against the lab's rules of AWS: from the source's configuration to a target beside it, twice, killed anywhere, and away again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ec2 import security_groups
from ansible_collections.cutover.fargate.plugins.module_utils._ecs import cluster, services
from ansible_collections.cutover.fargate.plugins.module_utils._system import connect as discovered
from ansible_collections.cutover.fargate.plugins.module_utils._system.read import Reader
from ansible_collections.cutover.fargate.plugins.module_utils._teardown import target
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from lab.aws.server import AwsServer
from unit.lab.aws.conftest import Vpc, client, name, running, vpc
from unit.plugins.module_utils._translate import systems

__all__ = ["client", "name", "running", "vpc"]

Json = dict[str, Any]


@functools.cache
def shared_clients(url: str) -> Clients:
    """Making them takes longer than a test."""
    return Clients({"region": "eu-west-1", "endpoint_url": url, "access_key": "AKIATESTTESTTESTTEST", "secret_key": "test"})


@dataclass
class World:
    """A source of two services that call each other and a worker that calls both, in one namespace, and the plan of its target."""

    aws: AwsServer
    client: Callable[..., Any]
    vpc: Vpc
    name: str

    def __post_init__(self) -> None:
        ecs = self.client("ecs")
        self.client("servicediscovery").create_http_namespace(Name=self.name)
        ecs.create_cluster(clusterName=self.name, serviceConnectDefaults={"namespace": self.name})
        for service in ("web", "api", "worker"):
            ports = [{"name": "http", "containerPort": 80, "appProtocol": "http"}]
            family, container = f"{self.name}-{service}", {"name": "a", "image": "nginx", "memory": 64, "portMappings": ports}
            ecs.register_task_definition(family=family, containerDefinitions=[container])
            endpoint = {"portName": "http", "discoveryName": service, "clientAliases": [{"port": 80}]}
            connect = {"enabled": True, **({"services": [endpoint]} if service != "worker" else {})}
            ecs.create_service(cluster=self.name, serviceName=service, taskDefinition=family, desiredCount=0, serviceConnectConfiguration=connect)

    def clients(self) -> Clients:
        return shared_clients(self.aws.url)

    def plan(self, **intent: Any) -> Json:
        """As discovery and translation make it; the load balancer and the network are the golden system's."""
        ecs, read = self.client("ecs"), Reader(self.clients())
        found = systems.system()
        found["name"] = self.name
        described = ecs.describe_services(cluster=self.name, services=["web", "api", "worker"], include=["TAGS"])["services"]
        for service in described:
            service["TaskDefinition"] = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
            service["Tags"] = {}
        found["source"]["services"] = described
        found["source"]["cluster"] = ecs.describe_clusters(clusters=[self.name], include=["SETTINGS"])["clusters"][0]
        found["source"]["namespaces"] = discovered.read_namespaces(read, found["source"]["cluster"], described, "source")
        return planner.plan(found, intent)

    def provision(self, plan: Json, check_mode: bool = False) -> list[str]:
        """The roles cluster, security, taskdef and service, by their modules' own functions; what they changed."""
        clients = self.clients()
        section = {**plan["security"], "vpc_id": self.vpc.id, "grants": [], "load_balancer_egress": []}
        section["ingress"] = [rule for rule in section["ingress"] if rule.get("itself")]
        wanted = [{**service, "subnets": self.vpc.subnets} for service in plan["services"]]
        changes = cluster.run({"cluster": plan["cluster"]}, clients, check_mode)["changes"]
        changes += security_groups.run({"security": section}, clients, check_mode)["changes"]
        for definition in plan["task_definitions"]:
            if not self.client("ecs").list_task_definitions(familyPrefix=definition["family"])["taskDefinitionArns"]:
                self.client("ecs").register_task_definition(**definition)
        changes += services.run({"services": wanted, "wait_timeout": 5, "poll_seconds": 1}, clients, check_mode)["changes"]
        return list(changes)

    def calls(self, work: Callable[[], Any]) -> list[str]:
        before = self.aws.requests.last
        work()
        return [item.operation for item in self.aws.requests.since(before, mutating=True)]

    def connected(self, name: str) -> Json:
        """What an independent client sees of a target's service."""
        found = self.client("ecs").describe_services(cluster=f"{self.name}-fargate", services=[name])["services"][0]
        return dict(next(item for item in found["deployments"] if item["status"] == "PRIMARY"))

    def namespaces(self) -> list[str]:
        return sorted(item["Name"] for item in self.client("servicediscovery").list_namespaces()["Namespaces"] if item["Name"].startswith(self.name))

    def abandon(self, plan: Json) -> Json:
        """The role abandon, by its module's own function. The target has no load balancer here."""
        names = {"system": self.name, "confirm": self.name, "vpc_id": self.vpc.id, "cluster": plan["cluster"]["name"]}
        parts: Json = {key: [] for key in ("target_groups", "families", "alarms", "repositories", "log_groups")}
        more = {"security_group": plan["security"]["group"]["name"], "namespaces": [item["name"] for item in plan["cluster"]["namespaces"]]}
        waits = {"silence_seconds": 900.0, "metric_delay": 120.0, "metric_period": 60, "max_requests": 0, "wait_timeout": 5.0, "poll_seconds": 1.0}
        return dict(target.run({**names, **parts, **more, **waits, **self.serving}, self.clients(), False))

    @functools.cached_property
    def serving(self) -> Json:
        """A record that leads to the source's load balancer."""
        elb, route53 = self.client("elbv2"), self.client("route53")
        made = elb.create_load_balancer(Name=self.name, Subnets=self.vpc.subnets)["LoadBalancers"][0]
        zone = route53.create_hosted_zone(Name=f"{self.name}.test", CallerReference=self.name)["HostedZone"]["Id"].rpartition("/")[2]
        alias = {"HostedZoneId": made["CanonicalHostedZoneId"], "DNSName": made["DNSName"], "EvaluateTargetHealth": True}
        record = {"Name": f"{self.name}.test.", "Type": "A"}
        change = {"Action": "CREATE", "ResourceRecordSet": {**record, "AliasTarget": alias}}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
        return {"source_load_balancer": self.name, "load_balancer": f"{self.name}-fargate", "record_sets": [{"zone_id": zone, "record_set": record}]}


@pytest.fixture
def world(running: AwsServer, client: Callable[..., Any], vpc: Vpc, name: str) -> Iterator[World]:
    yield World(running, client, vpc, name)
    running.faults.clear()


def test_the_target_has_the_same_names_in_a_namespace_of_its_own(world: World) -> None:
    plan = world.plan()
    changes = world.provision(plan)
    assert changes[:2] == [f"create namespace {world.name}-fargate", f"create cluster {world.name}-fargate"]
    arns = {item["Name"]: item["Arn"] for item in world.client("servicediscovery").list_namespaces()["Namespaces"]}
    default = world.client("ecs").describe_clusters(clusters=[f"{world.name}-fargate"])["clusters"][0]["serviceConnectDefaults"]
    assert default == {"namespace": arns[f"{world.name}-fargate"]}
    for service in ("web", "api"):
        (endpoint,) = world.connected(service)["serviceConnectConfiguration"]["services"]
        assert endpoint == {"portName": "http", "discoveryName": service, "clientAliases": [{"port": 80, "dnsName": f"{service}.{world.name}"}]}
    assert {world.connected(service)["serviceConnectConfiguration"]["namespace"] for service in ("web", "api", "worker")} == {default["namespace"]}


def test_everybodys_tasks_know_every_endpoint(world: World) -> None:
    """Whoever was made before another published is deployed again; a service that only calls is made last."""
    changes = world.provision(world.plan())
    made = [text for text in changes if "service " in text and "namespace" not in text]
    assert [text.split()[2] for text in made] == ["api", "web", "worker", "api"]
    born = world.client("ecs").describe_services(cluster=f"{world.name}-fargate", services=["web", "api"])["services"]
    assert all(world.connected(name)["createdAt"] >= max(item["createdAt"] for item in born) for name in ("web", "api", "worker"))


def test_the_tasks_admit_each_other_where_the_proxies_listen(world: World) -> None:
    world.provision(world.plan())
    (group,) = world.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{world.name}-fargate"]}])["SecurityGroups"]
    (permission,) = group["IpPermissions"]
    assert (permission["FromPort"], [pair["GroupId"] for pair in permission["UserIdGroupPairs"]]) == (80, [group["GroupId"]])


def test_second_run_makes_no_mutating_call(world: World) -> None:
    plan = world.plan()
    world.provision(plan)
    assert world.calls(lambda: world.provision(plan)) == []
    assert world.calls(lambda: world.provision(world.plan())) == []


def test_check_mode_tells_all_and_writes_nothing(world: World) -> None:
    plan = world.plan()
    for definition in plan["task_definitions"]:
        world.client("ecs").register_task_definition(**definition)
    told: list[str] = []
    assert world.calls(lambda: told.extend(world.provision(plan, check_mode=True))) == []
    assert told == world.provision(plan)


@pytest.mark.parametrize(("operation", "after"), [("CreateCluster", 0), ("CreateService", 0), ("CreateService", 2), ("UpdateService", 0)])
def test_a_run_that_was_stopped_is_finished_by_the_next(world: World, operation: str, after: int) -> None:
    plan = world.plan()
    world.aws.faults.add(action="error", operation=operation, after=after, code="AccessDeniedException", status=400)
    with pytest.raises(CutoverError):
        world.provision(plan)
    world.aws.faults.clear()
    world.provision(plan)
    assert world.calls(lambda: world.provision(plan)) == []
    assert world.namespaces() == [world.name, f"{world.name}-fargate"]


def test_a_namespace_whose_answer_was_lost_is_found_again(world: World) -> None:
    world.aws.faults.add(action="drop-after", operation="CreateHttpNamespace")
    plan = world.plan()
    world.provision(plan)
    assert world.namespaces() == [world.name, f"{world.name}-fargate"]


def test_what_drifts_comes_back_and_what_the_plan_does_not_name_stays(world: World) -> None:
    plan = world.plan()
    world.provision(plan)
    settings = [{"logLevel": "debug"}]
    world.client("ecs").update_service(
        cluster=f"{world.name}-fargate",
        service="web",
        serviceConnectConfiguration={"enabled": True, "namespace": f"{world.name}-fargate", "services": [], "containerConfigurations": settings},
    )
    assert world.calls(lambda: world.provision(plan)) == ["UpdateService", "UpdateService", "UpdateService"]
    found = world.connected("web")["serviceConnectConfiguration"]
    assert [item["discoveryName"] for item in found["services"]] == ["web"]
    assert found["containerConfigurations"] == settings
    assert world.calls(lambda: world.provision(plan)) == []


def test_the_token_of_a_log_driver_is_never_shown(world: World) -> None:
    plan = world.plan()
    world.provision(plan)
    (web,) = [item for item in plan["services"] if item["name"] == "web"]
    web["service_connect"]["logConfiguration"] = {"logDriver": "splunk", "options": {"splunk-token": "correct-horse", "splunk-url": "https://logs.test"}}
    params = {"services": [{**web, "subnets": world.vpc.subnets}], "wait_timeout": 5, "poll_seconds": 1}
    shown = services.run(params, world.clients(), False)
    assert shown["changes"] == ["update serviceConnectConfiguration of service web"]
    assert "correct-horse" not in str(shown)
    assert world.connected("web")["serviceConnectConfiguration"]["logConfiguration"]["options"]["splunk-token"] == "correct-horse"


def test_a_namespace_of_somebody_else_is_not_used_unless_the_inventory_names_it(world: World) -> None:
    world.client("servicediscovery").create_http_namespace(Name=f"{world.name}-fargate")
    with pytest.raises(CutoverError, match=r"exists without the tag cutover:system=.* Nothing was changed\."):
        world.provision(world.plan())
    plan = world.plan(service_connect_namespace=f"{world.name}-fargate")
    world.provision(plan)
    assert world.calls(lambda: world.provision(plan)) == []
    kept = world.abandon(plan)["kept"]
    assert kept == [f"namespace {world.name}-fargate does not carry the tag cutover:system={world.name}"]


def test_abandon_leaves_what_was_there_before(world: World) -> None:
    plan = world.plan()
    world.provision(plan)
    world.abandon(plan)
    assert world.namespaces() == [world.name]
    assert world.client("ecs").describe_clusters(clusters=[f"{world.name}-fargate"])["clusters"][0]["status"] == "INACTIVE"
    assert world.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{world.name}-fargate"]}])["SecurityGroups"] == []
    assert world.calls(lambda: world.abandon(plan)) == []


def test_abandon_refuses_while_somebody_else_is_in_the_namespace(world: World) -> None:
    plan = world.plan()
    world.provision(plan)
    world.client("ecs").create_service(
        cluster=world.name,
        serviceName="guest",
        taskDefinition=f"{world.name}-worker",
        desiredCount=0,
        serviceConnectConfiguration={"enabled": True, "namespace": f"{world.name}-fargate"},
    )
    with pytest.raises(CutoverError, match=rf"Namespace {world.name}-fargate is used by service .*/guest\. Nothing was removed"):
        world.abandon(plan)


def test_somebody_else_in_the_namespace_stops_the_migration(world: World) -> None:
    world.client("ecs").create_service(
        cluster=world.name, serviceName="guest", taskDefinition=f"{world.name}-worker", desiredCount=0, serviceConnectConfiguration={"enabled": True}
    )
    (finding,) = [item for item in world.plan()["findings"] if item["id"] == "FG-CONNECT-SHARED"]
    assert finding["source_value"] == f"service guest of cluster {world.name}"
    assert not [item for item in world.plan(service_connect_namespace="next")["findings"] if item["id"] == "FG-CONNECT-SHARED"]


def test_services_that_only_call_join_the_namespace_of_the_source(world: World) -> None:
    plan = world.plan()
    only = {**plan, "services": [item for item in plan["services"] if item["name"] == "worker"]}
    arn = next(item["Arn"] for item in world.client("servicediscovery").list_namespaces()["Namespaces"] if item["Name"] == world.name)
    only["services"][0]["service_connect"]["namespace"] = arn
    only["cluster"] = {**plan["cluster"], "namespaces": [], "service_connect_namespace": arn}
    world.provision(only)
    assert world.namespaces() == [world.name]
    assert world.connected("worker")["serviceConnectConfiguration"] == {"enabled": True, "namespace": arn}
    assert world.calls(lambda: world.provision(only)) == []
