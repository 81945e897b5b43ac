# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The plan for people: what happens, what a person must know, and whether anything stands in the way."""

from __future__ import annotations

import json
import typing as t

from . import deeds, phases
from .context import Json
from .findings import BLOCKER, INFO, SEVERITIES, Finding
from .secrets import mask

WIDTH = 96
NAMED = 4  # places that the verdict names
PHASES = {
    phases.NEW: "new, the target is not built",
    phases.PROVISIONED: "provisioned, the source serves",
    phases.CUT_OVER: "cut over, the target serves",
    phases.SCALED_IN: "scaled in, the target serves and the source is at zero",
    phases.TORN_DOWN: "torn down, the source is gone",
}
# Created, changed, left alone: what is planned, and what is there.
TITLES = {
    phases.NEW: ("Create", "Change", "Leave alone"),
    phases.PROVISIONED: ("Target", "Changed for it, the rest at the cutover", "Left alone"),
}
LATER = ("Target", "Changed for it", "Source, until the teardown")


def blockers(plan: Json) -> list[Finding]:
    """What nobody has solved or waived."""
    return [finding for finding in plan["findings"] if finding["severity"] == BLOCKER and not finding["waived"]]


def summary(plan: Json) -> list[str]:
    """What will be created, changed and left alone, the findings by severity, each with its fix, and the verdict, where the eye rests."""
    lines = [f"{plan['system']} ({plan['fqdn']}, {plan['region']}, account {plan['account_id']}): {PHASES[plan['phase']]}"]
    for title, entries in sections(plan):
        lines += ["", title, *(f"  {entry}" for entry in entries or ["nothing"])]
    for severity in SEVERITIES:
        cards = list(grouped(plan["findings"], severity))
        if cards:
            lines += ["", f"{severity} ({sum(map(len, cards))})", *(line for card in cards for line in _lines(card))]
    return [str(mask(line)) for line in [*lines, "", verdict(plan)]]


def sections(plan: Json) -> list[tuple[str, list[str]]]:
    """What the migration does, under its titles; nothing once the source is gone."""
    if plan["source"] is None:
        return []
    return list(zip(TITLES.get(plan["phase"], LATER), (deeds.created(plan), deeds.changed(plan), deeds.left(plan)), strict=True))


def verdict(plan: Json) -> str:
    """One line: what stands in the way and where, or that nothing does."""
    stops = blockers(plan)
    if stops:
        places = [f"{finding['id']} at {finding['path']}" for finding in stops[:NAMED]]
        more = [f"{len(stops) - NAMED} more"] if len(stops) > NAMED else []
        return str(mask(f"{deeds.count(len(stops), 'BLOCKER')} in the way: {', '.join([*places, *more])}."))
    waived = sum(finding["waived"] for finding in plan["findings"] if finding["severity"] == BLOCKER)
    return "Nothing stands in the way" + (f" ({deeds.count(waived, 'BLOCKER')} waived)." if waived else ".")


def grouped(findings: t.Iterable[Finding], severity: str) -> t.Iterator[list[Finding]]:
    """The findings of one severity in their order; those that say the same of several places are one card."""
    cards: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        if finding["severity"] == severity:
            cards.setdefault((finding["id"], finding["why"], finding["fix"]), []).append(finding)
    yield from cards.values()


def _lines(card: t.Sequence[Finding]) -> list[str]:
    """One thing to know, its places and its fix. What has no consequence is one line; the page tells its places where they are several."""
    first = card[0]
    fix = first["fix"] if first["fix"] != "Nothing." else ""
    if first["severity"] == INFO:
        place = f" ({first['path']})" if len(card) == 1 else ""
        return [f"  {first['id']}{_times(card)}{place}: {' '.join(filter(None, (first['why'], fix)))}"]
    head = f"  {first['id']}{_times(card)}: {first['why']}"
    return [head, *(f"    {_place(finding)}" for finding in card), *([f"    Fix: {fix}"] if fix else [])]


def _times(card: t.Sequence[Finding]) -> str:
    return f" ({len(card)} times)" if len(card) > 1 else ""


def _place(finding: Finding) -> str:
    values = [_short(finding[key]) for key in ("source_value", "new_value")]
    change = f": {' -> '.join(filter(None, values))}" if any(values) else ""
    return f"{finding['path']}{change}{' (waived)' if finding['waived'] else ''}"


def shown(value: t.Any) -> str:
    """A value as it stands in a definition; the empty text for none."""
    if isinstance(value, str) or value is None:
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def _short(value: t.Any) -> str:
    text = shown(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."
