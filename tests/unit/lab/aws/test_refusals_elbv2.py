from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def elb(client) -> Any:
    return client("elbv2")


@pytest.fixture
def balancer(elb, vpc, name: str) -> str:
    return str(elb.create_load_balancer(Name=name, Subnets=vpc.subnets)["LoadBalancers"][0]["LoadBalancerArn"])


@pytest.fixture
def group(elb, vpc, name: str) -> str:
    return str(elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc.id, TargetType="ip")["TargetGroups"][0]["TargetGroupArn"])


def forward(group: str) -> list[dict[str, Any]]:
    return [{"Type": "forward", "TargetGroupArn": group}]


@pytest.mark.parametrize("bad", ["-x", "x-", "a_b", "x" * 33])
def test_names(elb, refuse, vpc, bad: str) -> None:
    assert refuse(elb.create_load_balancer, Name=bad, Subnets=vpc.subnets)[0] == "ValidationError"
    assert refuse(elb.create_target_group, Name=bad, Protocol="HTTP", Port=80, VpcId=vpc.id)[0] == "ValidationError"


def test_internal_prefix(elb, refuse, vpc) -> None:
    assert "cannot begin with 'internal-'" in refuse(elb.create_load_balancer, Name="internal-x", Subnets=vpc.subnets)[1]


def test_two_zones(elb, refuse, vpc, name: str) -> None:
    message = refuse(elb.create_load_balancer, Name=name, Subnets=vpc.subnets[:1])[1]
    assert message == "At least two subnets in two different Availability Zones must be specified"
    assert refuse(elb.create_load_balancer, Name=name, Subnets=["subnet-absent", vpc.subnets[0]])[0] == "SubnetNotFound"
    assert refuse(elb.create_load_balancer, Name=name, Subnets=vpc.subnets, SecurityGroups=["sg-absent"])[0] == "InvalidSecurityGroup"


def test_duplicates_with_other_settings(elb, refuse, vpc, name: str, balancer: str, group: str) -> None:
    assert elb.create_load_balancer(Name=name, Subnets=vpc.subnets)["LoadBalancers"][0]["LoadBalancerArn"] == balancer
    assert refuse(elb.create_load_balancer, Name=name, Subnets=vpc.subnets, Scheme="internal")[0] == "DuplicateLoadBalancerName"
    same = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": vpc.id, "TargetType": "ip"}
    assert elb.create_target_group(**same)["TargetGroups"][0]["TargetGroupArn"] == group
    assert refuse(elb.create_target_group, **{**same, "Port": 81})[0] == "DuplicateTargetGroupName"


def test_recreated_load_balancer_is_another_one(elb, vpc, name: str, balancer: str) -> None:
    before = elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    after = elb.create_load_balancer(Name=name, Subnets=vpc.subnets)["LoadBalancers"][0]
    assert before["LoadBalancerArn"] != after["LoadBalancerArn"]
    assert before["DNSName"] != after["DNSName"]


def test_deletion_protection(elb, refuse, balancer: str) -> None:
    protect = {"LoadBalancerArn": balancer, "Attributes": [{"Key": "deletion_protection.enabled", "Value": "true"}]}
    elb.modify_load_balancer_attributes(**protect)
    assert refuse(elb.delete_load_balancer, LoadBalancerArn=balancer)[0] == "OperationNotPermitted"


@pytest.mark.parametrize(
    ("key", "bad", "good"),
    [
        ("client_keep_alive.seconds", "59", "60"),
        ("idle_timeout.timeout_seconds", "4001", "4000"),
        ("routing.http2.enabled", "yes", "false"),
        ("access_logs.s3.enabled", "true", "false"),
    ],
)
def test_attributes(elb, refuse, balancer: str, key: str, bad: str, good: str) -> None:
    refuse(elb.modify_load_balancer_attributes, LoadBalancerArn=balancer, Attributes=[{"Key": key, "Value": bad}])
    changed = elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[{"Key": key, "Value": good}])["Attributes"]
    assert {"Key": key, "Value": good} in changed


def test_unknown_attribute(elb, refuse, balancer: str) -> None:
    assert "not recognized" in refuse(elb.modify_load_balancer_attributes, LoadBalancerArn=balancer, Attributes=[{"Key": "x", "Value": "y"}])[1]


def test_listeners(elb, refuse, balancer: str, group: str) -> None:
    listener = {"LoadBalancerArn": balancer, "DefaultActions": forward(group)}
    elb.create_listener(**listener, Port=80, Protocol="HTTP")
    assert refuse(elb.create_listener, **listener, Port=80, Protocol="HTTP")[0] == "DuplicateListener"
    assert refuse(elb.create_listener, **listener, Port=443, Protocol="HTTPS")[1] == "A certificate must be specified for HTTPS listeners"
    absent = [{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/absent"}]
    assert refuse(elb.create_listener, **listener, Port=443, Protocol="HTTPS", Certificates=absent)[0] == "CertificateNotFound"
    assert refuse(elb.create_listener, **{**listener, "DefaultActions": forward(f"{group}0")}, Port=81, Protocol="HTTP")[0] == "TargetGroupNotFound"


def test_target_group_on_two_load_balancers(elb, refuse, vpc, name: str, balancer: str, group: str) -> None:
    elb.create_listener(LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=forward(group))
    other = elb.create_load_balancer(Name=f"{name}-b", Subnets=vpc.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    second = {"LoadBalancerArn": other, "Port": 80, "Protocol": "HTTP"}
    assert refuse(elb.create_listener, **second, DefaultActions=forward(group))[0] == "TargetGroupAssociationLimit"
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    listener = elb.create_listener(**second, DefaultActions=fixed)["Listeners"][0]["ListenerArn"]
    rule = {"ListenerArn": listener, "Priority": 1, "Conditions": [{"Field": "path-pattern", "Values": ["/"]}]}
    assert refuse(elb.create_rule, **rule, Actions=forward(group))[0] == "TargetGroupAssociationLimit"
    assert refuse(elb.modify_listener, ListenerArn=listener, DefaultActions=forward(group))[0] == "TargetGroupAssociationLimit"
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.modify_listener(ListenerArn=listener, DefaultActions=forward(group))


def test_group_in_use(elb, refuse, balancer: str, group: str) -> None:
    listener = elb.create_listener(LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=forward(group))["Listeners"][0]["ListenerArn"]
    assert refuse(elb.delete_target_group, TargetGroupArn=group)[0] == "ResourceInUse"
    elb.delete_listener(ListenerArn=listener)
    elb.delete_target_group(TargetGroupArn=group)
    assert refuse(elb.describe_target_groups, TargetGroupArns=[group])[0] == "TargetGroupNotFound"


def test_rules(elb, refuse, balancer: str, group: str) -> None:
    listener = elb.create_listener(LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=forward(group))["Listeners"][0]["ListenerArn"]
    rule = {"ListenerArn": listener, "Conditions": [{"Field": "path-pattern", "Values": ["/"]}], "Actions": forward(group)}
    first = elb.create_rule(**rule, Priority=1)["Rules"][0]["RuleArn"]
    second = elb.create_rule(**rule, Priority=2)["Rules"][0]["RuleArn"]
    assert refuse(elb.create_rule, **rule, Priority=1)[0] == "PriorityInUse"
    assert refuse(elb.set_rule_priorities, RulePriorities=[{"RuleArn": first, "Priority": 2}])[0] == "PriorityInUse"
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}])
    shown = elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [(item["RuleArn"], item["Priority"]) for item in shown[:2]] == [(second, "1"), (first, "2")]
    assert refuse(elb.delete_rule, RuleArn=shown[-1]["RuleArn"])[0] == "OperationNotPermitted"
    assert refuse(elb.delete_rule, RuleArn=f"{first}0")[0] == "RuleNotFound"


def test_targets_of_the_wrong_kind(elb, refuse, vpc, name: str, group: str) -> None:
    instances = elb.create_target_group(Name=f"{name}-i", Protocol="HTTP", Port=80, VpcId=vpc.id)["TargetGroups"][0]["TargetGroupArn"]
    assert refuse(elb.register_targets, TargetGroupArn=group, Targets=[{"Id": "i-0123456789abcdef0"}])[0] == "ValidationError"
    assert refuse(elb.register_targets, TargetGroupArn=instances, Targets=[{"Id": "10.9.0.4"}])[0] == "InvalidTarget"
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.9.0.4", "Port": 80}])


def test_tags_of_many_or_absent(elb, refuse, balancer: str) -> None:
    assert refuse(elb.describe_tags, ResourceArns=[balancer] * 21)[0] == "ValidationError"
    assert refuse(elb.describe_tags, ResourceArns=[f"{balancer}0"])[0] == "LoadBalancerNotFound"
    assert elb.describe_tags(ResourceArns=[balancer])["TagDescriptions"][0]["Tags"] == []
