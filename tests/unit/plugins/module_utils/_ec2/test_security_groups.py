"""The security group's module against moto: additive only, race-safe, everything tagged."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ec2.security_groups import run
from unit.plugins.module_utils.apply_account import SYSTEM, Account

CREATION = ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"]


def section(account: Account) -> dict[str, t.Any]:
    alb, db = account.groups["alb"], account.groups["db"]
    port = {"protocol": "tcp", "from_port": 80, "to_port": 80}
    return {
        "vpc_id": account.vpc,
        "group": {"name": "shop-fargate", "description": "Tasks of shop", "tags": SYSTEM},
        "ingress": [{"source_group_id": alb, **port, "description": "shop: load balancer"}],
        "grants": [{"group_id": db, "group_name": "db", "protocol": "tcp", "from_port": 3306, "to_port": 3306, "description": "shop: Fargate tasks"}],
        "load_balancer_egress": [{"group_id": alb, **port, "description": "shop: Fargate tasks"}],
    }


def build(account: Account, **more: t.Any) -> dict[str, t.Any]:
    return account.run(run, security=section(account), **more)


def own_group(account: Account) -> dict[str, t.Any]:
    groups = account.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["shop-fargate"]}])["SecurityGroups"]
    assert len(groups) == 1
    return dict(groups[0])


def rules(account: Account, group_id: str) -> list[dict[str, t.Any]]:
    found = account.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group_id]}])["SecurityGroupRules"]
    return [rule for rule in found if rule.get("ReferencedGroupInfo")]


def test_first_run_creates_the_group_and_every_rule_with_tag_and_description(account: Account) -> None:
    result = build(account)
    assert account.calls == CREATION
    group = own_group(account)
    assert group["Tags"] == [{"Key": "cutover:system", "Value": "shop"}]
    assert result["group_id"] == group["GroupId"]
    (grant,) = rules(account, account.groups["db"])
    assert grant["ReferencedGroupInfo"]["GroupId"] == group["GroupId"]
    assert (grant["FromPort"], grant["ToPort"], grant["Tags"]) == (3306, 3306, [{"Key": "cutover:system", "Value": "shop"}])
    (egress,) = [rule for rule in rules(account, account.groups["alb"]) if rule["IsEgress"]]
    assert egress["ReferencedGroupInfo"]["GroupId"] == group["GroupId"]
    permission = group["IpPermissions"][0]
    assert permission["UserIdGroupPairs"][0]["Description"] == "shop: load balancer"
    assert [rule["state"] for rule in result["rules"]] == ["added"] * 3


def test_second_run_makes_no_mutating_call(account: Account) -> None:
    build(account)
    result = build(account)
    assert account.calls == []
    assert result["changed"] is False
    assert [rule["state"] for rule in result["rules"]] == ["present"] * 3
    assert result["diff"]["before"] == result["diff"]["after"]


def test_check_mode_on_the_first_day(account: Account) -> None:
    result = build(account, check_mode=True)
    assert account.calls == []
    assert result["group_id"] == "(known after apply)"
    assert result["diff"]["before"] == {"group": {}, "rules": []}
    assert f"ingress tcp 3306 to {account.groups['db']} from shop-fargate" in result["diff"]["after"]["rules"]
    assert build(account)["changes"] == result["changes"]


@pytest.mark.parametrize("count", range(1, len(CREATION) + 1))
def test_killed_after_any_call_the_next_run_completes(account: Account, count: int) -> None:
    assert account.killed_after(count, run, security=section(account))
    build(account)
    assert account.calls == CREATION[count:]
    build(account)
    assert account.calls == []
    assert len(rules(account, account.groups["db"])) == 1


def test_a_rule_of_somebody_else_is_present_and_stays_as_it_is(account: Account) -> None:
    ec2 = account.client("ec2")
    account.run(run, security={**section(account), "grants": []})
    pair = {"GroupId": own_group(account)["GroupId"], "Description": "by hand"}
    permission = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": [pair]}
    ec2.authorize_security_group_ingress(GroupId=account.groups["db"], IpPermissions=[permission])
    result = build(account)
    assert account.calls == []
    assert [rule["state"] for rule in result["rules"]] == ["present"] * 3
    group = ec2.describe_security_groups(GroupIds=[account.groups["db"]])["SecurityGroups"][0]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["Description"] == "by hand"


@pytest.mark.parametrize("member", [{"from_port": 3307, "to_port": 3307}, {"to_port": 3310}, {"protocol": "udp"}])
def test_another_port_or_protocol_is_another_rule(account: Account, member: dict[str, t.Any]) -> None:
    build(account)
    plan = section(account)
    plan["grants"][0].update(member)
    account.run(run, security=plan)
    assert account.calls == ["AuthorizeSecurityGroupIngress"]
    assert len(rules(account, account.groups["db"])) == 2


def test_all_traffic_has_no_ports(account: Account) -> None:
    plan = section(account)
    plan["grants"][0].update(protocol="-1", from_port=-1, to_port=-1)
    account.run(run, security=plan)
    sent = account.parameters[2]["IpPermissions"][0]
    assert "FromPort" not in sent
    account.run(run, security=plan)
    assert account.calls == []


def test_rules_that_are_not_in_the_plan_are_never_revoked(account: Account) -> None:
    build(account)
    result = account.run(run, security={**section(account), "ingress": [], "grants": [], "load_balancer_egress": []})
    assert account.calls == []
    assert result["changed"] is False
    assert len(rules(account, account.groups["db"])) == 1


def test_missing_tags_are_added(account: Account) -> None:
    build(account)
    plan = section(account)
    plan["group"]["tags"] = {**SYSTEM, "team": "web"}
    account.run(run, security=plan)
    assert account.calls == ["CreateTags"]
    account.run(run, security=plan)
    assert account.calls == []


def test_a_group_of_somebody_else_is_refused(account: Account) -> None:
    account.client("ec2").create_security_group(GroupName="shop-fargate", Description="x", VpcId=account.vpc)
    with pytest.raises(CutoverError, match=r"security group shop-fargate \(sg-.*exists without the tag cutover:system=shop"):
        build(account)
    assert account.calls == []


def test_a_group_that_is_not_there_is_named(account: Account) -> None:
    plan = section(account)
    plan["grants"][0]["group_id"] = "sg-0123456789abcdef0"
    with pytest.raises(CutoverError, match="no security group sg-0123456789abcdef0"):
        account.run(run, security=plan)
    assert account.calls == []


def test_somebody_else_is_faster(account: Account) -> None:
    """The group and a rule appear between our look and our call: both are fine, and nothing is doubled."""
    ec2 = account.client("ec2")
    before = account.before

    def rival(operation: str, params: dict[str, t.Any]) -> None:
        before(operation, params)
        if operation == "CreateSecurityGroup":
            account.running = False
            ec2.create_security_group(**{key: value for key, value in params.items() if key != "DryRun"})
            account.running = True

    account.before = rival  # type: ignore[method-assign]
    account.refusals = {"AuthorizeSecurityGroupEgress": [("InvalidPermission.Duplicate", "already exists")]}
    result = build(account)
    assert result["group_id"] == own_group(account)["GroupId"]
    assert not [text for text in result["changes"] if text.startswith(("create", "add egress"))]


def test_a_new_group_that_aws_does_not_see_yet_is_tried_again(account: Account) -> None:
    account.refusals = {"AuthorizeSecurityGroupIngress": [("InvalidGroup.NotFound", "The security group does not exist")] * 2}
    build(account)
    assert account.time.slept == [1.0, 2.0]
    assert account.calls == CREATION


def test_the_group_admits_itself_once(account: Account) -> None:
    """Services that reach each other: the group's id is known only after it was made."""
    given = section(account)
    itself = {"itself": True, "protocol": "tcp", "from_port": 8080, "to_port": 8080, "description": "shop: Service Connect"}
    wanted = {**given, "ingress": [*given["ingress"], itself]}
    told = account.run(run, check_mode=True, security=wanted)["changes"]
    assert "add ingress tcp 8080 to shop-fargate from shop-fargate" in told
    assert account.run(run, security=wanted)["changes"] == told
    group = own_group(account)
    (rule,) = [rule for rule in rules(account, group["GroupId"]) if rule["FromPort"] == 8080]
    assert (rule["ReferencedGroupInfo"]["GroupId"], rule["Tags"]) == (group["GroupId"], [{"Key": "cutover:system", "Value": "shop"}])
    account.run(run, security=wanted)
    assert account.calls == []


def test_a_prefix_list_is_admitted_once(account: Account) -> None:
    """That of VPC Lattice, say."""
    name = account.client("ec2").create_managed_prefix_list(PrefixListName="lattice", AddressFamily="IPv4", MaxEntries=1)["PrefixList"]["PrefixListId"]
    plan = section(account)
    plan["ingress"].append({"prefix_list_id": name, "protocol": "tcp", "from_port": 80, "to_port": 80, "description": "shop: VPC Lattice"})
    result = account.run(run, security=plan)
    assert account.calls.count("AuthorizeSecurityGroupIngress") == 3
    permissions = [item for item in own_group(account)["IpPermissions"] if item["PrefixListIds"]]
    assert [(item["FromPort"], item["PrefixListIds"][0]["PrefixListId"]) for item in permissions] == [(80, name)]
    assert f"ingress tcp 80 to shop-fargate from {name}" in result["diff"]["after"]["rules"]
    assert account.run(run, security=plan)["changed"] is False
    assert account.calls == []
    other = account.client("ec2").create_managed_prefix_list(PrefixListName="other", AddressFamily="IPv4", MaxEntries=1)["PrefixList"]["PrefixListId"]
    plan["ingress"].append({**plan["ingress"][-1], "prefix_list_id": other})
    account.run(run, security=plan)
    assert account.calls == ["AuthorizeSecurityGroupIngress"]
