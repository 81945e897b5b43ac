"""Application Auto Scaling of the target against moto."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ecs import scaling
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.scaling import FREE, HELD, run
from unit.plugins.module_utils.apply_account import SYSTEM, Account

Json = dict[str, t.Any]
RESOURCE = "service/shop-fargate/web"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:operations"


def policy(value: float = 60.0) -> Json:
    metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}, "TargetValue": value, "ScaleInCooldown": 60}
    return {"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "ScalableDimension": "ecs:service:DesiredCount", "TargetTrackingScalingPolicyConfiguration": metric}


def requests() -> Json:
    metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}, "TargetValue": 500.0}
    labelled = {"PolicyName": "requests", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": metric}
    return {**labelled, "resource_label": {"load_balancer": "shop-fargate", "target_group": "shop-web"}}


def step() -> Json:
    steps = {"AdjustmentType": "ChangeInCapacity", "Cooldown": 60, "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}]}
    return {"PolicyName": "out", "PolicyType": "StepScaling", "ScalableDimension": "ecs:service:DesiredCount", "StepScalingPolicyConfiguration": steps}


def busy(**actions: t.Any) -> Json:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCountPerTarget", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 2}
    of = {"LoadBalancer": {"load_balancer": "shop-fargate"}, "TargetGroup": {"target_group": "shop-web"}}
    metric["Dimensions"] = [{"Name": name, "Value": value} for name, value in of.items()]
    when = {"Threshold": 1000.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore"}
    acts = actions or {"AlarmActions": [TOPIC, {"resource_id": RESOURCE, "policy": "out"}]}
    return {"name": "shop-busy-fargate", "settings": {**metric, **when}, "actions": acts, "tags": SYSTEM}


def night() -> Json:
    when = {"Schedule": "cron(0 22 * * ? *)", "Timezone": "Europe/Dublin", "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2}}
    return {"ScheduledActionName": "night", "ScalableDimension": "ecs:service:DesiredCount", "StartTime": "2030-01-01T00:00:00Z", **when}


def entry(**changes: t.Any) -> Json:
    bounds = {"resource_id": RESOURCE, "dimension": "ecs:service:DesiredCount", "min_capacity": 2, "max_capacity": 8}
    return {**bounds, "policies": [policy(), requests()], "scheduled_actions": [night()], "tags": SYSTEM, **changes}


def scale(account: Account, *entries: Json, hold: bool = True, create: bool = True, check_mode: bool = False) -> Json:
    return account.run(run, check_mode, scaling=list(entries or [entry()]), hold=hold, create=create)


def registered(account: Account) -> Json:
    return dict(account.client(scaling.SERVICE).describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[RESOURCE])["ScalableTargets"][0])


@pytest.fixture
def built(account: Account) -> Account:
    """A service behind a load balancer."""
    ecs, elbv2 = account.client("ecs"), account.client("elbv2")
    ecs.create_cluster(clusterName="shop-fargate")
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "nginx", "image": "nginx:1", "memory": 64}])
    ecs.create_service(cluster="shop-fargate", serviceName="web", taskDefinition="web", desiredCount=2)
    elbv2.create_load_balancer(Name="shop-fargate", Subnets=account.subnets[:2])
    elbv2.create_target_group(Name="shop-web", Protocol="HTTP", Port=80, VpcId=account.vpc, TargetType="ip")
    return account


def test_first_run_registers_everything_held(built: Account) -> None:
    result = scale(built)
    assert built.calls == ["RegisterScalableTarget", "PutScalingPolicy", "PutScalingPolicy", "PutScheduledAction"]
    assert result["changes"][0] == f"scale {RESOURCE} between 2 and 8 tasks (scaling in waits until it serves)"
    target = registered(built)
    assert (target["MinCapacity"], target["MaxCapacity"], target["SuspendedState"]) == (2, 8, HELD)
    assert built.parameters[0]["Tags"] == SYSTEM
    label = built.parameters[2]["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["ResourceLabel"]
    assert label.startswith("app/shop-fargate/")
    assert "/targetgroup/shop-web/" in label


def test_second_run_makes_no_mutating_call(built: Account) -> None:
    scale(built)
    again = scale(built)
    assert built.calls == []
    assert again["changed"] is False
    assert again["diff"]["before"] == again["diff"]["after"]


def test_check_mode_before_anything_exists(account: Account) -> None:
    result = scale(account, check_mode=True)
    assert account.calls == []
    assert len(result["changes"]) == 4
    configured = result["diff"]["after"][RESOURCE]["policies"]["requests"]["TargetTrackingScalingPolicyConfiguration"]
    assert configured["PredefinedMetricSpecification"]["ResourceLabel"] == "(known after apply)"


def test_what_drifted_is_set_again_and_what_others_made_is_left_alone(built: Account) -> None:
    scale(built)
    own = {"ServiceNamespace": "ecs", "ResourceId": RESOURCE, "ScalableDimension": "ecs:service:DesiredCount"}
    metric = policy()["TargetTrackingScalingPolicyConfiguration"]
    built.client(scaling.SERVICE).put_scaling_policy(
        **own, PolicyName="theirs", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=metric
    )
    scale(built, entry(min_capacity=3, policies=[policy(70.0), requests()]))
    assert built.calls == ["RegisterScalableTarget", "PutScalingPolicy"]
    assert "Tags" not in built.parameters[0], "AWS refuses tags for a target that exists"
    assert registered(built)["MinCapacity"] == 3
    assert "theirs" in scale(built)["diff"]["after"][RESOURCE]["policies"]


def test_the_hold_is_lifted_when_the_target_serves_and_comes_back_with_a_rollback(built: Account) -> None:
    scale(built)
    assert scale(built, hold=False, create=False)["changes"] == [f"resume scaling of {RESOURCE}"]
    assert registered(built)["SuspendedState"] == FREE
    assert scale(built, hold=False)["changed"] is False
    scale(built, hold=True, create=False)
    assert registered(built)["SuspendedState"] == HELD
    assert scale(built, hold=True, create=False)["changed"] is False


def test_what_a_person_suspended_stays_suspended(built: Account) -> None:
    scale(built, hold=False)
    theirs = {**FREE, "DynamicScalingOutSuspended": True}
    where = {"ServiceNamespace": "ecs", "ResourceId": RESOURCE, "ScalableDimension": "ecs:service:DesiredCount"}
    built.client(scaling.SERVICE).register_scalable_target(**where, SuspendedState=theirs)
    assert scale(built, hold=False)["changed"] is False
    assert registered(built)["SuspendedState"] == theirs


def test_a_rollback_builds_nothing(built: Account) -> None:
    result = scale(built, hold=True, create=False)
    assert built.calls == []
    assert result == {"changed": False, "changes": [], "diff": {"before": {}, "after": {}}}


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_killed_after_any_call_the_next_run_finishes(built: Account, calls: int) -> None:
    assert built.killed_after(calls, run, scaling=[entry()], hold=True, create=True)
    assert len(scale(built)["changes"]) == 4 - calls
    assert scale(built)["changed"] is False


def test_a_scheduler_that_waits_is_not_scaled_at_all(built: Account) -> None:
    """Its minimum would start it. Neither the cutover's lifting nor the rollback's hold frees it; only the hand-over does."""
    waiting = {**entry(), "waits": True}
    scale(built, waiting)
    assert registered(built)["SuspendedState"] == scaling.WAITS
    assert scale(built, waiting, hold=False, create=False)["changed"] is False
    assert scale(built, hold=True, create=False)["changed"] is False
    assert registered(built)["SuspendedState"] == scaling.WAITS


class TestStepAlarms:
    """Step policies come with the alarms that invoke them."""

    def entry(self, *alarms: Json, **changes: t.Any) -> Json:
        return entry(policies=[step()], scheduled_actions=[], alarms=list(alarms) or [busy()], **changes)

    def described(self, account: Account, name: str = "shop-busy-fargate") -> Json:
        return dict(account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0])

    def policy_arn(self, account: Account) -> str:
        policies = account.client(scaling.SERVICE).describe_scaling_policies(ServiceNamespace="ecs", ResourceId=RESOURCE)["ScalingPolicies"]
        return str(policies[0]["PolicyARN"])

    def test_the_alarm_invokes_the_policy_and_watches_the_target(self, built: Account) -> None:
        result = scale(built, self.entry())
        assert built.calls == ["RegisterScalableTarget", "PutScalingPolicy", "PutMetricAlarm"]
        assert result["changes"][-1] == "create alarm shop-busy-fargate"
        alarm = self.described(built)
        assert alarm["AlarmActions"] == [self.policy_arn(built), TOPIC]
        assert [(item["Name"], item["Value"].rpartition("/")[0]) for item in alarm["Dimensions"]] == [
            ("LoadBalancer", "app/shop-fargate"),
            ("TargetGroup", "targetgroup/shop-web"),
        ]
        assert (alarm["Threshold"], alarm["TreatMissingData"]) == (1000.0, "ignore")
        tags = built.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == SYSTEM

    def test_second_run_makes_no_mutating_call(self, built: Account) -> None:
        scale(built, self.entry())
        again = scale(built, self.entry())
        assert built.calls == []
        assert again["diff"]["before"] == again["diff"]["after"]

    @pytest.mark.parametrize(("member", "value"), [("Threshold", 500.0), ("EvaluationPeriods", 5), ("TreatMissingData", "breaching"), ("Statistic", "Maximum")])
    def test_drift_is_put_right_and_other_actions_stay(self, built: Account, member: str, value: t.Any) -> None:
        scale(built, self.entry())
        cloudwatch = built.client("cloudwatch")
        known = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
        now = {key: item for key, item in self.described(built).items() if key in known and item not in ([], None)}
        now.pop("DatapointsToAlarm", None)
        cloudwatch.put_metric_alarm(**{**now, member: value, "OKActions": [TOPIC]})
        result = scale(built, self.entry())
        assert built.calls == ["PutMetricAlarm"]
        assert member in result["changes"][0]
        assert self.described(built)["OKActions"] == [TOPIC]
        scale(built, self.entry())
        assert built.calls == []

    def test_one_alarm_may_invoke_policies_of_two_services(self, built: Account) -> None:
        built.client("ecs").create_service(cluster="shop-fargate", serviceName="worker", taskDefinition="web", desiredCount=1)
        other = "service/shop-fargate/worker"
        both = busy(AlarmActions=[{"resource_id": RESOURCE, "policy": "out"}, {"resource_id": other, "policy": "out"}])
        entries = [self.entry(both), entry(resource_id=other, policies=[step()], scheduled_actions=[])]
        scale(built, *entries)
        invoked = [action.partition(":resource/ecs/")[2] for action in self.described(built)["AlarmActions"]]
        assert sorted(invoked) == [f"{RESOURCE}:policyName/out", f"{other}:policyName/out"]
        scale(built, *entries)
        assert built.calls == []

    def test_check_mode_before_anything_exists(self, account: Account) -> None:
        result = scale(account, self.entry(), check_mode=True)
        assert account.calls == []
        after = result["diff"]["after"]["alarm shop-busy-fargate"]
        assert after["AlarmActions"] == ["(known after apply)", TOPIC]
        assert {"Name": "TargetGroup", "Value": "(known after apply)"} in after["Dimensions"]

    def test_without_the_load_balancer_nothing_is_changed(self, account: Account) -> None:
        with pytest.raises(CutoverError, match=r"alarm shop-busy-fargate watches shop-fargate and shop-web, which does not exist.*--tags alb"):
            scale(account, self.entry())
        assert account.calls == []

    def test_an_alarm_of_somebody_else_is_refused_before_anything_is_changed(self, built: Account) -> None:
        built.client("cloudwatch").put_metric_alarm(
            AlarmName="shop-busy-fargate", Namespace="x", MetricName="y", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="LessThanThreshold",
        )  # fmt: skip
        with pytest.raises(CutoverError, match="alarm shop-busy-fargate exists without the tag cutover:system=shop"):
            scale(built, self.entry())
        assert built.calls == []

    def test_lifting_the_hold_makes_no_alarm(self, built: Account) -> None:
        scale(built, self.entry())
        built.client("cloudwatch").delete_alarms(AlarmNames=["shop-busy-fargate"])
        scale(built, self.entry(), hold=False, create=False)
        assert built.calls == ["RegisterScalableTarget"]

    @pytest.mark.parametrize("calls", [1, 2, 3])
    def test_killed_after_any_call_the_next_run_finishes(self, built: Account, calls: int) -> None:
        assert built.killed_after(calls, run, scaling=[self.entry()], hold=True, create=True)
        assert len(scale(built, self.entry())["changes"]) == 3 - calls
        assert self.described(built)["AlarmActions"][0] == self.policy_arn(built)
