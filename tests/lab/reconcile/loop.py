"""The one loop that keeps desired and real state together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger("lab")
PERIOD = 0.15


class Reconciler(Protocol):
    """One concern. ``tick`` compares and acts, quickly: slow work goes to the pool."""

    name: str

    def tick(self) -> None: ...


class Loop:
    """Calls every reconciler in turn until stopped. A failing one is logged (once per distinct message in a row) and tried again."""

    def __init__(self, reconcilers: Sequence[Reconciler], stopping: threading.Event) -> None:
        self.reconcilers = list(reconcilers)
        self._stopping = stopping
        self._wake = threading.Event()
        self._last_error: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="lab-loop", daemon=True)
        self.spent: dict[str, float] = {}

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something changed: do not wait for the end of the period."""
        self._wake.set()

    def join(self, seconds: float) -> None:
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for reconciler in self.reconcilers:
                self._tick(reconciler)
            self._wake.wait(PERIOD)
            self._wake.clear()

    def _tick(self, reconciler: Reconciler) -> None:
        began = time.thread_time()
        try:
            reconciler.tick()
            self._last_error.pop(reconciler.name, None)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            if self._last_error.get(reconciler.name) != text:
                log.exception("reconciler %s failed", reconciler.name)
            self._last_error[reconciler.name] = text
        self.spent[reconciler.name] = self.spent.get(reconciler.name, 0.0) + time.thread_time() - began
