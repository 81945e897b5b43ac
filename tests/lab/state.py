"""The lab's state file: what is running and must be gone after ``lab down``, also when nobody is left to ask."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab.network.process import processes, status
from lab.settings import Settings

MARK = "CUTOVER_LAB_MEMBER"  # every process the lab starts inherits MARK=<name of the lab>


@dataclass(frozen=True)
class Process:
    """A process that is told apart from a later one with the same number by its start time."""

    name: str
    pid: int
    start: int

    def alive(self) -> bool:
        return start_time(self.pid) == self.start


@dataclass
class State:
    name: str
    base_port: int
    daemon: Process | None = None
    processes: list[Process] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)
    stores: list[str] = field(default_factory=list)


def path(settings: Settings) -> Path:
    return settings.run_dir / "state.json"


def load(settings: Settings) -> State | None:
    """The state as last written, or None when this lab is not there. A torn file counts as empty: the sweep by name does the rest."""
    try:
        raw = json.loads(path(settings).read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        return State(settings.name, settings.base_port)
    daemon = Process(**raw["daemon"]) if raw.get("daemon") else None
    processes = [Process(**item) for item in raw["processes"]]
    return State(raw["name"], raw["base_port"], daemon, processes, raw["namespaces"], raw["stores"])


def save(settings: Settings, state: State) -> None:
    """Write atomically: a reader never sees half a file."""
    target = path(settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(asdict(state), indent=1))
    draft.replace(target)


def start_time(pid: int) -> int | None:
    """Start time of a living process in clock ticks since boot (proc(5), field 22); None when gone or a zombie."""
    found = status(pid)
    return None if found is None or found[0] in "ZX" else found[2]


def descendants(pid: int) -> list[Process]:
    """All living children of a process, and theirs."""
    known = {child: shown for child in processes() if (shown := status(child))}
    children: dict[int, list[int]] = {}
    for child, (_state, parent, _start) in known.items():
        children.setdefault(parent, []).append(child)
    found: list[Process] = []
    queue = list(children.get(pid, []))
    while queue:
        current = queue.pop()
        queue += children.get(current, [])
        if known[current][0] not in "ZX":
            found.append(Process(command(current), current, known[current][2]))
    return sorted(found, key=lambda process: process.pid)


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "?"


def members(name: str) -> list[int]:
    """Processes that carry this lab's mark in their environment."""
    wanted = f"{MARK}={name}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
