# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Branches 1 and 2 of the decision tree: tasks that do not start, and tasks that start and stop. diagnosis-rules.md 2, 3, 4, 7"""

from __future__ import annotations

import re
import typing as t

from . import predicates
from .facts import Case, Hit, cap, from_log, log_options, named_in, task_id
from .log_causes import log_cause, place, spoken
from .model import CERTAIN, LIKELY, POSSIBLE, Cause, Evidence, Json
from .patterns import EXIT_CODES, PLATFORMS, START_EVENT, TRANSIENT_IDS, start_failure

# Told by a network problem in the text; the computed way out confirms them.
NETWORK_IDS = ("PULL_NET", "LOG_NET", "PULL_COPY", "PULL_S3")
OTHER_BRANCHES = ("HC_ELB", "HC_CONTAINER")
HOST_GONE = ("SpotInterruption", "TerminationNotice", "InfrastructureHealth")
LOST_TIME = 90.0


class Told(t.NamedTuple):
    """A text of AWS about a start that failed."""

    text: str
    evidence: Evidence
    task: str


def start_causes(case: Case) -> list[Cause]:
    """1 No task reaches RUNNING: what AWS says about it, first matching row wins; without any text, the stage it got to."""
    told = [*_told_by_tasks(case), *_told_by_events(case)]
    groups: dict[str, list[Told]] = {}
    for item in told:
        identifier = start_failure(item.text)
        if identifier and identifier not in OTHER_BRANCHES:
            groups.setdefault(identifier, []).append(item)
    causes = [_start_cause(case, identifier, items) for identifier, items in groups.items()]
    return causes or _by_stage(case) or _lost_in_pending(case)


def _never_ran(task: Json) -> bool:
    return task.get("stopCode") == "TaskFailedToStart" or not task.get("startedAt")


def _told_by_tasks(case: Case) -> list[Told]:
    found = []
    for task in predicates.crashes(case.snapshot, case.signal):
        if not _never_ran(task) or predicates.disproved(case.snapshot, case.signal, task):
            continue
        texts = [task.get("stoppedReason"), *(container.get("reason") for container in task.get("containers", []))]
        found += [Told(str(text), Evidence(f"task {task_id(task)}", str(text), predicates.stopped_at(task)), task_id(task)) for text in texts if text]
    return found


def _told_by_events(case: Case) -> list[Told]:
    """Events of this deployment only: those of an earlier one are history."""
    since = float(case.signal.primary.get("createdAt") or 0.0)
    found = []
    for event in case.signal.events:
        if re.search(START_EVENT, str(event.get("message", ""))) and float(event.get("createdAt", 0.0)) >= since:
            found.append(Told(str(event["message"]), Evidence(f"event of {case.signal.name}", str(event["message"]), float(event.get("createdAt", 0.0))), ""))
    return sorted(found, key=lambda item: -(item.evidence.at or 0.0))


def _start_cause(case: Case, identifier: str, items: list[Told]) -> Cause:
    first = items[0]
    identifier, confidence, facts = _confirm(case, identifier, first)
    gave_up = case.signal.primary.get("rolloutState") == "FAILED"
    fresh = gave_up or case.fresh(first.evidence.at or 0.0)
    again = gave_up or len({item.task for item in items if case.fresh(item.evidence.at or 0.0)}) > 1
    return case.cause(
        identifier,
        cap(confidence, fresh),
        [first.evidence, *facts],
        settled=again or identifier in ("LOG_GROUP",),
        task=first.task,
        **_image_words(case, first.text),
    )


def _confirm(case: Case, identifier: str, told: Told) -> tuple[str, str, list[Evidence]]:
    """A matched text is likely; a fact of the configuration beside it makes it certain. Texts cut short are told apart by the facts alone."""
    open_way, fact = case.way_out({"logs"} if identifier == "LOG_NET" else case.needs())
    missing = [image for image in case.signal.missing_images if image in told.text] or case.signal.missing_images
    if identifier in TRANSIENT_IDS:
        return identifier, LIKELY, []
    if identifier in (*NETWORK_IDS, "PULL_OTHER") and open_way is False:
        return "PULL_NET" if identifier == "PULL_OTHER" else identifier, CERTAIN, [Evidence("network", fact, case.snapshot.at)]
    if identifier in ("PULL_NOTFOUND", "PULL_STABLE", "PULL_OTHER") and missing:
        return "PULL_NOTFOUND", CERTAIN, [Evidence("ECR", f"{missing[0]} does not exist", case.snapshot.at)]
    if identifier == "LOG_GROUP" and case.signal.missing_log_groups:
        return identifier, CERTAIN, [Evidence("CloudWatch Logs", f"{case.signal.missing_log_groups[0]} does not exist", case.snapshot.at)]
    named = _named(case, identifier, told)
    if named:
        return identifier, CERTAIN, [Evidence(f"task definition {case.context()['definition']}", named, case.snapshot.at)]
    return identifier, CERTAIN if identifier == "OOM" else LIKELY, []


def _named(case: Case, identifier: str, told: Told) -> str | None:
    """What AWS's text and the task definition both name: an image, a secret, a log group, a role; or the platform that an image should be built for."""
    if identifier == "PULL_ARCH":
        architecture = str((case.definition.get("runtimePlatform") or {}).get("cpuArchitecture") or "X86_64")
        return f"asks for {architecture}" if PLATFORMS.get(architecture, architecture) in told.text else None
    named = named_in(told.text, case) if identifier not in (*NETWORK_IDS, "PULL_OTHER", "CREATE") else None
    return f"names {named}" if named else None


def _image_words(case: Case, text: str) -> Json:
    images = [str(container.get("image", "")) for container in case.containers()]
    image = next((image for image in images if image and image in text), next(iter(case.signal.missing_images or images), ""))
    path, _colon, tag = image.rpartition(":") if "@" not in image else image.rpartition("@")
    return {"image": image, "repository": path.split("/", 1)[-1], "tag": tag}


def _by_stage(case: Case) -> list[Cause]:
    """'Sometimes there is no error message at all': the times tell how far the newest task got."""
    for task in predicates.crashes(case.snapshot, case.signal):
        if task.get("startedAt") or task.get("stoppedReason") or any(container.get("reason") for container in task.get("containers", [])):
            continue
        stage = "STAGE_CREATE" if task.get("pullStoppedAt") else "STAGE_IMAGE" if task.get("pullStartedAt") else "STAGE_ENI"
        return [case.cause(stage, POSSIBLE, [case.describe(task)], task=task_id(task))]
    return []


def _lost_in_pending(case: Case) -> list[Cause]:
    """A pull without a network path takes about five minutes to fail; the computed path tells at once."""
    for task in case.signal.tasks:
        waiting = case.snapshot.at - float(task.get("createdAt") or case.snapshot.at)
        if task.get("startedAt") or task.get("pullStoppedAt"):
            continue
        open_way, fact = case.way_out(case.needs())
        seen = Evidence(f"task {task_id(task)}", f"{task.get('lastStatus')}, image not pulled", case.snapshot.at)
        if open_way is False:
            return [case.cause("PULL_NET", CERTAIN, [seen, Evidence("network", fact, case.snapshot.at)], task=task_id(task))]
        if waiting > LOST_TIME:
            return [case.cause("PULL_NET", POSSIBLE, [seen], task=task_id(task))]
    return []


# --- 2 tasks that ran and stopped


def crash_causes(case: Case) -> list[Cause]:
    """2 Tasks reach RUNNING and stop again. The newest task speaks; older ones tell whether it repeats."""
    stopped = [task for task in predicates.crashes(case.snapshot, case.signal) if not predicates.disproved(case.snapshot, case.signal, task)]
    ran = [task for task in stopped if not _never_ran(task)]
    causes: list[Cause] = []
    for task in ran[:3]:
        cause = _crash_cause(case, task, ran)
        if cause and cause.id not in {known.id for known in causes}:
            causes.append(cause)
    # The newest task's lines may not have arrived yet: where another task has written some, silence is no cause.
    return [cause for cause in causes if cause.id != "NO_OUTPUT" or len(causes) == 1]


def _crash_cause(case: Case, task: Json, ran: list[Json]) -> Cause | None:
    if task.get("stopCode") in HOST_GONE:
        return case.cause("INFRASTRUCTURE", LIKELY, [case.describe(task)], task=task_id(task), stop_code=task.get("stopCode"))
    stopped = start_failure(str(task.get("stoppedReason", "")))
    if stopped == "HC_ELB":
        return None
    if stopped == "HC_CONTAINER":
        return case.cause("HC_CONTAINER", LIKELY, [case.describe(task)], task=task_id(task))
    container = culprit(case, task)
    if container is None:
        return None
    gave_up = case.signal.primary.get("rolloutState") == "FAILED"
    fresh = gave_up or case.fresh(predicates.stopped_at(task))
    again = gave_up or len([other for other in ran if case.fresh(predicates.stopped_at(other))]) > 1
    return _explain_exit(case, task, container, fresh, again)


def culprit(case: Case, task: Json) -> Json | None:
    """The container that ended the task. The others were then stopped by signal, so an own error code speaks loudest, a clean end least."""
    essential = {container.get("name"): container.get("essential", True) for container in case.containers()}
    ended = [container for container in task.get("containers", []) if container.get("exitCode") is not None and essential.get(container.get("name"), True)]
    return min(ended, key=_loudness, default=None)


def _loudness(container: Json) -> int:
    code = int(container["exitCode"])
    if start_failure(str(container.get("reason", ""))) == "OOM":
        return 0
    return {0: 3, 143: 4, 137: 2}.get(code, 1)


def _explain_exit(case: Case, task: Json, container: Json, fresh: bool, again: bool) -> Cause:
    """Reason of the container, then its log, then the log of its neighbours, then its exit code."""
    name, code = str(container.get("name")), int(container["exitCode"])
    seen = case.describe(task)
    more: Json = {"task": task_id(task), "container": name, "exit_code": code, **_stream(case, task, name)}
    said = str(container.get("reason") or task.get("stoppedReason") or "")
    reason = start_failure(said)
    if reason and reason not in OTHER_BRANCHES:
        return case.cause(
            reason,
            cap(CERTAIN if reason == "OOM" else LIKELY, fresh),
            [Evidence(seen.source, f"{name}: {said} (exit {code})", seen.at)],
            again,
            **more,
        )
    own = case.hits(case.lines_of(task, name))
    hits = own or ([] if code in (0, 137, 143) else case.hits(case.lines_of(task)))
    # What only tells that a request went wrong does not end a process.
    if hits and not hits[0].row.symptom:
        return _from_crash_log(case, hits[0], seen, fresh, again, code)
    failed = next((hit for hit in own if spoken(hit)), None)
    if failed and code not in (0, 137, 143):
        return _own_error(case, failed, seen, fresh, again, more)
    lines = case.lines_of(task, name)[-3:]
    unread = case.unread_log()
    identifier = EXIT_CODES.get(code, "EXIT_1") if lines or unread or code != 1 else "NO_OUTPUT"
    return case.cause(identifier, LIKELY if lines else POSSIBLE, [seen, *map(from_log, lines), *unread], again, **more)


def _own_error(case: Case, failed: Hit, seen: Evidence, fresh: bool, again: bool, more: Json) -> Cause:
    """The process said why it ends, and ended with an error. Once may be bad luck at a start; a task that replaced it and did the same makes it certain."""
    last = [line for line in case.signal.logs if line.stream == failed.line.stream and line.text.strip() and line is not failed.line][-2:]
    evidence = [seen, from_log(failed.line), *map(from_log, last)]
    return case.cause("EXIT_1", cap(CERTAIN if again else LIKELY, fresh), evidence, again, **more, said=f": {spoken(failed)}")


def _from_crash_log(case: Case, hit: Hit, seen: Evidence, fresh: bool, again: bool, code: int) -> Cause:
    """A line that ends the process, from a process that ended with an error: both together are certain."""
    if hit.row.fatal and code != 0:
        more = {key: value for key, value in hit.match.groupdict().items() if value}
        return case.cause(
            hit.row.id,
            cap(CERTAIN, fresh),
            [from_log(hit.line), seen],
            again,
            **more,
            **place(hit.line),
        )
    return log_cause(case, hit, (), seen)


def _stream(case: Case, task: Json, container: str) -> Json:
    definition: Json = next((entry for entry in case.containers() if entry.get("name") == container), {})
    group, prefix = log_options(definition)
    return {"log_group": group, "stream": f"{prefix}/{container}/{task_id(task)}" if prefix else None}
