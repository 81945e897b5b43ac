# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which targets of a group the load balancer has found unhealthy, and what it said: now, earlier in this run, or in the service's events."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import predicates
from .facts import Case
from .model import Evidence, Json
from .patterns import HEALTH_CODE, TARGET_EVENT

TIMEOUT, REFUSED, MISMATCH = "Target.Timeout", "Target.FailedHealthChecks", "Target.ResponseCodeMismatch"


@dataclass(frozen=True)
class Sick:
    """A target that was found unhealthy, now or earlier in this run."""

    reason: str
    description: str
    id: str
    port: int
    at: float

    @property
    def code(self) -> int:
        match = re.search(HEALTH_CODE, self.description)
        return int(match["code"]) if match else 0

    def evidence(self, group: Json) -> Evidence:
        return Evidence(f"target {self.id}:{self.port} in {group.get('TargetGroupName')}", " ".join(filter(None, (self.reason, self.description))), self.at)


def sick_targets(case: Case, group: Json) -> list[Sick]:
    """Unhealthy now; else while a task was alive (it is gone from the group by now); else by the service's events."""
    now = [
        Sick(str(entry["TargetHealth"].get("Reason", "")), str(entry["TargetHealth"].get("Description", "")), *predicates.target_key(entry), case.snapshot.at)
        for entry in predicates.registered(group)
        if entry["TargetHealth"]["State"] == "unhealthy" and _counts(case, predicates.target_key(entry)[0])
    ]
    if now or _all_well(group):
        return now
    before = [
        Sick(record.reason, record.description, record.id, record.port, record.at)
        for record in sorted(case.snapshot.health_history, key=lambda record: -record.at)
        if record.target_group == group["TargetGroupArn"] and _counts(case, record.id)
    ]
    return before or _from_events(case, group)


def _counts(case: Case, address: str) -> bool:
    """Not a target of an earlier deployment, nor one that was unhealthy because its task was being stopped on purpose."""
    task = case.task_at(address)
    return task is None or (predicates.is_current(case.snapshot, case.signal, task) and not predicates.is_normal_stop(task))


def _all_well(group: Json) -> bool:
    entries = predicates.registered(group)
    return bool(entries) and all(entry["TargetHealth"]["State"] == "healthy" for entry in entries)


def _from_events(case: Case, group: Json) -> list[Sick]:
    since = float(case.signal.primary.get("createdAt") or 0.0)
    found = []
    for event in sorted(case.signal.events, key=lambda event: -float(event.get("createdAt", 0.0))):
        match = re.search(TARGET_EVENT, str(event.get("message", "")))
        if match and float(event.get("createdAt", 0.0)) >= since and match["tg"].rstrip(")") in (group["TargetGroupArn"], group.get("TargetGroupName")):
            found.append(_from_event(event, match["reason"]))
    return found


def _from_event(event: Json, reason: str) -> Sick:
    port = re.search(r"\(port (\d+)\)", event["message"])
    task = re.search(r"\(task ([^)]+)\)", event["message"])
    return Sick(_reason_of(reason), reason.rstrip(")."), f"task {task[1]}" if task else "task", int(port[1]) if port else 0, float(event["createdAt"]))


def _reason_of(description: str) -> str:
    """Events carry the description only."""
    if "timed out" in description:
        return TIMEOUT
    return MISMATCH if re.search(HEALTH_CODE, description) else REFUSED
