"""Calls and time of discovery beside other things in the account:
``PYTHONPATH=.:.ansible/collections python tests/bench/discovery.py [5000]``, from the repository's root.

Against moto in this process, so times are those of one machine without a network; the calls are what AWS would get.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path
from unittest import mock

from moto import mock_aws

from tests.unit.plugins.module_utils._system.conftest import World, empty, furnish

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    "MOTO_AMIS_PATH": str(Path(__file__).parents[1] / "unit/amis.json"),
}
BATCH = 500


def crowd(world: World, count: int) -> None:
    """``count`` unrelated target groups, services, task definitions, log groups, rules and records."""
    ecs, logs, events = world.client("ecs"), world.client("logs"), world.client("events")
    ecs.create_cluster(clusterName="other")
    for index in range(count):
        world.target_group(f"other-{index}")
        world.service("other", f"other-{index}")
        ecs.register_task_definition(family=f"other-{index}", containerDefinitions=[{"name": "web", "image": "nginx", "memory": 64}])
        logs.create_log_group(logGroupName=f"/ecs/other-{index}")
        events.put_rule(Name=f"other-{index}", ScheduleExpression="rate(1 day)")
    for start in range(0, count, BATCH):
        changes = [
            {"Action": "UPSERT", "ResourceRecordSet": {"Name": f"other-{index}.example.test", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}}
            for index in range(start, min(start + BATCH, count))
        ]
        world.client("route53").change_resource_record_sets(HostedZoneId=world.zone, ChangeBatch={"Changes": changes})


def measured(world: World) -> tuple[Counter[str], float]:
    """Calls, and the best time of three."""
    times = []
    for _turn in range(3):
        started = time.perf_counter()
        world.system()
        times.append(time.perf_counter() - started)
    return world.calls, min(times)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with mock.patch.dict(os.environ, ENVIRONMENT), mock_aws():
        world = furnish(empty())
        alone, quick = measured(world)
        crowd(world, count)
        crowded, slow = measured(world)
    print("| unrelated resources of each kind | API calls | seconds |")
    print("| ---: | ---: | ---: |")
    print(f"| 0 | {alone.total()} | {quick:.2f} |")
    print(f"| {count} | {crowded.total()} | {slow:.2f} |")
    for name in sorted(crowded):
        if crowded[name] != alone[name]:
            print(f"\n{name}: {alone[name]} -> {crowded[name]} (pages; AWS has no filter)")


if __name__ == "__main__":
    main()
