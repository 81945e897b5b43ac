"""EBS volumes and VPC Lattice of a target's service: what counts as drift, and what is called then."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.cutover.fargate.plugins.module_utils._ecs import attached, services

Json = t.Dict[str, t.Any]
GROUP = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0fedcba9876543210"
VOLUME = {
    "name": "data",
    "managedEBSVolume": {
        "roleArn": "arn:aws:iam::123456789012:role/infrastructure",
        "sizeInGiB": 20,
        "encrypted": False,
        "tagSpecifications": [{"resourceType": "volume", "tags": [{"key": "a", "value": "1"}, {"key": "cutover:system", "value": "shop"}]}],
    },
}
LATTICE = {"roleArn": "arn:aws:iam::123456789012:role/infrastructure", "targetGroupArn": GROUP, "portName": "http"}


def wanted(**more: t.Any) -> Json:
    return {
        "serviceName": "web",
        "cluster": "c",
        "desiredCount": 1,
        "desired_count_enforced": False,
        "held": False,
        "volumeConfigurations": [VOLUME],
        "vpcLatticeConfigurations": [LATTICE],
        **more,
    }


def described(volumes: t.Any = (VOLUME,), lattice: t.Any = (LATTICE,)) -> Json:
    """As DescribeServices shows a service: in its PRIMARY deployment, with AWS's defaults."""
    filled = copy.deepcopy(list(volumes))
    for item in filled:
        item["managedEBSVolume"] = {"filesystemType": "xfs", "volumeType": "gp3", **item["managedEBSVolume"]}
        item["managedEBSVolume"].pop("encrypted", None)
    old = {"status": "ACTIVE", "volumeConfigurations": [{"name": "old"}]}
    primary = {"status": "PRIMARY", "volumeConfigurations": filled, "vpcLatticeConfigurations": list(lattice)}
    return {"serviceName": "web", "status": "ACTIVE", "serviceArn": "arn", "desiredCount": 1, "deployments": [old, primary]}


def update(target: Json, current: Json) -> Json:
    calls = services.compare(target, current)
    return dict(calls[0].params) if calls else {}


def test_what_aws_adds_is_no_drift() -> None:
    current = described()
    current["deployments"][1]["volumeConfigurations"][0]["managedEBSVolume"]["tagSpecifications"][0]["tags"].reverse()
    assert services.compare(wanted(), current) == []
    before, after = services.view(current), services.expected(wanted(), current)
    assert {key: after[key] for key in before} == before


def test_a_changed_member_updates_the_whole_configuration() -> None:
    larger = {**VOLUME, "managedEBSVolume": {**VOLUME["managedEBSVolume"], "sizeInGiB": 40}}  # type: ignore[dict-item]
    assert update(wanted(volumeConfigurations=[larger]), described()) == {"cluster": "c", "service": "web", "volumeConfigurations": [larger]}
    assert services.expected(wanted(volumeConfigurations=[larger]), described())["volumeConfigurations"]["data"]["managedEBSVolume"]["sizeInGiB"] == 40


def test_a_tag_that_is_missing_is_drift() -> None:
    untagged = {**VOLUME, "managedEBSVolume": {**VOLUME["managedEBSVolume"], "tagSpecifications": []}}  # type: ignore[dict-item]
    assert "volumeConfigurations" in update(wanted(), described([untagged]))


def test_another_answer_replaces_the_target_group() -> None:
    other = {**LATTICE, "targetGroupArn": GROUP.replace("tg-0f", "tg-0a")}
    assert update(wanted(vpcLatticeConfigurations=[other]), described())["vpcLatticeConfigurations"] == [other]
    assert update(wanted(), described(lattice=[LATTICE, other]))["vpcLatticeConfigurations"] == [LATTICE]


def test_the_order_of_target_groups_means_nothing() -> None:
    other = {**LATTICE, "portName": "admin"}
    assert services.compare(wanted(vpcLatticeConfigurations=[LATTICE, other]), described(lattice=[other, LATTICE])) == []


def test_a_task_definition_without_the_volume_ends_its_configuration() -> None:
    assert update(wanted(volumeConfigurations=[]), described()) == {"cluster": "c", "service": "web", "volumeConfigurations": []}
    assert services.compare(wanted(volumeConfigurations=[]), described(volumes=[])) == []


def test_a_target_group_that_a_person_registered_stays_where_the_plan_has_none() -> None:
    assert attached.wanted({"volume_configurations": [], "vpc_lattice_configurations": []}) == {"volumeConfigurations": []}


def test_what_is_not_said_is_left_alone() -> None:
    target = {key: value for key, value in wanted().items() if "Configurations" not in key}
    assert services.compare(target, described()) == []


def test_a_new_service_is_created_with_both_and_without_empty_lists() -> None:
    params = dict(services.compare(wanted(), None)[0].params)
    assert (params["volumeConfigurations"], params["vpcLatticeConfigurations"]) == ([VOLUME], [LATTICE])
    empty = services.compare(wanted(volumeConfigurations=[], vpcLatticeConfigurations=[]), None)[0].params
    assert not {"volumeConfigurations", "vpcLatticeConfigurations"} & set(empty)
