"""HAProxy's access log as requests. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lab.balancer.model import Request, TargetKey


def parse(line: str, now: float, listeners: Mapping[str, str], groups: Mapping[str, str], targets: Mapping[str, TargetKey]) -> Request | None:
    """A request from one line; None for HAProxy's other lines (changes of state).

    The maps go from HAProxy's names (frontend, backend, backend/server) to the configuration's keys.
    """
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    answered = entry["target_ms"] >= 0  # -1: the answer is the load balancer's own
    return Request(
        time=now,
        client=entry["client"],
        listener=listeners.get(entry["frontend"], entry["frontend"]),
        group=groups.get(entry["backend"]),
        target=targets.get(f"{entry['backend']}/{entry['server']}"),
        status=entry["status"],
        target_status=entry["status"] if answered else None,
        target_time=entry["target_ms"] / 1000 if answered else None,
        total_time=entry["total_ms"] / 1000,
        method=entry["method"],
        host=entry["host"],
        path=entry["path"],
        termination=entry["termination"],
    )
