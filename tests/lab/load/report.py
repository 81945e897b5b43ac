"""Reads what a run wrote down: numbers for each phase, series for a chart."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.load.journal import PHASES, QUEUE, REQUESTS, SUMMARY, Tally

AT_END = 10.0  # seconds that count as the end of a run
FAILURES = 50


def mark(folder: Path, name: str) -> None:
    """Begin a phase now."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / PHASES).open("a") as file:
        file.write(json.dumps({"t": round(time.time(), 3), "name": name}) + "\n")


@dataclass
class Phase:
    """From one mark to the next."""

    name: str
    start: float
    end: float
    tally: Tally = field(default_factory=Tally)

    def summary(self) -> dict[str, Any]:
        return {"name": self.name, "start": self.start, "end": self.end, **self.tally.summary()}


def summarise(folder: Path) -> dict[str, Any]:
    """``totals`` (the run's summary), ``phases``, ``seconds`` and ``queue`` (series), ``failures`` (the first ones), ``served_by_target_at_end`` (0 to 1).

    A request belongs to the phase and the second in which it was sent.
    """
    requests = list(_lines(folder / REQUESTS))
    phases = _phases(list(_lines(folder / PHASES)), requests)
    seconds: defaultdict[int, Tally] = defaultdict(Tally)
    for request in requests:
        _phase_at(phases, request["t"]).tally.add(request["ms"], request["ok"], request["side"])
        seconds[int(request["t"])].add(request["ms"], request["ok"], request["side"])
    return {
        "totals": json.loads((folder / SUMMARY).read_text()),
        "phases": [phase.summary() for phase in phases if phase.name or phase.tally.requests],
        "seconds": [{"t": second, **seconds[second].summary()} for second in sorted(seconds)],
        "queue": [{"t": look["t"], "waiting": look["sent"] - look["done"]} for look in _lines(folder / QUEUE) if "error" not in look],
        "failures": [request for request in requests if not request["ok"]][:FAILURES],
        "served_by_target_at_end": _target_share_at_end(requests),
    }


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines only: the last one may still be in the making."""
    if path.exists():
        with path.open() as file:
            yield from (json.loads(line) for line in file if line.endswith("\n"))


def _phases(marks: Sequence[Mapping[str, Any]], requests: Sequence[Mapping[str, Any]]) -> list[Phase]:
    """The marked phases in order, and before them one without a name for what was sent before the first mark."""
    first = min((request["t"] for request in requests), default=0.0)
    last = max((request["t"] for request in requests), default=first)
    starts = [(first, ""), *sorted((float(mark["t"]), str(mark["name"])) for mark in marks)]
    ends = [start for start, _name in starts[1:]] + [max(last, starts[-1][0])]
    return [Phase(name, start, end) for (start, name), end in zip(starts, ends, strict=True)]


def _phase_at(phases: Sequence[Phase], t: float) -> Phase:
    return next((phase for phase in reversed(phases) if phase.start <= t), phases[0])


def _target_share_at_end(requests: Sequence[Mapping[str, Any]]) -> float | None:
    if not requests:
        return None
    end = max(request["t"] for request in requests)
    sides = [request["side"] for request in requests if request["t"] > end - AT_END]
    return sides.count("target") / len(sides)
