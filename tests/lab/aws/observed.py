"""What the data plane reports, and moto does not know.

Reconcilers write here; the operations of ``lab.aws.operations`` read. Plain dicts: single assignments are atomic, and whoever changes several
things at once holds ``AwsServer.lock``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

TargetKey = tuple[str, str, int]  # target group ARN, target id (instance id or address), port


@dataclass(frozen=True)
class Health:
    """DescribeTargetHealth's TargetHealth: state initial|healthy|unhealthy|unused|draining|unavailable, reason ``Elb...``/``Target...``."""

    state: str
    reason: str = ""
    description: str = ""


INITIAL = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
UNUSED = Health("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")


@dataclass(frozen=True)
class Point:
    time: datetime  # aware, UTC
    value: float
    unit: str = "None"


Dimensions = frozenset[tuple[str, str]]


class Metrics:
    """CloudWatch's data as the data plane measures it: every put is one sample."""

    def __init__(self, keep: timedelta = timedelta(hours=6)) -> None:
        self._series: dict[tuple[str, str, Dimensions], deque[Point]] = {}
        self._keep = keep
        self._lock = threading.Lock()

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str = "None", time: datetime | None = None) -> None:
        """One sample. ``time`` defaults to now."""
        point = Point(time or datetime.now(UTC), float(value), unit)
        key = (namespace, name, frozenset(dimensions.items()))
        with self._lock:
            series = self._series.setdefault(key, deque())
            series.append(point)
            while series and series[0].time < point.time - self._keep:
                series.popleft()

    def points(self, namespace: str, name: str, dimensions: Mapping[str, str], start: datetime, end: datetime) -> list[Point]:
        """Samples with start <= time < end, oldest first, as put (not aggregated)."""
        key = (namespace, name, frozenset(dimensions.items()))
        with self._lock:
            return [point for point in self._series.get(key, ()) if start <= point.time < end]

    def series(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """(namespace, metric name, dimensions) of everything ever put."""
        with self._lock:
            keys = list(self._series)
        for namespace, name, dimensions in keys:
            yield namespace, name, dict(dimensions)


@dataclass
class Observed:
    """The data plane's side of DescribeX."""

    target_health: dict[TargetKey, Health] = field(default_factory=dict)
    """Health of registered targets. A registered target without an entry is ``initial`` (``unused`` when its group hangs on no listener).
    An entry with state ``draining`` is listed although the target is deregistered; remove it when the deregistration delay is over."""

    load_balancer_state: dict[str, str] = field(default_factory=dict)
    """ARN -> active|provisioning|active_impaired|failed. A load balancer without an entry is ``provisioning``."""

    insync: set[str] = field(default_factory=set)
    """Ids of Route 53 changes (``/change/C...``) that have reached all name servers. Every other change is PENDING."""

    changes: dict[str, datetime] = field(default_factory=dict)
    """Ids of all Route 53 changes and their submission times, written by ChangeResourceRecordSets: what a reconciler makes INSYNC."""

    metrics: Metrics = field(default_factory=Metrics)
    """Samples for GetMetricData, GetMetricStatistics, ListMetrics."""

    def clear(self) -> None:
        """As at the start of an empty account; metrics stay, they are history."""
        for kept in (self.target_health, self.load_balancer_state, self.insync, self.changes):
            kept.clear()
