"""podman's log lines -> CloudWatch events."""

from __future__ import annotations

from pathlib import Path

from lab.reconcile.definition import LogTarget
from lab.reconcile.logs import _read, _Source

STAMP = "2026-11-22T20:09:00.123456789+00:00"


def source(path: Path, text: str) -> _Source:
    path.write_text(text)
    return _Source(path, LogTarget("/g", "s", False))


def test_lines_become_events_with_their_time(tmp_path: Path) -> None:
    events = list(_read(source(tmp_path / "log", f"{STAMP} stdout F hello world\n{STAMP} stderr F  indented\n")))
    assert [event["message"] for event in events] == ["hello world", " indented"]
    assert events[0]["timestamp"] == 1795378140123


def test_a_long_line_comes_in_parts(tmp_path: Path) -> None:
    events = list(_read(source(tmp_path / "log", f"{STAMP} stdout P first \n{STAMP} stdout F second\n")))
    assert [event["message"] for event in events] == ["first second"]


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    item = source(tmp_path / "log", f"{STAMP} stdout F hel")
    assert not list(_read(item))
    with item.path.open("a") as file:
        file.write("lo\n")
    assert [event["message"] for event in _read(item)] == ["hello"]


def test_a_missing_file_is_no_output(tmp_path: Path) -> None:
    assert not list(_read(_Source(tmp_path / "none", LogTarget("/g", "s", False))))
