# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads the logs of a service's tasks, stream by stream: the name of a stream tells the task."""

from __future__ import annotations

import re
import typing as t

from .._aws.errors import ClientError, is_code
from . import predicates
from .facts import log_options, task_id
from .model import Json, LogLine, Service, Snapshot
from .patterns import HEALTH_CHECK_LINE

MOST_TASKS, MOST_LINES, MOST_PAGES = 3, 200, 5
A_DAY = 86400.0


class LogReader:
    """What was read is kept from poll to poll, so each line is asked for once."""

    def __init__(self, clients: t.Any) -> None:
        self.clients = clients
        self._lines: dict[tuple[str, str], list[LogLine]] = {}
        self._seen: dict[tuple[str, str], set[str]] = {}
        self._checks: dict[str, LogLine | None] = {}

    def tasks(self, snapshot: Snapshot, signal: Service) -> list[Json]:
        """The newest that run, and the newest that failed."""
        running = sorted(signal.tasks, key=lambda task: -float(task.get("createdAt") or 0))[:MOST_TASKS]
        return [*running, *predicates.crashes(snapshot, signal)[:MOST_TASKS]]

    def read(self, snapshot: Snapshot, signal: Service, task: Json, definition: Json) -> None:
        for container in definition.get("containerDefinitions", []):
            group, prefix = log_options(container)
            stream = _stream_name(task, str(container["name"]), prefix)
            if group and stream and group not in signal.missing_log_groups:
                self._read(signal, LogLine(task_id(task), str(container["name"]), group, stream, _since(snapshot, task), ""))

    def _read(self, signal: Service, start: LogLine) -> None:
        """New lines of one stream; a line has an id, so the overlap of two reads does not count twice."""
        key = (start.group, start.stream)
        lines, seen = self._lines.setdefault(key, []), self._seen.setdefault(key, set())
        since = lines[-1].at if lines else start.at
        try:
            events = self._events_of(logGroupName=start.group, logStreamNames=[start.stream], startTime=int(since * 1000))
        except ClientError as error:
            if not is_code(error, "ResourceNotFoundException"):
                raise
            if "group" in str(error):
                signal.missing_log_groups.append(start.group)
            events = []
        for event in events:
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                lines.append(LogLine(start.task, start.container, start.group, start.stream, event["timestamp"] / 1000, str(event["message"]).rstrip()))
        lines.sort(key=lambda line: line.at)
        del lines[:-MOST_LINES]
        signal.logs += lines

    def _events_of(self, **what: t.Any) -> list[Json]:
        """A busy stream gives its first pages now and the rest at the next poll."""
        paginator = self.clients("logs").get_paginator("filter_log_events")
        events: list[Json] = []
        for number, page in enumerate(paginator.paginate(**what)):
            events += page.get("events", [])
            if number + 1 >= MOST_PAGES:
                break
        return events

    def look_for_checks(self, snapshot: Snapshot, signal: Service) -> None:
        """Where health checks time out and none is logged: did this deployment ever log one? Else its configuration may leave them out.

        Asked once for a service: what it logs does not change while it is verified.
        """
        timed_out = any(record.reason == "Target.Timeout" and record.target_group in signal.target_group_arns for record in snapshot.health_history)
        if not timed_out or any(re.search(HEALTH_CHECK_LINE, line.text) for line in signal.logs):
            return
        if signal.name not in self._checks:
            self._checks[signal.name] = self._earlier_check(snapshot, signal)
        signal.logged_check = self._checks[signal.name]

    def _earlier_check(self, snapshot: Snapshot, signal: Service) -> LogLine | None:
        containers: list[Json] = (signal.definition or {}).get("containerDefinitions", [])
        container = next((entry for entry in containers if entry.get("name") == signal.container_name), {})
        group, prefix = log_options(container)
        since = max(float(signal.primary.get("createdAt") or 0.0), snapshot.at - A_DAY)
        if not group or not prefix or group in signal.missing_log_groups:
            return None
        name = f"{prefix}/{signal.container_name}/"
        found = self._events_of(logGroupName=group, logStreamNamePrefix=name, startTime=int(since * 1000), filterPattern='"ELB-HealthChecker"', limit=1)
        if not found:
            return None
        stream = str(found[0].get("logStreamName", name))
        return LogLine(stream.rsplit("/", 1)[-1], str(signal.container_name), group, stream, found[0]["timestamp"] / 1000, str(found[0]["message"]).rstrip())


def _stream_name(task: Json, container: str, prefix: str) -> str | None:
    """prefix/container/task id; without a prefix (EC2 only) the stream is named by the container's runtime id."""
    if prefix:
        return f"{prefix}/{container}/{task_id(task)}"
    return next((str(entry["runtimeId"]) for entry in task.get("containers", []) if entry.get("name") == container and entry.get("runtimeId")), None)


def _since(snapshot: Snapshot, task: Json) -> float:
    """From a minute before the task began (delivery and clocks), but not the whole past of a task that has run for days."""
    end = predicates.stopped_at(task) if task.get("lastStatus") == "STOPPED" else snapshot.at
    return max(float(task.get("createdAt") or 0.0) - 60.0, end - 300.0)
