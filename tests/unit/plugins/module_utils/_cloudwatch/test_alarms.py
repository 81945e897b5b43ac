"""The alarms' module against moto."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._cloudwatch.alarms import run
from unit.plugins.module_utils.apply_account import SYSTEM, Account

TOPIC = "arn:aws:sns:eu-west-1:123456789012:operations"


def alarms() -> list[dict[str, t.Any]]:
    common = {"alarm_actions": [TOPIC], "tags": SYSTEM, "threshold": 1.0, "cluster": "shop-fargate", "service": "web", "load_balancer": None, "target_group": None}
    return [
        {**common, "name": "hosts", "kind": "healthy_hosts", "load_balancer": "shop-fargate", "target_group": "shop-web"},
        {**common, "name": "tasks", "kind": "running_tasks", "threshold": 2.0},
    ]


@pytest.fixture
def balancer(account: Account) -> dict[str, str]:
    elbv2 = account.client("elbv2")
    made = elbv2.create_load_balancer(Name="shop-fargate", Subnets=account.subnets[:2])["LoadBalancers"][0]["LoadBalancerArn"]
    group = elbv2.create_target_group(Name="shop-web", Protocol="HTTP", Port=80, VpcId=account.vpc, TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
    return {"LoadBalancer": made.partition("loadbalancer/")[2], "TargetGroup": "targetgroup/" + group.partition("targetgroup/")[2]}


def described(account: Account, name: str) -> dict[str, t.Any]:
    return dict(account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0])


def test_first_run_creates_both_alarms(account: Account, balancer: dict[str, str]) -> None:
    result = account.run(run, alarms=alarms())
    assert account.calls == ["PutMetricAlarm", "PutMetricAlarm"]
    assert result["changes"] == ["create alarm hosts", "create alarm tasks"]
    hosts, tasks = described(account, "hosts"), described(account, "tasks")
    assert (hosts["Namespace"], hosts["MetricName"], hosts["Statistic"], hosts["TreatMissingData"]) == (
        "AWS/ApplicationELB",
        "HealthyHostCount",
        "Minimum",
        "breaching",
    )
    assert {item["Name"]: item["Value"] for item in hosts["Dimensions"]} == balancer
    assert (tasks["Namespace"], tasks["MetricName"], tasks["Threshold"]) == ("ECS/ContainerInsights", "RunningTaskCount", 2.0)
    assert {item["Name"]: item["Value"] for item in tasks["Dimensions"]} == {"ClusterName": "shop-fargate", "ServiceName": "web"}
    assert tasks["AlarmActions"] == [TOPIC]


@pytest.mark.usefixtures("balancer")
def test_second_run_makes_no_mutating_call(account: Account) -> None:
    account.run(run, alarms=alarms())
    result = account.run(run, alarms=alarms())
    assert account.calls == []
    assert result["changed"] is False
    assert result["diff"]["before"] == result["diff"]["after"]


def test_check_mode_before_the_load_balancer_exists(account: Account) -> None:
    result = account.run(run, check_mode=True, alarms=alarms())
    assert account.calls == []
    assert len(result["changes"]) == 2
    assert {"Name": "LoadBalancer", "Value": "(known after apply)"} in result["diff"]["after"]["hosts"]["Dimensions"]


def test_without_the_load_balancer_the_run_says_what_to_do(account: Account) -> None:
    with pytest.raises(CutoverError, match=r"alarm hosts watches shop-fargate and shop-web, which does not exist.*--tags alb"):
        account.run(run, alarms=alarms())
    assert account.calls == []


@pytest.mark.usefixtures("balancer")
@pytest.mark.parametrize("count", [1, 2])
def test_killed_after_any_call_the_next_run_completes(account: Account, count: int) -> None:
    assert account.killed_after(count, run, alarms=alarms())
    account.run(run, alarms=alarms())
    assert len(account.calls) == 2 - count
    account.run(run, alarms=alarms())
    assert account.calls == []


@pytest.mark.usefixtures("balancer")
@pytest.mark.parametrize(
    ("member", "value"), [("threshold", 3.0), ("alarm_actions", []), ("cluster", "other"), ("service", "worker")], ids=str
)
def test_drift_is_put_right_in_one_call(account: Account, member: str, value: t.Any) -> None:
    account.run(run, alarms=alarms())
    changed = [alarms()[0], {**alarms()[1], member: value}]
    result = account.run(run, alarms=changed)
    assert account.calls == ["PutMetricAlarm"]
    assert result["changes"][0].endswith("of alarm tasks")
    account.run(run, alarms=changed)
    assert account.calls == []


@pytest.mark.usefixtures("balancer")
def test_what_somebody_changed_by_hand_is_put_right_and_other_actions_stay(account: Account) -> None:
    account.run(run, alarms=alarms())
    cloudwatch = account.client("cloudwatch")
    now = described(account, "tasks")
    kept = ("AlarmName", "AlarmDescription", "Namespace", "MetricName", "Dimensions", "Threshold", "AlarmActions", "Statistic", "ComparisonOperator")
    cloudwatch.put_metric_alarm(**{key: now[key] for key in kept}, Period=300, EvaluationPeriods=1, OKActions=[TOPIC], TreatMissingData="ignore")
    result = account.run(run, alarms=alarms())
    assert result["changes"] == ["set DatapointsToAlarm, EvaluationPeriods, Period, TreatMissingData of alarm tasks"]
    assert described(account, "tasks")["OKActions"] == [TOPIC]


@pytest.mark.usefixtures("balancer")
def test_missing_tags_are_added(account: Account) -> None:
    account.run(run, alarms=alarms())
    more = [alarms()[0], {**alarms()[1], "tags": {**SYSTEM, "team": "web"}}]
    account.run(run, alarms=more)
    assert account.calls == ["TagResource"]
    account.run(run, alarms=more)
    assert account.calls == []


@pytest.mark.usefixtures("balancer")
def test_an_alarm_of_somebody_else_is_refused(account: Account) -> None:
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="tasks", Namespace="x", MetricName="y", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="LessThanThreshold"
    )
    with pytest.raises(CutoverError, match="alarm tasks exists without the tag cutover:system=shop"):
        account.run(run, alarms=alarms())
    assert account.calls == []


def test_an_alarm_on_missing_tasks_is_silent_about_a_service_at_zero(account: Account) -> None:
    """Metric math: wanted less running. No data is no alarm, since nothing may run."""
    alarm = {**alarms()[1], "kind": "missing_tasks", "threshold": 1.0}
    account.run(run, alarms=[alarm])
    made = described(account, "tasks")
    assert (made["ComparisonOperator"], made["Threshold"], made["TreatMissingData"]) == ("GreaterThanOrEqualToThreshold", 1.0, "notBreaching")
    assert {each["Id"]: each.get("Expression") or each["MetricStat"]["Metric"]["MetricName"] for each in made["Metrics"]} == {
        "missing": "desired - running",
        "desired": "DesiredTaskCount",
        "running": "RunningTaskCount",
    }
    assert account.run(run, alarms=[alarm])["changed"] is False
    assert account.calls == []


def test_an_alarm_changes_its_kind(account: Account) -> None:
    account.run(run, alarms=[alarms()[1]])
    alarm = {**alarms()[1], "kind": "missing_tasks", "threshold": 1.0}
    assert account.run(run, alarms=[alarm])["changed"] is True
    assert account.run(run, alarms=[alarm])["changed"] is False
    assert account.run(run, alarms=[alarms()[1]])["changed"] is True
    assert account.run(run, alarms=[alarms()[1]])["changed"] is False
