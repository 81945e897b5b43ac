from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography import x509
from lab.aws.server import AwsServer
from lab.settings import Settings
from lab.source import build, recording, tls


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    server = AwsServer(Settings(), port=0)
    server.start()
    yield server
    server.stop()


def client(aws: AwsServer, service: str) -> Any:
    return boto3.client(service, endpoint_url=aws.url, region_name="eu-west-1", aws_access_key_id="AKIATESTTESTTESTTEST", aws_secret_access_key="test")


def make(aws: AwsServer) -> None:
    """A chain in which every call needs the ids of the calls before."""
    ec2, elb = client(aws, "ec2"), client(aws, "elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"eu-west-1{z}")["Subnet"]["SubnetId"] for n, z in enumerate("ab")]
    ec2.describe_subnets()  # reads take part in nothing
    group = elb.create_target_group(Name="shop", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    client(aws, "route53").create_hosted_zone(Name="example.test", CallerReference="1")


def seen(aws: AwsServer) -> Any:
    elb = client(aws, "elbv2")
    balancers = [{key: item[key] for key in ("LoadBalancerArn", "DNSName", "VpcId")} for item in elb.describe_load_balancers()["LoadBalancers"]]
    listeners = [item["ListenerArn"] for item in elb.describe_listeners(LoadBalancerArn=balancers[0]["LoadBalancerArn"])["Listeners"]]
    return balancers, listeners, [zone["Id"] for zone in client(aws, "route53").list_hosted_zones()["HostedZones"]]


def test_replay_makes_the_same_things_with_the_same_ids(aws: AwsServer, tmp_path: Path) -> None:
    with recording.record(aws) as calls:
        make(aws)
    before = seen(aws)
    recording.save(tmp_path / "r.json", calls)
    aws.stop()
    aws.start()
    recording.replay(aws, recording.load(tmp_path / "r.json") or [])
    assert seen(aws) == before
    assert len(calls) == 7


def test_recording_of_another_emulator_is_told(aws: AwsServer) -> None:
    with recording.record(aws) as calls:
        client(aws, "ecs").create_cluster(clusterName="a")
        client(aws, "ecs").delete_cluster(cluster="a")
    with pytest.raises(recording.ReplayError, match="ClusterNotFoundException"):
        recording.replay(aws, [calls[1] | {"body": "eyJjbHVzdGVyIjogImFic2VudCJ9"}])


def test_recording_that_no_longer_fits_is_made_again(aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTOVER_LAB_CACHE", str(tmp_path))
    monkeypatch.setattr(Settings, "run_dir", tmp_path / "run")
    monkeypatch.setattr(build, "run_playbook", lambda *_: client(aws, "ecs").create_cluster(clusterName="by-playbook"))
    settings, said = Settings(), []
    build.create(settings, aws, said.append)
    aws.reset()
    build.create(settings, aws, said.append)
    assert list(aws.backend("ecs").clusters) == ["by-playbook"]
    path = next((tmp_path / "source").glob("recording-*.json"))
    calls = recording.load(path) or []
    recording.save(path, [*calls, {**calls[0], "HTTP_X_AMZ_TARGET": calls[0]["HTTP_X_AMZ_TARGET"].replace("Create", "Delete"), "body": "e30="}])
    aws.reset()
    build.create(settings, aws, said.append)
    assert any("no longer fits" in text for text in said)
    assert build.ca_file(settings).exists()


def test_ids_are_random_again_after_a_recording(aws: AwsServer) -> None:
    made = set()
    for _ in range(2):
        with recording.record(aws):
            pass
        made.add(client(aws, "ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])
    assert len(made) == 2


def test_missing_recording_is_none(tmp_path: Path) -> None:
    assert recording.load(tmp_path / "absent.json") is None


def test_certificate_is_for_the_name_and_stays(tmp_path: Path) -> None:
    folder = tls.ensure(tmp_path / "tls", "shop.example.test")
    first = (folder / "certificate.pem").read_bytes()
    certificate = x509.load_pem_x509_certificate(first)
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == ["shop.example.test"]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()))
    assert tls.ensure(tmp_path / "tls", "shop.example.test") == folder
    assert (folder / "certificate.pem").read_bytes() == first
    assert (folder / "private-key.pem").stat().st_mode & 0o077 == 0
