"""Every API call that reached the lab, for people and for assertions (``GET /_lab/requests?since=N``)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class LoggedRequest:
    seq: int
    time: float  # seconds since the epoch
    service: str
    operation: str
    mutating: bool
    parameters: dict[str, Any]  # without secrets
    status: int
    error: str  # AWS's error code; empty when it succeeded
    fault: str  # the injected action, if any
    milliseconds: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class RequestLog:
    """The last calls, numbered from 1 without gaps."""

    def __init__(self, size: int = 50_000) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=size)
        self._next = 1
        self._lock = threading.Lock()

    def add(self, make: Callable[[int], LoggedRequest]) -> LoggedRequest:
        with self._lock:
            request = make(self._next)
            self._next += 1
            self._requests.append(request)
        return request

    @property
    def last(self) -> int:
        """Number of the newest call; 0 before the first."""
        return self._next - 1

    def since(self, seq: int = 0, mutating: bool | None = None) -> list[LoggedRequest]:
        """Calls with a number above ``seq``, oldest first."""
        with self._lock:
            return [item for item in self._requests if item.seq > seq and (mutating is None or item.mutating is mutating)]
