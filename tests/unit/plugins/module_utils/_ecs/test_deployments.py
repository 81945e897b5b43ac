"""Circuit breaker, alarms and zone rebalancing of the target's services against moto."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.common import rolls
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.deployments import run
from unit.plugins.module_utils.apply_account import SYSTEM, Account

Json = dict[str, t.Any]
ALARM = "shop-errors-fargate"
PERCENT = {"minimumHealthyPercent": 100, "maximumPercent": 200}


def alarm(name: str = ALARM) -> Json:
    measured = {"Namespace": "AWS/ApplicationELB", "Dimensions": [{"Name": "LoadBalancer", "Value": {"load_balancer": "shop-fargate"}}]}
    metrics = [
        {"Id": "rate", "Expression": "errors / requests", "Label": "rate", "ReturnData": True},
        *(
            {"Id": identity, "MetricStat": {"Metric": {**measured, "MetricName": metric}, "Period": 60, "Stat": "Sum"}, "ReturnData": False}
            for identity, metric in (("errors", "HTTPCode_Target_5XX_Count"), ("requests", "RequestCount"))
        ),
    ]
    when = {"EvaluationPeriods": 2, "Threshold": 0.05, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching"}
    return {"name": name, "settings": {"Metrics": metrics, **when}, "actions": {}, "tags": SYSTEM}


def entry(service: str = "web", names: t.Sequence[str] = (ALARM,), alarms: t.Sequence[Json] | None = None) -> Json:
    def state(serving: bool) -> Json:
        configuration = {**PERCENT, "deploymentCircuitBreaker": {"enable": True, "rollback": serving}}
        if names:
            configuration["alarms"] = {"alarmNames": list(names), "enable": serving, "rollback": True}
        return {"deployment_configuration": configuration, "availability_zone_rebalancing": "ENABLED" if serving else "DISABLED"}

    made = [alarm()] if alarms is None else list(alarms)
    return {"service": service, "cluster": "shop-fargate", "held": state(False), "serving": state(True), "alarms": made, "tags": SYSTEM}


def deploy(account: Account, *entries: Json, hold: bool = True, create: bool = True, check_mode: bool = False) -> Json:
    return account.run(run, check_mode, deployments=list(entries or [entry()]), hold=hold, create=create)


def service(account: Account, name: str = "web") -> Json:
    return dict(account.client("ecs").describe_services(cluster="shop-fargate", services=[name])["services"][0])


def alarms_of(account: Account, name: str = "web") -> Json:
    return dict(service(account, name)["deploymentConfiguration"].get("alarms") or {})


def create(account: Account, name: str, tags: t.Mapping[str, str]) -> None:
    account.client("ecs").create_service(
        cluster="shop-fargate", serviceName=name, taskDefinition="web", desiredCount=1, availabilityZoneRebalancing="DISABLED",
        deploymentConfiguration={**PERCENT, "deploymentCircuitBreaker": {"enable": True, "rollback": False}},
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )  # fmt: skip


@pytest.fixture
def built(account: Account) -> Account:
    """As the role service leaves it: one service of ours, cautious, without alarms; and one of somebody else."""
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName="shop-fargate")
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "nginx", "image": "nginx:1", "memory": 64}])
    create(account, "web", SYSTEM)
    create(account, "theirs", {})
    account.client("elbv2").create_load_balancer(Name="shop-fargate", Subnets=account.subnets[:2])
    return account


def test_the_alarm_is_made_first_and_waits(built: Account) -> None:
    result = deploy(built)
    assert built.calls == ["PutMetricAlarm", "UpdateService"]
    assert result["changes"] == [
        f"create alarm {ALARM}",
        f"set deploymentConfiguration of service web (a failed deployment is not rolled back; {ALARM} waits until it serves)",
    ]
    assert alarms_of(built) == {"alarmNames": [ALARM], "enable": False, "rollback": True}
    described = built.client("cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]
    (value,) = {item["Value"] for query in described["Metrics"] for item in query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])}
    assert value.startswith("app/shop-fargate/")


def test_no_call_starts_a_deployment(built: Account) -> None:
    deploy(built)
    deploy(built, hold=False)
    assert set(built.parameters[0]) == {"cluster", "service", "deploymentConfiguration", "availabilityZoneRebalancing"}


def test_second_run_makes_no_mutating_call(built: Account) -> None:
    deploy(built)
    again = deploy(built)
    assert built.calls == []
    assert again["changed"] is False
    assert again["diff"]["before"] == again["diff"]["after"]


def test_it_decides_from_the_cutover_on_and_waits_again_after_a_rollback(built: Account) -> None:
    deploy(built)
    result = deploy(built, hold=False, create=False)
    assert result["changes"] == [
        f"set availabilityZoneRebalancing and deploymentConfiguration of service web (a failed deployment is rolled back; {ALARM} decides)"
    ]
    assert alarms_of(built)["enable"] is True
    assert service(built)["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] is True
    assert service(built)["availabilityZoneRebalancing"] == "ENABLED"
    assert deploy(built, hold=False, create=False)["changed"] is False
    deploy(built, hold=True, create=False)
    assert (alarms_of(built)["enable"], service(built)["availabilityZoneRebalancing"]) == (False, "DISABLED")
    assert deploy(built, hold=True, create=False)["changed"] is False


def test_alarms_that_a_person_named_stay(built: Account) -> None:
    theirs = {"alarmNames": ["theirs"], "enable": True, "rollback": False}
    built.client("ecs").update_service(cluster="shop-fargate", service="web", deploymentConfiguration={**PERCENT, "alarms": theirs})
    deploy(built)
    assert alarms_of(built)["alarmNames"] == [ALARM, "theirs"]
    deploy(built, hold=False, create=False)
    assert alarms_of(built)["alarmNames"] == [ALARM, "theirs"]


def strategy(account: Account) -> Json:
    """As FG-DEPLOY-STRATEGY asks a person to set it again."""
    chosen = {**PERCENT, "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5, "lifecycleHooks": [{"hookTargetArn": "arn:aws:lambda:eu-west-1:123456789012:function:look"}]}
    account.client("ecs").update_service(cluster="shop-fargate", service="web", deploymentConfiguration=chosen)
    return chosen


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("create", [True, False])
def test_another_strategy_that_a_person_chose_is_left_as_it_is(built: Account, hold: bool, create: bool) -> None:
    deploy(built)
    chosen = strategy(built)
    deploy(built, hold=hold, create=create)
    assert service(built)["deploymentConfiguration"] == chosen
    again = deploy(built, hold=hold, create=create)
    assert (built.calls, again["changed"], again["diff"]["before"] == again["diff"]["after"]) == ([], False, True)


@pytest.mark.parametrize(
    ("service", "rolling"),
    [
        (None, True),
        ({}, True),
        ({"deploymentController": {"type": "ECS"}, "deploymentConfiguration": {"strategy": "ROLLING"}}, True),
        ({"deploymentController": {"type": "ECS"}, "deploymentConfiguration": {"strategy": "CANARY"}}, False),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, False),
    ],
)
def test_who_deploys_it_otherwise_is_told_from_the_service(service: Json | None, rolling: bool) -> None:
    assert rolls(service) is rolling


def test_what_only_other_strategies_have_is_not_sent_back_to_a_rolling_service(built: Account) -> None:
    """AWS describes it as 0 or empty, as it does alarms that there are not."""
    told = {"strategy": "ROLLING", "bakeTimeInMinutes": 0, "lifecycleHooks": [], "alarms": {"alarmNames": [], "rollback": False, "enable": False}}
    kept = {**PERCENT, "minimumHealthyPercent": 0, "earlySuccessCriteria": {"enable": True, "healthyPercent": 80}}
    built.client("ecs").update_service(cluster="shop-fargate", service="web", deploymentConfiguration={**told, **kept})
    deploy(built, entry(names=(), alarms=()))
    (sent,) = (params["deploymentConfiguration"] for params in built.parameters)
    assert set(sent) == {"strategy", "alarms", "deploymentCircuitBreaker", *kept}


def test_without_alarms_in_the_plan_those_of_a_person_are_not_touched(built: Account) -> None:
    theirs = {"alarmNames": ["theirs"], "enable": True, "rollback": False}
    built.client("ecs").update_service(cluster="shop-fargate", service="web", deploymentConfiguration={**PERCENT, "alarms": theirs})
    deploy(built, entry(names=(), alarms=()))
    deploy(built, entry(names=(), alarms=()), hold=False, create=False)
    assert alarms_of(built) == theirs


def test_the_cutover_builds_nothing_and_waits_for_no_alarm_that_nobody_made(built: Account) -> None:
    deploy(built, hold=False, create=False)
    assert built.calls == ["UpdateService"]
    assert alarms_of(built) == {}
    assert service(built)["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] is True


def test_a_service_of_somebody_else_is_left_alone(built: Account) -> None:
    assert deploy(built, entry("theirs", (), ()), hold=False, create=False)["changed"] is False
    with pytest.raises(CutoverError, match=r"no service theirs in cluster shop-fargate that carries this system's tag.*Nothing was created"):
        deploy(built, entry("theirs", (), ()))
    assert built.calls == []


def test_a_missing_service_is_an_error_before_an_alarm_is_made(built: Account) -> None:
    with pytest.raises(CutoverError, match=r"no service worker in cluster shop-fargate.*--tags service"):
        deploy(built, entry("worker"))
    assert built.calls == []
    assert deploy(built, entry("worker"), create=False)["changed"] is False


def test_an_alarm_of_somebody_else_is_refused_before_anything_is_changed(built: Account) -> None:
    built.client("cloudwatch").put_metric_alarm(
        AlarmName=ALARM, Namespace="x", MetricName="y", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="LessThanThreshold"
    )
    with pytest.raises(CutoverError, match=f"alarm {ALARM} exists without the tag cutover:system=shop"):
        deploy(built)
    assert built.calls == []


def test_check_mode_before_anything_exists(account: Account) -> None:
    result = deploy(account, check_mode=True)
    assert account.calls == []
    assert len(result["changes"]) == 2
    metrics = result["diff"]["after"][f"alarm {ALARM}"]["Metrics"]
    assert {item["Value"] for query in metrics if "MetricStat" in query for item in query["MetricStat"]["Metric"]["Dimensions"]} == {"(known after apply)"}


@pytest.mark.parametrize("calls", [1])
def test_killed_after_any_call_the_next_run_finishes(built: Account, calls: int) -> None:
    assert built.killed_after(calls, run, deployments=[entry()], hold=True, create=True)
    assert len(deploy(built)["changes"]) == 2 - calls
    assert deploy(built)["changed"] is False
