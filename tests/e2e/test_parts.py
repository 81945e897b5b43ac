"""From nothing to everything by single tags, each in a fresh process, with users clicking. Before that: what must refuse, and what must write nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .harness import Lab, Run, assert_unharmed

TAGS = ("image", "cluster", "security", "taskdef", "alb", "service", "monitoring", "verify", "dns")

BAD_INPUT = [
    pytest.param({"fargate_fqdn": "nothing.example.test"}, "fargate_fqdn", id="unknown name"),
    pytest.param({"fargate_fqdn": "shop.example.org"}, "fargate_fqdn", id="no hosted zone"),
    pytest.param({"fargate_fqdn": ""}, "fargate_fqdn", id="no name"),
    pytest.param({"fargate_region": "eu-central-1"}, "fargate_region", id="another region"),
    pytest.param({"fargate_account_id": "210987654321"}, "fargate_account_id", id="another account"),
    pytest.param({"fargate_services": ["web", "nobody"]}, "fargate_services", id="unknown service"),
]


@pytest.mark.parametrize(("variables", "named"), BAD_INPUT)
def test_bad_input_names_the_variable_and_writes_nothing(lab: Lab, variables: dict[str, object], named: str) -> None:
    run = lab.play("migrate", "-e", json.dumps(variables)).failed()
    assert run.mutating == []
    assert named in run.output
    assert "Traceback" not in run.output


def test_cutover_without_a_target_refuses(lab: Lab) -> None:
    before = lab.record_targets()
    run = lab.play("migrate", "--tags", "cutover").failed()
    assert run.mutating == []
    assert lab.record_targets() == before


def test_check_mode_before_anything_exists_shows_everything_and_writes_nothing(lab: Lab) -> None:
    run = lab.play("migrate", "--check", "--diff").ok()
    assert run.mutating == []
    assert "fastcgi_pass 127.0.0.1:9000" in run.output
    assert "shop-web-fargate" in run.output
    assert "(known after apply)" in run.output
    assert "base64:" not in run.output, "the application's key was printed"


def test_plan_is_written_and_holds_no_secret(lab: Lab, reports: Path) -> None:
    lab.play("plan").unchanged()
    text = (reports / "shop" / "plan.json").read_text()
    plan = json.loads(text)
    assert {"findings", "task_definitions", "load_balancer", "services", "dns"} <= plan.keys()
    assert all(each["requiresCompatibilities"] == ["FARGATE"] for each in plan["task_definitions"])
    page = (reports / "shop" / "plan.html").read_text()
    for written in (text, page):
        assert "base64:" not in written
        assert "lab-only" not in written


def test_each_tag_alone_in_order_under_load(lab: Lab, tmp_path: Path) -> None:
    with lab.load(tmp_path) as totals:
        runs = [lab.play("migrate", "--tags", tag) for tag in TAGS]
        for run in runs:
            run.ok()
        assert lab.served_by() == "shop-fargate"
    assert_unharmed(totals())


def test_the_same_end_as_migrate(lab: Lab) -> None:
    """`migrate` after the parts finds nothing left to do, so the parts gave what it would have given."""
    lab.play("migrate").unchanged()


def test_a_tag_again_changes_nothing(lab: Lab) -> None:
    lab.play("migrate", "--tags", "alb").unchanged()


@pytest.mark.parametrize("playbook", ["plan", "prepare", "cutover", "verify", "status"])
def test_a_playbook_again_changes_nothing(lab: Lab, playbook: str) -> None:
    lab.play(playbook).unchanged()


def test_check_mode_afterwards_changes_nothing(lab: Lab) -> None:
    run: Run = lab.play("migrate", "--check", "--diff").unchanged()
    assert "(known after apply)" not in run.output


def test_the_source_was_not_touched_but_for_what_is_promised(lab: Lab) -> None:
    """Promise 1: added ingress on the data tier, the client keep-alive, nothing else."""
    elbv2, ecs = lab.client("elbv2"), lab.client("ecs")
    services = ecs.describe_services(cluster="shop", services=["web", "worker"])["services"]
    assert {each["serviceName"]: (each["desiredCount"], each["runningCount"]) for each in services} == {"web": (2, 2), "worker": (1, 1)}
    balancer = elbv2.describe_load_balancers(Names=["shop"])["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = {each["Key"]: each["Value"] for each in elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]}
    assert attributes["client_keep_alive.seconds"] == "60"
    tags = {each["Key"]: each["Value"] for each in elbv2.describe_tags(ResourceArns=[balancer])["TagDescriptions"][0]["Tags"]}
    assert tags["cutover:client-keep-alive"] == "3600"
