"""The load balancer's module against moto: what it calls, what it leaves alone, and what it does after a kill."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2.load_balancer import run
from moto.elbv2.models import FakeLoadBalancer
from unit.plugins.module_utils.apply_account import SYSTEM, Account

Section = dict[str, t.Any]
FORWARD = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupName": "shop-web", "Weight": 1}]}}
MAINTENANCE = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "back soon"}}


def section(account: Account) -> Section:
    return {
        "name": "shop-fargate",
        "scheme": "internet-facing",
        "ip_address_type": "ipv4",
        "subnets": account.subnets[:2],
        "security_groups": [account.groups["alb"]],
        "attributes": {"idle_timeout.timeout_seconds": "75", "routing.http2.enabled": "true"},
        "web_acl_arn": None,
        "deletion_protection": False,
        "tags": {**SYSTEM, "cutover:source-load-balancer": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/1"},
        "target_groups": [
            {
                "name": "shop-web",
                "source_arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1",
                "protocol": "HTTP",
                "protocol_version": "HTTP1",
                "port": 80,
                "vpc_id": account.vpc,
                "target_type": "ip",
                "ip_address_type": "ipv4",
                "health_check": {"HealthCheckPath": "/up", "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5, "Matcher": {"HttpCode": "200"}},
                "attributes": {"deregistration_delay.timeout_seconds": "30"},
                "tags": SYSTEM,
            }
        ],
        "listeners": [
            {
                "port": 80,
                "protocol": "HTTP",
                "default_actions": [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301", "Path": "/#{path}"}}],
                "rules": [],
                "tags": SYSTEM,
            },
            {
                "port": 443,
                "protocol": "HTTPS",
                "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
                "certificate_arn": account.certificates[0],
                "sni_certificate_arns": [account.certificates[1]],
                "attributes": {"routing.http.response.server.enabled": "false"},
                "default_actions": [MAINTENANCE],
                "rules": [
                    {
                        "priority": 10,
                        "conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["www.example.test", "shop.example.test"]}}],
                        "actions": [FORWARD],
                        "transforms": [],
                        "tags": SYSTEM,
                    }
                ],
                "tags": SYSTEM,
            },
        ],
    }


CREATION = [
    "CreateLoadBalancer",
    "ModifyLoadBalancerAttributes",
    "CreateTargetGroup",
    "ModifyTargetGroupAttributes",
    "CreateListener",
    "CreateListener",
    "AddListenerCertificates",
    "ModifyListenerAttributes",
    "CreateRule",
]


def build(account: Account, **more: t.Any) -> dict[str, t.Any]:
    return account.run(run, load_balancer=section(account), **more)


def tree(account: Account) -> dict[str, t.Any]:
    """What an independent client sees, without ids and times."""
    elbv2 = account.client("elbv2")
    balancers = elbv2.describe_load_balancers()["LoadBalancers"]
    listeners = [item for balancer in balancers for item in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]]
    rules = [rule for item in listeners for rule in elbv2.describe_rules(ListenerArn=item["ListenerArn"])["Rules"]]
    return {
        "balancers": [balancer["LoadBalancerName"] for balancer in balancers],
        "attributes": [elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"] for balancer in balancers],
        "groups": [(group["TargetGroupName"], group["TargetType"], group["HealthCheckPath"]) for group in elbv2.describe_target_groups()["TargetGroups"]],
        "listeners": sorted((item["Port"], item["Protocol"]) for item in listeners),
        "certificates": [
            sorted(certificate["CertificateArn"] for certificate in elbv2.describe_listener_certificates(ListenerArn=item["ListenerArn"])["Certificates"])
            for item in listeners
            if item["Protocol"] == "HTTPS"
        ],
        "rules": sorted((rule["Priority"], rule["Actions"][0]["Type"]) for rule in rules),
    }


def arn_of(account: Account) -> str:
    return str(account.client("elbv2").describe_load_balancers(Names=["shop-fargate"])["LoadBalancers"][0]["LoadBalancerArn"])


def listener_arn(account: Account, port: int) -> str:
    listeners = account.client("elbv2").describe_listeners(LoadBalancerArn=arn_of(account))["Listeners"]
    return str(next(item["ListenerArn"] for item in listeners if item["Port"] == port))


def rule_arn(account: Account) -> str:
    rules = account.client("elbv2").describe_rules(ListenerArn=listener_arn(account, 443))["Rules"]
    return str(next(item["RuleArn"] for item in rules if item["Priority"] == "10"))


def test_first_run_creates_everything_in_the_order_aws_needs(account: Account) -> None:
    result = build(account)
    assert account.calls == CREATION
    assert result["changed"] is True
    assert result["changes"][0] == "create load balancer shop-fargate"
    assert result["diff"]["before"] == {}
    assert result["load_balancer"]["arn"] == arn_of(account)
    seen = tree(account)
    assert seen["certificates"] == [sorted(account.certificates)]
    assert ("shop-web", "ip", "/up") in seen["groups"]
    tags = account.client("elbv2").describe_tags(ResourceArns=[rule_arn(account)])["TagDescriptions"][0]["Tags"]
    assert tags == [{"Key": "cutover:system", "Value": "shop"}]


def test_second_run_makes_no_mutating_call(account: Account) -> None:
    build(account)
    result = build(account)
    assert account.calls == []
    assert result["changed"] is False
    assert result["changes"] == []
    assert result["diff"]["before"] == result["diff"]["after"]


def test_check_mode_before_anything_exists_shows_everything_and_writes_nothing(account: Account) -> None:
    result = build(account, check_mode=True)
    assert account.calls == []
    assert result["changed"] is True
    assert len(result["changes"]) == len(CREATION)
    assert result["load_balancer"]["arn"] == "(known after apply)"
    assert result["diff"]["after"]["listeners"]["443"]["rules"]["10"]["actions"][0]["ForwardConfig"]["TargetGroups"][0]["TargetGroupName"] == "shop-web"


def test_check_mode_tells_the_same_changes_as_the_run(account: Account) -> None:
    planned = build(account, check_mode=True)["changes"]
    assert build(account)["changes"] == planned


@pytest.mark.parametrize("count", range(1, len(CREATION) + 1))
def test_killed_after_any_call_the_next_run_completes(account: Account, count: int) -> None:
    assert account.killed_after(count, run, load_balancer=section(account))
    build(account)
    assert account.calls == CREATION[count:]
    build(account)
    assert account.calls == []
    seen = tree(account)
    assert seen["balancers"] == ["shop-fargate"]
    assert seen["listeners"] == [(80, "HTTP"), (443, "HTTPS")]
    assert seen["rules"] == [("10", "forward"), ("default", "fixed-response"), ("default", "redirect")]


def _health_path(plan: Section) -> None:
    plan["target_groups"][0]["health_check"]["HealthCheckPath"] = "/health"


def _matcher(plan: Section) -> None:
    plan["target_groups"][0]["health_check"]["Matcher"] = {"HttpCode": "200-204"}


def _group_attribute(plan: Section) -> None:
    plan["target_groups"][0]["attributes"]["deregistration_delay.timeout_seconds"] = "60"


def _attribute(plan: Section) -> None:
    plan["attributes"]["idle_timeout.timeout_seconds"] = "120"


def _policy(plan: Section) -> None:
    plan["listeners"][1]["ssl_policy"] = "ELBSecurityPolicy-TLS13-1-3-2021-06"


def _certificate(plan: Section) -> None:
    listener = plan["listeners"][1]
    listener["certificate_arn"], listener["sni_certificate_arns"] = listener["sni_certificate_arns"][0], []


def _default_action(plan: Section) -> None:
    plan["listeners"][1]["default_actions"] = [FORWARD]


def _redirect(plan: Section) -> None:
    plan["listeners"][0]["default_actions"][0]["RedirectConfig"]["StatusCode"] = "HTTP_302"


def _condition(plan: Section) -> None:
    plan["listeners"][1]["rules"][0]["conditions"] = [{"Field": "path-pattern", "Values": ["/shop/*"]}]


def _rule_action(plan: Section) -> None:
    plan["listeners"][1]["rules"][0]["actions"] = [MAINTENANCE]


def _new_rule(plan: Section) -> None:
    rule = copy.deepcopy(plan["listeners"][1]["rules"][0])
    plan["listeners"][1]["rules"].append({**rule, "priority": 20})


def _listener_attribute(plan: Section) -> None:
    plan["listeners"][1]["attributes"]["routing.http.response.server.enabled"] = "true"


def _tag(plan: Section) -> None:
    plan["tags"] = {**plan["tags"], "team": "web"}


def _rule_tag(plan: Section) -> None:
    plan["listeners"][1]["rules"][0]["tags"] = {**SYSTEM, "team": "web"}


def _protection(plan: Section) -> None:
    plan["deletion_protection"] = True


DRIFT: dict[t.Callable[[Section], None], str] = {
    _health_path: "ModifyTargetGroup",
    _matcher: "ModifyTargetGroup",
    _group_attribute: "ModifyTargetGroupAttributes",
    _attribute: "ModifyLoadBalancerAttributes",
    _policy: "ModifyListener",
    _certificate: "ModifyListener",
    _default_action: "ModifyListener",
    _redirect: "ModifyListener",
    _condition: "ModifyRule",
    _rule_action: "ModifyRule",
    _new_rule: "CreateRule",
    _listener_attribute: "ModifyListenerAttributes",
    _tag: "AddTags",
    _rule_tag: "AddTags",
    _protection: "ModifyLoadBalancerAttributes",
}


@pytest.mark.parametrize("change", DRIFT, ids=lambda change: change.__name__.strip("_"))
def test_one_difference_is_one_call_and_then_none(account: Account, change: t.Callable[[Section], None]) -> None:
    build(account)
    plan = section(account)
    change(plan)
    result = account.run(run, load_balancer=plan, check_mode=True)
    assert account.calls == []
    assert len(result["changes"]) == 1
    assert result["diff"]["before"] != result["diff"]["after"]
    account.run(run, load_balancer=plan)
    assert account.calls == [DRIFT[change]]
    account.run(run, load_balancer=plan)
    assert account.calls == []


def test_only_the_differing_members_are_sent(account: Account) -> None:
    build(account)
    plan = section(account)
    _health_path(plan)
    account.run(run, load_balancer=plan)
    assert set(account.parameters[0]) == {"TargetGroupArn", "HealthCheckPath"}


@pytest.mark.parametrize(("member", "operation"), [("subnets", "SetSubnets"), ("security_groups", "SetSecurityGroups")])
def test_network_of_the_load_balancer_follows_the_plan(account: Account, member: str, operation: str) -> None:
    build(account)
    plan = section(account)
    plan[member] = account.subnets if member == "subnets" else [account.groups["alb"], account.groups["db"]]
    account.run(run, load_balancer=plan)
    assert account.calls == [operation]
    account.run(run, load_balancer=plan)
    assert account.calls == []


def test_what_the_plan_does_not_name_stays_and_is_told(account: Account) -> None:
    build(account)
    plan = section(account)
    plan["listeners"] = [plan["listeners"][1]]
    plan["listeners"][0]["rules"] = []
    plan["listeners"][0]["sni_certificate_arns"] = []
    result = account.run(run, load_balancer=plan)
    assert account.calls == []
    assert result["extra"] == [
        "listener 80 is not in the plan",
        "rule 10 of listener 443 is not in the plan",
        f"certificate {account.certificates[1]} of listener 443 is not in the plan",
    ]


def test_registered_targets_are_never_touched(account: Account) -> None:
    build(account)
    elbv2 = account.client("elbv2")
    group = elbv2.describe_target_groups(Names=["shop-web"])["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.5", "Port": 80}])
    plan = section(account)
    _health_path(plan)
    account.run(run, load_balancer=plan)
    assert not {"RegisterTargets", "DeregisterTargets"} & set(account.calls)
    assert [item["Target"]["Id"] for item in elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]] == ["10.0.0.5"]


def test_a_load_balancer_of_somebody_else_is_refused(account: Account) -> None:
    account.client("elbv2").create_load_balancer(Name="shop-fargate", Subnets=account.subnets[:2], SecurityGroups=[account.groups["alb"]])
    with pytest.raises(CutoverError, match=r"load balancer shop-fargate exists without the tag cutover:system=shop.*Nothing was changed"):
        build(account)
    assert account.calls == []


def test_a_target_group_of_another_system_is_refused(account: Account) -> None:
    tags = [{"Key": "cutover:system", "Value": "blog"}]
    account.client("elbv2").create_target_group(Name="shop-web", Protocol="HTTP", Port=80, VpcId=account.vpc, TargetType="ip", Tags=tags)
    with pytest.raises(CutoverError, match="target group shop-web exists without the tag"):
        build(account)
    assert account.calls == []


@pytest.mark.parametrize(
    ("member", "value"), [("scheme", "internal"), ("target_type", "instance"), ("protocol", "HTTPS"), ("port", 8080), ("vpc_id", "vpc-0fedcba987")]
)
def test_what_aws_cannot_change_is_refused_before_the_first_write(account: Account, member: str, value: t.Any) -> None:
    build(account)
    plan = section(account)
    (plan if member == "scheme" else plan["target_groups"][0])[member] = value
    _attribute(plan)
    with pytest.raises(CutoverError, match=rf"{member} .*should be {value}, and AWS can't change that"):
        account.run(run, load_balancer=plan)
    assert account.calls == []


def test_waits_until_active_and_says_so_when_it_does_not_come(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeLoadBalancer, "activate", lambda _self: None)
    with pytest.raises(CutoverError, match=r"still provisioning after 60 s \(wait_timeout\)"):
        build(account)
    assert account.time.slept == [5.0] * 12


def test_deletion_protection_comes_last(account: Account) -> None:
    plan = {**section(account), "deletion_protection": True}
    account.run(run, load_balancer=plan)
    assert account.calls == [*CREATION, "ModifyLoadBalancerAttributes"]
    assert account.parameters[-1]["Attributes"] == [{"Key": "deletion_protection.enabled", "Value": "true"}]
    build(account)
    assert account.calls == []  # never taken away


def test_web_acl_is_associated_when_the_load_balancer_is_active(account: Account) -> None:
    visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "shop"}
    waf = account.client("wafv2")
    acl = waf.create_web_acl(Name="shop", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility)["Summary"]["ARN"]
    plan = {**section(account), "web_acl_arn": acl}
    account.refusals = {"AssociateWebACL": [("WAFUnavailableEntityException", "AWS WAF couldn't retrieve a resource that you specified")]}
    account.run(run, load_balancer=plan)
    assert account.calls == [*CREATION, "AssociateWebACL"]
    assert waf.get_web_acl_for_resource(ResourceArn=arn_of(account))["WebACL"]["ARN"] == acl
    account.run(run, load_balancer=plan)
    assert account.calls == []


def test_a_rule_that_forwards_to_an_unknown_group_is_refused(account: Account) -> None:
    plan = section(account)
    plan["listeners"][1]["default_actions"] = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupName": "nowhere"}]}}]
    with pytest.raises(CutoverError, match="forwards to the target group nowhere, which neither exists nor is planned"):
        account.run(run, load_balancer=plan)
    assert account.calls == []


def test_a_failure_half_way_tells_what_was_done(account: Account) -> None:
    account.refusals = {"CreateTargetGroup": [("TooManyTargetGroups", "limit")]}
    with pytest.raises(CutoverError, match=r"Could not create target group shop-web.*TooManyTargetGroups.*Done before that: create load balancer") as failure:
        build(account)
    assert failure.value.details["changed"] is True
    assert failure.value.details["changes"][0] == "create load balancer shop-fargate"
