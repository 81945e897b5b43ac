"""An AWS account in moto for the modules that build the target: every mutating call is recorded, and a run can be killed after any of them."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.apply import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.acm.models import acm_backends
from moto.core.utils import camelcase_to_underscores
from moto.ecs.models import ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse

REGION = "eu-west-1"
ACCOUNT = "123456789012"
SYSTEM = {"cutover:system": "shop"}
READS = ("Describe", "List", "Get")
KEPT_BY_AWS = ("deploymentConfiguration", "healthCheckGracePeriodSeconds", "enableExecuteCommand", "enableECSManagedTags", "availabilityZoneRebalancing")

MADE_CERTIFICATES: dict[str, t.Any] = {}

Work = Callable[..., dict[str, t.Any]]


class Killed(BaseException):
    """The process dies: nothing may catch it."""


@dataclass
class FakeClock:
    """Time passes only when somebody sleeps."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        return Clock(sleep=self._sleep, now=lambda: self.time)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@dataclass
class Account:
    vpc: str = ""
    subnets: list[str] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    """Mutating operations, in order."""
    parameters: list[dict[str, t.Any]] = field(default_factory=list)
    kill_after: int | None = None
    refusals: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Operation -> (code, message) that AWS answers instead, one each time."""
    time: FakeClock = field(default_factory=FakeClock)
    running: bool = False

    @property
    def certificates(self) -> list[str]:
        """Two certificates in ACM. Their keys take longer to make than a test to run, so they are made once and put into each test's account."""
        if not MADE_CERTIFICATES:
            for name in ("shop.example.test", "www.example.test"):
                self.client("acm").request_certificate(DomainName=name)
            MADE_CERTIFICATES.update(acm_backends[ACCOUNT][REGION]._certificates)
        acm_backends[ACCOUNT][REGION]._certificates.update(MADE_CERTIFICATES)
        return list(MADE_CERTIFICATES)

    def client(self, service: str) -> t.Any:
        """For the test's own use: what is called outside of a run is not recorded."""
        return shared_clients()(service)

    def run(self, work: Work, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        """One run of a module."""
        self.calls.clear()
        self.parameters.clear()
        self.running = True
        try:
            return work({"wait_timeout": 60.0, "poll_seconds": 5.0, **params}, shared_clients(), check_mode, clock=self.time.clock())
        finally:
            self.running = False

    def killed_after(self, count: int, work: Work, **params: t.Any) -> bool:
        """A run that dies after its ``count``-th mutating call; False when it made fewer and ended well."""
        self.kill_after = count
        try:
            self.run(work, **params)
        except Killed:
            return True
        finally:
            self.kill_after = None
        return False

    def before(self, operation: str, params: dict[str, t.Any]) -> None:
        waiting = self.refusals.get(operation)
        if waiting:
            code, message = waiting.pop(0)
            raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
        if not operation.startswith(READS):
            self.calls.append(operation)
            self.parameters.append(params)

    def after(self, operation: str) -> None:
        if self.kill_after is not None and not operation.startswith(READS) and len(self.calls) == self.kill_after:
            raise Killed


CURRENT: list[Account] = []
"""The account of the test that runs."""


@functools.cache
def shared_clients() -> Clients:
    """Clients take most of a test's time to make, so all tests share them; moto answers whoever asks."""
    clients = Clients({"region": REGION})
    events = clients.session().events
    events.register("provide-client-params", lambda params, model, **_more: CURRENT[-1].before(model.name, params) if CURRENT[-1].running else None)
    events.register("after-call", lambda model, **_more: CURRENT[-1].after(model.name) if CURRENT[-1].running else None)
    return clients


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_DEFAULT_REGION", REGION)):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # a second a test
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    keep_what_aws_keeps(monkeypatch)
    with mock_aws():
        CURRENT.append(Account())
        yield build(CURRENT[-1])
        CURRENT.pop()


def build(made: Account) -> Account:
    """A VPC with three subnets, the groups of a load balancer and of a database."""
    ec2 = made.client("ec2")
    made.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for number, zone in enumerate("abc"):
        subnet = ec2.create_subnet(VpcId=made.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        made.subnets.append(subnet["Subnet"]["SubnetId"])
    for name in ("alb", "db"):
        made.groups[name] = ec2.create_security_group(GroupName=name, Description=name, VpcId=made.vpc)["GroupId"]
    return made


def keep_what_aws_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto drops members of CreateService that AWS gives back."""
    create = EC2ContainerServiceResponse.create_service

    def create_service(self: t.Any) -> t.Any:
        answer = create(self)
        service = ecs_backends[ACCOUNT][REGION].services[f"{self._get_param('cluster')}:{self._get_param('serviceName')}"]
        for member in KEPT_BY_AWS:
            if (value := self._get_param(member)) is not None:
                setattr(service, camelcase_to_underscores(member), value)
        return answer

    monkeypatch.setattr(EC2ContainerServiceResponse, "create_service", create_service)
