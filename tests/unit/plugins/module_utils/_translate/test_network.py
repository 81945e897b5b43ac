"""Where the tasks run, and who is admitted where."""

from __future__ import annotations

import pytest
from unit.plugins.module_utils._translate import systems


@pytest.mark.parametrize(
    ("case", "subnets", "address"),
    [("shop", ["subnet-0a", "subnet-0b"], "ENABLED"), ("private_subnets", ["subnet-1a", "subnet-1b"], "DISABLED")],
)
def test_tasks_run_where_the_instances_did(case: str, subnets: list[str], address: str) -> None:
    for service in systems.plan(systems.system(case))["services"]:
        assert (service["subnets"], service["assign_public_ip"]) == (subnets, address)


def test_no_task_is_placed_where_the_load_balancer_is_not_enabled() -> None:
    """Also when the inventory names the subnet; its addresses don't count, and none left is an obstacle."""
    system = systems.system()
    for subnet in system["source"]["subnets"]:
        subnet["free"] = 1000 if subnet["SubnetId"] == "subnet-0c" else 1
    plan = systems.plan(system, subnets=["subnet-0a", "subnet-0c"])
    assert {tuple(service["subnets"]) for service in plan["services"]} == {("subnet-0a",)}
    assert {"FG-AZ", "FG-FREE-ADDRESSES"} <= systems.ids(plan)
    assert {"FG-NO-SUBNET"} <= systems.ids(systems.plan(system, subnets=["subnet-0c"]), "BLOCKER")


def test_the_subnets_outlive_the_instances() -> None:
    assert systems.plan(systems.system("scaled_in"))["services"][0]["subnets"] == ["subnet-0a", "subnet-0b"]


def test_each_grant_comes_once() -> None:
    system = systems.system()
    admitting = system["source"]["security_groups"]["admitting"]
    admitting[0]["rules"].append(dict(admitting[0]["rules"][0]))
    grants = systems.plan(system, grants=[{"group_id": "sg-0rds", "port": 3306}, {"group_id": "sg-0efs", "protocol": "tcp", "from_port": 2049, "to_port": 2049}])[
        "security"
    ]["grants"]
    assert [(grant["group_id"], grant["from_port"]) for grant in grants] == [("sg-0rds", 3306), ("sg-0red", 6379), ("sg-0efs", 2049)]


def test_a_rule_for_everything_stays_one() -> None:
    system = systems.system()
    system["source"]["security_groups"]["admitting"][0]["rules"] = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0inst"}]}]
    grant = systems.plan(system)["security"]["grants"][0]
    assert (grant["protocol"], grant["from_port"], grant["to_port"]) == ("-1", -1, -1)


def test_instances_that_admit_themselves_are_no_data_tier_unless_something_else_shares_their_group() -> None:
    system = systems.system()
    own = {**system["source"]["security_groups"]["admitting"][0], "GroupId": "sg-0inst", "GroupName": "shop-instances"}
    instance = {"kind": "instance", "id": system["source"]["capacity"]["instances"][0]["InstanceId"]}
    system["source"]["security_groups"]["admitting"] = [{**own, "used_by": [instance]}]
    assert systems.plan(system)["security"]["grants"] == []
    for other in ({"kind": "rds", "id": "shop"}, {"kind": "instance", "id": "i-of-a-database"}):
        system["source"]["security_groups"]["admitting"] = [{**own, "used_by": [instance, other]}]
        plan = systems.plan(system)
        assert [grant["group_id"] for grant in plan["security"]["grants"]] == ["sg-0inst"]
        assert "security_group" not in {item["kind"] for item in plan["teardown"]["items"]}


def test_restricted_egress_is_opened_once_for_each_port() -> None:
    assert systems.plan(systems.system("restricted_egress"))["security"]["load_balancer_egress"] == [
        {"group_id": "sg-0alb", "protocol": "tcp", "from_port": 80, "to_port": 80, "description": "shop: Fargate tasks"}
    ]


def test_a_health_check_on_another_container_needs_its_port_admitted() -> None:
    system = systems.system()
    system["source"]["target_groups"][0]["HealthCheckPort"] = "18080"
    systems.containers(system)["php-fpm"]["portMappings"] = [{"containerPort": 8080, "hostPort": 18080}]
    plan = systems.plan(system)
    assert plan["load_balancer"]["target_groups"][0]["health_check"]["HealthCheckPort"] == "8080"
    assert [rule["from_port"] for rule in plan["security"]["ingress"]] == [80, 8080]
