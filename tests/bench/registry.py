"""Which benchmarks there are, and the shape of what they give."""

from __future__ import annotations

import importlib
import pkgutil
import statistics
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


class UnavailableError(Exception):
    """A benchmark cannot run on this machine; the message says what is missing."""


@dataclass(frozen=True)
class Table:
    """``notes`` are sentences below the table: the input, its size, what a column means."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        lines = [self.columns, tuple("---" if index == 0 else "---:" for index in range(len(self.columns))), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n".join([table, "", *(f"- {note}" for note in self.notes)])


@dataclass(frozen=True)
class Benchmark:
    name: str
    doc: str
    run: t.Callable[[], Table]


def benchmarks() -> dict[str, Benchmark]:
    found = {}
    for info in pkgutil.iter_modules([str(FOLDER)]):
        if info.name.startswith("__"):
            continue
        module = importlib.import_module(f"{__package__}.{info.name}")
        if hasattr(module, "run"):
            found[info.name] = Benchmark(info.name, (module.__doc__ or "").strip(), module.run)
    return found


def side_by_side(tools: t.Mapping[str, t.Callable[[], object]], rounds: int = 5) -> dict[str, float]:
    """Median seconds of each tool. They take turns, so that what else the machine does hits all alike; the first round warms up and is dropped."""
    seconds: dict[str, list[float]] = {name: [] for name in tools}
    for number in range(rounds + 1):
        for name, tool in tools.items():
            start = time.process_time()
            tool()
            if number:
                seconds[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}
