"""The verdict of a demonstration: what makes it fail, and what the page shows."""

from __future__ import annotations

from typing import Any

import pytest
from lab.demo import page, story


def summary(**totals: int) -> dict[str, Any]:
    phase = {"name": "migrate", "start": 100.0, "end": 110.0, "requests": 500, "failed": 0, "p50_ms": 12.0, "p99_ms": 40.0, "source": 300, "target": 200, "unknown": 0}
    second = {"requests": 50, "failed": 1, "source": 30, "target": 19, "unknown": 1, "p50_ms": 12.0, "p99_ms": 30.0, "max_ms": 31.0}
    counts = {"requests": 500, "failed": 0, "sessions": 50, "sessions_lost": 0, "counter_errors": 0, "jobs_sent": 25, "jobs_done": 25, "jobs_twice": 0}
    return {
        "totals": {**counts, **totals},
        "phases": [phase],
        "seconds": [{"t": 100 + number, **second} for number in range(10)],
        "queue": [{"t": 101.0, "waiting": 2}],
        "failures": [{"t": 103.0, "method": "GET", "path": "/me?<b>", "status": 502, "error": "bad"}],
        "served_by_target_at_end": 1.0,
    }


def test_a_clean_run_passes() -> None:
    result = story.judge(summary(), None, 12.34)
    assert (result["verdict"], result["reasons"], result["wall_s"]) == ("passed", [], 12.3)


@pytest.mark.parametrize("wrong", [{"failed": 1}, {"sessions_lost": 1}, {"jobs_twice": 1}, {"jobs_done": 24}, {"counter_errors": 1}])
def test_one_lost_thing_fails_the_run(wrong: dict[str, int]) -> None:
    result = story.judge(summary(**wrong), None, 1)
    assert result["verdict"] == "failed"
    assert len(result["reasons"]) == 1


def test_a_failed_playbook_fails_the_run() -> None:
    assert story.judge(summary(), "Phase plan: ...", 1)["verdict"] == "failed"


def test_traffic_left_on_the_source_fails_the_run() -> None:
    assert story.judge({**summary(), "served_by_target_at_end": 0.99}, None, 1)["verdict"] == "failed"


def test_the_page_is_self_contained_and_escapes_what_users_saw() -> None:
    data = summary(failed=1)
    text = page.render(data, story.judge(data, None, 1), {"migrate": "\x1b[32mok\x1b[0m <tag>"}, [("migrate", "moves")])
    assert "/me?&lt;b&gt;" in text
    assert "&lt;tag&gt;" in text
    assert "\x1b" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert text.count("<svg") == 3


@pytest.mark.parametrize(("value", "top"), [(0, 1), (1, 1), (3, 4), (51, 80), (81, 100), (0.3, 0.4)])
def test_scales_end_at_readable_numbers(value: float, top: float) -> None:
    assert page._round_up(value) == pytest.approx(top)
