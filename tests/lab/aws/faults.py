"""Faults of the API, injected before or after a call takes effect.

A fault matches calls by service and operation (shell patterns), lets the first ``after`` of them pass, then acts on the next ``times`` (0: on all).

==============  ================================================================================================
action          what happens
==============  ================================================================================================
throttle        nothing is applied; the client gets the service's own throttling error
error           nothing is applied; the client gets ``code``/``message`` with HTTP ``status``
latency         the call takes ``seconds`` longer
hold            the call waits until ``POST /_lab/faults/release`` (or the fault is deleted), then goes on
drop-before     nothing is applied; the connection is cut
drop-after      the call is applied; the connection is cut before the answer
==============  ================================================================================================
"""

from __future__ import annotations

import fnmatch
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from lab.aws.errors import AwsError

ACTIONS = ("throttle", "error", "latency", "hold", "drop-before", "drop-after")
LONGEST_HOLD = 600.0
THROTTLING = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "elbv2": ("Throttling", "Rate exceeded", 400),
    "autoscaling": ("Throttling", "Rate exceeded", 400),
    "route53": ("Throttling", "Rate exceeded", 400),
    "iam": ("Throttling", "Rate exceeded", 400),
    "rds": ("Throttling", "Rate exceeded", 400),
    "elasticache": ("Throttling", "Rate exceeded", 400),
}


@dataclass
class Fault:
    action: str
    service: str = "*"
    operation: str = "*"
    after: int = 0
    times: int = 1
    code: str = "InternalFailure"
    message: str = "The request processing has failed because of an unknown error, exception or failure."
    status: int = 500
    seconds: float = 1.0
    id: int = 0
    matched: int = 0
    acted: int = 0
    waiting: int = 0
    _released: threading.Event = field(default_factory=threading.Event, repr=False)

    def due(self, service: str, operation: str) -> bool:
        """Count a matching call; True when it is one to act on."""
        if not (fnmatch.fnmatchcase(service, self.service) and fnmatch.fnmatchcase(operation, self.operation)):
            return False
        self.matched += 1
        if self.matched <= self.after or (self.times and self.acted >= self.times):
            return False
        self.acted += 1
        return True

    def hold(self) -> None:
        self.waiting += 1
        self._released.wait(LONGEST_HOLD)
        self.waiting -= 1

    def release(self) -> None:
        self._released.set()

    def as_dict(self) -> dict[str, Any]:
        shown = {key: value for key, value in vars(self).items() if not key.startswith("_")}
        shown["times_left"] = max(self.times - self.acted, 0) if self.times else None
        return shown



class Faults:
    """The faults in force. Thread-safe."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, **wanted: Any) -> Fault:
        """``add(action="throttle", service="ecs", operation="CreateService", times=3)``. Raises ValueError for what it doesn't know."""
        known = {name for name in Fault.__dataclass_fields__ if not name.startswith("_")} - {"id", "matched", "acted", "waiting"}
        if unknown := set(wanted) - known:
            raise ValueError(f"unknown fault members {sorted(unknown)}, known are {sorted(known)}")
        if wanted.get("action") not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}, not {wanted.get('action')!r}")
        fault = Fault(**wanted, id=next(self._ids))
        with self._lock:
            self._faults[fault.id] = fault
        return fault

    def list(self) -> list[Fault]:
        with self._lock:
            return list(self._faults.values())

    def clear(self, fault_id: int | None = None) -> int:
        """Remove one fault or all; held calls go on. Returns how many were removed."""
        with self._lock:
            gone = [fault for fault in self._faults.values() if fault_id in (None, fault.id)]
            for fault in gone:
                del self._faults[fault.id]
        for fault in gone:
            fault.release()
        return len(gone)

    def release(self) -> int:
        """Let every held call go on; later matching calls are held no more. Returns how many were waiting."""
        waiting = 0
        for fault in self.list():
            if fault.action == "hold":
                waiting += fault.waiting
                fault.release()
        return waiting

    def due(self, service: str, operation: str) -> Fault | None:
        """The fault that acts on this call, if any: the oldest one that is due."""
        with self._lock:
            return next((fault for fault in self._faults.values() if fault.due(service, operation)), None)


def before(fault: Fault | None, service: str) -> None:
    """What a fault does before the call takes effect. Raises AwsError for an error answer."""
    if fault is None:
        return
    if fault.action == "throttle":
        raise AwsError(*THROTTLING.get(service, ("ThrottlingException", "Rate exceeded", 400)))
    if fault.action == "error":
        raise AwsError(fault.code, fault.message, fault.status)
    if fault.action == "latency":
        time.sleep(fault.seconds)
    if fault.action == "hold":
        fault.hold()
