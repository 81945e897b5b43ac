"""Running and ending programs."""

from __future__ import annotations

import os
import subprocess

import pytest
from lab.network.process import CommandError, end, lineage, run, running


def test_a_failing_program_says_what_it_said() -> None:
    with pytest.raises(CommandError, match="nothing here") as caught:
        run(["sh", "-c", "echo nothing here >&2; exit 3"])
    assert caught.value.status == 3


def test_input_and_output() -> None:
    assert run(["cat"], "text") == "text"


def test_end_is_firm_with_a_process_that_ignores_sigterm() -> None:
    process = subprocess.Popen(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    end(lambda pid: pid == process.pid, grace=0.1)
    assert process.wait(5) == -9
    assert not running(process.pid)
    process.stdout.close()


def test_end_spares_this_process_and_its_ancestors() -> None:
    asked: set[int] = set()

    def note(pid: int) -> bool:
        asked.add(pid)
        return False

    end(note)
    assert os.getpid() in lineage()
    assert asked
    assert not lineage() & asked
