# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The verdict for people: a tree of checks, causes with their evidence, and one line that says it all. Pure."""

from __future__ import annotations

import datetime
import typing as t

from .model import Cause, Evidence, Json

HEALTHY, UNHEALTHY, UNDETERMINED, NOT_THERE_YET = "healthy", "unhealthy", "undetermined", "not there yet"
MARKS = {True: "[OK]", False: "[NG]", None: "[??]"}
LONGEST = 400
WAITS = {
    "rollout": "waiting for the rollout", "targets": "waiting for healthy targets", "settling": "settling", "other": "waiting",
    "reading": "reading AWS", "asking": "asking",
}  # fmt: skip


def clock_time(at: float | None) -> str:
    return "" if not at else datetime.datetime.fromtimestamp(at, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def short(text: str) -> str:
    """One line, not endless: a stack trace is quoted by its beginning."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 4] + " ..."


def evidence_dict(evidence: Evidence) -> dict[str, str]:
    return {"source": evidence.source, "time": clock_time(evidence.at), "text": short(evidence.text)}


def cause_dict(cause: Cause) -> Json:
    return {
        "id": cause.id,
        "confidence": cause.confidence,
        "summary": short(cause.summary),
        "evidence": [evidence_dict(evidence) for evidence in cause.evidence],
        "fix": cause.fix,
        "check_by_hand": cause.check_by_hand,
    }


def lines(head: str, checks: t.Sequence[Json], causes: t.Sequence[Json], notes: t.Sequence[str]) -> list[str]:
    """The tree: checks under the service or the address they belong to."""
    out = [head]
    groups: dict[str, list[Json]] = {}
    for check in checks:
        groups.setdefault(str(check["group"]), []).append(check)
    for group, members in groups.items():
        if group:
            out.append(f"  {group}")
        indent = "    " if group else "  "
        out += [f"{indent}{MARKS[check['ok']]} {str(check['name']).removeprefix(group + ': ')}: {check['last']}" for check in members]
    for number, cause in enumerate(causes, start=1):
        out += _cause_lines(number, cause)
    return [*out, *(f"  note: {note}" for note in notes)]


def _cause_lines(number: int, cause: Json) -> list[str]:
    evidence = [f"      seen    {' '.join(filter(None, (entry['time'], entry['source'])))}: {entry['text']}" for entry in cause["evidence"]]
    return [
        f"  cause {number} ({cause['confidence']}) {cause['id']}: {cause['summary']}",
        *evidence,
        f"      fix     {cause['fix']}",
        f"      look    {cause['check_by_hand']}",
    ]


def headline(side: str, fqdn: str, verdict: str, seconds: float, spent: t.Mapping[str, float]) -> str:
    """With what took longest, where that was a second or more."""
    parts = [f"{WAITS.get(part, part)} {took:.1f}" for part, took in sorted(spent.items(), key=lambda item: -item[1]) if took >= 1.0]
    return f"{side} of {fqdn}: {verdict} after {seconds:.1f} s" + (f" ({', '.join(parts)})" if parts else "")


def message(side: str, fqdn: str, verdict: str, causes: t.Sequence[Json], checks: t.Sequence[Json], notes: t.Sequence[str]) -> str:
    """One line: the top cause, its evidence, its fix."""
    if verdict == UNDETERMINED and notes:
        return f"Whether the {side} of {fqdn} is healthy could not be determined: {notes[0]} Nothing was changed; run verify again."
    said = f"The {side} of {fqdn} is {verdict}." if verdict == UNHEALTHY else f"Whether the {side} of {fqdn} is healthy could not be determined."
    if not causes:
        bad = next((check for check in checks if not check["ok"]), None)
        return f"{said} {bad['name']}: {bad['last']}." if bad else said
    top = causes[0]
    seen = top["evidence"][0] if top["evidence"] else None
    quoted = f" Seen in {seen['source']}{' at ' + seen['time'] if seen['time'] else ''}: {seen['text']}." if seen else ""
    return f"{said} {top['summary']} ({top['confidence']}){quoted} Fix: {top['fix']}"
