# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""From a log line to the cause behind it, with the facts that confirm it."""

from __future__ import annotations

import re
import typing as t

from . import predicates, reach
from .facts import Case, Hit, cap, from_log, task_id
from .model import CERTAIN, LIKELY, Cause, Evidence, Json, LogLine
from .patterns import FPM_READY, log_match


def place(line: LogLine) -> Json:
    """Where a line stands, for the command that shows it."""
    return {"log_group": line.group, "stream": line.stream, "container": line.container, "task": line.task}


def spoken(hit: Hit) -> str | None:
    """The application's own words, without the exception that Laravel appends as JSON."""
    groups = hit.match.groupdict()
    words = groups.get("fatal") or groups.get("message")
    return words.split(' {"exception"', maxsplit=1)[0].strip() if words else None


def log_cause(case: Case, hit: Hit, codes: t.Collection[int], symptom: Evidence | None) -> Cause:
    """The cause behind a log line of a running task, with its confirmation where there is one."""
    known = {key: value for key, value in hit.match.groupdict().items() if value and key not in ("fatal", "message")}
    more: Json = {**known, "message": spoken(hit), **place(hit.line)}
    evidence = [from_log(hit.line), *([symptom] if symptom else [])]
    kind = STORE_ROWS.get(hit.row.id)
    if kind:
        return store_cause(case, kind, hit, evidence, more, codes)
    fresh = case.fresh(hit.line.at)
    if hit.row.id == "AWS_NET":
        open_way, fact = case.way_out([str(known.get("service", "AWS"))])
        if open_way is False:
            return case.cause(hit.row.id, cap(CERTAIN, fresh), [*evidence, Evidence("network", fact, case.snapshot.at)], **more)
    if hit.row.id == "NGX_REFUSED" and re.match(r"127\.|localhost|\[::1\]", str(known.get("u", ""))):
        return fpm_down(case, hit, evidence, more)
    explained = bool(set(hit.row.codes) & set(codes))
    return case.cause(hit.row.id, cap(CERTAIN if explained else LIKELY, fresh), evidence, **more)


STORE_ROWS = {"DB_TIMEOUT": "rds", "DB_REFUSED": "rds", "REDIS_TIMEOUT": "elasticache", "REDIS_REFUSED": "elasticache"}
STORE_CAUSE = {"rds": "DB_TIMEOUT", "elasticache": "REDIS_TIMEOUT"}


def store_cause(case: Case, kind: str, hit: Hit, evidence: list[Evidence], more: Json, codes: t.Collection[int]) -> Cause:
    """A connection that hangs or is refused, and a group that does not admit the tasks: certain. A wrong host or port looks the same without the second."""
    stores = case.stores(kind)
    closed = [store for store in stores if case.refused_by(store)]
    fresh = case.fresh(hit.line.at)
    if closed:
        confidence = CERTAIN if len(closed) == len(stores) else LIKELY
        return case.cause(
            STORE_CAUSE[kind],
            cap(confidence, fresh),
            [*evidence, store_fact(case, closed[0])],
            settled=confidence == CERTAIN and fresh,
            **{**more, **store_words(closed[0])},
        )
    known = store_words(stores[0]) if stores else {}
    explained = bool(set(hit.row.codes) & set(codes))
    return case.cause(hit.row.id, cap(CERTAIN if explained else LIKELY, fresh), evidence, **{**more, **known})


def store_words(store: Json) -> Json:
    return {"store": f" {store['id']}", "group": ", ".join(store.get("groups", [])), "port": store["port"]}


def store_fact(case: Case, store: Json) -> Evidence:
    groups, mine = ", ".join(store["groups"]), ", ".join(case.signal.groups)
    inward = reach.admitted(case.snapshot.network, store["groups"], int(store["port"]), case.signal.groups, case.addresses())
    if inward is False:
        text = f"{groups} of {store['id']} does not admit {mine} of {case.signal.name} on TCP {store['port']}"
    else:
        text = f"{mine} of {case.signal.name} lets nothing out to {store['id']} on TCP {store['port']}"
    return Evidence("security groups", text, case.snapshot.at)


def fpm_down(case: Case, hit: Hit, evidence: list[Evidence], more: Json) -> Cause:
    """Refused on the task's own address: PHP-FPM ended, listens elsewhere, or is not up yet. Each has a proof of its own; without one it is likely at most."""
    fresh = case.fresh(hit.line.at)
    more = {**more, "grace": grace(case)}
    late = slow_start(case, evidence, Readiness(FPM_READY), more)
    if late:
        return late
    task = next((task for task in [*case.signal.tasks, *case.signal.stopped] if task_id(task) == hit.line.task), {})
    down = [container for container in task.get("containers", []) if container.get("name") != hit.line.container and container.get("lastStatus") == "STOPPED"]
    if down and task.get("lastStatus") == "RUNNING":
        fact = Evidence(f"task {hit.line.task}", f"container {down[0].get('name')} is STOPPED (exit {down[0].get('exitCode')})", case.snapshot.at)
        return case.cause("FPM_DOWN", cap(CERTAIN, fresh), [*evidence, fact], **more)
    ready = [line for line in Readiness(FPM_READY).lines(case, task) if line.at + JITTER < hit.line.at]
    if ready:
        return case.cause("FPM_DOWN", cap(CERTAIN, fresh), [*evidence, from_log(ready[-1])], **more)
    return case.cause("FPM_DOWN", LIKELY, evidence, **more)


# --- when a server said that it listens

# Two containers' lines of the same moment may carry times this far apart, in seconds.
JITTER = 2.0
# The shortest interval of health checks, in seconds: a target that was found unhealthy was asked at least twice, so the last time not before this.
SHORTEST_INTERVAL = 5.0


class Readiness(t.NamedTuple):
    """What a server writes once it listens, and in which container; None for any."""

    pattern: str
    container: str | None = None

    def lines(self, case: Case, task: Json) -> list[LogLine]:
        return [line for line in case.lines_of(task, self.container) if re.search(self.pattern, line.text)]


def grace(case: Case) -> int:
    return int((case.signal.service or {}).get("healthCheckGracePeriodSeconds") or 0)


def up_before_checks(case: Case, task: Json, ready: Readiness) -> LogLine | None:
    """The line by which the server said that it listens, if that was before the health checks that made its target unhealthy."""
    started = float(task.get("startedAt") or 0.0)
    return next((line for line in ready.lines(case, task) if started and line.at <= started + SHORTEST_INTERVAL), None)


def slow_start(case: Case, evidence: t.Sequence[Evidence], ready: Readiness, more: Json) -> Cause | None:
    """A server in a task that failed its health checks said at last that it listens, and nobody was refused after that: it was only too late.

    Certain when ECS had already given the task up by then; likely when that was in the second half of the life that ECS granted it.
    """
    for task in case.failed_checks():
        ended, started = predicates.ended_at(task), float(task.get("startedAt") or 0.0)
        for line in reversed(ready.lines(case, task)):
            if line.at - started > (ended - started) / 2 and not _refused_after(case, task, line.at):
                confidence = cap(CERTAIN if line.at > ended else LIKELY, case.fresh(ended))
                facts = [*evidence, from_log(line), case.describe(task)]
                return case.cause("SLOW_START", confidence, facts, **{**more, "container": line.container, "grace": grace(case)})
    return None


def _refused_after(case: Case, task: Json, ready: float) -> bool:
    found = ((log_match(line.text), line.at) for line in case.lines_of(task))
    return any(match is not None and match[0].id == "NGX_REFUSED" and at > ready + JITTER for match, at in found)
