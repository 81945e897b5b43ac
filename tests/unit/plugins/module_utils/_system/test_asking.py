"""How discovery asks: reading calls only, all of them on the permissions page, few of them, again when throttled, and content with what it may read."""

from __future__ import annotations

import io
import json
import random
import re
import threading
import time
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._system.other_clusters import CLUSTERS_LISTED, DESCRIPTIONS
from ansible_collections.cutover.fargate.plugins.module_utils._system.read import REQUESTS
from botocore.awsrequest import AWSResponse
from policies.calls import BESIDE

from .conftest import ACCOUNT, ACTIONS, FQDN, IAM_NAMES, INTERCEPT, SharedClients, World, registered, stops

pytestmark = pytest.mark.account

ROOT = Path(__file__).parents[5]
READS = re.compile(r"[a-z0-9-]+:(Describe|List|Get|BatchGet)[A-Za-z0-9]+")
ASKED = re.compile(r'read\.(?:one|all|batches)\(\s*"([a-z0-9-]+)",\s*"([a-z0-9_]+)"')
THROTTLED = {
    "ecs": b'{"__type": "ThrottlingException", "message": "Rate exceeded"}',
    "elastic-load-balancing-v2": b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>",
    "ec2": b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Rate exceeded</Message></Error></Errors></Response>",
}
DENIED = {
    "json": b'{"__type": "AccessDeniedException", "message": "not authorized"}',
    "xml": b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>",
}


class Raw(io.BytesIO):
    def stream(self, **_more: object) -> t.Iterator[bytes]:
        yield self.read()


def refusal(status: int, body: bytes) -> AWSResponse:
    return AWSResponse("https://aws.test", status, {"x-amzn-errortype": "AccessDeniedException"} if status == 403 else {}, Raw(body))


@pytest.fixture
def intercept() -> t.Iterator[list[t.Any]]:
    yield INTERCEPT
    INTERCEPT.clear()


def on_the_page() -> set[str]:
    page = (ROOT / "docs/guide/permissions.md").read_text().partition("## What discovery reads")[2]
    return set(re.findall(r"`([a-z0-9-]+:[A-Za-z0-9]+)`", page))


def action(service: str, operation: str) -> str:
    client = SharedClients()(service)
    signing = client.meta.service_model.signing_name
    return f"{IAM_NAMES.get(signing, signing)}:{client.meta.method_to_api_mapping[operation]}"


def test_permissions_page_lists_every_call_that_discovery_can_make(world: World) -> None:
    sources = (ROOT / "plugins/module_utils/_system").glob("*.py")
    able = {action(*asked) for source in sources for asked in ASKED.findall(source.read_text())} | {"sts:GetCallerIdentity"}
    assert on_the_page() == able | {beside for name in able for beside in BESIDE.get(name, ())}
    world.target()
    world.system()
    assert able.issuperset(ACTIONS)


def test_an_identity_that_may_only_read_is_enough(world: World, intercept: list[t.Any]) -> None:
    """Whatever is not a read is refused, as an identity with these rights only would be."""
    refused = []

    def guard(event: str) -> AWSResponse | None:
        if READS.fullmatch(event.replace(".", ":")):
            return None
        refused.append(event)
        return refusal(403, DENIED["json"])

    world.target()
    intercept.append(guard)
    assert world.system()["problems"] == []
    assert refused == []
    assert all(READS.fullmatch(name) for name in on_the_page())


def test_calls_do_not_grow_with_the_account(world: World) -> None:
    """150 unrelated of each kind cross the page sizes of AWS.

    More pages only where AWS has no filter: record sets of the FQDN's zone, alarms, schedules. Services of other clusters are looked at within a bound.
    """
    world.system()
    alone = world.calls
    ecs, logs, events, scheduler, route53 = (world.client(name) for name in ("ecs", "logs", "events", "scheduler", "route53"))
    ecs.create_cluster(clusterName="other")
    for index in range(150):
        ecs.create_cluster(clusterName=f"other-{index}")
        world.target_group(f"other-{index}")
        world.service("other", f"other-{index}")
        logs.create_log_group(logGroupName=f"/ecs/other-{index}")
        ecs.register_task_definition(family=f"other-{index}", containerDefinitions=[{"name": "web", "image": "nginx", "memory": 64}])
        events.put_rule(Name=f"other-{index}", ScheduleExpression="rate(1 day)")
        scheduler.create_schedule(
            Name=f"other-{index}", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": "arn:aws:sqs:eu-west-1:1:q", "RoleArn": "arn:aws:iam::1:role/x"}
        )  # fmt: skip
    changes = [
        {"Action": "UPSERT", "ResourceRecordSet": {"Name": f"other-{index}.example.test", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}}
        for index in range(350)
    ]
    route53.change_resource_record_sets(HostedZoneId=world.zone, ChangeBatch={"Changes": changes})
    world.system()
    more = {name: world.calls[name] - alone[name] for name in world.calls if world.calls[name] != alone[name]}
    assert more.pop("ListServices") == CLUSTERS_LISTED
    assert more.pop("DescribeServices") <= DESCRIPTIONS
    assert set(more) == {"ListResourceRecordSets", "ListSchedules"}
    assert sum(more.values()) <= 6
    assert not {"ListHostedZones", "ListTaskDefinitions"} & set(world.calls)


def test_throttling_is_waited_for_with_jitter(world: World, intercept: list[t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.system()
    seen: Counter[str] = Counter()
    slept: list[float] = []

    def throttle(event: str) -> AWSResponse | None:
        seen[event] += 1
        body = THROTTLED.get(event.partition(".")[0])
        return refusal(400, body) if body and seen[event] <= 2 else None

    monkeypatch.setattr("botocore.endpoint.time.sleep", slept.append)
    intercept.append(throttle)
    assert world.system() == before
    assert seen["ecs.DescribeServices"] >= 3
    assert seen["elastic-load-balancing-v2.DescribeRules"] >= 3
    assert seen["ec2.DescribeSubnets"] >= 3
    assert len(set(slept)) > len(slept) // 2


def test_independent_reads_are_under_way_together_within_a_bound(world: World, intercept: list[t.Any]) -> None:
    """Read one after the other, or a chain of them, there would never be more than a few."""
    lock, under_way, most = threading.Lock(), 0, 0

    def slow(_event: str) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.05)
        with lock:
            under_way -= 1

    world.target()
    intercept.append(slow)
    world.system()
    assert REQUESTS // 2 < most <= REQUESTS


def test_the_order_of_answers_does_not_matter(world: World, intercept: list[t.Any]) -> None:
    world.target()
    world.record("www.example.test", kind="CNAME", values=[FQDN])
    chance = random.Random(1)

    def late(_event: str) -> None:
        time.sleep(chance.random() / 100)

    first = world.system()
    intercept.append(late)
    assert world.system() == first


@pytest.mark.parametrize("operation", ["GetService", "GetNamespace", "ListTagsForResource"])
def test_a_registry_that_may_not_be_read_stops_the_migration(world: World, intercept: list[t.Any], operation: str) -> None:
    name = registered(world).rpartition("/")[2]
    intercept.append(lambda event: refusal(403, DENIED["json"]) if event == f"servicediscovery.{operation}" else None)
    system = world.system()
    assert [(problem["id"], problem["path"]) for problem in system["problems"]] == [("not-readable", f"source.registries[{name}]")]
    assert system["source"]["registries"] == []
    assert "FG-SERVICE-DISCOVERY" in stops(system)


@pytest.mark.parametrize("value", ["blocking", "non-blocking"])
def test_the_account_says_how_logs_are_delivered(world: World, intercept: list[t.Any], value: str) -> None:
    """moto knows the call and not the setting; a region that doesn't know it refuses it as moto does."""
    assert (world.system()["account_settings"], world.calls["ListAccountSettings"]) == ({"defaultLogDriverMode": None}, 1)
    body = json.dumps({"settings": [{"name": "defaultLogDriverMode", "value": value, "principalArn": f"arn:aws:iam::{ACCOUNT}:root"}]}).encode()
    intercept.append(lambda event: AWSResponse("https://aws.test", 200, {}, Raw(body)) if event == "ecs.ListAccountSettings" else None)
    system = world.system()
    assert (system["account_settings"], system["problems"]) == ({"defaultLogDriverMode": value}, [])


@pytest.mark.parametrize(
    ("denied", "path"),
    [
        ("eventbridge.ListRuleNamesByTarget", "source.scheduled_tasks"),
        ("scheduler.ListSchedules", "source.scheduled_tasks"),
        ("service-quotas.GetServiceQuota", "quotas.fargate_vcpu"),
        ("ecs.ListAccountSettings", "account_settings.defaultLogDriverMode"),
        ("wafv2.GetWebACLForResource", "source.load_balancer.WebAclArn"),
        ("rds.DescribeDBParameters", "source.databases"),
        ("rds.DescribeDBInstances", "source.security_groups.admitting"),
        ("cloudwatch.DescribeAlarms", "alarms"),
        ("ecs.ListClusters", "source.target_groups"),
        ("ecr.DescribeImages", "source.repositories"),
        ("ecr.DescribeRepositories", "source.repositories"),
        ("cloudwatch-logs.DescribeLogGroups", "source.log_groups"),
        ("ec2.DescribeNetworkAcls", "source.network_acls"),
        ("ec2.DescribeVpcAttribute", "source.vpc_dns"),
        ("ec2.DescribeVpcEndpoints", "source.vpc_endpoints"),
    ],
)
def test_what_may_not_be_read_is_a_problem(world: World, intercept: list[t.Any], denied: str, path: str) -> None:
    """And not called missing."""

    def deny(event: str) -> AWSResponse | None:
        if event != denied:
            return None
        if event.startswith("ec2."):
            return refusal(403, b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>not authorized</Message></Error></Errors></Response>")
        return refusal(403, DENIED["xml" if event.startswith("rds.") else "json"])

    intercept.append(deny)
    system = world.system()
    told = [problem["path"] for problem in system["problems"] if problem["id"] == "not-readable"]
    assert path in told
    assert [problem["id"] for problem in system["problems"] if problem["id"].endswith("-missing")] == []
    assert set(system["source"]) >= {"services", "scheduled_tasks", "databases", "alarms", "network_acls"}
