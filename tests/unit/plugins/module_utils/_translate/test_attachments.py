"""EBS volumes and VPC Lattice: what the plan makes of them beyond the golden cases, and answers that can't be right."""

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.rules import Case
from unit.plugins.module_utils._translate.systems import Json

SOURCE = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0123456789abcdef0"
TARGET = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0fedcba9876543210"
ANSWERS = "fargate_vpc_lattice_target_groups"


def system(case: str) -> Json:
    return Case(case).system()


def web(found: Json) -> Json:
    return t.cast(Json, next(item for item in found["source"]["services"] if item["serviceName"] == "web"))


def planned(plan: Json) -> Json:
    return t.cast(Json, next(item for item in plan["services"] if item["name"] == "web"))


def lattice(answers: t.Any = None, case: str = "FG-LATTICE-TARGET-GROUP/positive") -> Json:
    return systems.plan(system(case), vpc_lattice_target_groups={SOURCE: TARGET} if answers is None else answers)


def findings(plan: Json, kind: str) -> list[Json]:
    return [item for item in plan["findings"] if item["id"] == kind]


def test_members_that_are_new_to_us_survive() -> None:
    volumes, groups = system("FG-EBS-VOLUME/positive"), system("FG-LATTICE-TARGET-GROUP/positive")
    deployed = web(volumes)["deployments"][0]["volumeConfigurations"][0]
    deployed |= {"later": {"a": 1}}
    deployed["managedEBSVolume"]["later"] = [1]
    kept = planned(systems.plan(volumes))["volume_configurations"][0]
    assert (kept["later"], kept["managedEBSVolume"]["later"]) == ({"a": 1}, [1])
    web(groups)["deployments"][0]["vpcLatticeConfigurations"][0]["later"] = "x"
    (registered,) = planned(systems.plan(groups, vpc_lattice_target_groups={SOURCE: TARGET}))["vpc_lattice_configurations"]
    assert registered == {"roleArn": registered["roleArn"], "targetGroupArn": TARGET, "portName": "http", "later": "x"}


def test_an_ebs_volume_is_not_ephemeral_storage() -> None:
    plan = systems.plan(system("FG-EBS-VOLUME/positive"))
    assert [item for item in plan["task_definitions"] if item.get("ephemeralStorage")] == []
    assert planned(plan)["platform_version"] == "LATEST"  # 1.4.0 is the least that attaches volumes


def test_the_source_stays_as_it_was() -> None:
    found = system("FG-EBS-TYPE/positive")
    systems.plan(found)
    assert web(found)["deployments"][0]["volumeConfigurations"][0]["managedEBSVolume"]["volumeType"] == "standard"


def test_a_volume_of_two_services_is_configured_by_each() -> None:
    found = system("FG-EBS-VOLUME/positive")
    second = {**web(found), "serviceName": "web-2", "loadBalancers": [], "deployments": []}
    found["source"]["services"].append(second)
    plan = systems.plan(found)
    assert [item["path"] for item in findings(plan, "FG-EBS-NAME")] == ["services[web-2].volumeConfigurations"]
    assert len(planned(plan)["volume_configurations"]) == 1


def test_what_has_to_be_made_is_said_exactly() -> None:
    (blocker,) = findings(lattice({}, "FG-LATTICE/positive"), "FG-LATTICE")
    assert "type IP (the source's is of type INSTANCE), port 80, protocol HTTP (HTTP1), VPC vpc-0shop, address type IPV4" in blocker["why"]
    assert ANSWERS in blocker["fix"]
    (unread,) = findings(lattice({}, "FG-LATTICE/near_miss"), "FG-LATTICE")
    assert "type IP, and the port, protocol, protocol version, VPC and health check of the source's" in unread["why"]


def test_a_source_of_type_ip_needs_another_group_all_the_same() -> None:
    found = system("FG-LATTICE/positive")
    found["source"]["vpc_lattice"]["target_groups"][0]["type"] = "IP"
    assert "the source's is of type IP" in findings(systems.plan(found), "FG-LATTICE")[0]["why"]


def test_the_way_of_the_traffic_is_told() -> None:
    (action,) = findings(lattice(), "FG-LATTICE-TARGET-GROUP")
    assert "service/svc-0123456789abcdef0" in action["why"]
    assert "scale_in" in action["fix"]


@pytest.mark.parametrize(
    ("answers", "key", "told"),
    [
        ({SOURCE: "tg-0fedcba9876543210"}, SOURCE, "it should be the ARN of a VPC Lattice target group in eu-west-1"),
        ({SOURCE: TARGET.replace("vpc-lattice", "elasticloadbalancing")}, SOURCE, "it should be the ARN of a VPC Lattice target group"),
        ({SOURCE: TARGET.replace("eu-west-1", "eu-west-2")}, SOURCE, "in eu-west-1"),
        ({SOURCE: SOURCE}, SOURCE, "another target group than the source's"),
        ({TARGET: SOURCE}, TARGET, f"the source's VPC Lattice target groups: {SOURCE}"),
        ({SOURCE: None}, SOURCE, "it should be the ARN"),
    ],
)
def test_a_wrong_answer_is_told_and_not_used(answers: Json, key: str, told: str) -> None:
    plan = lattice(answers)
    assert [item["path"] for item in findings(plan, "FG-INTENT")] == [f"{ANSWERS}[{key}]"]
    assert told in findings(plan, "FG-INTENT")[0]["why"]
    assert len(findings(plan, "FG-LATTICE")) == 1
    assert planned(plan)["vpc_lattice_configurations"] == []


def test_answers_of_a_wrong_shape_are_told() -> None:
    assert [item["path"] for item in findings(lattice([TARGET]), "FG-INTENT")] == [ANSWERS]


def test_a_group_that_was_read_on_the_target_has_to_be_of_type_ip() -> None:
    found = system("FG-LATTICE-TARGET-GROUP/positive")
    found["target"] = {"vpc_lattice": {"target_groups": [{"arn": TARGET, "type": "INSTANCE"}]}}
    plan = systems.plan(found, vpc_lattice_target_groups={SOURCE: TARGET})
    assert "it should be of type IP, and is of type INSTANCE" in findings(plan, "FG-INTENT")[0]["why"]


def test_a_service_behind_lattice_alone_keeps_its_grace_period() -> None:
    found = system("FG-LATTICE-TARGET-GROUP/positive")
    worker = next(item for item in found["source"]["services"] if item["serviceName"] == "worker")
    worker |= {"healthCheckGracePeriodSeconds": 30}
    plan = systems.plan(found)
    assert next(item for item in plan["services"] if item["name"] == "worker")["health_check_grace_period_seconds"] is None
    worker["deployments"] = [{"status": "PRIMARY", "vpcLatticeConfigurations": web(found)["deployments"][0]["vpcLatticeConfigurations"]}]
    plan = systems.plan(found)
    assert next(item for item in plan["services"] if item["name"] == "worker")["health_check_grace_period_seconds"] == 30


def test_only_the_primary_deployment_counts() -> None:
    found = system("FG-EBS-VOLUME/positive")
    old = {"status": "ACTIVE", "volumeConfigurations": [{"name": "other", "managedEBSVolume": {"roleArn": "x"}}]}
    web(found)["deployments"].insert(0, old)
    assert [item["name"] for item in planned(systems.plan(found))["volume_configurations"]] == ["data"]


def test_the_trust_of_the_infrastructure_role_is_spoken_of_only_when_it_is_unknown() -> None:
    found = system("FG-EBS-VOLUME/positive")
    (unread,) = findings(systems.plan(found), "FG-EBS-VOLUME")
    assert unread["why"].endswith(" The infrastructure role must trust ecs.amazonaws.com, which could not be read.")
    role = web(found)["deployments"][0]["volumeConfigurations"][0]["managedEBSVolume"]["roleArn"]
    found["source"]["roles"] = [{"Arn": role, "TrustedServices": ["ecs.amazonaws.com"]}]
    (read,) = findings(systems.plan(found), "FG-EBS-VOLUME")
    assert read["why"].endswith("volumes moves.")


def test_the_port_that_lattice_must_reach_is_said() -> None:
    plan = Case("FG-LATTICE-INGRESS/positive").plan
    (finding,) = findings(plan, "FG-LATTICE-INGRESS")
    assert f"don't reach port {finding['new_value']} of the tasks" in finding["why"]
