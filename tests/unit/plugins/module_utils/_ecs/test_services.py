"""The services' module against moto."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.services import run
from moto.ecs.models import ecs_backends
from unit.plugins.module_utils.apply_account import ACCOUNT, REGION, SYSTEM, Account

Entry = dict[str, t.Any]


def web(account: Account) -> Entry:
    return {
        "name": "web",
        "kind": "web",
        "cluster": "shop-fargate",
        "family": "shop-web-fargate",
        "desired_count": 2,
        "platform_version": "LATEST",
        "subnets": account.subnets[:2],
        "security_group": "shop-fargate",
        "assign_public_ip": "DISABLED",
        "load_balancers": [{"target_group": "shop-web", "container_name": "nginx", "container_port": 80}],
        "health_check_grace_period_seconds": 60,
        "deployment_configuration": {"maximumPercent": 200, "minimumHealthyPercent": 100, "deploymentCircuitBreaker": {"enable": True, "rollback": False}},
        "enable_execute_command": False,
        "propagate_tags": "SERVICE",
        "enable_ecs_managed_tags": True,
        "availability_zone_rebalancing": "DISABLED",
        "tags": SYSTEM,
    }


def worker(account: Account) -> Entry:
    more = {"name": "worker", "kind": "worker", "desired_count": 1, "load_balancers": [], "health_check_grace_period_seconds": None}
    return {**web(account), **more}


def plan(account: Account) -> list[Entry]:
    return [web(account), worker(account)]


@pytest.fixture
def built(account: Account) -> Account:
    """What the roles before this one have built."""
    ecs, ec2, elbv2 = account.client("ecs"), account.client("ec2"), account.client("elbv2")
    ecs.create_cluster(clusterName="shop-fargate")
    register(account)
    account.groups["service"] = ec2.create_security_group(GroupName="shop-fargate", Description="x", VpcId=account.vpc)["GroupId"]
    balancer = elbv2.create_load_balancer(Name="shop-fargate", Subnets=account.subnets[:2])["LoadBalancers"][0]["LoadBalancerArn"]
    for name, port in (("shop-web", 80), ("shop-other", 81)):
        group = elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=account.vpc, TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
        elbv2.create_listener(LoadBalancerArn=balancer, Port=port, Protocol="HTTP", DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    return account


def definition(image: str = "nginx:1") -> Entry:
    container = {"name": "nginx", "image": image, "memory": 128, "portMappings": [{"containerPort": 80}]}
    return {
        "family": "shop-web-fargate",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [container],
    }


def register(account: Account, image: str = "nginx:1") -> None:
    account.client("ecs").register_task_definition(**definition(image))


def described(account: Account, name: str = "web") -> Entry:
    services = account.client("ecs").describe_services(cluster="shop-fargate", services=[name], include=["TAGS"])["services"]
    return dict(services[0])


def test_first_run_creates_the_services(built: Account) -> None:
    result = built.run(run, services=plan(built))
    assert built.calls == ["CreateService", "CreateService"]
    assert [item["state"] for item in result["services"]] == ["created", "created"]
    sent, worker_sent = built.parameters
    assert sent["launchType"] == "FARGATE"
    assert sent["taskDefinition"].endswith("shop-web-fargate:1")
    assert sent["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"] == [built.groups["service"]]
    assert sent["loadBalancers"][0]["targetGroupArn"].startswith("arn:aws:elasticloadbalancing")
    assert len(sent["clientToken"]) <= 36
    assert "healthCheckGracePeriodSeconds" not in worker_sent
    assert "loadBalancers" not in worker_sent
    assert described(built)["tags"] == [{"key": "cutover:system", "value": "shop"}]


def test_second_run_makes_no_mutating_call(built: Account) -> None:
    built.run(run, services=plan(built))
    result = built.run(run, services=plan(built))
    assert built.calls == []
    assert result["changed"] is False
    assert [item["state"] for item in result["services"]] == ["unchanged", "unchanged"]
    assert result["diff"]["before"] == result["diff"]["after"]


def test_check_mode_before_anything_exists(account: Account) -> None:
    result = account.run(run, check_mode=True, services=plan(account))
    assert account.calls == []
    assert result["changes"] == ["create service web with 2 tasks", "create service worker with 1 tasks"]
    after = result["diff"]["after"]["web"]
    assert after["taskDefinition"] == "shop-web-fargate:(known after apply)"
    assert after["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"] == ["(known after apply)"]
    assert after["loadBalancers"][0]["targetGroupArn"] == "(known after apply)"


def test_check_mode_foresees_the_revision_that_the_role_before_would_register(built: Account) -> None:
    built.run(run, services=plan(built))
    same = built.run(run, check_mode=True, services=plan(built), task_definitions=[definition()])
    assert same["changed"] is False
    newer = built.run(run, check_mode=True, services=plan(built), task_definitions=[definition("nginx:2")])
    assert newer["changes"] == ["update taskDefinition of service web", "update taskDefinition of service worker"]


def test_check_mode_knows_an_image_that_is_used_as_it_is(built: Account) -> None:
    """The plan names the derived image; the role taskdef registered the source's, because nothing in it needed a change."""
    built.run(run, services=plan(built))
    planned = definition("registry.test/nginx-fargate:1-fargate")
    image = {"container": "nginx", "source_image": "nginx:1", "image": "registry.test/nginx-fargate:1-fargate", "repository": "nginx-fargate", "tag": "1-fargate"}
    assert built.run(run, check_mode=True, services=plan(built), task_definitions=[planned], images=[image])["changes"] == []
    assert built.run(run, check_mode=True, services=plan(built), task_definitions=[planned], images=[{**image, "source_image": "nginx:2"}])["changes"]


@pytest.mark.parametrize("count", [1, 2])
def test_killed_after_any_call_no_service_is_doubled(built: Account, count: int) -> None:
    assert built.killed_after(count, run, services=plan(built))
    built.run(run, services=plan(built))
    assert len(built.calls) == 2 - count
    built.run(run, services=plan(built))
    assert built.calls == []
    assert len(built.client("ecs").list_services(cluster="shop-fargate")["serviceArns"]) == 2


def test_the_same_create_has_the_same_token_and_another_one_another(built: Account) -> None:
    built.killed_after(1, run, services=[web(built)])
    token = built.parameters[0]["clientToken"]
    ecs_backends[ACCOUNT][REGION].services.clear()  # AWS never got it
    built.run(run, services=[web(built)])
    assert built.parameters[0]["clientToken"] == token
    ecs_backends[ACCOUNT][REGION].services.clear()
    built.run(run, services=[{**web(built), "desired_count": 3}])
    assert built.parameters[0]["clientToken"] != token


DRIFT: list[tuple[str, t.Any, str]] = [
    ("platform_version", "1.4.0", "platformVersion"),
    ("assign_public_ip", "ENABLED", "networkConfiguration"),
    ("health_check_grace_period_seconds", 120, "healthCheckGracePeriodSeconds"),
    ("deployment_configuration", {"maximumPercent": 150}, "deploymentConfiguration"),
    ("enable_execute_command", True, "enableExecuteCommand"),
    ("propagate_tags", "TASK_DEFINITION", "propagateTags"),
    ("enable_ecs_managed_tags", False, "enableECSManagedTags"),
    ("availability_zone_rebalancing", "ENABLED", "availabilityZoneRebalancing"),
    ("load_balancers", [{"target_group": "shop-other", "container_name": "nginx", "container_port": 80}], "loadBalancers"),
]


@pytest.mark.parametrize(("member", "value", "sent"), DRIFT, ids=[item[0] for item in DRIFT])
def test_only_what_drifted_is_updated(built: Account, member: str, value: t.Any, sent: str) -> None:
    built.run(run, services=plan(built))
    changed = [{**web(built), member: value}, worker(built)]
    result = built.run(run, services=changed)
    assert built.calls == ["UpdateService"]
    assert set(built.parameters[0]) == {"cluster", "service", sent}
    assert result["changes"] == [f"update {sent} of service web"]
    assert [item["state"] for item in result["services"]] == ["updated", "unchanged"]
    built.run(run, services=changed)
    assert built.calls == []


def test_subnets_are_a_set(built: Account) -> None:
    built.run(run, services=[web(built)])
    built.run(run, services=[{**web(built), "subnets": built.subnets[1::-1]}])
    assert built.calls == []
    built.run(run, services=[{**web(built), "subnets": built.subnets}])
    assert built.calls == ["UpdateService"]


def test_a_new_revision_is_deployed(built: Account) -> None:
    built.run(run, services=[web(built)])
    register(built, "nginx:2")
    built.run(run, services=[web(built)])
    assert built.parameters[0]["taskDefinition"].endswith("shop-web-fargate:2")
    built.run(run, services=[web(built)])
    assert built.calls == []


def test_a_deployment_that_the_circuit_breaker_gave_up_is_made_again(built: Account) -> None:
    """Otherwise a fault that was mended would keep the migration from ever going on: ECS starts no more tasks by itself."""
    built.run(run, services=[web(built)])
    primary = ecs_backends[ACCOUNT][REGION].services["shop-fargate:web"].deployments[0]
    primary["rolloutState"] = "FAILED"
    result = built.run(run, services=[web(built)])
    assert built.parameters == [{"cluster": "shop-fargate", "service": "web", "forceNewDeployment": True}]
    assert result["changes"] == ["deploy service web again, because its last deployment failed"]
    primary["rolloutState"] = "IN_PROGRESS"
    built.run(run, services=[web(built)])
    assert built.calls == []


def test_tags_are_added(built: Account) -> None:
    built.run(run, services=[web(built)])
    built.run(run, services=[{**web(built), "tags": {**SYSTEM, "team": "web"}}])
    assert built.calls == ["TagResource"]


def test_the_number_of_tasks_is_left_to_auto_scaling(built: Account) -> None:
    built.run(run, services=[web(built)])
    for count in (5, 0):
        built.client("ecs").update_service(cluster="shop-fargate", service="web", desiredCount=count)
        result = built.run(run, services=[web(built)])
        assert built.calls == []
        assert result["diff"]["after"]["web"]["desiredCount"] == count


def test_a_side_that_must_run_is_brought_back_from_zero(built: Account) -> None:
    built.run(run, services=[web(built)])
    built.client("ecs").update_service(cluster="shop-fargate", service="web", desiredCount=0)
    enforced = [{**web(built), "desired_count_enforced": True}]
    built.run(run, services=enforced)
    assert built.parameters[0] == {"cluster": "shop-fargate", "service": "web", "desiredCount": 2}
    built.client("ecs").update_service(cluster="shop-fargate", service="web", desiredCount=1)
    built.run(run, services=enforced)
    assert built.calls == []


def test_members_of_the_deployment_that_the_plan_does_not_name_stay(built: Account) -> None:
    built.run(run, services=[web(built)])
    configuration = {**described(built)["deploymentConfiguration"], "bakeTimeInMinutes": 5}
    built.client("ecs").update_service(cluster="shop-fargate", service="web", deploymentConfiguration=configuration)
    result = built.run(run, services=[web(built)])
    assert built.calls == []
    assert result["diff"]["after"]["web"]["deploymentConfiguration"]["bakeTimeInMinutes"] == 5


def test_alarms_that_a_person_named_stay_when_the_configuration_changes(built: Account) -> None:
    """The first run after a cutover that was killed behind the records: the service still has its cautious configuration."""
    built.run(run, services=[web(built)])
    alarms = {"alarmNames": ["theirs"], "enable": True, "rollback": True}
    cautious = {**described(built)["deploymentConfiguration"], "alarms": alarms}
    built.client("ecs").update_service(cluster="shop-fargate", service="web", deploymentConfiguration=cautious)
    serving = {**web(built)["deployment_configuration"], "deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    assert built.run(run, services=[{**web(built), "deployment_configuration": serving}])["changes"] == ["update deploymentConfiguration of service web"]
    assert described(built)["deploymentConfiguration"] == {**serving, "alarms": alarms}


def test_another_strategy_that_a_person_chose_is_left_as_it_is(built: Account) -> None:
    built.run(run, services=[web(built)])
    chosen = {"maximumPercent": 150, "minimumHealthyPercent": 100, "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}
    built.client("ecs").update_service(cluster="shop-fargate", service="web", deploymentConfiguration=chosen)
    result = built.run(run, services=[web(built)])
    assert (built.calls, result["changed"], result["diff"]["before"] == result["diff"]["after"]) == ([], False, True)
    built.client("ecs").delete_service(cluster="shop-fargate", service="web", force=True)
    built.run(run, services=[web(built)])
    assert "deploymentConfiguration" in built.parameters[0]


def test_a_deleted_service_is_created_again_with_another_token(built: Account) -> None:
    built.run(run, services=[web(built)])
    token = built.parameters[0]["clientToken"]
    service = ecs_backends[ACCOUNT][REGION].services["shop-fargate:web"]
    service.status, service.created_at = "INACTIVE", "2026-11-22T12:00:00Z"
    built.run(run, services=[web(built)])
    assert built.calls == ["CreateService"]
    assert built.parameters[0]["clientToken"] != token


def test_a_service_that_is_draining_is_waited_for(built: Account) -> None:
    built.run(run, services=[web(built)])
    service = ecs_backends[ACCOUNT][REGION].services["shop-fargate:web"]
    service.status = "DRAINING"
    with pytest.raises(CutoverError, match="service web in cluster shop-fargate was still draining after 60"):
        built.run(run, services=[web(built)])
    assert built.calls == []
    assert built.run(run, check_mode=True, services=[web(built)])["changes"] == ["create service web with 2 tasks"]


@pytest.mark.parametrize(
    ("member", "value", "tag"),
    [("cluster", "nowhere", "cluster"), ("family", "nothing", "taskdef"), ("security_group", "nobody", "security")],
)
def test_what_is_missing_is_named_with_the_tag_to_run(built: Account, member: str, value: str, tag: str) -> None:
    with pytest.raises(CutoverError, match=rf"{value}.*\(--tags {tag}\)"):
        built.run(run, services=[{**web(built), member: value}])
    assert built.calls == []


def test_a_target_group_without_load_balancer_is_named(built: Account) -> None:
    built.client("elbv2").create_target_group(Name="loose", Protocol="HTTP", Port=80, VpcId=built.vpc, TargetType="ip")
    for name, state in (("loose", "is not attached to a load balancer"), ("absent", "does not exist")):
        changed = {**web(built), "load_balancers": [{"target_group": name, "container_name": "nginx", "container_port": 80}]}
        with pytest.raises(CutoverError, match=rf"target group {name} of service web {state}.*--tags alb"):
            built.run(run, services=[changed])
    assert built.calls == []


def test_a_service_of_somebody_else_is_refused(built: Account) -> None:
    built.run(run, services=[{**web(built), "tags": {}}])
    with pytest.raises(CutoverError, match="service web in cluster shop-fargate exists without the tag cutover:system=shop"):
        built.run(run, services=plan(built))
    assert built.calls == []


def test_another_launch_type_is_refused(built: Account) -> None:
    built.run(run, services=[web(built)])
    ecs_backends[ACCOUNT][REGION].services["shop-fargate:web"].launch_type = "EC2"
    with pytest.raises(CutoverError, match="launch type EC2; it should be FARGATE"):
        built.run(run, services=[web(built)])


def test_a_new_service_linked_role_is_waited_for(built: Account) -> None:
    text = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
    built.refusals = {"CreateService": [("InvalidParameterException", text)]}
    built.run(run, services=[web(built)])
    assert built.time.slept == [1.0]
    assert built.calls == ["CreateService"]


def test_another_refusal_is_not_repeated(built: Account) -> None:
    built.refusals = {"CreateService": [("InvalidParameterException", "Task definition does not support launch_type FARGATE.")]}
    with pytest.raises(CutoverError, match=r"Could not create service web with 2 tasks.*does not support launch_type FARGATE"):
        built.run(run, services=[web(built)])
    assert built.time.slept == []


def test_a_held_scheduler_has_no_task(built: Account) -> None:
    """One that has some all the same was made by an older version, or by a person: the source's runs too."""
    held = [{**worker(built), "desired_count": 0, "held_count": 1}]
    built.run(run, services=held)
    assert described(built, "worker")["desiredCount"] == 0
    assert built.run(run, services=held)["changed"] is False
    built.client("ecs").update_service(cluster="shop-fargate", service="worker", desiredCount=1)
    assert built.run(run, check_mode=True, services=held)["diff"]["after"]["worker"]["desiredCount"] == 0
    built.run(run, services=held)
    assert built.parameters == [{"cluster": "shop-fargate", "service": "worker", "desiredCount": 0}]
    assert built.run(run, services=held)["changed"] is False


def test_a_scheduler_that_was_handed_over_keeps_its_tasks(built: Account) -> None:
    built.run(run, services=[{**worker(built), "desired_count": 0, "held_count": 1}])
    built.client("ecs").update_service(cluster="shop-fargate", service="worker", desiredCount=1)
    assert built.run(run, services=[{**worker(built), "held_count": None}])["changed"] is False
    assert described(built, "worker")["desiredCount"] == 1
