"""Migrate, scale in, roll back after the scale-in, migrate again, scale in, tear down: the life of a system, with users clicking through all of it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .harness import Lab, assert_unharmed

CONFIRMED = ("-e", "fargate_teardown_confirm=shop")

Totals = t.Callable[[], dict[str, t.Any]]


@pytest.fixture(scope="module", autouse=True)
def policies(lab: Lab) -> None:
    """Each playbook makes only calls that its policy allows."""
    lab.under_policies = True


@pytest.fixture(scope="module")
def totals(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Totals]:
    with lab.load(tmp_path_factory.mktemp("load")) as numbers:
        yield numbers


def test_migrate(lab: Lab, totals: Totals) -> None:
    lab.play("migrate").ok()
    assert lab.served_by() == "shop-fargate"
    assert totals()["failed"] == 0


def test_teardown_refuses_while_the_source_is_used(lab: Lab) -> None:
    run = lab.play("teardown", *CONFIRMED, "-e", "fargate_bake_seconds=0").failed()
    assert run.mutating == []
    assert "Nothing was deleted" in run.output


def test_scale_in(lab: Lab, totals: Totals) -> None:
    lab.play("scale_in").ok()
    lab.play("scale_in").unchanged()
    group = lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert (group["MinSize"], group["DesiredCapacity"], group["Instances"]) == (0, 0, [])
    assert totals()["failed"] == 0


def test_rollback_after_scale_in(lab: Lab, totals: Totals) -> None:
    lab.play("rollback").ok()
    assert lab.served_by() == "shop"
    lab.play("rollback").unchanged()
    services = lab.client("ecs").describe_services(cluster="shop", services=["web", "worker"])["services"]
    assert sum(each["runningCount"] for each in services) == 3
    assert totals()["failed"] == 0


def test_migrate_again_only_moves_the_traffic(lab: Lab, totals: Totals) -> None:
    run = lab.play("migrate").ok()
    # RegisterScalableTarget lets the target scale in again, now that it serves.
    assert not [call for call in run.mutating if "Create" in call or ("Register" in call and call != "application-autoscaling:RegisterScalableTarget")]
    assert lab.served_by() == "shop-fargate"
    assert totals()["failed"] == 0


def test_teardown_refuses_without_confirmation_and_before_the_bake_time(lab: Lab) -> None:
    lab.play("scale_in").ok()
    for arguments in ([], ["-e", "fargate_teardown_confirm=yes"], [*CONFIRMED, "-e", "fargate_bake_seconds=86400"]):
        run = lab.play("teardown", *arguments).failed()
        assert run.mutating == []
        assert "Nothing was deleted" in run.output


def test_teardown_leaves_nothing_of_the_source(lab: Lab, totals: Totals) -> None:
    lab.play("teardown", *CONFIRMED, "--check").ok()
    lab.play("teardown", *CONFIRMED).ok()
    assert left_of_the_source(lab) == []
    assert lab.served_by() == "shop-fargate"
    assert totals()["failed"] == 0


@pytest.mark.parametrize("playbook", ["teardown", "migrate", "scale_in", "verify", "status", "plan"])
def test_afterwards_nothing_is_left_to_do(lab: Lab, playbook: str) -> None:
    lab.play(playbook, *CONFIRMED).unchanged()


def test_rollback_after_teardown_says_that_there_is_no_way_back(lab: Lab) -> None:
    run = lab.play("rollback").failed()
    assert "torn down" in run.output
    assert run.mutating == []


def test_no_user_noticed(lab: Lab, tmp_path: Path) -> None:
    """A last look by other users; the first ones are judged when their load ends."""
    with lab.load(tmp_path) as numbers:
        while numbers()["requests"] < 100:
            pass
    assert_unharmed(numbers())
    assert numbers()["source"] == 0


def left_of_the_source(lab: Lab) -> list[str]:
    """An independent look: everything that carries a name of the source."""
    found: list[str] = []
    ecs, elbv2, ec2 = lab.client("ecs"), lab.client("elbv2"), lab.client("ec2")
    found += [f"cluster {each}" for each in ecs.list_clusters()["clusterArns"] if each.endswith("/shop")]
    found += [f"definition {arn}" for arn in ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"] if "-fargate:" not in arn]
    found += [f"load balancer {each['LoadBalancerName']}" for each in elbv2.describe_load_balancers()["LoadBalancers"] if each["LoadBalancerName"] != "shop-fargate"]
    found += [f"target group {each['TargetGroupName']}" for each in elbv2.describe_target_groups()["TargetGroups"] if each["TargetType"] == "instance"]
    groups = ec2.describe_security_groups()["SecurityGroups"]
    gone = "shop-instances"
    found += [f"group {each['GroupName']}" for each in groups if each["GroupName"] == gone]
    found += [f"group {each['GroupName']} of Auto Scaling" for each in lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]]
    found += [f"template {each['LaunchTemplateName']}" for each in ec2.describe_launch_templates()["LaunchTemplates"]]
    names = [each["repositoryName"] for each in lab.client("ecr").describe_repositories()["repositories"]]
    found += [f"repository {name}" for name in names if name == "shop/nginx"]
    alarms = lab.client("cloudwatch").describe_alarms()["MetricAlarms"]
    found += [f"alarm {each['AlarmName']}" for each in alarms if "fargate" not in str(each["Dimensions"])]
    targets = lab.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    found += [f"scalable target {each['ResourceId']}" for each in targets if "/shop/" in each["ResourceId"]]
    return found
