"""Running other programs: their own words when they fail, no inherited streams, and a look at what still runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


class CommandError(RuntimeError):
    """A program failed; the message is the command and what it wrote to standard error."""

    def __init__(self, argv: Sequence[str], status: int, text: str) -> None:
        super().__init__(f"{' '.join(argv)} (exit {status}): {text.strip()}")
        self.status = status
        self.text = text


def run(argv: Sequence[str], text: str | None = None, timeout: float = 60) -> str:
    """Standard output of a program that must succeed."""
    done = subprocess.run(argv, input="" if text is None else text, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode:
        raise CommandError(argv, done.returncode, done.stderr or done.stdout)
    return done.stdout


def processes() -> Iterator[int]:
    """Ids of all processes of this machine."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            yield int(entry)


def command_line(pid: int) -> list[str]:
    """Arguments of a process; empty for zombies, kernel threads and processes that ended meanwhile."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    return []


def status(pid: int) -> tuple[str, int, int] | None:
    """(state, parent, start time in clock ticks) from /proc/<pid>/stat; None when the process is gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], int(fields[1]), int(fields[19])
    return None


def lineage() -> set[int]:
    """This process and its ancestors: what no clean-up may end."""
    pids, pid = {1}, os.getpid()
    while pid > 1 and (found := status(pid)):
        pids.add(pid)
        pid = found[1]
    return pids


def running(pid: int) -> bool:
    """A zombie does not run."""
    found = status(pid)
    return found is not None and found[0] not in "ZX"


def end(condition: Callable[[int], bool], grace: float = 3) -> None:
    """End every process the condition names (never this one or its ancestors): SIGTERM, then SIGKILL after ``grace`` seconds."""
    spared = lineage()
    victims = [pid for pid in processes() if pid not in spared and condition(pid)]
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        victims = _wait(victims, patience)


def _wait(pids: list[int], patience: float) -> list[int]:
    deadline = time.monotonic() + patience
    while (pids := [pid for pid in pids if running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return pids
