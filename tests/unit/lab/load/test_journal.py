"""Percentiles, sides and the summary that others read while the run goes on."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.load.journal import Journal, Latencies, Request, side_of

REQUEST = Request(
    t=100.0, user=1, method="GET", path="/me", status=200, ms=12.3, served_by="AWS_ECS_EC2 1", side="source", address="10.20.0.10", keep_alive=True, ok=True
)


@given(st.lists(st.integers(0, 50_000), min_size=1), st.sampled_from([50, 99, 100]))
def test_percentile_is_the_nearest_rank(steps: list[int], percent: int) -> None:
    latencies = Latencies()
    for step in steps:
        latencies.add(step / 10)
    assert latencies.percentile(percent) == sorted(steps)[math.ceil(percent / 100 * len(steps)) - 1] / 10


def test_no_requests_have_no_percentile() -> None:
    assert Latencies().summary() == {"p50_ms": None, "p99_ms": None, "max_ms": None}


@pytest.mark.parametrize(
    ("served_by", "side"), [("AWS_ECS_EC2 abc", "source"), ("AWS_ECS_FARGATE abc", "target"), ("LOCAL", None), ("", None), (None, None)]
)
def test_side(served_by: str | None, side: str | None) -> None:
    assert side_of(served_by) == side


def test_summary_is_up_to_date_and_whole_after_each_flush(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.request(REQUEST)
    journal.request(replace(REQUEST, status=502, ok=False, side=None, error="status 502"))
    journal.counts.sessions = 1
    journal.flush("running")
    summary = json.loads((tmp_path / "summary.json").read_text())
    expected = {"state": "running", "requests": 2, "failed": 1, "source": 1, "target": 0, "unknown": 1, "sessions": 1, "sessions_lost": 0, "p50_ms": 12.3}
    assert {key: summary[key] for key in expected} == expected
    assert summary["last_failure"]["error"] == "status 502"
    assert len((tmp_path / "requests.jsonl").read_text().splitlines()) == 2
    journal.close()
    assert json.loads((tmp_path / "summary.json").read_text())["state"] == "finished"
