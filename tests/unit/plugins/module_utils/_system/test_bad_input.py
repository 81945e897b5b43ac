"""Bad input gets one clear line that names the variable, the value and what it should be."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import NO_CREDENTIALS, CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import perform
from ansible_collections.cutover.fargate.plugins.module_utils._system.system import run
from moto.backends import get_backend

from .conftest import ACCOUNT, FQDN, REGION, World


def refused(world: World, **params: object) -> str:
    with pytest.raises(CutoverError) as caught:
        world.read(**params)  # type: ignore[arg-type]
    assert "\n" not in caught.value.message
    assert "None" not in caught.value.message
    return caught.value.message


def test_no_hosted_zone(world: World) -> None:
    assert refused(world, fqdn="shop.exmple.org") == (
        "fargate_fqdn is shop.exmple.org, but account 123456789012 has no hosted zone for it. It should be the name users open. "
        "Nearest zones: example.test. Nothing was written."
    )


def test_no_record(world: World) -> None:
    assert refused(world, fqdn="shp.example.test") == (
        "fargate_fqdn is shp.example.test, but hosted zone example.test has no A, AAAA or CNAME record of that name. Nearest names: shop.example.test. Nothing was written."
    )


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"values": ["192.0.2.1", "192.0.2.2"]}, "is A 192.0.2.1, 192.0.2.2."),
        ({"kind": "CNAME", "values": ["shop.example.org"]}, "is a CNAME to shop.example.org, another host."),
        ({"host": "d111.cloudfront.net"}, "is an alias of d111.cloudfront.net, a CloudFront distribution."),
    ],
)
def test_not_an_alias_of_a_load_balancer(world: World, record: dict[str, object], told: str) -> None:
    world.unrecord(FQDN)
    world.record(FQDN, **record)  # type: ignore[arg-type]
    assert refused(world) == f"fargate_fqdn {FQDN} {told} It should be an alias of the system's Application Load Balancer. Nothing was written."


def test_classic_load_balancer(world: World) -> None:
    listener = {"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 80}
    world.client("elb").create_load_balancer(LoadBalancerName="old", Listeners=[listener], AvailabilityZones=[f"{REGION}a"])
    name = "old-123456.eu-west-1.elb.amazonaws.com"
    get_backend("elb")[ACCOUNT][REGION].load_balancers["old"].dns_name = name  # moto's own has neither number nor the right region
    world.record(FQDN, host=name)
    assert "the classic load balancer old. It should be" in refused(world)


def test_network_load_balancer(world: World) -> None:
    made = world.client("elbv2").create_load_balancer(Name="net", Type="network", Subnets=world.subnets)["LoadBalancers"][0]
    world.record(FQDN, host=made["DNSName"])
    assert "the network load balancer net. It should be" in refused(world)


def test_other_region(world: World) -> None:
    world.record(FQDN, host="shop-12345.us-east-1.elb.amazonaws.com")
    assert refused(world) == (
        "fargate_region is eu-west-1, but shop.example.test is an alias of shop-12345.us-east-1.elb.amazonaws.com, a load balancer in us-east-1. "
        "fargate_region should be us-east-1. Nothing was written."
    )


def test_no_service_behind_it(aws: World) -> None:
    aws.record(FQDN, host=aws.balancer("plain", "plain").dns_name)
    assert refused(aws) == (
        f"No ECS service registers tasks in the target groups of load balancer plain in account {ACCOUNT}. "
        "fargate_fqdn should be the name of a system that runs on ECS in this account. Nothing was written."
    )


def test_service_not_found(world: World) -> None:
    assert refused(world, services=["web", "wroker"]) == (
        "fargate_services names wroker, but cluster shop has no such service. It should be some of: web, worker. Nothing was written."
    )


def test_only_workers_named(world: World) -> None:
    assert refused(world, services=["worker"]) == (
        "fargate_services names only services without load balancer (worker). It should name what serves the FQDN too: web, worker. Nothing was written."
    )


def test_several_load_balancers(world: World) -> None:
    other = world.balancer("other", "other")
    world.unrecord(FQDN)
    for identifier, host in (("a", world.balancers["shop"].dns_name), ("b", other.dns_name)):
        world.record(FQDN, host=host, SetIdentifier=identifier, Weight=1)
    assert "leads to several load balancers: " in refused(world)


def test_target_of_another_system(world: World) -> None:
    world.record(FQDN, host=world.target().dns_name)
    assert refused(world, name="store") == (
        "Load balancer shop-fargate, which serves the FQDN, was made for system shop (tag cutover:system), but the inventory host is store. "
        "It should be called shop. Nothing was written."
    )


def test_other_account(world: World) -> None:
    params = {"name": "shop", "fqdn": FQDN, "account_id": "999999999999"}
    assert perform(run, params, Clients({"region": REGION}), False) == (
        {},
        f"fargate_account_id is 999999999999, but the credentials belong to account {ACCOUNT}. Nothing was written.",
    )
    assert world.calls == {}


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    assert perform(run, {"name": "shop", "fqdn": FQDN}, Clients({"region": REGION}), False) == ({}, NO_CREDENTIALS)
