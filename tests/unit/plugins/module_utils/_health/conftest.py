"""Snapshots from JSON: a healthy base, and what differs from it in a case."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.cutover.fargate.plugins.module_utils._health import checks
from ansible_collections.cutover.fargate.plugins.module_utils._health.diagnose import diagnose
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import (
    Cause,
    HealthRecord,
    LogLine,
    Network,
    Outcome,
    Service,
    Snapshot,
    StepResult,
)

FIXTURES = Path(__file__).parent / "fixtures"
SETTLE = 20.0


def put(data: t.Any, path: str, value: t.Any) -> None:
    """``services/0/service/runningCount`` = value; null removes. ``-`` appends."""
    *parents, last = path.split("/")
    for part in parents:
        data = data[int(part)] if isinstance(data, list) else data.setdefault(part, {})
    if isinstance(data, list):
        if last == "-":
            data.append(value)
        else:
            data[int(last)] = value
    elif value is None:
        data.pop(last, None)
    else:
        data[last] = value


def load_snapshot(data: dict[str, t.Any]) -> Snapshot:
    plain = {key: value for key, value in data.items() if key not in ("services", "network", "health_history", "probes")}
    services = [
        Service(**{**entry, "logs": [LogLine(*line) for line in entry.get("logs", [])], "definition": entry.get("definition") or entry.get("newest")})
        for entry in data["services"]
    ]
    return Snapshot(
        **plain,
        services=services,
        network=Network(**data.get("network", {})),
        health_history=[HealthRecord(**record) for record in data.get("health_history", [])],
        probes=[StepResult(**result) for result in data.get("probes", [])],
    )


def log_lines(lines: t.Iterable[t.Sequence[t.Any]]) -> dict[str, list[tuple[str, str, str, str, float, str]]]:
    """(service, task, container, at, text) by service, with group and stream as awslogs names them."""
    found: dict[str, list[tuple[str, str, str, str, float, str]]] = {}
    for service, task, container, at, text in lines:
        prefix = {"php-fpm": "php"}.get(container, container)
        found.setdefault(service, []).append((task, container, f"/ecs/{service}-fargate", f"{prefix}/{container}/{task}", at, text))
    return found


def make(changes: t.Mapping[str, t.Any] | None = None, logs: t.Iterable[t.Sequence[t.Any]] = ()) -> Snapshot:
    data = copy.deepcopy(json.loads((FIXTURES / "base.json").read_text()))
    for path, value in (changes or {}).items():
        put(data, path, value)
    by_service = log_lines(logs)
    for entry in data["services"]:
        entry["logs"] = by_service.get(entry["name"], [])
    return load_snapshot(data)


def judged(snapshot: Snapshot) -> list[Outcome]:
    outcomes = checks.judge(snapshot, SETTLE)
    return [*outcomes, *checks.probe_outcomes(snapshot, checks.ready_for_probes(snapshot, outcomes))]


def causes_of(snapshot: Snapshot) -> list[Cause]:
    return diagnose(snapshot, judged(snapshot))


class Kit(t.NamedTuple):
    make: t.Callable[..., Snapshot]
    judge: t.Callable[[Snapshot], list[Outcome]]
    causes: t.Callable[[Snapshot], list[Cause]]


@pytest.fixture
def kit() -> Kit:
    return Kit(make, judged, causes_of)
