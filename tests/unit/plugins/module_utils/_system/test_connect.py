"""Who is in the namespaces of a side: asked only where Service Connect is used, by name or by ARN."""

from __future__ import annotations

import io
import json
import typing as t
from collections.abc import Iterator

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._system import connect
from ansible_collections.cutover.fargate.plugins.module_utils._system.read import Reader
from botocore.awsrequest import AWSResponse
from moto.core import responses
from moto.ecs.responses import EC2ContainerServiceResponse

from .conftest import CALLS, INTERCEPT, SharedClients, World

MEMBERS = ["arn:aws:ecs:eu-west-1:123456789012:service/shop/worker", "arn:aws:ecs:eu-west-1:123456789012:service/shop/web"]


class Raw(io.BytesIO):
    def stream(self, **_more: object) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto has no ListServicesByNamespace. What it has is looked up once (``tests/unit/conftest.py``), so it has to look again."""
    monkeypatch.setattr(EC2ContainerServiceResponse, "list_services_by_namespace", lambda _self: json.dumps({"serviceArns": MEMBERS}), raising=False)
    responses.method_names_from_class.cache_clear()
    yield
    INTERCEPT.clear()
    responses.method_names_from_class.cache_clear()


def service(**configuration: t.Any) -> dict[str, t.Any]:
    return {"deployments": [{"status": "ACTIVE"}, {"status": "PRIMARY", "serviceConnectConfiguration": configuration}]}


def namespace(aws: World) -> dict[str, t.Any]:
    aws.client("servicediscovery").create_http_namespace(Name="other")
    aws.client("servicediscovery").create_http_namespace(Name="shop")
    return t.cast("dict[str, t.Any]", next(item for item in aws.client("servicediscovery").list_namespaces()["Namespaces"] if item["Name"] == "shop"))


def read(cluster: dict[str, t.Any] | None, *services: dict[str, t.Any]) -> tuple[list[dict[str, t.Any]], list[str]]:
    CALLS.clear()
    reader = Reader(SharedClients())
    return connect.read_namespaces(reader, cluster, services, "source"), [problem["id"] for problem in reader.problems]


@pytest.mark.parametrize("how", ["Name", "Arn", "default"])
def test_by_name_by_arn_and_as_the_clusters_default(aws: World, listed: None, how: str) -> None:
    made = namespace(aws)
    cluster = {"serviceConnectDefaults": {"namespace": made["Arn"]}} if how == "default" else {}
    given = {} if how == "default" else {"namespace": made[how]}
    found, problems = read(cluster, service(enabled=True, **given), service(enabled=True, **given))
    assert found == [{"Name": "shop", "Id": made["Id"], "Arn": made["Arn"], "services": sorted(MEMBERS)}]
    assert (problems, CALLS["ListServicesByNamespace"]) == ([], 1)


def test_the_same_one_by_both_is_one(aws: World, listed: None) -> None:
    made = namespace(aws)
    assert len(read(None, service(enabled=True, namespace="shop"), service(enabled=True, namespace=made["Arn"]))[0]) == 1


def test_nothing_is_asked_where_nobody_uses_it(aws: World) -> None:
    made = namespace(aws)
    assert read({"serviceConnectDefaults": {"namespace": made["Arn"]}}, service(enabled=False, namespace="shop"), {}) == ([], [])
    assert not CALLS


def test_one_that_is_gone_is_left_out(aws: World) -> None:
    assert read(None, service(enabled=True, namespace="gone")) == ([], [])
    arn = "arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-gone"
    assert read(None, service(enabled=True, namespace=arn)) == ([], [])


def test_who_may_not_list_is_told_and_nobody_is_assumed_alone(aws: World, listed: None) -> None:
    namespace(aws)
    denied = b'{"__type": "AccessDeniedException", "message": "not authorized"}'
    INTERCEPT.append(lambda event: AWSResponse("https://aws.test", 400, {}, Raw(denied)) if event == "ecs.ListServicesByNamespace" else None)
    (found,), problems = read(None, service(enabled=True, namespace="shop"))
    assert (found["services"], problems) == (None, ["not-readable"])
