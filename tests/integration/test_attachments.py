"""EBS volumes and VPC Lattice the whole way against the lab's AWS: plan, security group, services; the second run changes nothing, the third what was answered anew."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._ec2 import security_groups
from ansible_collections.cutover.fargate.plugins.module_utils._ecs import services
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from lab.aws.server import AwsServer
from unit.lab.aws.conftest import Vpc, client, name, running, vpc
from unit.plugins.module_utils._translate.rules import Case

__all__ = ["client", "name", "running", "vpc"]

Json = dict[str, Any]
WAIT = {"wait_timeout": 10.0, "poll_seconds": 1.0}


@dataclass
class Stage:
    """A source with both, and what the roles before ``service`` build for its target."""

    server: AwsServer
    client: Callable[..., Any]
    clients: Clients
    vpc: Vpc
    system: Json
    name: str
    group: str

    def lattice(self, kind: str, label: str) -> str:
        config = {"port": 80, "protocol": "HTTP", "vpcIdentifier": self.vpc.id}
        return str(self.client("vpc-lattice").create_target_group(name=f"{self.name}-{label}", type=kind, config=config)["arn"])

    def plan(self, **intent: Any) -> Json:
        plan = planner.plan(copy.deepcopy(self.system), {"names": {"cluster": self.name, "security_group": f"{self.name}-tasks"}, **intent})
        plan["security"] |= {"vpc_id": self.vpc.id, "grants": [], "load_balancer_egress": []}
        plan["security"]["ingress"] = [rule for rule in plan["security"]["ingress"] if "prefix_list_id" in rule]
        for service in plan["services"]:
            service["subnets"] = self.vpc.subnets
            for balancer in service["load_balancers"]:
                balancer["target_group"] = self.name
        return plan

    def run(self, plan: Json) -> tuple[Json, list[str]]:
        """Result and mutating calls of both modules."""
        before = self.server.requests.last
        security_groups.run({"security": plan["security"]}, self.clients, False)
        result = services.run({"services": plan["services"], **WAIT}, self.clients, False)
        return result, [call.operation for call in self.server.requests.since(before, mutating=True)]

    def deployment(self) -> Json:
        found = self.client("ecs").describe_services(cluster=self.name, services=["web"])["services"][0]
        return dict(next(item for item in found["deployments"] if item["status"] == "PRIMARY"))


@pytest.fixture
def stage(running: AwsServer, client: Callable[..., Any], vpc: Vpc, name: str) -> Stage:
    ecs, elb = client("ecs"), client("elbv2")
    balancer = elb.create_load_balancer(Name=name, Subnets=vpc.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc.id, TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    ecs.create_cluster(clusterName=name)
    access = {"access_key": "AKIATESTTESTTESTTEST", "secret_key": "test"}
    stage = Stage(running, client, Clients({"region": "eu-west-1", "endpoint_url": running.url, **access}), vpc, {}, name, "")
    stage.group = stage.lattice("INSTANCE", "source")
    stage.system = source(stage)
    return stage


def source(stage: Stage) -> Json:
    """The golden shop with a volume and VPC Lattice, whose instances admit Lattice's prefix list."""
    system = Case("FG-EBS-VOLUME/positive").system()
    web = next(item for item in system["source"]["services"] if item["serviceName"] == "web")
    web["TaskDefinition"]["containerDefinitions"][0]["portMappings"][0]["name"] = "http"
    role = web["deployments"][0]["volumeConfigurations"][0]["managedEBSVolume"]["roleArn"]
    web["deployments"][0]["vpcLatticeConfigurations"] = [{"roleArn": role, "targetGroupArn": stage.group, "portName": "http"}]
    which = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.eu-west-1.vpc-lattice"]}]
    (prefix_list,) = stage.client("ec2").describe_managed_prefix_lists(Filters=which)["PrefixLists"]
    read = stage.client("vpc-lattice").get_target_group(targetGroupIdentifier=stage.group)
    system["source"]["vpc_lattice"] = {"target_groups": [read], "prefix_lists": [prefix_list]}
    rule = {"IpProtocol": "tcp", "FromPort": 32768, "ToPort": 65535, "PrefixListIds": [{"PrefixListId": prefix_list["PrefixListId"]}]}
    system["source"]["security_groups"]["tasks"][0]["IpPermissions"] = [rule]
    return system


def test_twice_and_then_otherwise(stage: Stage) -> None:
    assert [item["id"] for item in stage.plan()["findings"] if item["severity"] == "BLOCKER"] == ["FG-LATTICE"]
    first, second = stage.lattice("IP", "first"), stage.lattice("IP", "second")
    plan = stage.plan(vpc_lattice_target_groups={stage.group: first})
    assert [item["id"] for item in plan["findings"] if item["severity"] == "BLOCKER"] == []
    for definition in plan["task_definitions"]:
        stage.client("ecs").register_task_definition(**definition)

    _result, calls = stage.run(plan)
    assert calls == ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "CreateService", "CreateService"]
    deployed = stage.deployment()
    volume = deployed["volumeConfigurations"][0]["managedEBSVolume"]
    assert (volume["sizeInGiB"], volume["iops"], volume["filesystemType"], volume["encrypted"]) == (400, 4000, "ext4", True)
    assert volume["tagSpecifications"][0]["tags"] == [{"key": "cutover:system", "value": "shop"}, {"key": "team", "value": "shop"}]
    assert [item["targetGroupArn"] for item in deployed["vpcLatticeConfigurations"]] == [first]

    result, calls = stage.run(plan)
    assert (calls, result["changed"], result["diff"]["before"] == result["diff"]["after"]) == ([], False, True)

    result, calls = stage.run(stage.plan(vpc_lattice_target_groups={stage.group: second}))
    assert (calls, result["changes"]) == (["UpdateService"], ["update vpcLatticeConfigurations of service web"])
    assert [item["targetGroupArn"] for item in stage.deployment()["vpcLatticeConfigurations"]] == [second]
    assert stage.run(stage.plan(vpc_lattice_target_groups={stage.group: second}))[1] == []


def test_a_volume_that_is_answered_otherwise_takes_its_configuration_along(stage: Stage) -> None:
    answers = {"vpc_lattice_target_groups": {stage.group: stage.lattice("IP", "ip")}}
    plan = stage.plan(**answers)
    for definition in plan["task_definitions"]:
        stage.client("ecs").register_task_definition(**definition)
    stage.run(plan)
    plan = stage.plan(**answers, volumes={"data": "ephemeral"})
    for definition in plan["task_definitions"]:
        stage.client("ecs").register_task_definition(**definition)
    result, calls = stage.run(plan)
    assert calls == ["UpdateService", "UpdateService"]
    assert "update taskDefinition, volumeConfigurations of service web" in result["changes"]
    assert "volumeConfigurations" not in stage.deployment()
    assert stage.run(plan)[1] == []


def test_check_mode_and_diff_show_what_will_be_attached(stage: Stage) -> None:
    plan = stage.plan(vpc_lattice_target_groups={stage.group: stage.lattice("IP", "ip")})
    before = stage.server.requests.last
    result = services.run({"services": plan["services"], "task_definitions": plan["task_definitions"], **WAIT}, stage.clients, True)
    assert stage.server.requests.since(before, mutating=True) == []
    assert result["diff"]["after"]["web"]["volumeConfigurations"]["data"]["managedEBSVolume"]["sizeInGiB"] == 400
