"""Calls and time of discovery beside other things in the account:
``PYTHONPATH=.:.ansible/collections python tests/bench/discovery.py [5000]``, from the repository's root.

Against moto in this process, so the time is that of discovery and of the emulator, without a network; the calls are what AWS would get.
"""

from __future__ import annotations

import os
import sys
import time
import typing as t
from collections import Counter
from pathlib import Path
from unittest import mock

from moto import mock_aws

from tests.unit.plugins.module_utils._system.conftest import ACCOUNT, REGION, World, empty, furnish

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    "MOTO_AMIS_PATH": str(Path(__file__).parents[1] / "unit/amis.json"),
}
BATCH = 500


def crowd(world: World, count: int) -> list[str]:
    """``count`` unrelated resources of each kind that AWS lets an account have thousands of; returns the kinds."""
    client = world.client
    client("ecs").create_cluster(clusterName="other")
    target = {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/x"}
    container = {"name": "web", "image": "nginx", "memory": 64}
    kinds: dict[str, t.Callable[[str], object]] = {
        "target groups": world.target_group,
        "services": lambda name: world.service("other", name),
        "task definitions": lambda name: client("ecs").register_task_definition(family=name, containerDefinitions=[container]),
        "log groups": lambda name: client("logs").create_log_group(logGroupName=f"/ecs/{name}"),
        "repositories": lambda name: client("ecr").create_repository(repositoryName=name),
        "security groups": lambda name: client("ec2").create_security_group(GroupName=name, Description=name, VpcId=world.vpc),
        "alarms": lambda name: alarm(world, name),
        "EventBridge rules": lambda name: client("events").put_rule(Name=name, ScheduleExpression="rate(1 day)"),
        "schedules": lambda name: client("scheduler").create_schedule(
            Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
        ),
    }
    for kind, make in kinds.items():
        print(f"{count} {kind} ...", file=sys.stderr, flush=True)
        for index in range(count):
            make(f"other-{index}")
    records(world, count)
    return [*kinds, "records"]


def alarm(world: World, name: str) -> None:
    world.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Other",
        MetricName="m",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )


def records(world: World, count: int) -> None:
    for start in range(0, count, BATCH):
        changes = [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {"Name": f"other-{index}.example.test", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]},
            }
            for index in range(start, min(start + BATCH, count))
        ]
        world.client("route53").change_resource_record_sets(HostedZoneId=world.zone, ChangeBatch={"Changes": changes})


def measured(world: World) -> tuple[Counter[str], float]:
    """Calls, and the best CPU time of three: the machine's other work is none of discovery's."""
    times = []
    for _turn in range(3):
        started = time.process_time()
        world.system()
        times.append(time.process_time() - started)
    return world.calls, min(times)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with mock.patch.dict(os.environ, ENVIRONMENT), mock_aws():
        world = furnish(empty())
        alone, quick = measured(world)
        kinds = crowd(world, count)
        crowded, slow = measured(world)
    print("| unrelated resources of each kind | API calls | CPU seconds, emulator included |")
    print("| ---: | ---: | ---: |")
    print(f"| 0 | {alone.total()} | {quick:.2f} |")
    print(f"| {count} | {crowded.total()} | {slow:.2f} |")
    print(f"\nKinds: {', '.join(kinds)}. More calls only where AWS pages and has no filter:\n")
    for name in sorted(crowded):
        if crowded[name] != alone[name]:
            print(f"- {name}: {alone[name]} -> {crowded[name]}")


if __name__ == "__main__":
    main()
