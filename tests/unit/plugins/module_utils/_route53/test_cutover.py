"""The switch: what is sent, what is refused, and that a killed run is finished by the next."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._route53 import cutover
from unit.plugins.module_utils.apply_account import Account

Records = list[dict[str, t.Any]]
NAME = "shop.example.test."


class System:
    """Two load balancers and a private zone whose records alias one of them. (Public zones are proven by an answer that moto does not give.)"""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.arns = {name: self._balancer(name) for name in ("shop", "shop-fargate")}
        route53 = account.client("route53")
        vpc = {"VPCRegion": "eu-west-1", "VPCId": account.vpc}
        self.zone = route53.create_hosted_zone(Name="example.test", CallerReference="1", VPC=vpc)["HostedZone"]["Id"].rpartition("/")[2]
        self.group = self._group()
        for kind in ("A", "AAAA"):
            self.point("shop", kind)

    def _balancer(self, name: str) -> str:
        made = self.account.client("elbv2").create_load_balancer(Name=name, Subnets=self.account.subnets[:2])
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def _group(self) -> str:
        elbv2 = self.account.client("elbv2")
        made = elbv2.create_target_group(Name="shop-fargate", Protocol="HTTP", Port=80, VpcId=self.account.vpc, TargetType="ip")
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.10", "Port": 80}])
        return arn

    def dns_name(self, name: str) -> str:
        return str(self.account.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"][0]["DNSName"])

    def point(self, name: str, kind: str, host: str = "") -> None:
        alias = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": host or f"dualstack.{self.dns_name(name)}.", "EvaluateTargetHealth": True}
        change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": NAME, "Type": kind, "AliasTarget": alias}}
        self.account.client("route53").change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": [change]})

    def records(self) -> Records:
        found = self.account.client("route53").list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return [each for each in found if each["Name"] == NAME]

    def aliases(self) -> list[str]:
        return [each["AliasTarget"]["DNSName"] for each in self.records()]

    def params(self, side: str = "target", **more: t.Any) -> dict[str, t.Any]:
        names = {"load_balancer": "shop-fargate", "origin": "shop"} if side == "target" else {"load_balancer": "shop", "origin": "shop-fargate"}
        entries = [{"zone_id": self.zone, "zone_name": "example.test.", "private_zone": True, "record_set": each} for each in self.records()]
        arn = self.arns[names["load_balancer"]]
        verified = {"load_balancer_arn": arn, "target_groups": {self.group: ["10.0.0.10:80"]}}
        return {"record_sets": entries, "side": side, "verified": verified, **names, **more}

    def tags(self) -> dict[str, str]:
        found = self.account.client("elbv2").describe_tags(ResourceArns=[self.arns["shop-fargate"]])["TagDescriptions"][0]["Tags"]
        return {each["Key"]: each["Value"] for each in found}


@pytest.fixture
def system(account: Account) -> System:
    return System(account)


def test_all_records_move_in_one_batch_and_keep_their_spelling(system: System) -> None:
    before = system.records()
    result = system.account.run(cutover.run, **system.params())
    assert system.account.calls == ["ChangeResourceRecordSets", "AddTags"]
    changes = system.account.parameters[0]["ChangeBatch"]["Changes"]
    assert [change["Action"] for change in changes] == ["UPSERT", "UPSERT"]
    for old, new in zip(before, system.records(), strict=True):
        assert new["AliasTarget"]["DNSName"].rstrip(".") == f"dualstack.{system.dns_name('shop-fargate')}".lower()
        assert new["AliasTarget"]["EvaluateTargetHealth"] == old["AliasTarget"]["EvaluateTargetHealth"]
    assert result["changed"]
    assert "cutover:cutover-at" in system.tags()


def test_a_second_run_makes_no_call_that_changes(system: System) -> None:
    system.account.run(cutover.run, **system.params())
    assert not system.account.run(cutover.run, **system.params())["changed"]
    assert system.account.calls == []


def test_rollback_is_the_same_with_the_sides_swapped(system: System) -> None:
    system.account.run(cutover.run, **system.params())
    system.account.run(cutover.run, **system.params("source"))
    assert all("shop-fargate" not in alias for alias in system.aliases())
    assert "cutover:cutover-at" not in system.tags()


def test_check_mode_shows_the_change_and_makes_none(system: System) -> None:
    result = system.account.run(cutover.run, check_mode=True, **system.params(verified={}))
    assert system.account.calls == []
    assert result["changed"]
    assert "shop-fargate" in str(result["diff"]["after"])


def test_check_mode_before_anything_exists(system: System) -> None:
    result = system.account.run(cutover.run, check_mode=True, **system.params(load_balancer="not-there", verified={}))
    assert "(known after apply)" in str(result["diff"]["after"])


@pytest.mark.parametrize(
    "verified",
    [
        pytest.param(lambda system: {}, id="nothing verified"),
        pytest.param(lambda system: {"load_balancer_arn": system.arns["shop"], "target_groups": {system.group: ["10.0.0.10:80"]}}, id="the other side"),
        pytest.param(lambda system: {"load_balancer_arn": system.arns["shop-fargate"], "target_groups": {}}, id="no target"),
        pytest.param(lambda system: {"load_balancer_arn": system.arns["shop-fargate"], "target_groups": {system.group: ["10.0.0.11:80"]}}, id="another target"),
    ],
)
def test_no_traffic_moves_without_proof_of_the_exact_targets(system: System, verified: t.Callable[[System], t.Any]) -> None:
    with pytest.raises(CutoverError, match="no traffic was moved"):
        system.account.run(cutover.run, **system.params(verified=verified(system)))
    assert system.account.calls == []


def test_a_target_that_joined_after_the_verification_stops_the_switch(system: System) -> None:
    params = system.params()
    system.account.client("elbv2").register_targets(TargetGroupArn=system.group, Targets=[{"Id": "10.0.0.99", "Port": 80}])
    with pytest.raises(CutoverError, match="changed after they were verified"):
        system.account.run(cutover.run, **params)
    assert system.account.calls == []


def test_a_record_that_somebody_pointed_elsewhere_is_not_overwritten(system: System) -> None:
    params = system.params()
    system.point("shop", "A", host="other-1.eu-west-1.elb.amazonaws.com.")
    with pytest.raises(CutoverError, match="neither of this system's load balancers"):
        system.account.run(cutover.run, **params)
    assert system.account.calls == []


def test_a_record_that_is_gone_stops_the_switch(system: System) -> None:
    params = system.params()
    record = system.records()[0]
    change = {"Action": "DELETE", "ResourceRecordSet": record}
    system.account.client("route53").change_resource_record_sets(HostedZoneId=system.zone, ChangeBatch={"Changes": [change]})
    with pytest.raises(CutoverError, match="is gone"):
        system.account.run(cutover.run, **params)


def test_killed_after_the_batch_the_next_run_only_notes_the_time(system: System) -> None:
    assert system.account.killed_after(1, cutover.run, **system.params())
    system.account.run(cutover.run, **system.params())
    assert system.account.calls == ["AddTags"]


def test_an_overlapping_change_of_the_zone_is_waited_for(system: System) -> None:
    system.account.refusals["ChangeResourceRecordSets"] = [("PriorRequestNotComplete", "busy")] * 3
    system.account.run(cutover.run, **system.params())
    assert all("shop-fargate" in alias for alias in system.aliases())


class Answers:
    """Route 53's authoritative servers, some seconds behind."""

    def __init__(self, *answers: list[str]) -> None:
        self.waiting = list(answers)

    def __call__(self, service: str) -> Answers:
        assert service == "route53"
        return self

    def test_dns_answer(self, **_asked: str) -> dict[str, t.Any]:
        return {"RecordData": self.waiting.pop(0) if len(self.waiting) > 1 else self.waiting[0], "Nameserver": "ns-1"}


def ask(account: Account, answers: Answers) -> dict[str, t.Any]:
    zone = cutover.Zone("Z1", "example.test.", False, (), ())
    params = {"wait_timeout": 20.0, "poll_seconds": 5.0, "load_balancer": "shop-fargate"}
    return cutover._ask_until(params, answers, zone, {"Name": NAME, "Type": "A"}, {"10.0.0.1", "10.0.0.2"}, 20.0, account.time.clock())  # type: ignore[arg-type]


def test_the_answer_is_waited_for(account: Account) -> None:
    assert ask(account, Answers(["10.9.9.9"], [], ["10.0.0.2"]))["answer"] == ["10.0.0.2"]


@pytest.mark.parametrize("answer", [["10.9.9.9"], [], ["10.0.0.1", "10.9.9.9"]])
def test_an_answer_that_stays_wrong_is_told(account: Account, answer: list[str]) -> None:
    with pytest.raises(CutoverError, match="still answers"):
        ask(account, Answers(answer))
