"""The status screen."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._system.status import NEXT, WAITING, remembered, status_lines


def side(name: str, **more: t.Any) -> dict[str, t.Any]:
    return {
        "load_balancer": {"LoadBalancerName": name, "DNSName": f"{name}-1.eu-west-1.elb.amazonaws.com", "State": {"Code": "active"}, "Tags": more.pop("tags", {})},
        "target_groups": [{"TargetGroupName": name, "TargetHealth": [{"TargetHealth": {"State": state}} for state in more.pop("health", ["healthy", "healthy"])]}],
        "services": [{"serviceName": "web", "desiredCount": 2, "runningCount": 1, "Tags": more.pop("service_tags", {})}],
        "capacity": {
            "auto_scaling_groups": [{"AutoScalingGroupName": name, "MinSize": 1, "DesiredCapacity": 2, "Instances": [{}], "Tags": more.pop("group_tags", {})}]
        },
    }


def system(serving: str = "source", source: t.Any = None, target: t.Any = None, **more: t.Any) -> dict[str, t.Any]:
    record = {"record_set": {"Name": "shop.example.test.", "Type": "A"}, "side": serving}
    return {
        "name": "shop", "fqdn": "shop.example.test", "account_id": "123456789012", "region": "eu-west-1",
        "serving": serving, "records": [record], "source": source, "target": target, **more,
    }  # fmt: skip


def test_both_sides_with_what_can_be_done_next() -> None:
    assert status_lines(system("source", side("shop"), side("shop-fargate", health=["healthy", "initial", "unhealthy"])), "provisioned") == [
        "system     shop  shop.example.test  account 123456789012  eu-west-1",
        "serving    source  (shop.example.test A to source)",
        "phase      provisioned",
        "source     ALB shop  active  shop-1.eu-west-1.elb.amazonaws.com",
        "source     targets shop  2 of 2 healthy",
        "source     service web  1 of 2 running",
        "source     instances shop  1 of 2 (at least 1)",
        "target     ALB shop-fargate  active  shop-fargate-1.eu-west-1.elb.amazonaws.com",
        "target     targets shop-fargate  1 of 3 healthy (1 initial, 1 unhealthy)",
        "target     service web  1 of 2 running",
        "target     instances shop-fargate  1 of 2 (at least 1)",
        f"next       {NEXT['provisioned']}",
    ]


def test_sides_that_are_not_there() -> None:
    assert "target     not built yet" in status_lines(system("source", side("shop")), "new")
    assert "source     gone" in status_lines(system("target", None, side("shop-fargate")), "torn_down")


def test_a_switch_that_is_half_done_says_so() -> None:
    lines = status_lines(system("mixed", side("shop"), side("shop-fargate")), "provisioned")
    assert lines[-1] == f"next       {WAITING}"


def test_what_tags_remember() -> None:
    source = side(
        "shop",
        tags={"cutover:client-keep-alive": "3600"},
        service_tags={"cutover:desired-count": "2"},
        group_tags={"cutover:capacity": "min=1,desired=2"},
    )
    assert remembered(system("target", source, side("shop-fargate", tags={"cutover:cutover-at": "2026-11-22T12:00:00Z"}))) == [
        "cutover at 2026-11-22T12:00:00Z",
        "client keep-alive of the source was 3600 seconds",
        "service web had 2 tasks",
        "Auto Scaling group shop had min=1,desired=2",
    ]


def test_problems_and_shared_parts_are_told() -> None:
    lines = status_lines(
        system(
            "source",
            side("shop"),
            problems=[{"id": "x", "path": "y", "message": "It is broken: very."}],
            shared=[{"kind": "listener_rule", "id": "arn", "name": "HTTPS:443 priority 10 (admin.example.test)", "used_by": ["admin"]}],
        ),
        "new",
    )
    assert "problem    It is broken very." in lines
    assert "shared     listener_rule HTTPS:443 priority 10 (admin.example.test) with admin" in lines


@pytest.mark.parametrize("phase", list(NEXT))
def test_no_line_needs_quotes_in_yaml(phase: str) -> None:
    lines = status_lines(system("target", side("shop"), side("shop-fargate")), phase)
    assert all(yaml.safe_dump(line, width=1000).startswith(line) for line in lines)
