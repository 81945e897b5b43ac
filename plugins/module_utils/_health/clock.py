# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Time as a generator, so that a test can hand in its own."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """``elapsed`` is monotonic: a wall clock that is set back must not prolong a wait. ``wall`` is for comparing with AWS's times."""

    elapsed: t.Callable[[], float] = time.monotonic
    wall: t.Callable[[], float] = time.time
    sleep: t.Callable[[float], None] = time.sleep


def ticks(clock: Clock, total: float, interval: t.Callable[[], float]) -> t.Iterator[float]:
    """Seconds since the start, at once and then after each ``interval()``; the last tick is at ``total`` or the first one after it."""
    start = clock.elapsed()
    passed = 0.0
    yield passed
    while passed < total:
        clock.sleep(max(min(interval(), total - passed), 0.001))
        passed = clock.elapsed() - start
        yield passed
