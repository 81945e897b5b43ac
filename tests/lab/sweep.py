"""Leave nothing behind: remove every process, container, mount, namespace and file of one lab.

``lab down`` first asks the daemon to stop in order. What is here then works without the daemon, after ``kill -9`` of any part, and touches
nothing but this lab: its processes are known by the state file, by the mark in their environment, or by living in one of its namespaces.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab import state
from lab.balancer import haproxy
from lab.containers import cgroups, engine, sandboxes
from lab.network import namespace
from lab.network.process import end, lineage
from lab.settings import Settings

GRACE = 60.0  # seconds for the daemon to stop in order: containers get their stop signal, data stores close their files


def down(settings: Settings) -> bool:
    """Stop the daemon in order, then sweep. True when there was anything."""
    known = state.load(settings)
    found = bool(leftovers(settings))
    made_by_podman = engine.namespaces(settings)
    if known and known.daemon and known.daemon.alive():
        os.kill(known.daemon.pid, signal.SIGTERM)
        _wait_gone(known.daemon, GRACE)
    sweep(settings)
    sandboxes.remove(made_by_podman)
    return found


def sweep(settings: Settings) -> None:
    """Remove what is left of this lab. Safe at any time without a daemon, also when there is nothing."""
    made_by_podman = engine.namespaces(settings)
    processes = set(_processes(settings))
    end(lambda pid: pid in processes)
    engine.remove_all(settings)
    haproxy.remove_all(settings)
    namespace.remove_all(settings)
    sandboxes.remove(made_by_podman)
    for folder in (settings.state_dir, settings.run_dir):
        shutil.rmtree(folder, ignore_errors=True)


def leftovers(settings: Settings) -> list[str]:
    """What of this lab is on the machine: empty after a clean ``down`` (tests assert it)."""
    found = [f"process {pid} {state.command(pid)}" for pid in _processes(settings)]
    found += [f"namespace {name}" for name in (*_namespaces(settings), *sandboxes.remaining(engine.namespaces(settings)))]
    found += [f"mount {point}" for point in _mounts(settings)]
    found += [f"cgroup {folder}" for folder in Path("/sys/fs/cgroup").glob(f"*/{cgroups.parent(settings.name).strip('/')}")]
    return found + [f"folder {folder}" for folder in (settings.state_dir, settings.run_dir) if folder.exists()]


def _processes(settings: Settings) -> list[int]:
    """Never this process or its ancestors: a person may run ``lab down`` from ``lab shell``."""
    known = state.load(settings)
    listed = [*known.processes, *([known.daemon] if known.daemon else [])] if known else []
    found = {process.pid for process in listed if process.alive()} | set(state.members(settings.name)) | set(_inhabitants(settings))
    return sorted(pid for pid in found - lineage() if state.start_time(pid) is not None)


def _inhabitants(settings: Settings) -> Iterator[int]:
    """Processes whose network namespace is one of this lab's."""
    inodes = {_inode(namespace.NAMESPACES / name) for name in _namespaces(settings)} - {_inode(Path("/proc/self/ns/net")), None}
    if not inodes:
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _inode(entry / "ns/net") in inodes:
            yield int(entry.name)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _wait_gone(process: state.Process, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while process.alive() and time.monotonic() < deadline:
        time.sleep(0.05)


def _namespaces(settings: Settings) -> list[str]:
    return namespace.Network(settings).namespaces()


def _mounts(settings: Settings) -> Iterable[str]:
    folders = (f"{settings.state_dir}/", f"{settings.run_dir}/")
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted(point for point in points if point.startswith(folders))
