"""To zero and back: the numbers are never lost, whenever the process dies."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._capacity import apply as capacity
from ansible_collections.cutover.fargate.plugins.module_utils._capacity import observe
from ansible_collections.cutover.fargate.plugins.module_utils._capacity.numbers import Capacity
from unit.plugins.module_utils.apply_account import ACCOUNT, REGION, Account

pytestmark = pytest.mark.account

Numbers = dict[str, t.Any]
SUSPENDED = {"DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"}


class Source:
    """A cluster with two services on an Auto Scaling group of two instances; one service has a scalable target.

    moto starts no tasks and keeps container instances of terminated ones: the test does what AWS would.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        ec2, ecs = account.client("ec2"), account.client("ecs")
        ec2.create_launch_template(LaunchTemplateName="shop", LaunchTemplateData={"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.small"})
        account.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName="shop", MinSize=1, MaxSize=4, DesiredCapacity=2, VPCZoneIdentifier=account.subnets[0],
            LaunchTemplate={"LaunchTemplateName": "shop", "Version": "$Latest"},
        )  # fmt: skip
        ecs.create_cluster(clusterName="shop")
        ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
        for name, count in (("web", 2), ("worker", 1)):
            ecs.create_service(cluster="shop", serviceName=name, taskDefinition="web", desiredCount=count)
        account.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs", ResourceId="service/shop/web", ScalableDimension="ecs:service:DesiredCount", MinCapacity=1, MaxCapacity=4
        )
        self.register_instances()

    def register_instances(self) -> None:
        ecs = self.account.client("ecs")
        for arn in ecs.list_container_instances(cluster="shop")["containerInstanceArns"]:
            ecs.deregister_container_instance(cluster="shop", containerInstance=arn, force=True)
        for identity in self.instances():
            document = json.dumps({"instanceId": identity, "accountId": ACCOUNT, "region": REGION})
            ecs.register_container_instance(cluster="shop", instanceIdentityDocument=document)

    def instances(self) -> list[str]:
        group = self.account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["shop"])["AutoScalingGroups"][0]
        return [each["InstanceId"] for each in group["Instances"]]

    def numbers(self) -> Numbers:
        group = self.account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["shop"])["AutoScalingGroups"][0]
        services = self.account.client("ecs").describe_services(cluster="shop", services=["web", "worker"], include=["TAGS"])["services"]
        target = self.account.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]
        return {
            "group": (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]),
            "suspended": sorted(each["ProcessName"] for each in group.get("SuspendedProcesses", [])),
            "services": {each["serviceName"]: each["desiredCount"] for each in services},
            "tags": sorted([tag["key"] for each in services for tag in each.get("tags", [])] + [tag["Key"] for tag in group["Tags"]]),
            "scaling": sorted(key for key in SUSPENDED if target.get("SuspendedState", {}).get(key)),
        }

    def params(self, state: str, **more: t.Any) -> dict[str, t.Any]:
        services, groups, defaults = [{"name": "web"}, {"name": "worker"}], [{"name": "shop"}], {"delete_volumes": False}
        return {"state": state, "system": "shop", "cluster": "shop", "services": services, "schedulers": [], "auto_scaling_groups": groups, **defaults, **more}

    def run(self, state: str, **more: t.Any) -> dict[str, t.Any]:
        return self.account.run(capacity.run, **self.params(state, **more))


@pytest.fixture
def source(account: Account) -> Source:
    return Source(account)


RUNNING = {"group": (1, 2, 4), "suspended": [], "services": {"web": 2, "worker": 1}, "tags": [], "scaling": []}
IDLE = {
    "group": (0, 0, 4),
    "suspended": sorted(capacity.PROCESSES),
    "services": {"web": 0, "worker": 0},
    "tags": ["cutover:capacity", "cutover:desired-count", "cutover:desired-count"],
    "scaling": sorted(SUSPENDED),
}


def test_to_zero_and_back(source: Source) -> None:
    assert source.numbers() == RUNNING
    source.run("idle")
    assert source.numbers() == IDLE
    assert source.instances() == []
    grow_when_asked(source)
    source.run("running")
    assert source.numbers() == RUNNING


def grow_when_asked(source: Source) -> None:
    """Register the instances as their agents would, as soon as the group has grown."""
    client = source.account.client("autoscaling")
    client.update_auto_scaling_group(AutoScalingGroupName="shop", MinSize=0, DesiredCapacity=2)
    source.register_instances()


def test_tasks_end_before_instances_go(source: Source) -> None:
    source.run("idle")
    calls = source.account.calls
    assert max(index for index, name in enumerate(calls) if name == "UpdateService") < calls.index("UpdateAutoScalingGroup")


def test_the_second_run_changes_nothing(source: Source) -> None:
    source.run("idle")
    assert not source.run("idle")["changed"]
    assert source.account.calls == []
    grow_when_asked(source)
    source.run("running")
    assert not source.run("running")["changed"]
    assert source.account.calls == []


def test_killed_after_any_call_on_the_way_to_zero(source: Source) -> None:
    count = 1
    while source.account.killed_after(count, capacity.run, **source.params("idle")):
        source.run("idle")
        assert source.numbers() == IDLE
        grow_when_asked(source)
        source.run("running")
        assert source.numbers() == RUNNING
        count += 1
    assert count > 6


def test_killed_after_any_call_on_the_way_back(source: Source) -> None:
    source.run("idle")
    count = 1
    grow_when_asked(source)
    while source.account.killed_after(count, capacity.run, **source.params("running")):
        source.run("running")
        assert source.numbers() == RUNNING
        source.run("idle")
        grow_when_asked(source)
        count += 1
    assert count > 6


def test_back_without_a_memory_changes_nothing(source: Source) -> None:
    assert not source.run("running")["changed"]
    assert source.account.calls == []


def test_check_mode(source: Source) -> None:
    result = source.account.run(capacity.run, check_mode=True, **source.params("idle"))
    assert source.account.calls == []
    assert source.numbers() == RUNNING
    assert result["diff"]["after"] == {"service web": "desired=0", "service worker": "desired=0", "Auto Scaling group shop": "min=0,desired=0"}


def test_a_group_that_others_use_by_now_is_only_brought_back(source: Source) -> None:
    source.run("idle", auto_scaling_groups=[{"name": "shop", "restore_only": True}])
    assert source.numbers()["group"] == (1, 2, 4)
    assert source.numbers()["services"] == {"web": 0, "worker": 0}


def test_instances_that_do_not_come_back_are_told(source: Source) -> None:
    source.run("idle")
    source.register_instances()
    with pytest.raises(CutoverError, match=r"in service, \d registered"):
        source.run("running")


def test_volumes_that_outlive_their_instance_are_told_and_kept(source: Source) -> None:
    ec2 = source.account.client("ec2")
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=8)["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=source.instances()[0], Device="/dev/sdf")
    source.run("idle")
    assert [each["volume_id"] for each in source.run("idle")["leftover_volumes"]] == [volume]
    assert source.account.calls == []
    assert source.run("idle", delete_volumes=True)["changed"]
    assert source.account.calls == ["DeleteVolume"]


@pytest.mark.parametrize(("text", "expected"), [("min=1,desired=2", Capacity(1, 2)), ("min=0, desired=10", Capacity(0, 10)), ("2", None), ("", None)])
def test_what_a_tag_says(text: str, expected: Capacity | None) -> None:
    assert Capacity.parse(text) == expected
    assert expected is None or Capacity.parse(str(expected)) == expected


def test_more_services_than_one_call_takes_are_asked_in_several() -> None:
    """DescribeScalableTargets takes 50 resource ids."""
    asked: list[int] = []

    class Scaling:
        def describe_scalable_targets(self, **params: t.Any) -> dict[str, t.Any]:
            asked.append(len(params["ResourceIds"]))
            return {"ScalableTargets": [{"ResourceId": each} for each in params["ResourceIds"]]}

    names = [f"s{number}" for number in range(120)]
    found = observe._scalable_targets("shop", names, t.cast("t.Any", lambda _service: Scaling()))
    assert [each["ResourceId"] for each in found] == [f"service/shop/{name}" for name in names]
    assert asked == [50, 50, 20]
