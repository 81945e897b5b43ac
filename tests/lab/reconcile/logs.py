"""Container output -> CloudWatch Logs: one stream per container, as the awslogs driver writes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.reconcile.definition import LogTarget
from lab.reconcile.world import World

CHUNK = 1 << 20
LONGEST = 250_000  # CloudWatch's limit for one event, in bytes


@dataclass
class _Source:
    path: Path
    target: LogTarget
    offset: int = 0
    rest: bytes = b""
    partial: str = ""
    closed: bool = False


class Logs:
    """Follows the log files of running containers; ``close`` delivers the last lines of a container that ended."""

    name = "logs"

    def __init__(self, world: World) -> None:
        self._world = world
        self._sources: dict[Path, _Source] = {}
        self._lock = threading.Lock()

    def missing_group(self, target: LogTarget) -> bool:
        """Whether the driver would find no log group (and may not create it)."""
        with self._world.state():
            logs = self._world.backend("logs")
            if target.group in logs.groups:
                return False
            if target.create_group:
                logs.create_log_group(target.group, {})
            return not target.create_group

    def follow(self, path: Path, target: LogTarget) -> None:
        """Create the stream and ship what the container writes."""
        with self._world.state():
            group = self._world.backend("logs").groups.get(target.group)
            if group is not None and target.stream not in group.streams:
                group.create_log_stream(target.stream)
        with self._lock:
            self._sources[path] = _Source(path, target)

    def close(self, path: Path) -> None:
        """The container ended: ship the rest at the next tick, then forget the file."""
        source = self._sources.get(path)
        if source is not None:
            source.closed = True

    def tick(self) -> None:
        with self._lock:
            sources = list(self._sources.values())
        for source in sources:
            closing = source.closed
            events = list(_read(source))
            if events:
                self._deliver(source.target, events)
            if closing:
                with self._lock:
                    self._sources.pop(source.path, None)

    def _deliver(self, target: LogTarget, events: list[dict[str, Any]]) -> None:
        """A group or stream deleted meanwhile loses the lines, as with the real driver."""
        with self._world.state():
            group = self._world.backend("logs").groups.get(target.group)
            if group is not None and target.stream in group.streams:
                group.put_log_events(target.stream, events)


def _read(source: _Source) -> Iterator[dict[str, Any]]:
    try:
        with source.path.open("rb") as file:
            file.seek(source.offset)
            data = file.read(CHUNK)
    except FileNotFoundError:
        return
    source.offset += len(data)
    *lines, source.rest = (source.rest + data).split(b"\n")
    for line in lines:
        event = _event(source, line.decode("utf-8", "replace"))
        if event:
            yield event


def _event(source: _Source, line: str) -> dict[str, Any] | None:
    """One line of podman's k8s-file: ``time stream F|P text``; P is the beginning of a longer line."""
    stamp, _stream, kind, text = [*line.split(" ", 3), "", "", ""][:4]
    source.partial += text
    if kind == "P":
        return None
    message, source.partial = source.partial[:LONGEST], ""
    if not message:
        return None
    return {"timestamp": _milliseconds(stamp), "message": message}


def _milliseconds(stamp: str) -> int:
    """RFC 3339 with nanoseconds; Python reads six digits."""
    head, _dot, tail = stamp.partition(".")
    digits = "".join(character for character in tail if character.isdigit())[:6] if tail else ""
    zone = "+00:00" if stamp.endswith("Z") or not tail else tail.lstrip("0123456789")
    return int(datetime.fromisoformat(f"{head}.{digits or '0':0<6}{zone}" if tail else stamp).timestamp() * 1000)
