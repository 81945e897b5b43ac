"""What a run writes down: one line for each request, DNS answer and look at the queue, and a running summary.

Files in the run's folder: requests.jsonl, dns.jsonl, queue.jsonl, summary.json; phases.jsonl is appended by whoever drives the run.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Side = Literal["source", "target"]

REQUESTS = "requests.jsonl"
QUEUE = "queue.jsonl"
DNS = "dns.jsonl"
SUMMARY = "summary.json"
PHASES = "phases.jsonl"


@dataclass(frozen=True)
class Request:
    """One request of a user. ``ok`` is the verdict; ``error`` says what was wrong, ``excerpt`` how the answer began."""

    t: float
    user: int
    method: str
    path: str
    status: int | None
    ms: float
    served_by: str | None
    side: Side | None
    address: str | None
    keep_alive: bool
    ok: bool
    error: str | None = None
    excerpt: str | None = None


def side_of(served_by: str | None) -> Side | None:
    """Which side of the migration served: the shop says by AWS_EXECUTION_ENV what it runs on."""
    if (served_by or "").startswith("AWS_ECS_EC2"):
        return "source"
    if (served_by or "").startswith("AWS_ECS_FARGATE"):
        return "target"
    return None


class Latencies:
    """Percentiles of any number of latencies in little memory: counted in steps of 0.1 ms."""

    def __init__(self) -> None:
        self._steps: Counter[int] = Counter()

    def add(self, ms: float) -> None:
        self._steps[round(ms * 10)] += 1

    def percentile(self, percent: float) -> float | None:
        """The smallest latency that at least so many percent of the requests did not exceed (nearest rank)."""
        rank, passed = percent / 100 * self._steps.total(), 0
        for step in sorted(self._steps):
            passed += self._steps[step]
            if passed >= rank:
                return step / 10
        return None

    def summary(self) -> dict[str, float | None]:
        return {"p50_ms": self.percentile(50), "p99_ms": self.percentile(99), "max_ms": max(self._steps, default=0) / 10 if self._steps else None}


@dataclass
class Tally:
    """Counts of a run, or of a part of it."""

    requests: int = 0
    failed: int = 0
    by_side: Counter[str] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)

    def add(self, ms: float, ok: bool, side: str | None) -> None:
        self.requests += 1
        self.failed += not ok
        self.by_side[side or "unknown"] += 1
        self.latencies.add(ms)

    def summary(self) -> dict[str, Any]:
        sides = {side: self.by_side[side] for side in ("source", "target", "unknown")}
        return {"requests": self.requests, "failed": self.failed, **sides, **self.latencies.summary()}


@dataclass
class Counts:
    """What is not a request: sessions, jobs, slots in which a user was still waiting for an answer."""

    skipped: int = 0
    sessions: int = 0
    sessions_lost: int = 0
    counter_errors: int = 0
    jobs_sent: int = 0
    jobs_done: int = 0
    jobs_twice: int = 0
    dns_queries: int = 0


class Journal:
    """Collects and writes; :meth:`flush` is called once a second."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.counts = Counts()
        self._tally = Tally()
        self._last_failure: Request | None = None
        self._started = time.time()
        self._summary = folder / SUMMARY
        self._requests, self._queue, self._dns = ((folder / name).open("w") for name in (REQUESTS, QUEUE, DNS))

    def request(self, entry: Request) -> None:
        self._tally.add(entry.ms, entry.ok, entry.side)
        if not entry.ok:
            self._last_failure = entry
        self._write(self._requests, asdict(entry))

    def dns(self, user: int, addresses: list[str], ttl: float) -> None:
        self.counts.dns_queries += 1
        self._write(self._dns, {"t": _now(), "user": user, "addresses": addresses, "ttl": ttl})

    def queue(self, stats: Mapping[str, Any]) -> None:
        self._write(self._queue, {"t": _now(), **stats})

    def flush(self, state: str) -> None:
        """Write everything out; readers of the summary see the old one or the new one, never a part."""
        for file in (self._requests, self._queue, self._dns):
            file.flush()
        content = {"state": state, "started": self._started, "updated": _now(), **self._tally.summary(), **asdict(self.counts)}
        content["last_failure"] = asdict(self._last_failure) if self._last_failure else None
        partial = self._summary.with_suffix(".partial")
        partial.write_text(json.dumps(content, indent=2) + "\n")
        partial.replace(self._summary)

    def close(self) -> None:
        self.flush("finished")
        for file in (self._requests, self._queue, self._dns):
            file.close()

    @staticmethod
    def _write(file: Any, line: Mapping[str, Any]) -> None:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")


def _now() -> float:
    return round(time.time(), 3)
