"""Stock modules against the emulator: they create, find nothing to do the second time, and write nothing in check mode.

It keeps the emulator honest for outsiders: a module that works on AWS must work here, and must not be made to work here only.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from lab.aws.server import AwsServer
from lab.settings import FQDN, REGION, Settings
from lab.source import build, create, tls

HERE = Path(__file__).parent
TASK = re.compile(r"^TASK \[(.+?)\] \*+$")
CHANGED = re.compile(r"^changed: ")

# Calls that a module makes on every run, on AWS too: autoscaling_group restates the whole group and then says "ok".
RESTATED = {"autoscaling UpdateAutoScalingGroup", "autoscaling DisableMetricsCollection"}


@dataclass(frozen=True)
class LocalSettings(Settings):
    """The cache is the lab's; what a run leaves goes to the test's own folder."""

    folder: Path = Path()

    @property
    def run_dir(self) -> Path:
        return self.folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("lab")
    os.environ.setdefault("CUTOVER_LAB_CACHE", str(folder / "cache"))
    return LocalSettings(folder=folder)


@pytest.fixture(scope="module")
def aws(settings: Settings) -> Iterator[AwsServer]:
    server = AwsServer(settings, port=0)
    server.start()
    create(settings, server, print)
    yield server
    server.stop()


def client(aws: AwsServer, service: str) -> Any:
    return boto3.client(service, endpoint_url=aws.url, region_name=REGION, aws_access_key_id="AKIATESTTESTTESTTEST", aws_secret_access_key="test")


def changed(output: str) -> list[str]:
    """Names of the tasks that changed something."""
    task, names = "", []
    for line in output.splitlines():
        match = TASK.match(line)
        task = match[1] if match else task
        if CHANGED.match(line) and task not in names:
            names.append(task)
    return names


def written(aws: AwsServer, since: int) -> list[str]:
    return [f"{item.service} {item.operation}" for item in aws.requests.since(since, mutating=True) if not item.error]


def source(aws: AwsServer, settings: Settings, *arguments: str) -> str:
    return build.run_playbook(aws.url, tls.ensure(settings.cache_dir / "source" / "tls", FQDN), print, *arguments)


def test_source_is_whole(aws: AwsServer) -> None:
    services = client(aws, "ecs").describe_services(cluster="shop", services=["web", "worker"])["services"]
    assert [(service["serviceName"], service["desiredCount"]) for service in services] == [("web", 2), ("worker", 1)]
    balancer = client(aws, "elbv2").describe_load_balancers(Names=["shop"])["LoadBalancers"][0]
    listeners = client(aws, "elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert sorted(listener["Port"] for listener in listeners) == [80, 443]
    zone = client(aws, "route53").list_hosted_zones()["HostedZones"][0]["Id"]
    records = client(aws, "route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    aliases = {record["Type"]: record["AliasTarget"]["DNSName"] for record in records if record["Name"] == f"{FQDN}."}
    assert aliases == dict.fromkeys(("A", "AAAA"), f"{balancer['DNSName'].lower()}.")
    definition = client(aws, "ecs").describe_task_definition(taskDefinition="shop-web")["taskDefinition"]
    assert definition["containerDefinitions"][0]["links"] == ["php-fpm"]
    assert "executionRoleArn" not in definition


def test_source_again_changes_nothing(aws: AwsServer, settings: Settings) -> None:
    before = aws.requests.last
    assert changed(source(aws, settings)) == []
    assert set(written(aws, before)) <= RESTATED


def test_source_in_check_mode_writes_nothing(aws: AwsServer, settings: Settings) -> None:
    before = aws.requests.last
    source(aws, settings, "--check")
    assert written(aws, before) == []


def run(aws: AwsServer, *arguments: str) -> str:
    environment = os.environ | build.CREDENTIALS | {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "ANSIBLE_NOCOLOR": "true"}
    command = [*build._ansible_playbook(), "-i", "localhost,", *arguments, str(HERE / "stock_modules.yml")]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-1000:]
    return finished.stdout


def test_target_is_created_found_again_and_checked(aws: AwsServer) -> None:
    assert "Ensure the service exists" in changed(run(aws))
    before = aws.requests.last
    assert changed(run(aws)) == []
    assert written(aws, before) == []
    run(aws, "--check")
    assert written(aws, before) == []


def test_log_is_json(aws: AwsServer) -> None:
    assert json.dumps([item.as_dict() for item in aws.requests.since()])
