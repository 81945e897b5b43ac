"""A scheduler beside the shop: whatever is run, killed and run again, no job is done twice, and none is forgotten for good."""

from __future__ import annotations

import collections
import time
import typing as t

import pytest

from .harness import Lab
from .test_kills_there_and_back import killed

# One job for each second of the clock, told in the log. A scheduler that was told to stop goes on for three seconds, as one with a job in hand does.
SCHEDULER = """
trap 'end=$(( $(date +%s) + 3 ))' TERM
while [ -z "$end" ] || [ "$(date +%s)" -lt "$end" ]; do
  now=$(date +%s)
  if [ "$now" != "$last" ]; then last=$now; echo "job $now"; php artisan schedule:run > /dev/null 2>&1; fi
  sleep 0.1
done
"""

Jobs = dict[int, list[str]]


@pytest.fixture(scope="module", autouse=True)
def _scheduler(lab: Lab) -> t.Iterator[None]:
    """The worker's image with another command, as a service of its own. At the end every job of both sides is counted."""
    ecs = lab.client("ecs")
    container = ecs.describe_task_definition(taskDefinition="shop-worker")["taskDefinition"]["containerDefinitions"][0]
    options = {**container["logConfiguration"]["options"], "awslogs-stream-prefix": "scheduler"}
    changes = {"name": "scheduler", "command": ["sh", "-c", SCHEDULER], "stopTimeout": 30, "logConfiguration": {"logDriver": "awslogs", "options": options}}
    ecs.register_task_definition(family="shop-scheduler", networkMode="bridge", containerDefinitions=[{**container, **changes}])
    ecs.create_service(cluster="shop", serviceName="scheduler", taskDefinition="shop-scheduler", desiredCount=1, launchType="EC2")
    wait_for_jobs(lab)
    yield
    done = jobs(lab)
    twice = {second: tasks for second, tasks in done.items() if len(tasks) > 1}
    assert not twice, "\n".join(f"{second}: {', '.join(tasks)}" for second, tasks in sorted(twice.items()))
    assert len({task for tasks in done.values() for task in tasks}) > 2, "it changed hands too seldom to prove anything"


def jobs(lab: Lab) -> Jobs:
    """Second -> the log streams (one for each task) that did its job."""
    client, found = lab.client("logs"), collections.defaultdict(list)
    for group in client.describe_log_groups()["logGroups"]:
        for stream in client.describe_log_streams(logGroupName=group["logGroupName"], logStreamNamePrefix="scheduler/")["logStreams"]:
            pages = client.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"], logStreamNames=[stream["logStreamName"]])
            for event in (event for page in pages for event in page["events"]):
                if event["message"].startswith("job "):
                    found[int(event["message"].split()[1])].append(f"{group['logGroupName']} {stream['logStreamName']}")
    return dict(found)


def wait_for_jobs(lab: Lab) -> None:
    """Until somebody does the jobs of now."""
    began, deadline = time.time(), time.monotonic() + 60
    while max(jobs(lab), default=0) <= began:
        assert time.monotonic() < deadline, "nobody runs the scheduler"
        time.sleep(0.5)


def desired(lab: Lab) -> dict[str, int]:
    ecs = lab.client("ecs")
    sides = {"source": "shop", "target": "shop-fargate"}
    return {side: ecs.describe_services(cluster=cluster, services=["scheduler"])["services"][0]["desiredCount"] for side, cluster in sides.items()}


def test_until_scale_in_the_source_has_it(lab: Lab) -> None:
    run = lab.play("migrate").ok()
    assert "0 tasks until scale_in has stopped the source's, then 1" in run.output
    assert desired(lab) == {"source": 1, "target": 0}
    lab.play("migrate", "--tags", "service").unchanged()


def test_a_scale_in_that_was_killed_is_taken_back(lab: Lab) -> None:
    assert lab.kill_at("scale_in", 1)
    lab.play("rollback").ok()
    assert desired(lab) == {"source": 1, "target": 0}
    wait_for_jobs(lab)


def test_killed_on_the_way_to_the_target(lab: Lab) -> None:
    lab.play("migrate").ok()
    killed(lab, "scale_in", 2)
    assert desired(lab) == {"source": 0, "target": 1}
    wait_for_jobs(lab)
    assert "scheduler  runs on the target" in lab.play("status").ok().output
    lab.play("migrate").unchanged()


def test_killed_on_the_way_back(lab: Lab) -> None:
    killed(lab, "rollback", 2)
    assert desired(lab) == {"source": 1, "target": 0}
    wait_for_jobs(lab)
