"""Numbers for each phase from what a run wrote down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lab.load import report


def request(t: float, ms: float = 10.0, side: str | None = "source", ok: bool = True) -> dict[str, Any]:
    return {"t": t, "ms": ms, "side": side, "ok": ok, "path": "/me"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    def write(name: str, lines: list[dict[str, Any]], end: str = "\n") -> None:
        (tmp_path / name).write_text("\n".join(json.dumps(line) for line in lines) + end)

    requests = [request(100.5), request(110.2, 20), request(110.9, 30, None, ok=False), request(120.0, 40, "target"), request(121.0, 50, "target")]
    write("requests.jsonl", requests, '\n{"t": 122.0, "ms"')
    write("phases.jsonl", [{"t": 110.0, "name": "migrate"}, {"t": 120.0, "name": "scale_in"}])
    write("queue.jsonl", [{"t": 101.0, "sent": 5, "done": 3, "twice": 0}, {"t": 103.0, "error": "ClientError"}])
    (tmp_path / "summary.json").write_text(json.dumps({"requests": 5}))
    return tmp_path


def test_requests_belong_to_the_phase_in_which_they_were_sent(folder: Path) -> None:
    phases = report.summarise(folder)["phases"]
    assert [(phase["name"], phase["requests"], phase["failed"], phase["source"], phase["target"]) for phase in phases] == [
        ("", 1, 0, 1, 0),
        ("migrate", 2, 1, 1, 0),
        ("scale_in", 2, 0, 0, 2),
    ]
    assert [(phase["start"], phase["end"]) for phase in phases] == [(100.5, 110.0), (110.0, 120.0), (120.0, 121.0)]
    assert (phases[1]["p50_ms"], phases[1]["p99_ms"]) == (20.0, 30.0)


def test_series_failures_and_totals(folder: Path) -> None:
    summary = report.summarise(folder)
    assert [(second["t"], second["requests"], second["failed"]) for second in summary["seconds"]] == [(100, 1, 0), (110, 2, 1), (120, 1, 0), (121, 1, 0)]
    assert summary["queue"] == [{"t": 101.0, "waiting": 2}]
    assert [failure["t"] for failure in summary["failures"]] == [110.9]
    assert summary["totals"] == {"requests": 5}


def test_target_share_looks_at_the_end_only(folder: Path) -> None:
    assert report.summarise(folder)["served_by_target_at_end"] == 1.0


def test_mark_appends_a_phase_and_a_run_without_marks_has_one(folder: Path) -> None:
    (folder / "phases.jsonl").unlink()
    assert [(phase["name"], phase["requests"]) for phase in report.summarise(folder)["phases"]] == [("", 5)]
    report.mark(folder, "later")
    assert [phase["name"] for phase in report.summarise(folder)["phases"]] == ["", "later"]
