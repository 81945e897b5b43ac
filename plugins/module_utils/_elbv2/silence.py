# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Proof that a load balancer is not used any more: no request in CloudWatch for a whole window. Never a timer.

``RequestCount`` (namespace AWS/ApplicationELB, dimension LoadBalancer) does not count health checks.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._aws.apply import CLOCK, Clock
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import Progress, silent
from .common import full_name

# Metrics of the load balancer are kept 63 days at five minutes; a load balancer that was ever used shows it there.
LOOK_BACK = datetime.timedelta(days=60)
DAY = 86400
# Of the last page of a metric's data; on the pages before it is PartialData. An error is told here too, by an answer that AWS gave well.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataResult.html
COMPLETE = "Complete"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "load_balancer_arn": {"type": "str"},
    "silence_seconds": {"type": "float", "default": 900},
    "metric_delay": {"type": "float", "default": 120},
    "metric_period": {"type": "int", "default": 60},
    "max_requests": {"type": "int", "default": 0},
    "timeout": {"type": "float", "default": 7200},
    "poll_seconds": {"type": "float", "default": 30},
}



@dataclass(frozen=True)
class Reading:
    """``requests`` in the window that ends ``delay`` seconds ago; ``last_seen`` is the newest period with a request in it."""

    requests: int
    last_seen: datetime.datetime | None


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, progress: Progress = silent, clock: Clock = CLOCK) -> dict[str, t.Any]:
    """Wait until the window is silent. In check mode: look once and tell."""
    arn = params.get("load_balancer_arn")
    if not arn:
        return {"changed": False, "silent": True, "requests": 0, "seconds": 0.0}
    name = full_name(arn)
    require_life(clients, name)
    started, shown = clock.now(), -1
    while True:
        reading = read(params, clients, name)
        waited = clock.now() - started
        result = {"changed": False, "silent": reading.requests <= params["max_requests"], "requests": reading.requests, "seconds": round(waited, 1)}
        if result["silent"] or check_mode:
            progress(f"{name}: {reading.requests} requests in {params['silence_seconds']:g} s")
            return result
        if reading.requests != shown:
            progress(
                f"{name} still served {reading.requests} requests in the last {params['silence_seconds']:g} s; waiting for at most {params['max_requests']}"
            )
            shown = reading.requests
        if waited >= params["timeout"]:
            raise CutoverError(_still_used(params, name, reading), **result)
        clock.sleep(params["poll_seconds"])


def read(params: t.Mapping[str, t.Any], clients: Clients, name: str) -> Reading:
    """Sum the window. It ends ``metric_delay`` seconds ago, because CloudWatch hears of a request only after a while."""
    end = _now() - datetime.timedelta(seconds=params["metric_delay"])
    start = end - datetime.timedelta(seconds=params["silence_seconds"])
    points = _request_count(clients, name, start, end, params["metric_period"])
    seen = [time for time, value in points if value > 0]
    return Reading(int(sum(value for _time, value in points)), max(seen, default=None))


def require_life(clients: Clients, name: str) -> None:
    """Silence means something only where requests were once heard: a wrong name would be silent for ever."""
    now = _now()
    if not any(value > 0 for _time, value in _request_count(clients, name, now - LOOK_BACK, now + datetime.timedelta(seconds=DAY), DAY)):
        raise CutoverError(
            f"CloudWatch has not one request for load balancer {name} in {LOOK_BACK.days} days, so its silence proves nothing. "
            "Is it the one that served the system? Nothing was changed.",
        )


def _request_count(clients: Clients, name: str, start: datetime.datetime, end: datetime.datetime, period: int) -> list[tuple[datetime.datetime, float]]:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": [{"Name": "LoadBalancer", "Value": name}]}
    query = {"Id": "requests", "MetricStat": {"Metric": metric, "Period": int(period), "Stat": "Sum"}}
    points: list[tuple[datetime.datetime, float]] = []
    state = COMPLETE
    for page in clients("cloudwatch").get_paginator("get_metric_data").paginate(MetricDataQueries=[query], StartTime=start, EndTime=end):
        for result in page["MetricDataResults"]:
            points += zip(result["Timestamps"], result["Values"], strict=True)
            state = result.get("StatusCode", COMPLETE)
    if state != COMPLETE:
        raise CutoverError(f"CloudWatch could not tell all requests of load balancer {name} (StatusCode {state}). Nothing was changed; run it again.")
    return points


def _still_used(params: t.Mapping[str, t.Any], name: str, reading: Reading) -> str:
    last = reading.last_seen.strftime("%H:%M:%S UTC") if reading.last_seen else "unknown"
    return (
        f"Load balancer {name} is still used: {reading.requests} requests in the last {params['silence_seconds']:g} s "
        f"(newest at {last}), waited {params['timeout']:g} s. Nothing was changed. Who still calls it? Its access log tells. "
        "Clients that keep the old address must be restarted; a few strays can be accepted with fargate_silence_max_requests."
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
