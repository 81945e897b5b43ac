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
    """The tree. Checks are grouped by their first word before ': '."""
    out = [head]
    groups: dict[str, list[Json]] = {}
    for check in checks:
        group, _colon, _name = str(check["name"]).rpartition(": ")
        groups.setdefault(group, []).append(check)
    for group, members in groups.items():
        if group:
            out.append(f"  {group}")
        out += [f"  {'  ' if group else ''}{MARKS[check['ok']]} {str(check['name']).rpartition(': ')[2]}: {check['last']}" for check in members]
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


def headline(side: str, fqdn: str, verdict: str, seconds: float) -> str:
    return f"{side} of {fqdn}: {verdict} after {seconds:.1f} s"


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
