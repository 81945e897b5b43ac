"""With something broken, `migrate` stops before DNS, names the cause and the evidence, and goes on once it is mended."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .harness import Lab, assert_unharmed

FAULTS = [
    pytest.param(["sg-rule"], ["does not admit", "3306", "shop"], id="no rule to RDS"),
    pytest.param(["old-conf"], ["host not found in upstream"], id="old conf"),
    pytest.param(["image-tag"], ["CannotPullContainerError"], id="no such image tag"),
    pytest.param(["app-500"], ["500"], id="application 500"),
]

# On the way to a verdict, these must not stop the migration: they are retried.
PASSING = [
    {"action": "throttle", "service": "ecs", "operation": "CreateService", "times": 3},
    {"action": "error", "service": "elbv2", "operation": "CreateListener", "times": 2, "status": 503, "code": "ServiceUnavailable"},
    {"action": "throttle", "service": "ecs", "operation": "Describe*", "after": 5, "times": 4},
    {"action": "drop-after", "service": "ec2", "operation": "CreateSecurityGroup", "times": 1},
]


@pytest.fixture(scope="module")
def users(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    folder = tmp_path_factory.mktemp("load")
    with lab.load(folder) as totals:
        yield folder
    assert_unharmed(totals())


@pytest.mark.parametrize(("fault", "evidence"), FAULTS)
def test_a_fault_stops_the_migration_before_dns(lab: Lab, users: Path, fault: list[str], evidence: list[str]) -> None:
    """The source serves all the time: the users of the whole module must notice nothing."""
    assert users.exists()
    before = lab.record_targets()
    lab.command("fault", "on", *fault, "--restart")
    try:
        run = lab.play("migrate").failed()
    finally:
        lab.command("fault", "off", *fault, "--restart")
    assert lab.record_targets() == before
    assert not [call for call in run.mutating if call == "route53:ChangeResourceRecordSets"]
    for text in evidence:
        assert text in run.output, f"{text!r} is not in:\n{run.output[-5000:]}"
    services = lab.client("ecs").describe_services(cluster="shop", services=["web", "worker"])["services"]
    assert [each["runningCount"] for each in services] == [each["desiredCount"] for each in services]


def test_refusals_of_the_api_that_pass_are_retried_and_the_next_run_succeeds(lab: Lab, users: Path) -> None:
    assert users.exists()
    for fault in PASSING:
        lab.get("/_lab/faults", "POST", fault)
    try:
        lab.play("migrate").ok()
    finally:
        lab.get("/_lab/faults", "DELETE")
    assert lab.served_by() == "shop-fargate"
