# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a run report says. Everything here is pure but :func:`write`; nothing leaves without :func:`mask`."""

from __future__ import annotations

import datetime
import difflib
import json
import os
import tempfile
import typing as t
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ansible_collections.cutover.fargate.plugins.module_utils._translate.secrets import mask

INTERRUPTED = "interrupted"
HIDDEN = "The message is hidden by no_log."
MESSAGE_LENGTH = 4000
CHANGES_SHOWN = 50
# What is kept of a verification: all but the lines, which say the same for people.
VERDICT = ("verdict", "seconds", "spent", "checks", "causes", "verified")

Json = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Step:
    """One task on one host."""

    role: str
    task: str
    module: str
    status: str
    seconds: float
    message: str | None = None
    changes: t.Sequence[str] = ()
    result: Json | None = None


@dataclass
class Report:
    """One run on one host. ``interrupted`` until the run itself says how it ended, so that a killed run leaves a true report."""

    playbook: str
    host: str
    check: bool
    tags: t.Sequence[str]
    skip_tags: t.Sequence[str]
    started: datetime.datetime
    versions: t.Mapping[str, str]
    ended: datetime.datetime | None = None
    verdict: str = INTERRUPTED
    steps: list[Step] = field(default_factory=list)

    @property
    def file_name(self) -> str:
        """``run-20261122T120000.123Z.json``: names sort by time, and two runs never share one."""
        return f"run-{self.started:%Y%m%dT%H%M%S}.{self.started.microsecond // 1000:03d}Z.json"

    def as_json(self) -> Json:
        ended = self.ended or self.started
        return {
            "playbook": self.playbook,
            "host": self.host,
            "check": self.check,
            "tags": list(self.tags),
            "skip_tags": list(self.skip_tags),
            "started": stamp(self.started),
            "ended": stamp(ended),
            "seconds": round((ended - self.started).total_seconds(), 3),
            "verdict": self.verdict,
            "changed": sum(step.status == "changed" for step in self.steps),
            "steps": [mask({key: value for key, value in asdict(step).items() if value not in (None, ())}) for step in self.steps],
            "versions": dict(self.versions),
        }


def stamp(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def verdict(failures: int, unreachable: int) -> str:
    if unreachable:
        return "unreachable"
    return "failed" if failures else "ok"


def message_of(result: t.Mapping[str, t.Any]) -> str:
    """Why a task failed; of a loop the failed items' reasons."""
    if "censored" in result:
        return HIDDEN
    failed = [item for item in result.get("results") or [] if isinstance(item, t.Mapping) and item.get("failed")]
    texts = [str(item.get("msg", "")) for item in failed] or [str(result.get("msg", ""))]
    return "; ".join(filter(None, texts))[:MESSAGE_LENGTH]


def result_of(result: t.Mapping[str, t.Any]) -> Json | None:
    """The whole verdict of a verification; other results are told by their changes."""
    return {key: result[key] for key in VERDICT if key in result} if {"verdict", "checks", "causes"} <= set(result) else None


def changes_of(result: t.Mapping[str, t.Any]) -> list[str]:
    """What a task changed: the module's own ``changes``, else its diff reduced to where it changed (not to which values)."""
    if not result.get("changed"):
        return []
    items = [item for item in result.get("results") or [result] if isinstance(item, t.Mapping) and item.get("changed")]
    return [line for item in items for line in _changes_of_one(item)][:CHANGES_SHOWN]


def _changes_of_one(item: t.Mapping[str, t.Any]) -> list[str]:
    own = item.get("changes")
    if isinstance(own, (list, tuple)):
        return [str(change) for change in own]
    diffs = item.get("diff") or []
    return [line for diff in (diffs if isinstance(diffs, list) else [diffs]) if isinstance(diff, t.Mapping) for line in reduced(diff)]


def reduced(diff: t.Mapping[str, t.Any]) -> list[str]:
    """A diff without its values: changed paths of mappings, numbers of lines of texts."""
    before, after = diff.get("before"), diff.get("after")
    if isinstance(before, t.Mapping) and isinstance(after, t.Mapping):
        return [f"{path} changed" for path in changed_paths(before, after)]
    name = diff.get("after_header") or diff.get("before_header") or "text"
    marks = [line[:2] for line in difflib.ndiff(_text(before).splitlines(), _text(after).splitlines())]
    added, removed = marks.count("+ "), marks.count("- ")
    return [f"{name}: {added} lines added, {removed} removed"] if added or removed else []


def changed_paths(before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any], path: str = "") -> list[str]:
    found: list[str] = []
    for key in sorted({*before, *after}, key=str):
        left, right, here = before.get(key), after.get(key), f"{path}.{key}" if path else str(key)
        if isinstance(left, t.Mapping) and isinstance(right, t.Mapping):
            found += changed_paths(left, right, here)
        elif left != right:
            found.append(here)
    return found


def write(report: Report, directory: Path) -> None:
    """Whole or not at all: a reader, and a kill, never meet half a file."""
    directory.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=directory, prefix=".run-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(report.as_json(), file, indent=2, ensure_ascii=False)
            file.write("\n")
        os.replace(name, directory / report.file_name)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _text(side: t.Any) -> str:
    return side if isinstance(side, str) else json.dumps(side, indent=1, sort_keys=True, default=str) if side else ""
