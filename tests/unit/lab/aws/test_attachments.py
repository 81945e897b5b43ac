"""EBS volumes and VPC Lattice of services: what is refused, what comes back, and what starts a deployment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import Vpc

ROLE = "arn:aws:iam::123456789012:role/infrastructure"


@dataclass
class Stage:
    ecs: Any
    vpc: Vpc
    cluster: str
    groups: dict[str, str]

    def service(self, **changed: Any) -> dict[str, Any]:
        """CreateService's parameters for a Fargate service with both that AWS takes, changed; None removes a member."""
        given = {
            "cluster": self.cluster,
            "serviceName": "web",
            "taskDefinition": f"{self.cluster}-with",
            "desiredCount": 1,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": self.vpc.subnets}},
            "volumeConfigurations": volume(),
            "vpcLatticeConfigurations": self.lattice(),
            **changed,
        }
        return {key: value for key, value in given.items() if value is not None}

    def lattice(self, kind: str = "IP", port: str = "http") -> list[dict[str, Any]]:
        return [{"roleArn": ROLE, "targetGroupArn": self.groups[kind], "portName": port}]

    def update(self, **changed: Any) -> dict[str, Any]:
        return {"cluster": self.cluster, "service": "web", **changed}


def volume(name: str = "data", **members: Any) -> list[dict[str, Any]]:
    return [{"name": name, "managedEBSVolume": {"roleArn": ROLE, "sizeInGiB": 10, **members}}]


@pytest.fixture
def stage(client: Callable[..., Any], vpc: Vpc, name: str) -> Stage:
    ecs, lattice = client("ecs"), client("vpc-lattice")
    ecs.create_cluster(clusterName=name)
    container = {"name": "a", "image": "nginx", "memory": 64, "portMappings": [{"containerPort": 80, "name": "http"}]}
    fargate = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
    ecs.register_task_definition(family=f"{name}-with", containerDefinitions=[container], volumes=[{"name": "data", "configuredAtLaunch": True}], **fargate)
    ecs.register_task_definition(family=f"{name}-without", containerDefinitions=[container], **fargate)
    config = {"port": 80, "protocol": "HTTP", "vpcIdentifier": vpc.id}
    groups = {kind: lattice.create_target_group(name=f"{name}-{kind.lower()}", type=kind, config=config)["arn"] for kind in ("IP", "INSTANCE")}
    return Stage(ecs, vpc, name, {**groups, "absent": groups["IP"][:-5] + "zzzzz"})


REFUSED: dict[str, tuple[Callable[[Stage], dict[str, Any]], str]] = {
    "configuration without a volume": (
        lambda s: s.service(taskDefinition=f"{s.cluster}-without"),
        "no matching configuredAtLaunch volume found in task definition.",
    ),
    "another name": (lambda s: s.service(volumeConfigurations=volume("other")), "no matching configuredAtLaunch volume found in task definition."),
    "volume without a configuration": (lambda s: s.service(volumeConfigurations=None), "Volume configuration is required for: data"),
    "two": (lambda s: s.service(volumeConfigurations=[*volume(), *volume("other")]), "Only one volume configuration is supported."),
    "no EBS volume": (lambda s: s.service(volumeConfigurations=[{"name": "data"}]), "managedEBSVolume is required"),
    "magnetic": (lambda s: s.service(volumeConfigurations=volume(volumeType="standard")), "volume type standard is not supported"),
    "unknown type": (lambda s: s.service(volumeConfigurations=volume(volumeType="gp9")), "Invalid volumeType gp9."),
    "no size": (lambda s: s.service(volumeConfigurations=[{"name": "data", "managedEBSVolume": {"roleArn": ROLE}}]), "either sizeInGiB or snapshotId"),
    "old platform": (lambda s: s.service(platformVersion="1.3.0"), "platform version 1.4.0 or later."),
    "reserved tag": (
        lambda s: s.service(volumeConfigurations=volume(tagSpecifications=[{"resourceType": "volume", "tags": [{"key": "AmazonECSManaged", "value": "x"}]}])),
        "The tag key AmazonECSManaged is reserved.",
    ),
    "group of instances": (lambda s: s.service(vpcLatticeConfigurations=s.lattice("INSTANCE")), "has the type INSTANCE, which is incompatible with the awsvpc"),
    "unknown group": (lambda s: s.service(vpcLatticeConfigurations=s.lattice("absent")), "does not exist."),
    "unknown port": (
        lambda s: s.service(vpcLatticeConfigurations=s.lattice(port="admin")),
        "The portName admin of the VPC Lattice configuration does not exist",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(stage: Stage, refuse, case: str) -> None:
    parameters, message = REFUSED[case]
    code, told = refuse(stage.ecs.create_service, **parameters(stage))
    assert (code, message in told) == ("InvalidParameterException", True), told
    assert stage.ecs.list_services(cluster=stage.cluster)["serviceArns"] == []


def test_one_volume_at_launch(stage: Stage, refuse) -> None:
    volumes = [{"name": name, "configuredAtLaunch": True} for name in ("a", "b")]
    told = refuse(stage.ecs.register_task_definition, family="two", containerDefinitions=[{"name": "a", "image": "b", "memory": 4}], volumes=volumes)
    assert "Only one volume may be configured at launch" in told[1]


def test_the_primary_deployment_shows_both_with_defaults(stage: Stage) -> None:
    made = stage.ecs.create_service(**stage.service())["service"]
    assert not {"volumeConfigurations", "vpcLatticeConfigurations"} & set(made)
    (deployment,) = made["deployments"]
    assert deployment["volumeConfigurations"] == volume(filesystemType="xfs")
    assert deployment["vpcLatticeConfigurations"] == stage.lattice()


def test_a_change_deploys_and_none_does_not(stage: Stage) -> None:
    stage.ecs.create_service(**stage.service())
    same = stage.ecs.update_service(**stage.update(volumeConfigurations=volume(), vpcLatticeConfigurations=stage.lattice()))["service"]
    assert len(same["deployments"]) == 1
    larger = stage.ecs.update_service(**stage.update(volumeConfigurations=volume(sizeInGiB=20)))["service"]
    assert [item["volumeConfigurations"][0]["managedEBSVolume"]["sizeInGiB"] for item in larger["deployments"]] == [20, 10]


def test_an_update_is_judged_by_what_it_leaves_in_force(stage: Stage, refuse) -> None:
    stage.ecs.create_service(**stage.service())
    without = stage.update(taskDefinition=f"{stage.cluster}-without")
    assert "no matching configuredAtLaunch volume" in refuse(stage.ecs.update_service, **without)[1]
    assert "volumeConfigurations" not in stage.ecs.update_service(**without, volumeConfigurations=[])["service"]["deployments"][0]
    assert "Volume configuration is required" in refuse(stage.ecs.update_service, **stage.update(taskDefinition=f"{stage.cluster}-with"))[1]


def test_a_grace_period_needs_lattice_or_a_load_balancer(stage: Stage) -> None:
    made = stage.ecs.create_service(**stage.service(healthCheckGracePeriodSeconds=30))["service"]
    assert made["healthCheckGracePeriodSeconds"] == 30


def test_target_groups_of_lattice_are_found_by_arn_and_know_who_names_them(stage: Stage, client: Callable[..., Any], refuse) -> None:
    lattice = client("vpc-lattice")
    arn = stage.groups["IP"]
    assert lattice.get_target_group(targetGroupIdentifier=arn)["serviceArns"] == []
    service = lattice.create_service(name=f"{stage.cluster}-svc")
    forward = {"forward": {"targetGroups": [{"targetGroupIdentifier": arn.rpartition("/")[2]}]}}
    lattice.create_listener(serviceIdentifier=service["id"], name="http", protocol="HTTP", port=80, defaultAction=forward)
    assert lattice.get_target_group(targetGroupIdentifier=arn)["serviceArns"] == [service["arn"]]
    assert refuse(lattice.get_target_group, targetGroupIdentifier=stage.groups["absent"])[0] == "ResourceNotFoundException"
