"""What single parts of the plan say, where a finding alone doesn't tell; and that the modules take each part as it is."""

from __future__ import annotations

import importlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

ARN = "arn:aws:iam::123456789012:role/existing"


def test_two_revisions_of_a_family_become_two_families() -> None:
    system = systems.system()
    second = systems.definition(system, 1)
    second.update(family="shop-web", taskDefinitionArn=second["taskDefinitionArn"].replace("shop-worker", "shop-web"))
    assert [item["family"] for item in systems.plan(system)["task_definitions"]] == ["shop-web-fargate", "shop-web-worker-fargate"]


def test_services_of_one_definition_share_it() -> None:
    system = systems.system()
    system["source"]["services"][1]["TaskDefinition"] = systems.definition(system)
    plan = systems.plan(system)
    assert len(plan["task_definitions"]) == 1
    assert {item["family"] for item in plan["services"]} == {"shop-web-fargate"}


def test_an_existing_execution_role_is_kept_and_none_is_created() -> None:
    system = systems.system()
    for number in (0, 1):
        systems.definition(system, number)["executionRoleArn"] = ARN
    plan = systems.plan(system)
    assert plan["execution_role"]["arn"] == ARN
    assert {item["executionRoleArn"] for item in plan["task_definitions"]} == {ARN}


def test_a_definition_without_one_gets_ours_beside_an_existing_one() -> None:
    system = systems.system()
    systems.definition(system)["executionRoleArn"] = ARN
    plan = systems.plan(system)
    assert (plan["execution_role"]["name"], plan["execution_role"]["arn"]) == ("ecsTaskExecutionRole", None)


@pytest.mark.parametrize(("given", "name", "arn"), [(ARN, "existing", ARN), ("shop-execution", "shop-execution", None)])
def test_the_inventorys_execution_role(given: str, name: str, arn: str | None) -> None:
    plan = systems.plan(None, execution_role=given)
    assert (plan["execution_role"]["name"], plan["execution_role"]["arn"]) == (name, arn)
    assert all(item["executionRoleArn"].endswith(f":role/{name}") for item in plan["task_definitions"])


def test_log_groups_carry_retention_and_key_of_the_old_one() -> None:
    system = systems.system()
    system["source"]["log_groups"][0]["kmsKeyId"] = "arn:aws:kms:x"
    (group,) = systems.plan(system)["log_groups"]
    assert (group["name"], group["source_name"], group["retention_in_days"], group["kms_key_id"]) == ("/ecs/shop-fargate", "/ecs/shop", 90, "arn:aws:kms:x")
    assert systems.plan(system, log_retention_days=30)["log_groups"][0]["retention_in_days"] == 30


def test_a_metric_of_the_source_cluster_follows_to_the_target() -> None:
    system = systems.system("scalable_target")
    dimensions = [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}]
    metric = {"Metrics": [{"Id": "m", "MetricStat": {"Metric": {"MetricName": "x", "Namespace": "y", "Dimensions": dimensions}, "Stat": "Sum"}}]}
    custom = {"PolicyName": "custom", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": {"CustomizedMetricSpecification": metric}}
    system["source"]["services"][0]["ScalingPolicies"] = [custom]
    (policy,) = systems.plan(system)["scaling"][0]["policies"]
    planned = policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert planned == [{"Name": "ClusterName", "Value": "shop-fargate"}, {"Name": "ServiceName", "Value": "web"}]


def test_alarms_use_the_minimum_of_scaling() -> None:
    system = systems.system("scalable_target")
    system["source"]["services"][0]["ScalableTargets"][0]["MinCapacity"] = 1
    thresholds = {alarm["name"]: alarm["threshold"] for alarm in systems.plan(system)["alarms"]}
    assert thresholds["shop-fargate-web-running-tasks"] == 1


SECTIONS: dict[str, t.Callable[[Json], Json]] = {
    "fargate_cluster": lambda plan: {"cluster": plan["cluster"]},
    "fargate_security_groups": lambda plan: {"security": plan["security"]},
    "fargate_task_definitions": lambda plan: {"task_definitions": plan["task_definitions"]},
    "fargate_load_balancer": lambda plan: {"load_balancer": plan["load_balancer"]},
    "fargate_services": lambda plan: {"services": plan["services"], "task_definitions": plan["task_definitions"]},
    "fargate_scaling": lambda plan: {"scaling": plan["scaling"], "hold": True},
    "fargate_deployments": lambda plan: {"deployments": plan["deployments"], "hold": True},
    "fargate_alarms": lambda plan: {"alarms": plan["alarms"]},
}


@pytest.mark.parametrize("module", SECTIONS)
@pytest.mark.parametrize("case", [case for case in systems.CASES if case != "torn_down"])
def test_the_modules_take_the_plan_as_it_is(module: str, case: str) -> None:
    spec = importlib.import_module(f"ansible_collections.cutover.fargate.plugins.modules.{module}").ARGUMENT_SPEC
    plan = systems.plan(systems.system(case), **systems.intent(case))
    assert ArgumentSpecValidator(spec).validate(SECTIONS[module](plan)).error_messages == []
