"""How the target's services deploy: held while it is idle, then as the source's, with its alarms on the target's metrics."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import deeds
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ops"
SCALES = "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:resource/ecs/service/shop/web:policyName/out"
BALANCER = [{"Name": "LoadBalancer", "Value": "app/shop/50dc6c495c0c9188"}]
ERRORS = {"Namespace": "AWS/ApplicationELB", "MetricName": "HTTPCode_Target_5XX_Count", "Statistic": "Sum", "Period": 60, "Dimensions": BALANCER}
QUEUE = {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [{"Name": "QueueName", "Value": "shop"}]}


def system(configuration: Json | None = None, services: t.Sequence[str] = ("web",), alarms: t.Sequence[Json] = (), **service: t.Any) -> Json:
    found = systems.system()
    for item in found["source"]["services"]:
        if item["serviceName"] in services:
            item.update({**({"deploymentConfiguration": configuration} if configuration else {}), **service})
    found["source"]["alarms"] = [{"AlarmName": "errors", "Threshold": 10.0, "StateValue": "OK", **alarm} for alarm in alarms]
    return found


def watching(*names: str, enable: bool = True, rollback: bool = True) -> Json:
    return {"alarms": {"alarmNames": list(names), "enable": enable, "rollback": rollback}}


def entry(plan: Json, service: str = "web") -> Json:
    return next(item for item in plan["deployments"] if item["service"] == service)


def torn_down(plan: Json) -> list[str]:
    return [item["name"] for item in plan["teardown"]["items"] if item["kind"] == "alarm"]


def settings(plan: Json, state: str, service: str = "web") -> tuple[Json, str]:
    chosen = entry(plan, service)[state]
    return chosen["deployment_configuration"], chosen["availability_zone_rebalancing"]


def test_nothing_is_rolled_back_and_no_task_moves_before_the_target_serves() -> None:
    plan = systems.plan(system({"minimumHealthyPercent": 0, "maximumPercent": 100}))
    percent = {"minimumHealthyPercent": 100, "maximumPercent": 200}
    assert settings(plan, "held") == ({**percent, "deploymentCircuitBreaker": {"enable": True, "rollback": False}}, "DISABLED")
    assert settings(plan, "serving") == ({**percent, "deploymentCircuitBreaker": {"enable": True, "rollback": True}}, "ENABLED")


@pytest.mark.parametrize(("case", "state"), [("shop", "held"), ("provisioned", "held"), ("cut_over", "serving")])
def test_a_service_is_planned_as_it_should_be_now(case: str, state: str) -> None:
    """Otherwise the next run would take back what the cutover has set."""
    plan = systems.plan(systems.system(case))
    for service in plan["services"]:
        assert (service["deployment_configuration"], service["availability_zone_rebalancing"]) == settings(plan, state, service["name"])


def test_thresholds_stay_and_what_only_other_strategies_have_goes() -> None:
    given = {"deploymentCircuitBreaker": {"enable": False, "rollback": False, "resetOnHealthyTask": False}, "strategy": "ROLLING", "bakeTimeInMinutes": 0}
    plan = systems.plan(system({**given, "earlySuccessCriteria": {"healthyPercent": 80}}))
    held, serving = settings(plan, "held")[0], settings(plan, "serving")[0]
    assert held["deploymentCircuitBreaker"] == {"enable": True, "rollback": False, "resetOnHealthyTask": False}
    assert (serving["earlySuccessCriteria"], "earlySuccessCriteria" in held) == ({"healthyPercent": 80}, False)
    assert {"strategy", "bakeTimeInMinutes"} & {*held, *serving} == set()


def test_a_strategy_of_another_kind_leaves_nothing_behind() -> None:
    plan = systems.plan(system({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10.0}, "earlySuccessCriteria": {}}))
    assert set(settings(plan, "serving")[0]) == {"minimumHealthyPercent", "maximumPercent", "deploymentCircuitBreaker"}


def test_a_scheduler_is_neither_doubled_nor_moved() -> None:
    found = systems.system()
    worker = next(item for item in found["source"]["services"] if item["serviceName"] == "worker")
    worker["TaskDefinition"]["containerDefinitions"][0]["command"] = ["php", "artisan", "schedule:work"]
    configuration, rebalancing = settings(systems.plan(found, availability_zone_rebalancing="ENABLED"), "serving", "worker")
    assert (configuration["minimumHealthyPercent"], configuration["maximumPercent"], rebalancing) == (0, 100, "DISABLED")


@pytest.mark.parametrize(("answer", "web", "worker"), [("disabled", "DISABLED", "DISABLED"), ({"web": "DISABLED"}, "DISABLED", "ENABLED"), (None, "ENABLED", "ENABLED")])
def test_zones_are_rebalanced_as_the_inventory_says(answer: t.Any, web: str, worker: str) -> None:
    plan = systems.plan(**({"availability_zone_rebalancing": answer} if answer else {}))
    assert [settings(plan, "serving", name)[1] for name in ("web", "worker")] == [web, worker]


@pytest.mark.parametrize(("answer", "path"), [("yes", "fargate_availability_zone_rebalancing"), ({"web": True}, "fargate_availability_zone_rebalancing[web]")])
def test_another_answer_is_told(answer: t.Any, path: str) -> None:
    assert systems.at(systems.plan(availability_zone_rebalancing=answer), "FG-INTENT") == [path]


class TestAlarms:
    def test_it_is_made_again_on_the_target_and_waits_until_that_serves(self) -> None:
        plan = systems.plan(system(watching("errors"), alarms=[{**ERRORS, "AlarmActions": [TOPIC, SCALES]}]))
        (made,) = entry(plan)["alarms"]
        assert (made["name"], made["source_name"], made["actions"]) == ("errors-fargate", "errors", {"AlarmActions": [TOPIC]})
        assert made["settings"]["Dimensions"] == [{"Name": "LoadBalancer", "Value": {"load_balancer": "shop-fargate"}}]
        assert "StateValue" not in made["settings"]
        for state, enable in (("held", False), ("serving", True)):
            assert settings(plan, state)[0]["alarms"] == {"alarmNames": ["errors-fargate"], "enable": enable, "rollback": True}
        assert "alarm           errors-fargate" in deeds.created(plan)
        assert "FG-ALARM" not in systems.ids(plan)

    def test_where_another_system_has_the_name_the_inventory_gives_one(self) -> None:
        """Two systems behind one load balancer may look at the same alarm."""
        plan = systems.plan(system(watching("errors"), alarms=[ERRORS]), names={"alarms": {"errors": "shop-errors"}})
        assert [alarm["name"] for alarm in entry(plan)["alarms"]] == settings(plan, "serving")[0]["alarms"]["alarmNames"] == ["shop-errors"]
        assert "FG-INTENT" not in systems.ids(plan)

    def test_a_service_is_created_without_them(self) -> None:
        """They name what is made after it, and a first deployment that an alarm ends is given up."""
        plan = systems.plan(system(watching("errors"), alarms=[ERRORS]))
        assert all("alarms" not in service["deployment_configuration"] for service in plan["services"])

    def test_the_metrics_below_metric_math_are_the_target_s(self) -> None:
        def metric(identity: str, dimensions: list[Json]) -> Json:
            measured = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": dimensions}
            return {"Id": identity, "MetricStat": {"Metric": measured, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

        foreign = [{"Name": "LoadBalancer", "Value": "app/blog/1"}]
        math = [{"Id": "rate", "Expression": "a / b", "ReturnData": True}, metric("a", BALANCER), metric("b", foreign)]
        (made,) = entry(systems.plan(system(watching("errors"), alarms=[{"Metrics": math}])))["alarms"]
        assert made["settings"]["Metrics"] == [math[0], metric("a", [{"Name": "LoadBalancer", "Value": {"load_balancer": "shop-fargate"}}]), math[2]]
        assert "Dimensions" not in made["settings"]

    def test_one_alarm_of_two_services_is_made_once(self) -> None:
        plan = systems.plan(system(watching("errors"), services=("web", "worker"), alarms=[ERRORS]))
        assert [[alarm["name"] for alarm in item["alarms"]] for item in plan["deployments"]] == [["errors-fargate"], []]
        assert [settings(plan, "serving", name)[0]["alarms"]["alarmNames"] for name in ("web", "worker")] == [["errors-fargate"]] * 2

    def test_one_that_scaling_makes_again_is_used_as_it_is(self) -> None:
        policy = {"PolicyName": "out", "PolicyARN": SCALES, "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}}
        target = {"ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 4}
        found = system(watching("errors"), alarms=[{**ERRORS, "AlarmActions": [SCALES]}], ScalingPolicies=[policy], ScalableTargets=[target])
        plan = systems.plan(found)
        assert entry(plan)["alarms"] == []
        assert [alarm["name"] for item in plan["scaling"] for alarm in item["alarms"]] == ["errors-fargate"]
        assert settings(plan, "serving")[0]["alarms"]["alarmNames"] == ["errors-fargate"]

    def test_one_of_neither_side_decides_on_both_and_is_not_torn_down(self) -> None:
        plan = systems.plan(system(watching("errors", rollback=False), alarms=[QUEUE]))
        assert entry(plan)["alarms"] == []
        assert settings(plan, "serving")[0]["alarms"] == {"alarmNames": ["errors"], "enable": True, "rollback": False}
        assert torn_down(plan) == []

    @pytest.mark.parametrize("enable", [True, False])
    @pytest.mark.parametrize("actions", [[], [TOPIC]])
    def test_one_of_neither_side_is_somebody_s_whatever_it_decides_at_the_moment(self, enable: bool, actions: list[str]) -> None:
        plan = systems.plan(system(watching("errors", enable=enable), alarms=[{**QUEUE, "AlarmActions": actions}]))
        assert torn_down(plan) == []

    @pytest.mark.parametrize("measured", [QUEUE, ERRORS])
    def test_one_that_decides_on_the_target_s_deployments_is_not_torn_down(self, measured: Json) -> None:
        """A person named it there, or took it out of the source's service after the cutover."""
        found = systems.system("cut_over")
        found["source"]["alarms"] = [{"AlarmName": "errors", **measured, "AlarmActions": [SCALES]}]
        found["source"]["services"][0]["ScalingPolicies"] = [{"PolicyName": "out", "PolicyARN": SCALES, "PolicyType": "StepScaling"}]
        assert torn_down(systems.plan(found)) == ["errors"]
        found["target"]["services"][0]["deploymentConfiguration"] = watching("errors")
        assert torn_down(systems.plan(found)) == []

    @pytest.mark.parametrize(
        "measured",
        [
            {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "shop-ecs"}]},
            {"Namespace": "AWS/EC2", "MetricName": "StatusCheckFailed", "Dimensions": [{"Name": "InstanceId", "Value": "i-0aaa"}]},
            {"Metrics": [{"Id": "q", "Expression": 'SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/ECS", ClusterName)', "Period": 60, "ReturnData": True}]},
            {"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}, "EvaluationInterval": 60},
        ],
    )
    def test_one_that_goes_on_measuring_the_source_does_not_decide_on_the_target(self, measured: Json) -> None:
        plan = systems.plan(system(watching("errors"), alarms=[measured]))
        assert "alarms" not in settings(plan, "serving")[0]
        assert systems.at(plan, "FG-DEPLOY-ALARM-LOST") == ["services[web].deploymentConfiguration.alarms[errors]"]
        assert torn_down(plan) == []

    def test_an_instance_of_nobody_s_cluster_is_of_neither_side(self) -> None:
        database = {"Namespace": "AWS/EC2", "MetricName": "StatusCheckFailed", "Dimensions": [{"Name": "InstanceId", "Value": "i-0database"}]}
        assert settings(systems.plan(system(watching("errors"), alarms=[database])), "serving")[0]["alarms"]["alarmNames"] == ["errors"]

    @pytest.mark.parametrize(
        ("alarm", "reason"),
        [
            ({**QUEUE, "AlarmName": "other"}, "not found among the metric alarms"),
            ({"Namespace": "AWS/ECS", "MetricName": "MemoryReservation", "Dimensions": [{"Name": "ClusterName", "Value": "shop"}]}, "capacity of the cluster's"),
        ],
    )
    def test_what_cannot_be_made_again_is_told_and_decides_nothing(self, alarm: Json, reason: str) -> None:
        plan = systems.plan(system(watching("errors"), alarms=[alarm]))
        assert "alarms" not in settings(plan, "serving")[0]
        (finding,) = [item for item in plan["findings"] if item["id"] == "FG-DEPLOY-ALARM-LOST"]
        assert (finding["severity"], finding["path"], reason in finding["why"]) == ("ACTION", "services[web].deploymentConfiguration.alarms[errors]", True)

    def test_alarms_that_decide_nothing_on_the_source_are_not_carried(self) -> None:
        plan = systems.plan(system(watching("errors", enable=False), alarms=[ERRORS]))
        assert (entry(plan)["alarms"], "alarms" in settings(plan, "serving")[0]) == ([], False)


def test_alarms_on_what_stays_for_others_stay() -> None:
    """On the load balancer or the cluster as a whole: others on it are watched by them too."""
    group = [{"Name": "TargetGroup", "Value": "targetgroup/shop-web/73e2d6bc24d8a067"}, *BALANCER]
    of_service = [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}]
    alarms = [("balancer", BALANCER), ("group", group), ("cluster", of_service[:1]), ("service", of_service)]
    found = system(alarms=[{"AlarmName": name, "Namespace": "any", "MetricName": "any", "Dimensions": dimensions} for name, dimensions in alarms])
    assert torn_down(systems.plan(found)) == ["balancer", "group", "cluster", "service"]
    found["shared"], found["source"]["other_services"] = [{"name": "blog", "used_by": []}], ["blog"]
    assert torn_down(systems.plan(found)) == ["group", "service"]
