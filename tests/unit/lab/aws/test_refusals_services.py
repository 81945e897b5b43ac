"""CreateService and its kin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import Vpc


@dataclass
class Stage:
    """A cluster, both kinds of task definition, and target groups with and without a listener."""

    ecs: Any
    elb: Any
    vpc: Vpc
    cluster: str
    fargate: str
    bridge: str
    ip_group: str
    instance_group: str
    loose_group: str

    @property
    def network(self) -> dict[str, Any]:
        return {"awsvpcConfiguration": {"subnets": self.vpc.subnets, "securityGroups": [self.vpc.group]}}

    def service(self, **changed: Any) -> dict[str, Any]:
        """CreateService's parameters for a Fargate service that AWS takes, changed; None removes a member."""
        given = {
            "cluster": self.cluster,
            "serviceName": "web",
            "taskDefinition": self.fargate,
            "desiredCount": 1,
            "launchType": "FARGATE",
            "networkConfiguration": self.network,
            "loadBalancers": [{"targetGroupArn": self.ip_group, "containerName": "a", "containerPort": 80}],
            **changed,
        }
        return {key: value for key, value in given.items() if value is not None}

    def balancer(self, **changed: Any) -> list[dict[str, Any]]:
        return [{"targetGroupArn": self.ip_group, "containerName": "a", "containerPort": 80, **changed}]


@pytest.fixture
def stage(client: Callable[..., Any], vpc: Vpc, name: str) -> Stage:
    ecs, elb = client("ecs"), client("elbv2")
    ecs.create_cluster(clusterName=name)
    container = {"name": "a", "image": "nginx", "memory": 64, "portMappings": [{"containerPort": 80}]}
    fargate = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
    ecs.register_task_definition(family=f"{name}-fargate", containerDefinitions=[container], **fargate)
    ecs.register_task_definition(family=f"{name}-bridge", containerDefinitions=[container])
    balancer = elb.create_load_balancer(Name=name, Subnets=vpc.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    groups = [
        elb.create_target_group(Name=f"{name}-{kind}", Protocol="HTTP", Port=80, VpcId=vpc.id, TargetType=target)["TargetGroups"][0]["TargetGroupArn"]
        for kind, target in (("ip", "ip"), ("instance", "instance"), ("loose", "ip"))
    ]
    for port, arn in ((80, groups[0]), (81, groups[1])):
        elb.create_listener(LoadBalancerArn=balancer, Port=port, Protocol="HTTP", DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}])
    return Stage(ecs, elb, vpc, name, f"{name}-fargate", f"{name}-bridge", *groups)


REFUSED: dict[str, tuple[Callable[[Stage], dict[str, Any]], str]] = {
    "no network": (lambda s: s.service(networkConfiguration=None), "Network Configuration must be provided when networkMode 'awsvpc' is specified."),
    "network for bridge": (
        lambda s: s.service(taskDefinition=s.bridge, launchType="EC2", loadBalancers=[]),
        "Network Configuration is not valid for the given networkMode of this task definition.",
    ),
    "bridge on Fargate": (
        lambda s: s.service(taskDefinition=s.bridge, networkConfiguration=None),
        "Task definition does not support launch_type FARGATE.",
    ),
    "unknown definition": (lambda s: s.service(taskDefinition="absent"), "TaskDefinition not found."),
    "unknown group": (lambda s: s.service(loadBalancers=s.balancer(targetGroupArn=s.ip_group + "0")), "target group does not exist"),
    "group without listener": (lambda s: s.service(loadBalancers=s.balancer(targetGroupArn=s.loose_group)), "does not have an associated load balancer."),
    "instance group with awsvpc": (
        lambda s: s.service(loadBalancers=s.balancer(targetGroupArn=s.instance_group)),
        "has target type instance, which is incompatible with the awsvpc network mode",
    ),
    "ip group with bridge": (
        lambda s: s.service(taskDefinition=s.bridge, launchType="EC2", networkConfiguration=None),
        "has target type ip, which is incompatible with the bridge network mode",
    ),
    "unknown container": (lambda s: s.service(loadBalancers=s.balancer(containerName="z")), "The container z does not exist in the task definition."),
    "unmapped port": (lambda s: s.service(loadBalancers=s.balancer(containerPort=81)), "did not have a container port 81 defined."),
    "type and strategy": (lambda s: s.service(capacityProviderStrategy=[{"capacityProvider": "FARGATE"}]), "Specifying both a launch type and"),
    "provider not of the cluster": (
        lambda s: s.service(launchType=None, capacityProviderStrategy=[{"capacityProvider": "FARGATE"}]),
        "is not associated with the cluster",
    ),
    "placement": (lambda s: s.service(placementStrategy=[{"type": "spread", "field": "instanceId"}]), "Placement strategies are not supported with FARGATE"),
    "daemon": (lambda s: s.service(schedulingStrategy="DAEMON", desiredCount=None), "daemon scheduling strategy is not supported"),
    "role": (lambda s: s.service(role="arn:aws:iam::123456789012:role/x"), "You cannot specify an IAM role for services that require a service linked role."),
    "platform version on EC2": (
        lambda s: s.service(launchType="EC2", platformVersion="1.4.0"),
        "The platform version must be null when specifying an EC2 launch type.",
    ),
    "grace without balancer": (lambda s: s.service(loadBalancers=None, healthCheckGracePeriodSeconds=1), "Health check grace period is only valid"),
    "unknown subnet": (
        lambda s: s.service(networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-absent"]}}),
        "The subnet ID 'subnet-absent' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
    ),
    "unknown security group": (
        lambda s: s.service(networkConfiguration={"awsvpcConfiguration": {"subnets": s.vpc.subnets, "securityGroups": ["sg-absent"]}}),
        "The security group 'sg-absent' does not exist (ErrorCode: InvalidGroup.NotFound)",
    ),
    "bad name": (lambda s: s.service(serviceName="a b"), "Service name contains invalid characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(stage: Stage, refuse, case: str) -> None:
    parameters, message = REFUSED[case]
    assert message in refuse(stage.ecs.create_service, **parameters(stage))[1]
    assert stage.ecs.list_services(cluster=stage.cluster)["serviceArns"] == []


def test_taken_and_then_not_idempotent(stage: Stage, refuse) -> None:
    first = stage.ecs.create_service(**stage.service(clientToken="one"))["service"]
    assert stage.ecs.create_service(**stage.service(clientToken="one"))["service"]["createdAt"] == first["createdAt"]
    assert refuse(stage.ecs.create_service, **stage.service(clientToken="two"))[1] == "Creation of service was not idempotent."


def test_strategy_of_the_cluster_is_taken(stage: Stage) -> None:
    stage.ecs.put_cluster_capacity_providers(cluster=stage.cluster, capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[])
    made = stage.ecs.create_service(**stage.service(launchType=None, capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}]))["service"]
    assert made["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE"
    assert "launchType" not in made


def test_update_refuses_what_create_refuses(stage: Stage, refuse) -> None:
    stage.ecs.create_service(**stage.service())
    update = {"cluster": stage.cluster, "service": "web"}
    assert "not support launch_type" in refuse(stage.ecs.update_service, **update, taskDefinition=stage.bridge)[1]
    assert "does not have an associated" in refuse(stage.ecs.update_service, **update, loadBalancers=stage.balancer(targetGroupArn=stage.loose_group))[1]
    assert refuse(stage.ecs.update_service, cluster=stage.cluster, service="absent")[0] == "ServiceNotFoundException"


def test_deletion_needs_zero_or_force_and_the_cluster_waits(stage: Stage, refuse) -> None:
    stage.ecs.create_service(**stage.service())
    assert refuse(stage.ecs.delete_service, cluster=stage.cluster, service="web")[1] == "The service cannot be stopped while it is scaled above 0."
    assert refuse(stage.ecs.delete_cluster, cluster=stage.cluster)[0] == "ClusterContainsServicesException"
    assert stage.ecs.delete_service(cluster=stage.cluster, service="web", force=True)["service"]["status"] == "INACTIVE"
    assert refuse(stage.ecs.update_service, cluster=stage.cluster, service="web", desiredCount=1)[0] == "ServiceNotActiveException"
    stage.ecs.delete_cluster(cluster=stage.cluster)
    assert refuse(stage.ecs.create_service, **stage.service())[0] == "ClusterNotFoundException"


def test_inactive_definition_is_refused_but_kept_by_its_service(stage: Stage, refuse) -> None:
    arn = stage.ecs.create_service(**stage.service())["service"]["taskDefinition"]
    stage.ecs.deregister_task_definition(taskDefinition=arn)
    stage.ecs.update_service(cluster=stage.cluster, service="web", desiredCount=2)
    assert refuse(stage.ecs.create_service, **stage.service(serviceName="other", taskDefinition=arn))[1] == "TaskDefinition is inactive"


def test_bulk_reads_are_bounded(stage: Stage, refuse) -> None:
    assert refuse(stage.ecs.describe_services, cluster=stage.cluster, services=[f"s{n}" for n in range(11)])[0] == "InvalidParameterException"
    assert refuse(stage.ecs.describe_tasks, cluster=stage.cluster, tasks=[])[0] == "InvalidParameterException"
