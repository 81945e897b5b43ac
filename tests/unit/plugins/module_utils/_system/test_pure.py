"""What names, user data, routes, images and alarms say."""

from __future__ import annotations

import base64
import datetime
import gzip
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._system import versions
from ansible_collections.cutover.fargate.plugins.module_utils._system.artefacts import dimensions, ecr_image
from ansible_collections.cutover.fargate.plugins.module_utils._system.hostnames import balancer, bare, covers, kind, nearest, normal, suffixes
from ansible_collections.cutover.fargate.plugins.module_utils._system.network import default_route, interface_user
from ansible_collections.cutover.fargate.plugins.module_utils._system.read import ClientError, Reader, chunks, each, plain, together, unique
from ansible_collections.cutover.fargate.plugins.module_utils._system.services import cluster_in_user_data, in_force

MSK = "arn:aws:kafka:eu-west-1:123456789012:cluster/events/1b7d4a9c-0000-4000-8000-123456789012-2"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop-12345.eu-west-1.elb.amazonaws.com", ("shop", "eu-west-1", False)),
        ("dualstack.internal-my-shop-12345.ap-southeast-2.elb.amazonaws.com.", ("my-shop", "ap-southeast-2", False)),
        ("shop-12345.cn-north-1.elb.amazonaws.com.cn", ("shop", "cn-north-1", False)),
        ("shop-12345.us-gov-west-1.elb.amazonaws.com", ("shop", "us-gov-west-1", False)),
        ("net-0123456789abcdef.elb.eu-west-1.amazonaws.com", ("net", "eu-west-1", True)),
        ("d111.cloudfront.net", None),
        ("shop.example.test", None),
    ],
)
def test_load_balancer_by_its_dns_name(name: str, expected: tuple[str, str, bool] | None) -> None:
    assert balancer(name) == expected


def test_names_compare_equal() -> None:
    assert normal("\\052.Example.TEST.") == "*.example.test"
    assert bare("DualStack.Shop-1.eu-west-1.elb.amazonaws.com.") == "shop-1.eu-west-1.elb.amazonaws.com"
    assert suffixes("a.b.c.") == ["a.b.c", "b.c", "c"]
    assert kind("x.s3-website-eu-west-1.amazonaws.com") == "an S3 website"
    assert nearest("shp.example.test", ["mail.example.org", "shop.example.test"])[0] == "shop.example.test"


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [("*.example.test", "Shop.example.test", True), ("shop?.example.test", "shop.example.test", False), ("sho[p].example.test", "shop.example.test", False)],
)
def test_host_header_condition(pattern: str, host: str, expected: bool) -> None:
    assert covers(pattern, host) is expected


@pytest.mark.parametrize(
    ("text", "cluster"),
    [
        ("#!/bin/bash\necho ECS_CLUSTER=shop >> /etc/ecs/ecs.config", "shop"),
        ("cat <<EOF > /etc/ecs/ecs.config\nECS_CLUSTER='shop-2'\nEOF", "shop-2"),
        ('[settings.ecs]\ncluster = "shop"\n', "shop"),
        ("<powershell>Initialize-ECSAgent -Cluster shop -EnableTaskIAMRole</powershell>", "shop"),
        ("#!/bin/bash\nyum update -y", None),
    ],
)
def test_cluster_in_user_data(text: str, cluster: str | None) -> None:
    assert cluster_in_user_data(encoded(text)) == cluster
    assert cluster_in_user_data(base64.b64encode(gzip.compress(text.encode())).decode()) == cluster


def test_user_data_that_is_none() -> None:
    assert [cluster_in_user_data(text) for text in (None, "", "%%%", encoded("\x1f\x8b"))] == [None, None, None, None]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}, "igw"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}, "nat"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"}, "other"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "blackhole"}, "none"),
        ({"DestinationCidrBlock": "10.0.0.0/8", "GatewayId": "local"}, "none"),
    ],
)
def test_default_route(route: dict[str, str], expected: str) -> None:
    own = {"Associations": [{"SubnetId": "subnet-1"}], "Routes": [route]}
    main = {"Associations": [{"Main": True}], "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-main"}]}
    assert default_route("subnet-1", [main, own]) == expected
    assert default_route("subnet-2", [main, own]) == "igw"


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ({"Attachment": {"InstanceId": "i-1"}, "Description": "x"}, ("instance", "i-1")),
        ({"Description": "RDSNetworkInterface", "NetworkInterfaceId": "eni-1"}, ("rds", "eni-1")),
        ({"Description": "ElastiCache shop-001"}, ("elasticache", "shop-001")),
        ({"Description": "Network interface for DBProxy shop"}, ("rds_proxy", "shop")),
        ({"Description": "ELB app/shop/50dc6c495c0c9188"}, ("load_balancer", "shop")),
        ({"Description": "ELB net/shop/50dc6c495c0c9188"}, ("load_balancer", "shop")),
        ({"Description": "EFS mount target for fs-0123 (fsmt-1)"}, ("efs", "fs-0123")),
        ({"Description": "Mount target fsmt-0aaa for file system fs-0123"}, ("efs", "fs-0123")),
        ({"Description": "VPC Endpoint Interface vpce-0123"}, ("endpoint", "vpce-0123")),
        ({"Description": "AWS Lambda VPC ENI-resize-1b7d4a9c-0000-4000-8000-123456789012"}, ("lambda", "resize")),
        ({"Description": "ES shop-search"}, ("opensearch", "shop-search")),
        ({"Description": "Amazon MQ network interface for broker b-03a68f4f-b3f4"}, ("mq", "b-03a68f4f-b3f4")),
        ({"Description": f"DO NOT DELETE - Amazon MSK network interface for cluster {MSK}."}, ("msk", "events")),
        ({"Description": "AWS created network interface for directory d-9067123"}, ("directory", "d-9067123")),
        ({"Description": "by hand", "InterfaceType": "interface", "NetworkInterfaceId": "eni-1"}, ("interface", "eni-1")),
        ({"Description": "", "InterfaceType": "branch", "NetworkInterfaceId": "eni-1"}, ("branch", "eni-1")),
    ],
)
def test_who_uses_an_interface(interface: dict[str, t.Any], expected: tuple[str, str]) -> None:
    assert interface_user(interface) == expected


def test_image_of_ecr() -> None:
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    tagged, pinned, plain_image = ecr_image(f"{host}/shop/nginx:v1"), ecr_image(f"{host}/shop/nginx:v1@sha256:ab"), ecr_image(f"{host}/shop/nginx")
    assert tagged is not None
    assert pinned is not None
    assert plain_image is not None
    assert (tagged.repository, tagged.identifier) == ("shop/nginx", {"imageTag": "v1"})
    assert (pinned.identifier, plain_image.identifier) == ({"imageDigest": "sha256:ab"}, {"imageTag": "latest"})
    assert ecr_image("nginx:1.27") is None


def test_dimensions_of_a_metric_math_alarm() -> None:
    metric = {"MetricStat": {"Metric": {"Dimensions": [{"Name": "LoadBalancer", "Value": "app/shop/1"}]}}}
    assert {"LoadBalancer": "app/shop/1"} in dimensions({"Metrics": [{"Expression": "m1*2"}, metric]})


def test_plain() -> None:
    moment = datetime.datetime(2026, 11, 22, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    assert plain({"at": moment, "ResponseMetadata": {}, "list": [moment]}) == {"at": "2026-11-22T12:00:00Z", "list": ["2026-11-22T12:00:00Z"]}


def test_helpers_keep_order() -> None:
    assert each(lambda number: number * 2, range(40)) == [number * 2 for number in range(40)]
    assert together(a=lambda: 1, b=lambda: 2) == {"a": 1, "b": 2}
    assert chunks([1, 2, 3], 2) == [[1, 2], [3]]
    assert unique(["b", "", "a", "b"]) == ["b", "a"]


class TestReader:
    def refuse(self, code: str) -> t.Callable[[], t.Any]:
        def ask() -> t.Any:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeAlarms")

        return ask

    def test_what_may_not_be_read_is_a_problem(self) -> None:
        read = Reader(Clients({}))
        assert read.optional("alarms", [], self.refuse("AccessDenied")) == []
        assert read.problems == [{"id": "not-readable", "path": "alarms", "message": "AWS refused DescribeAlarms: AccessDenied: no"}]

    def test_what_does_not_exist_is_no_problem(self) -> None:
        read = Reader(Clients({}))
        assert read.optional("alarms", [], self.refuse("Gone"), absent=["Gone"]) == []
        assert read.problems == []

    def test_all_else_is_an_error(self) -> None:
        with pytest.raises(ClientError):
            Reader(Clients({})).optional("alarms", [], self.refuse("InternalFailure"))

    def test_a_list_that_both_sides_need_is_asked_for_once(self) -> None:
        read, asked = Reader(Clients({})), []
        assert each(lambda _side: read.once("alarms", lambda: asked.append(1) or ["x"]), range(8)) == [["x"]] * 8
        assert asked == [1]


def test_old_versions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert versions.check()["boto3"]
    monkeypatch.setattr("boto3.__version__", "1.20.9")
    with pytest.raises(CutoverError, match=r"boto3 1\.20\.9 is installed; it should be 1\.34\.0 or newer \(pip install -U boto3\)"):
        versions.check()


def test_versions_compare_as_numbers() -> None:
    assert [versions.older(found, "10.0.0") for found in ("9.5.2", "10.1.2", "10.0.0", "")] == [True, False, False, False]


def test_the_primary_task_set_says_what_a_service_runs() -> None:
    """The green side took over: task definition and target group are those of the task set, the rest stays the service's."""
    blue, green = [{"targetGroupArn": "blue"}], [{"targetGroupArn": "green"}]
    service = {"serviceName": "web", "desiredCount": 2, "taskDefinition": "shop:1", "loadBalancers": blue, "launchType": "EC2"}
    sets = [{"status": "ACTIVE", "taskDefinition": "shop:1", "loadBalancers": blue}, {"status": "PRIMARY", "taskDefinition": "shop:2", "loadBalancers": green}]
    told = in_force({**service, "taskSets": sets})
    assert told == {**service, "taskSets": sets, "taskDefinition": "shop:2", "loadBalancers": green}


@pytest.mark.parametrize("sets", [None, [], [{"status": "ACTIVE", "taskDefinition": "shop:2"}]], ids=["no member", "none", "none is primary"])
def test_without_a_primary_task_set_the_service_says_it(sets: t.Any) -> None:
    service = {"serviceName": "web", "taskDefinition": "shop:1", "taskSets": sets}
    assert in_force(service) == service
