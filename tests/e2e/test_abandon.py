"""Giving it up: the target is built, serves, is rolled back, and is removed again, killed in between. The account is then as it was, and nobody noticed."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest

from .harness import Lab, assert_unharmed
from .test_kills_there_and_back import killed

CONFIRMED = ("-e", "fargate_abandon_confirm=shop")


@pytest.fixture(scope="module", autouse=True)
def policies(lab: Lab) -> None:
    """Each playbook makes only calls that its policy allows."""
    lab.under_policies = True


@pytest.fixture(scope="module")
def before(lab: Lab) -> dict[str, t.Any]:
    """The source also scales in steps, and an alarm decides on its deployments: AWS deletes neither alarm, so whoever makes one must remove it."""
    step_policy(lab)
    error_rate(lab)
    return account(lab)


def step_policy(lab: Lab) -> None:
    target = {"ServiceNamespace": "ecs", "ResourceId": "service/shop/web", "ScalableDimension": "ecs:service:DesiredCount"}
    steps = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]}
    policy = lab.client("application-autoscaling").put_scaling_policy(
        **target, PolicyName="busy", PolicyType="StepScaling", StepScalingPolicyConfiguration=steps
    )["PolicyARN"]
    group = lab.client("elbv2").describe_target_groups(Names=["shop-web"])["TargetGroups"][0]
    names = {
        "LoadBalancer": group["LoadBalancerArns"][0].partition(":loadbalancer/")[2],
        "TargetGroup": group["TargetGroupArn"].rpartition(":")[2],
    }
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName="shop-busy", AlarmActions=[policy], Namespace="AWS/ApplicationELB", MetricName="RequestCountPerTarget", Statistic="Sum", Period=60,
        Dimensions=[{"Name": name, "Value": value} for name, value in names.items()], EvaluationPeriods=2, Threshold=100000.0,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
    )  # fmt: skip


def error_rate(lab: Lab) -> None:
    """By metric math, as consoles and CDK make them; it ends a deployment of the web service."""
    balancer = lab.client("elbv2").describe_load_balancers(Names=["shop"])["LoadBalancers"][0]["LoadBalancerArn"].partition(":loadbalancer/")[2]
    metrics: list[t.Any] = [{"Id": "rate", "Expression": "errors / requests", "Label": "error rate", "ReturnData": True}]
    for name, metric in (("errors", "HTTPCode_Target_5XX_Count"), ("requests", "RequestCount")):
        measured = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": [{"Name": "LoadBalancer", "Value": balancer}]}
        metrics.append({"Id": name, "MetricStat": {"Metric": measured, "Period": 60, "Stat": "Sum"}, "ReturnData": False})
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName="shop-errors", Metrics=metrics, EvaluationPeriods=2, Threshold=0.05, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )  # fmt: skip
    alarms = {"alarmNames": ["shop-errors"], "enable": True, "rollback": True}
    lab.client("ecs").update_service(cluster="shop", service="web", deploymentConfiguration={"alarms": alarms})


def test_there_is_nothing_to_abandon_at_first(lab: Lab, before: dict[str, t.Any]) -> None:
    lab.play("abandon").unchanged()


def test_an_abandoned_target_leaves_the_account_as_it_was(lab: Lab, before: dict[str, t.Any], tmp_path: Path) -> None:
    with lab.load(tmp_path) as totals:
        lab.play("migrate").ok()
        refused(lab, "points to", *CONFIRMED)
        assert lab.served_by() == "shop-fargate"
        scales_in_steps(lab)
        assert decides(lab) == {"alarmNames": ["shop-errors-fargate"], "enable": True, "rollback": True}
        a_bad_release_is_rolled_back(lab)
        lab.play("rollback").ok()
        assert decides(lab)["enable"] is False
        refused(lab, "fargate_abandon_confirm is not set")
        lowered(lab, "shop")
        until_nobody_is_there(lab)
        killed(lab, "abandon", 2, *CONFIRMED)
        lab.play("abandon", *CONFIRMED).unchanged()
        assert account(lab) == before
        assert lab.served_by() == "shop"
        assert totals()["failed"] == 0
    assert_unharmed(totals())


def scales_in_steps(lab: Lab) -> None:
    """The target's alarm watches the target and invokes the target's policy."""
    alarm = lab.client("cloudwatch").describe_alarms(AlarmNames=["shop-busy-fargate"])["MetricAlarms"][0]
    policies = lab.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs", ResourceId="service/shop-fargate/web")["ScalingPolicies"]
    group = lab.client("elbv2").describe_target_groups(Names=["shop-web-fargate"])["TargetGroups"][0]
    assert alarm["AlarmActions"] == [policy["PolicyARN"] for policy in policies if policy["PolicyName"] == "busy"]
    assert {item["Name"]: item["Value"] for item in alarm["Dimensions"]} == {
        "LoadBalancer": group["LoadBalancerArns"][0].partition(":loadbalancer/")[2],
        "TargetGroup": group["TargetGroupArn"].rpartition(":")[2],
    }


def web(lab: Lab) -> dict[str, t.Any]:
    return dict(lab.client("ecs").describe_services(cluster="shop-fargate", services=["web"])["services"][0])


def decides(lab: Lab) -> dict[str, t.Any]:
    """The alarms of the target's deployments."""
    return dict(web(lab)["deploymentConfiguration"]["alarms"])


def a_bad_release_is_rolled_back(lab: Lab) -> None:
    """By the alarm that was made again: its rate of errors rises while the new tasks start, and ECS goes back to what ran before."""
    cloudwatch = lab.client("cloudwatch")
    release = lab.client("ecs").update_service(cluster="shop-fargate", service="web", forceNewDeployment=True)["service"]["deployments"][0]["id"]
    time.sleep(2)
    cloudwatch.set_alarm_state(AlarmName="shop-errors-fargate", StateValue="ALARM", StateReason="the test says so")
    reasons: set[str] = set()
    for _look in range(90):
        deployments = web(lab)["deployments"]
        reasons |= {each.get("rolloutStateReason", "") for each in deployments}
        if deployments[0]["id"] != release:
            break
        time.sleep(0.5)
    else:
        pytest.fail(f"the release was not rolled back: {reasons}")
    assert any("alarm detected" in reason for reason in reasons), reasons
    cloudwatch.set_alarm_state(AlarmName="shop-errors-fargate", StateValue="OK", StateReason="the test says so")


def refused(lab: Lab, reason: str, *arguments: str) -> None:
    run = lab.play("abandon", *arguments).failed()
    assert run.mutating == []
    assert reason in " ".join(run.output.split())
    assert "Nothing was removed" in " ".join(run.output.split())


def until_nobody_is_there(lab: Lab) -> None:
    """Users whose resolver still has the old answer leave the target one by one; until then it refuses, and says so."""
    for _look in range(30):
        run = lab.play("abandon", *CONFIRMED, "--check")
        assert run.mutating == []
        if run.code == 0:
            return
        assert "request(s) in the last" in " ".join(run.output.split())
        time.sleep(2)
    pytest.fail("the target's load balancer was never silent")


def lowered(lab: Lab, name: str) -> None:
    """As a cutover leaves the load balancer that is killed before it changes a record."""
    elbv2 = lab.client("elbv2")
    arn = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = {each["Key"]: each["Value"] for each in elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    elbv2.add_tags(ResourceArns=[arn], Tags=[{"Key": "cutover:client-keep-alive", "Value": attributes["client_keep_alive.seconds"]}])
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": "client_keep_alive.seconds", "Value": "60"}])


def account(lab: Lab) -> dict[str, t.Any]:
    """An independent look at everything a migration makes or changes, apart from what is kept on purpose: the execution role and log groups."""
    ecs, elbv2, ec2 = lab.client("ecs"), lab.client("elbv2"), lab.client("ec2")
    balancers = elbv2.describe_load_balancers()["LoadBalancers"]
    route53 = lab.client("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    attributes = {
        each["LoadBalancerName"]: elbv2.describe_load_balancer_attributes(LoadBalancerArn=each["LoadBalancerArn"])["Attributes"] for each in balancers
    }
    rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
    return {
        "clusters": sorted(ecs.list_clusters()["clusterArns"]),
        "services": sorted(ecs.list_services(cluster="shop")["serviceArns"]),
        "task definitions": ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"],
        "load balancers": {name: sorted((each["Key"], each["Value"]) for each in found) for name, found in attributes.items()},
        "load balancer tags": {each["LoadBalancerName"]: tags(elbv2, each["LoadBalancerArn"]) for each in balancers},
        "target groups": sorted(each["TargetGroupName"] for each in elbv2.describe_target_groups()["TargetGroups"]),
        "security groups": sorted(each["GroupName"] for each in ec2.describe_security_groups()["SecurityGroups"]),
        "rules": sorted(each["SecurityGroupRuleId"] for each in rules),
        "alarms": sorted(each["AlarmName"] for each in lab.client("cloudwatch").describe_alarms()["MetricAlarms"]),
        "repositories": sorted(each["repositoryName"] for each in lab.client("ecr").describe_repositories()["repositories"]),
        "scalable targets": lab.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"],
        "records": route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"],
    }


def tags(elbv2: t.Any, arn: str) -> list[t.Any]:
    return sorted((each["Key"], each["Value"]) for each in elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])
