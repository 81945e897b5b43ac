"""Control groups of the lab's containers: whose memory ran out, and what must go when the lab ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

RECORD = 8192  # longest record of the kernel log


def parent(lab: str, store: str = "") -> str:
    """Every container of a lab is below one group, so that nothing of it can be missed or confused with others."""
    return f"/cutover-{lab}" + (f"/{store}" if store else "")


def hierarchies() -> list[Path]:
    """Mount points: one each for a v1 controller, one in all for v2."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [Path(fields[4]) for fields in mounts if fields[fields.index("-") + 1] in ("cgroup", "cgroup2")]


def members(group: str) -> set[int]:
    """Processes in the group and below."""
    pids: set[int] = set()
    for folder in _folders(group):
        with contextlib.suppress(OSError):
            pids.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
    return pids


def remove(group: str, patience: float = 2) -> None:
    """Remove the emptied group everywhere; the kernel lets go of it a moment after its last process."""
    deadline = time.monotonic() + patience
    while (left := [folder for folder in _folders(group) if not _removed(folder)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    if left:
        raise OSError(f"control group {left[-1]} is still in use by processes {sorted(members(group))}")


def _removed(folder: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        try:
            folder.rmdir()
        except OSError:
            return False
    return True


def _folders(group: str) -> Iterator[Path]:
    """Deepest first, as rmdir wants them."""
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(f"{hierarchy}{group}", topdown=False):
            yield Path(folder)


def out_of_memory(container: str) -> bool:
    """Whether the kernel killed something of this container for its memory limit: the log names the group that ran out."""
    marker = f"/libpod-{container}".encode()
    return any(b"oom" in record and marker in record for record in _kernel_log())


def _kernel_log() -> Iterator[bytes]:
    descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            try:
                yield os.read(descriptor, RECORD)
            except BrokenPipeError:  # overwritten while reading: the next read goes on behind it
                continue
            except BlockingIOError:
                return
    finally:
        os.close(descriptor)
