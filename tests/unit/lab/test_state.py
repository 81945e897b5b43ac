"""The state file, and telling processes apart."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import state
from lab.settings import Settings


@dataclass(frozen=True)
class Here(Settings):
    folder: Path = Path()

    @property
    def run_dir(self) -> Path:
        return self.folder


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    settings = Here(folder=tmp_path)
    kept = state.State("lab", 4600, state.Process("daemon", 1, 2), [state.Process("x", 3, 4)], ["lab-vpc"])
    state.save(settings, kept)
    assert state.load(settings) == kept
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_no_file_is_no_lab_and_a_torn_file_is_an_empty_one(tmp_path: Path) -> None:
    settings = Here(folder=tmp_path)
    assert state.load(settings) is None
    state.path(settings).write_text('{"name": "la')
    assert state.load(settings) == state.State("lab" if settings.name == "lab" else settings.name, settings.base_port)


def test_a_process_is_not_its_successor() -> None:
    own = state.start_time(os.getpid())
    assert own is not None
    assert state.Process("me", os.getpid(), own).alive()
    assert not state.Process("me", os.getpid(), own - 1).alive()


def test_members_carry_the_mark_and_descendants_are_found() -> None:
    with subprocess.Popen(["sleep", "30"], env={**os.environ, state.MARK: "unittest"}) as child:
        try:
            assert child.pid in [process.pid for process in state.descendants(os.getpid())]
            assert state.members("unittest") == [child.pid]
            assert state.members("unittes") == []
        finally:
            child.kill()
