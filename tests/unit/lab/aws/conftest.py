"""One lab API for all tests of this folder, in this process, on a free port. Every test uses names of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from lab.aws.server import AwsServer
from lab.settings import Settings

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def running() -> Iterator[AwsServer]:
    server = AwsServer(Settings(), port=0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def aws(running: AwsServer) -> Iterator[AwsServer]:
    yield running
    running.faults.clear()


@pytest.fixture(scope="session")
def client(running: AwsServer) -> Callable[..., Any]:
    """``client("ecs")``: a boto3 client that does not retry."""
    made: dict[str, Any] = {}

    def get(service: str, **config: Any) -> Any:
        if service not in made or config:
            made[service] = boto3.client(
                service,
                endpoint_url=running.url,
                region_name="eu-west-1",
                aws_access_key_id="AKIATESTTESTTESTTEST",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, **config),
            )
        return made[service]

    return get


@pytest.fixture
def name() -> str:
    return f"t{next(NUMBERS)}"


@dataclass(frozen=True)
class Vpc:
    id: str
    subnets: list[str]
    group: str


@pytest.fixture
def vpc(client: Callable[..., Any], name: str) -> Vpc:
    ec2 = client("ec2")
    identity = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=identity, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    return Vpc(identity, subnets, ec2.create_security_group(GroupName=name, Description=name, VpcId=identity)["GroupId"])


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """(code, message) of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def refuse() -> Callable[..., tuple[str, str]]:
    return refused
