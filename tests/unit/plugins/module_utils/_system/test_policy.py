"""Discovery by an identity that has the ready-made policy and nothing else, with IAM asked at each call."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._system import system as system_module
from botocore.exceptions import ClientError
from moto.core import set_initial_no_auth_action_count
from moto.iam.access_control import IAMRequestBase
from policies.documents import path

from .conftest import FQDN, IAM_NAMES, REGION, World

pytestmark = pytest.mark.account


@pytest.fixture(autouse=True)
def aws_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto names some services as they are signed, where IAM has a name of its own, and cannot check the signature of a path that it decodes."""
    permitted = IAMRequestBase.check_action_permitted

    def check(request: IAMRequestBase, resource: str) -> None:
        service, _colon, operation = request._action.partition(":")
        request._action = f"{IAM_NAMES.get(service, service)}:{operation}"
        permitted(request, resource)

    monkeypatch.setattr(IAMRequestBase, "check_action_permitted", check)
    monkeypatch.setattr(IAMRequestBase, "check_signature", lambda _request: None)


def identity(world: World, document: str) -> Clients:
    """A new user with this one policy."""
    iam = world.client("iam")
    iam.create_user(UserName="planner")
    iam.put_user_policy(UserName="planner", PolicyName="plan", PolicyDocument=document)
    key = iam.create_access_key(UserName="planner")["AccessKey"]
    return Clients({"region": REGION, "access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]})


@set_initial_no_auth_action_count(0)
def discovered(clients: Clients) -> dict[str, t.Any]:
    return dict(system_module.run({"name": "shop", "fqdn": FQDN}, clients, False)["system"])


@set_initial_no_auth_action_count(0)
def refused(clients: Clients) -> int:
    with pytest.raises(ClientError) as caught:
        clients("ecs").create_cluster(clusterName="x")
    return int(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


def test_with_the_policy_of_plan_all_is_read_and_nothing_can_be_written(world: World) -> None:
    world.target()
    everything = world.system()
    clients = identity(world, path("plan").read_text())
    assert discovered(clients) == everything
    assert everything["problems"] == []
    assert refused(clients) == 403


def test_without_one_of_its_actions_something_is_missing(world: World) -> None:
    document = json.loads(path("plan").read_text())
    document["Statement"][0]["Action"].remove("rds:DescribeDBInstances")
    (problem,) = [each for each in discovered(identity(world, json.dumps(document)))["problems"] if each["path"] == "source.security_groups.admitting"]
    assert problem["id"] == "not-readable"
