"""The clone of the load balancer: attributes, conditions, rules and what they forward to."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import load_balancer, report, target_group
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json


def test_only_attributes_of_the_chosen_stickiness_are_sent() -> None:
    kept, dropped = target_group.attributes(
        {
            "stickiness.type": "app_cookie",
            "stickiness.app_cookie.cookie_name": "c",
            "stickiness.lb_cookie.duration_seconds": "1",
            "load_balancing.algorithm.type": "weighted_random",
            "load_balancing.algorithm.anomaly_mitigation": "on",
            "lambda.multi_value_headers.enabled": "false",
            "preserve_client_ip.enabled": "true",
            "future.attribute": "x",
        }
    )
    assert sorted(kept) == [
        "future.attribute",
        "load_balancing.algorithm.anomaly_mitigation",
        "load_balancing.algorithm.type",
        "stickiness.app_cookie.cookie_name",
        "stickiness.type",
    ]
    assert dropped == {"preserve_client_ip.enabled": "true"}


@pytest.mark.parametrize(
    ("source", "result"),
    [
        (
            {"Field": "host-header", "Values": ["a"], "HostHeaderConfig": {"Values": ["a"]}},
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["a"]}},
        ),
        ({"Field": "path-pattern", "Values": ["/x"]}, {"Field": "path-pattern", "Values": ["/x"]}),
        ({"Field": "new-field", "Values": [], "NewConfig": {"x": 1}}, {"Field": "new-field", "NewConfig": {"x": 1}}),
    ],
)
def test_conditions_are_said_once(source: Json, result: Json) -> None:
    assert load_balancer.condition(source) == result


def test_rules_of_others_stay_behind_and_so_does_everything_they_need() -> None:
    plan = systems.plan(systems.system("shared_load_balancer_waived"), **systems.intent("shared_load_balancer_waived"))
    assert [rule["priority"] for listener in plan["load_balancer"]["listeners"] for rule in listener["rules"]] == [10]
    assert [record["record_set"]["Name"] for record in plan["dns"]["record_sets"]] == ["shop.example.test."]
    assert not {"load_balancer", "target_group"} & {item["kind"] for item in plan["teardown"]["items"]}
    assert report.blockers(plan) == []


def test_a_default_action_that_cannot_be_cloned_answers_503() -> None:
    system = systems.system("shared_load_balancer")
    listener = system["source"]["load_balancer"]["Listeners"][0]
    listener["DefaultActions"] = listener["Rules"][1]["Actions"]
    actions = systems.plan(system)["load_balancer"]["listeners"][1]["default_actions"]
    assert [action["Type"] for action in actions] == ["fixed-response"]


def test_without_services_nothing_is_cloned() -> None:
    """A teardown that was interrupted must not turn the target's rules into errors."""
    system = systems.system("scaled_in")
    system["source"]["services"] = []
    plan = systems.plan(system)
    assert plan["load_balancer"] is None
    assert systems.ids(plan, "BLOCKER") == {"FG-NO-SERVICE"}
    assert [item["name"] for item in plan["verify"]["target"]["services"]] == ["web", "worker"]


def test_weights_and_stickiness_of_a_forward_are_kept() -> None:
    system = systems.system()
    rule = system["source"]["load_balancer"]["Listeners"][0]["Rules"][0]
    arn = rule["Actions"][0]["TargetGroupArn"]
    config = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": 0}], "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}
    rule["Actions"] = [{"Type": "forward", "ForwardConfig": config}]
    action = systems.plan(system)["load_balancer"]["listeners"][1]["rules"][0]["actions"][0]
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupName": "shop-web-fargate", "Weight": 0}]
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 60}
