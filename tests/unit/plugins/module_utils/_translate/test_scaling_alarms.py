"""Alarms that invoke step scaling policies: what of them is the target's, and what cannot be."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._cloudwatch import copied as applied
from ansible_collections.cutover.fargate.plugins.module_utils._translate import copied_alarms, deeds
from unit.plugins.module_utils._translate import shapes, systems
from unit.plugins.module_utils._translate.systems import Json

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ops"
CPU = {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization"}
BACKLOG = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible", "Dimensions": [{"Name": "QueueName", "Value": "shop"}]}


def arn(service: str, name: str = "out") -> str:
    return f"arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:{service}:resource/ecs/service/shop/{service}:policyName/{name}"


def dimensions(**named: str) -> list[Json]:
    return [{"Name": name, "Value": value} for name, value in named.items()]


def system(**alarm: t.Any) -> Json:
    """Both services have a step policy; one alarm is what the test says."""
    found = systems.system()
    for service in found["source"]["services"]:
        name = service["serviceName"]
        service["ScalableTargets"] = [{"ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 4}]
        service["ScalingPolicies"] = [{"PolicyName": "out", "PolicyARN": arn(name), "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}}]
    found["source"]["alarms"] = [{"AlarmName": "busy", "AlarmActions": [arn("web")], "Threshold": 1.0, **alarm}]
    return found


def planned(plan: Json) -> list[Json]:
    return [alarm for target in plan["scaling"] for alarm in target["alarms"]]


@pytest.mark.parametrize(
    ("alarm", "kept"),
    [
        ({**CPU, "Dimensions": dimensions(ClusterName="shop", ServiceName="web")}, {"ClusterName": "shop-fargate", "ServiceName": "web"}),
        ({**CPU, "Namespace": "ECS/ContainerInsights", "Dimensions": dimensions(ClusterName="shop")}, {"ClusterName": "shop-fargate"}),
        (
            {**CPU, "Namespace": "ECS/ContainerInsights", "Dimensions": dimensions(ClusterName="shop", TaskDefinitionFamily="shop-web")},
            {"ClusterName": "shop-fargate", "TaskDefinitionFamily": "shop-web-fargate"},
        ),
        (
            {
                "Namespace": "AWS/ApplicationELB",
                "MetricName": "RequestCountPerTarget",
                "Dimensions": dimensions(
                    LoadBalancer="app/shop/50dc6c495c0c9188", TargetGroup="targetgroup/shop-web/73e2d6bc24d8a067", AvailabilityZone="eu-west-1a"
                ),
            },
            {"AvailabilityZone": "eu-west-1a", "LoadBalancer": {"load_balancer": "shop-fargate"}, "TargetGroup": {"target_group": "shop-web-fargate"}},
        ),
        (BACKLOG, {"QueueName": "shop"}),
        ({**CPU, "Dimensions": dimensions(ClusterName="blog", ServiceName="web")}, {"ClusterName": "blog", "ServiceName": "web"}),
    ],
)
def test_dimensions_are_those_of_the_target(alarm: Json, kept: Json) -> None:
    (made,) = planned(systems.plan(system(**alarm)))
    assert {item["Name"]: item["Value"] for item in made["settings"]["Dimensions"]} == kept
    assert made["name"] == "busy-fargate"


@pytest.mark.parametrize(
    ("alarm", "reason"),
    [
        ({"Metrics": [{"Id": "q", "Expression": "SELECT MAX(CPUUtilization) FROM \"AWS/ECS\""}]}, "Metrics Insights"),
        ({"Namespace": "AWS/ECS", "MetricName": "MemoryReservation", "Dimensions": dimensions(ClusterName="shop")}, "capacity of the cluster's instances"),
        ({"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": dimensions(AutoScalingGroupName="shop")}, "watches instances"),
        ({**CPU, "Dimensions": dimensions(ClusterName="shop", ServiceName="blog")}, "service blog, which is not moved"),
    ],
)
def test_what_the_target_has_not_is_told(alarm: Json, reason: str) -> None:
    plan = systems.plan(system(**alarm))
    assert planned(plan) == []
    (finding,) = [item for item in plan["findings"] if item["id"] == "FG-SCALING-POLICY"]
    assert (finding["path"], reason in finding["why"]) == ("services[web].ScalingPolicies[out].Alarms[busy]", True)


def test_actions_become_the_policies_of_the_target() -> None:
    """One alarm of two services is made once; who is told stays; what scales instances goes."""
    instances = "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:autoScalingGroupName/shop:policyName/out"
    plan = systems.plan(system(**BACKLOG, AlarmActions=[f"{arn('worker')}:createdBy/1", arn("web"), instances, TOPIC], OKActions=[TOPIC], StateValue="OK"))
    (made,) = planned(plan)
    assert made["actions"] == {
        "AlarmActions": [
            {"resource_id": "service/shop-fargate/worker", "policy": "out"},
            {"resource_id": "service/shop-fargate/web", "policy": "out"},
            TOPIC,
        ],
        "OKActions": [TOPIC],
    }
    assert "StateValue" not in made["settings"]
    assert systems.at(plan, "FG-SCALING-SHARED-METRIC") == [f"services[{name}].ScalingPolicies[out].Alarms[busy]" for name in ("web", "worker")]


def test_what_is_made_again_is_listed_and_not_missed_at_the_teardown() -> None:
    plan = systems.plan(system(**CPU, Dimensions=dimensions(ClusterName="shop", ServiceName="web")))
    assert "alarm           busy-fargate" in deeds.created(plan)
    assert "FG-ALARM" not in systems.ids(plan)
    assert [item["name"] for item in plan["teardown"]["items"] if item["kind"] == "alarm"] == ["busy"]


@pytest.mark.parametrize(("actions", "deleted"), [([arn("web")], True), ([arn("web"), TOPIC], False)])
def test_an_alarm_on_a_queue_is_deleted_when_it_only_scaled_the_source(actions: list[str], deleted: bool) -> None:
    plan = systems.plan(system(**BACKLOG, AlarmActions=actions))
    assert [item["name"] for item in plan["teardown"]["items"] if item["kind"] == "alarm"] == ["busy"] * deleted


def test_nothing_that_aws_only_tells_is_sent_back() -> None:
    model = shapes.model("cloudwatch")
    told = set(model.shape_for("MetricAlarm").members) - set(model.operation_model("PutMetricAlarm").input_shape.members)
    assert told == set(copied_alarms.READ_ONLY) == applied.TOLD - {"Tags"}
