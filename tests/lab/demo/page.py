"""report.html: one self-contained page with the picture of the run. No script, no outside resource."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

WIDTH, LEFT, RIGHT = 1120, 52, 12
STYLE = (Path(__file__).parent / "page.css").read_text()
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def render(summary: Mapping[str, Any], result: Mapping[str, Any], logs: Mapping[str, str], told: Sequence[tuple[str, str]]) -> str:
    """The page, from what ``lab.load.report.summarise`` gives, the result and what each playbook said."""
    parts = [
        _verdict(result),
        "<h2>Requests per second, by who served them</h2>" + _legend() + _served(summary),
        "<h2>Latency</h2><p class=note>milliseconds, per second of the run: median and 99th percentile, cut at the top</p>" + _latency(summary),
        "<h2>Queue</h2><p class=note>jobs sent and not yet done; both workers serve one queue while both sides run</p>" + _queue(summary),
        "<h2>Phases</h2>" + _phases(result, dict(told)),
        _failures(summary),
        "<h2>What each playbook said</h2>" + "".join(_log(phase, text) for phase, text in logs.items()),
    ]
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>cutover.fargate: demo run</title><style>{STYLE}</style><main>{"".join(parts)}</main></html>'


def _verdict(result: Mapping[str, Any]) -> str:
    tiles = [
        ("requests", f"{result['requests']:,}"),
        ("failed", f"{result['failed']:,}"),
        ("sessions lost", f"{result['sessions_lost']} of {result['sessions']}"),
        ("jobs done / sent", f"{result['jobs_done']:,} / {result['jobs_sent']:,}"),
        ("jobs twice", str(result["jobs_twice"])),
        ("on Fargate at the end", f"{(result['served_by_target_at_end'] or 0) * 100:.0f} %"),
    ]
    told = "".join(f"<div class=tile><b>{value}</b><span>{name}</span></div>" for name, value in tiles)
    reasons = "".join(f"<li>{html.escape(reason)}" for reason in result["reasons"])
    line = "A live shop moved from ECS on EC2 to Fargate, back after the old side was at zero, and over again, while its users clicked."
    return f'<h1>cutover.fargate <span class="{result["verdict"]}">{result["verdict"]}</span></h1><p>{line}</p><div class=tiles>{told}</div><ul class=reasons>{reasons}</ul>'


def _legend() -> str:
    return '<p class=legend><i class="key source"></i>source (EC2) <i class="key target"></i>target (Fargate) <i class="key failed"></i>failed</p>'


class _Frame:
    """A chart's scales: seconds of the run from left to right, values from the bottom up."""

    def __init__(self, summary: Mapping[str, Any], height: int, top_value: float) -> None:
        seconds = summary["seconds"]
        self.start = seconds[0]["t"] if seconds else 0
        self.span = max((seconds[-1]["t"] - self.start + 1) if seconds else 1, 1)
        self.height, self.head = height, 26
        self.top_value = _round_up(top_value)
        self.phases = [phase for phase in summary["phases"] if phase["name"]]

    def x(self, time: float) -> float:
        return round(LEFT + (time - self.start) / self.span * (WIDTH - LEFT - RIGHT), 2)

    def y(self, value: float) -> float:
        return round(self.head + self.height - min(value, self.top_value) / self.top_value * self.height, 2)

    def svg(self, body: str, label: str) -> str:
        bottom = self.head + self.height
        bands = "".join(self._band(phase, number, bottom) for number, phase in enumerate(self.phases))
        grid = "".join(self._line(self.top_value * part / 4) for part in range(5))
        ticks = "".join(f'<text x="{self.x(self.start + at)}" y="{bottom + 16}" class=tick>{at} s</text>' for at in range(0, self.span, _tick(self.span)))
        return f'<svg viewBox="0 0 {WIDTH} {bottom + 24}" role="img" aria-label="{label}">{bands}{grid}{body}{ticks}</svg>'

    def _band(self, phase: Mapping[str, Any], number: int, bottom: int) -> str:
        left, right = max(self.x(phase["start"]), LEFT), min(self.x(phase["end"]), WIDTH - RIGHT)
        name = html.escape(phase["name"])
        # A label that would not fit is left to the tooltip.
        text = f'<text x="{left + 4}" y="16" class=phase>{name}</text>' if right - left > 7 * len(name) else ""
        width = max(right - left, 0)
        return f'<g><title>{name}</title><rect x="{left}" y="0" width="{width:.2f}" height="{bottom}" class="band band{number % 2}"/>{text}</g>'

    def _line(self, value: float) -> str:
        y = self.y(value)
        return f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" class=grid /><text x="{LEFT - 6}" y="{y + 4}" class=value>{value:g}</text>'


def _served(summary: Mapping[str, Any]) -> str:
    seconds = summary["seconds"]
    frame = _Frame(summary, 240, max((second["requests"] for second in seconds), default=1))
    bars = []
    for second in seconds:
        left = frame.x(second["t"])
        width = max(frame.x(second["t"] + 1) - left, 0.5)
        at = second["t"] - frame.start
        told = f"{at} s: {second['requests']} requests, source {second['source']}, target {second['target']}, failed {second['failed']}"
        base, pieces = 0, []
        for kind, count in (("source", second["source"]), ("target", second["target"]), ("failed", second["failed"])):
            if count:
                y, below = frame.y(base + count), frame.y(base)
                pieces.append(f'<rect x="{left}" y="{y}" width="{width:.2f}" height="{below - y:.2f}" class="{kind}"/>')
                base += count
        bars.append(f"<g><title>{told}</title>{''.join(pieces)}</g>")
    return frame.svg("".join(bars), "requests per second served by source and by target")


def _latency(summary: Mapping[str, Any]) -> str:
    seconds = [second for second in summary["seconds"] if second["p99_ms"] is not None]
    worst = sorted(second["p99_ms"] for second in seconds)
    # One slow second must not flatten the rest: the scale ends at the 98th percentile of the seconds.
    frame = _Frame(summary, 140, worst[int(len(worst) * 0.98)] if worst else 1)
    lines = "".join(_path(frame, [(second["t"] + 0.5, second[key]) for second in seconds], kind) for key, kind in (("p99_ms", "p99"), ("p50_ms", "p50")))
    return frame.svg(lines, "latency, median and 99th percentile")


def _queue(summary: Mapping[str, Any]) -> str:
    points = [(look["t"], look["waiting"]) for look in summary["queue"]]
    frame = _Frame(summary, 80, max((waiting for _time, waiting in points), default=1))
    return frame.svg(_path(frame, points, "queue"), "jobs waiting")


def _path(frame: _Frame, points: Sequence[tuple[float, float]], kind: str) -> str:
    if not points:
        return ""
    return f'<polyline class="{kind}" points="{" ".join(f"{frame.x(time)},{frame.y(value)}" for time, value in points)}"/>'


def _phases(result: Mapping[str, Any], told: Mapping[str, str]) -> str:
    columns: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = [
        ("requests", lambda phase: f"{phase['requests']:,}"),
        ("failed", lambda phase: str(phase["failed"])),
        ("p50 ms", lambda phase: _number(phase["p50_ms"])),
        ("p99 ms", lambda phase: _number(phase["p99_ms"])),
        ("by source", lambda phase: f"{phase['source']:,}"),
        ("by target", lambda phase: f"{phase['target']:,}"),
    ]
    head = "<th>phase<th>what happens" + "".join(f"<th class=n>{name}" for name, _cell in columns)
    rows = "".join(
        f"<tr><td>{html.escape(phase['name'])}<td>{html.escape(told.get(phase['name'], ''))}" + "".join(f"<td class=n>{cell(phase)}" for _name, cell in columns)
        for phase in result["phases"]
    )
    return f"<table><tr>{head}{rows}</table>"


def _failures(summary: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{failure['t']}<td>{failure['method']} {html.escape(failure['path'])}<td>{failure['status'] or ''}<td>{html.escape(str(failure.get('error') or ''))}"
        for failure in summary["failures"]
    )
    return f"<h2>Failures</h2><table><tr><th>time<th>request<th>status<th>error{rows}</table>" if rows else "<h2>Failures</h2><p>None.</p>"


def _log(phase: str, text: str) -> str:
    return f"<details><summary>{html.escape(phase)}</summary><pre>{html.escape(ANSI.sub('', text))}</pre></details>"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 8, 10, 20 ...: a scale that people can read."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value)


def _tick(span: int) -> int:
    return next((step for step in (5, 10, 30, 60, 120, 300) if span / step <= 14), 600)
