"""Requests, targets and tasks -> CloudWatch, with AWS's metric names and dimensions. One sample per metric and period of lab time."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.balancer.model import Request
from lab.reconcile.world import World

ALB = "AWS/ApplicationELB"
WINDOW = 10.0  # seconds over which `lab status` tells requests per second


@dataclass
class _Sums:
    """What happened at one load balancer in the current period."""

    requests: Counter[str] = field(default_factory=Counter)  # target group -> answered by a target
    total: int = 0
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)  # (metric, target group or "") -> number
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    clients: set[str] = field(default_factory=set)


class Metrics:
    """Collects access-log lines and, each period, puts sums, averages and states."""

    name = "metrics"

    def __init__(self, world: World) -> None:
        self._world = world
        self._sums: dict[str, _Sums] = defaultdict(_Sums)
        self._recent: deque[tuple[float, str, int]] = deque(maxlen=20_000)
        self._lock = threading.Lock()
        self._due = time.monotonic()

    def on_request(self, load_balancer_arn: str, request: Request) -> None:
        """One access-log line."""
        with self._lock:
            self._recent.append((time.monotonic(), load_balancer_arn, request.status))
            _add(self._sums[load_balancer_arn], request)

    def rate(self, load_balancer_arn: str) -> float:
        """Requests per second over the last ten seconds."""
        since = time.monotonic() - WINDOW
        with self._lock:
            return sum(1 for when, arn, _status in self._recent if arn == load_balancer_arn and when >= since) / WINDOW

    def tick(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._world.scaled(self._world.settings.times.metric_period, 1.0)
        with self._lock:
            sums, self._sums = self._sums, defaultdict(_Sums)
        for arn, numbers in sums.items():
            self._put_requests(arn, numbers)
        with self._world.state():
            self._put_hosts()
            self._put_tasks()

    def _put(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str = "Count") -> None:
        self._world.observed.metrics.put(namespace, name, dimensions, value, unit)

    def _put_requests(self, arn: str, sums: _Sums) -> None:
        balancer = {"LoadBalancer": load_balancer_dimension(arn)}
        self._put(ALB, "RequestCount", balancer, sums.total)
        self._put(ALB, "NewConnectionCount", balancer, len(sums.clients))
        self._put(ALB, "ActiveConnectionCount", balancer, len(sums.clients))
        for group, number in sums.requests.items():
            self._put(ALB, "RequestCount", {**balancer, "TargetGroup": target_group_dimension(group)}, number)
        for (metric, group), number in sums.codes.items():
            self._put(ALB, metric, {**balancer, **({"TargetGroup": target_group_dimension(group)} if group else {})}, number)
        for group, times in sums.times.items():
            dimensions = {**balancer, **({"TargetGroup": target_group_dimension(group)} if group else {})}
            self._put(ALB, "TargetResponseTime", dimensions, sum(times) / len(times), "Seconds")

    def _put_hosts(self) -> None:
        """HealthyHostCount and UnHealthyHostCount of every group in use, per load balancer; draining and initial targets count in neither."""
        for group in self._world.backend("elbv2").target_groups.values():
            states = Counter(health.state for key, health in self._world.observed.target_health.items() if key[0] == group.arn)
            for arn in group.load_balancer_arns:
                dimensions = {"LoadBalancer": load_balancer_dimension(arn), "TargetGroup": target_group_dimension(group.arn)}
                self._put(ALB, "HealthyHostCount", dimensions, states["healthy"])
                self._put(ALB, "UnHealthyHostCount", dimensions, states["unhealthy"])

    def _put_tasks(self) -> None:
        """Container Insights' task counts, where the cluster has it switched on."""
        ecs = self._world.backend("ecs")
        for service in ecs.services.values():
            cluster = ecs.clusters.get(service.cluster_name)
            if service.status == "ACTIVE" and cluster is not None and _insights(cluster):
                dimensions = {"ClusterName": service.cluster_name, "ServiceName": service.name}
                for metric, value in (("RunningTaskCount", service.running_count), ("PendingTaskCount", service.pending_count), ("DesiredTaskCount", service.desired_count)):
                    self._put("ECS/ContainerInsights", metric, dimensions, value)


def load_balancer_dimension(arn: str) -> str:
    """``app/name/id``: the end of the ARN (ELB, CloudWatch dimensions)."""
    return arn.rpartition(":loadbalancer/")[2]


def target_group_dimension(arn: str) -> str:
    """``targetgroup/name/id``."""
    return arn.rpartition(":")[2]


def _add(sums: _Sums, request: Request) -> None:
    """RequestCount counts requests for which a node chose a target or answered; codes tell who answered."""
    sums.total += 1
    sums.clients.add(request.client)
    group = request.group or ""
    kind = f"{request.status // 100}XX"
    if request.target_status is not None:
        sums.requests[group] += 1
        for key in ("", group):
            sums.codes[f"HTTPCode_Target_{request.target_status // 100}XX_Count", key] += 1
            if request.target_time is not None:
                sums.times[key].append(request.target_time)
    elif kind in ("3XX", "4XX", "5XX"):
        sums.codes[f"HTTPCode_ELB_{kind}_Count", ""] += 1
        if request.status in (500, 502, 503, 504):
            sums.codes[f"HTTPCode_ELB_{request.status}_Count", ""] += 1
        if group and request.status == 502:
            sums.codes["TargetConnectionErrorCount", ""] += 1


def _insights(cluster: Any) -> bool:
    return any(item.get("name") == "containerInsights" and item.get("value") in ("enabled", "enhanced") for item in cluster.settings or [])
