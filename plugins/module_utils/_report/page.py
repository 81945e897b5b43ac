# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The page as a whole: verdict, picture, what changes hands, findings, definitions side by side. One file, no script, no outside resource."""

from __future__ import annotations

import typing as t

from .._translate import comparison, report
from .._translate.findings import BLOCKER, SEVERITIES
from .._translate.secrets import mask
from . import diagram, sides
from .markup import Content, Markup, join, link, tag
from .style import STYLE

Json = t.Mapping[str, t.Any]
Finding = t.Dict[str, t.Any]

MEANING = {
    "BLOCKER": "stands in the way: solve it, answer it in the inventory, or waive it",
    "ACTION": "translated, but something beside the definitions must be done or checked",
    "WARN": "behaves differently from now on",
    "INFO": "changed without consequence",
}
KINDS = (("task_definitions", "Task definition"), ("services", "Service"), ("target_groups", "Target group"))


def render(system: Json, plan: Json) -> str:
    """The page for what ``fargate_plan`` computed from ``system``. No secret of either is on it."""
    shown = t.cast("Json", mask(plan))
    compared = comparison.diff(system, dict(plan))
    body = [
        _head(shown),
        tag("h2", "The two sides"),
        tag("div", diagram.draw(t.cast("Json", mask(system)), shown), class_="picture"),
        tag("p", tag("i", "", class_="key now"), " traffic now ", tag("i", "", class_="key later"), " the other way it can go", class_="note"),
        _hands(shown),
        tag("h2", "Findings", id="findings"),
        *(_severity(severity, shown["findings"]) for severity in SEVERITIES),
        tag("h2", "Definitions, source and target side by side"),
        *_definitions(compared),
    ]
    title = f"{shown['system']}: plan of the migration to Fargate"
    head = join(
        [
            Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width">'),
            tag("title", title),
            Markup(f"<style>{STYLE}</style>"),
        ]
    )
    return f"<!doctype html>\n{tag('html', tag('head', head), tag('body', tag('main', *body)), lang='en')}\n"


def _head(plan: Json) -> Markup:
    blockers = report.blockers(dict(plan))
    verdict = tag("span", f"{len(blockers)} in the way", class_="bad") if blockers else tag("span", "ready", class_="good")
    told = f"{plan['fqdn']} · {plan['region']} · account {plan['account_id']} · {report.PHASES[plan['phase']]}"
    tiles = [_tile(severity, [item for item in plan["findings"] if item["severity"] == severity]) for severity in SEVERITIES]
    return join([tag("h1", f"{plan['system']} to Fargate ", verdict), tag("p", told, class_="note"), tag("div", *tiles, class_="tiles")])


def _tile(severity: str, findings: t.Sequence[Finding]) -> Markup:
    waived = sum(1 for finding in findings if finding["waived"])
    note = f"{severity}, {waived} waived" if waived else severity
    return tag("a", tag("b", str(len(findings))), tag("span", note), class_=f"tile {severity}", href=f"#{severity}" if findings else "#findings")


def _hands(plan: Json) -> Markup:
    """What will be created, changed and left alone."""
    columns = []
    for name, entries in report.sections(dict(plan)):
        rows = [tag("tr", tag("th", entry[:16].strip()), tag("td", entry[16:])) for entry in entries]
        columns.append(tag("section", tag("h3", name), tag("table", *rows) if rows else tag("p", "nothing", class_="note")))
    return tag("div", *columns, class_="hands")


def _severity(severity: str, findings: t.Sequence[Finding]) -> Markup:
    """The findings of one severity; those of one id and reason share a card."""
    cards = list(report.grouped(findings, severity))
    if not cards:
        return Markup("")
    content = [tag("p", MEANING[severity], class_="note"), *map(_card, cards)]
    summary = tag("summary", tag("b", severity, class_=severity), f" {sum(map(len, cards))}")
    return tag("details", summary, *content, id=severity, open="" if severity in (BLOCKER, "ACTION", "WARN") else None)


def _card(findings: t.Sequence[Finding]) -> Markup:
    first = findings[0]
    rows = [tag("tr", tag("td", tag("code", str(item["path"]))), tag("td", *_change(item)), tag("td", _verdict(item))) for item in findings]
    fix = [tag("p", tag("b", "Fix "), str(first["fix"]))] if first["fix"] != "Nothing." else []
    about = [tag("h3", str(first["id"]), " ", tag("small", link(str(first["doc"]), "documentation")))]
    return tag("article", *about, tag("p", str(first["why"])), *fix, tag("table", *rows), class_=first["severity"])


def _change(finding: Finding) -> list[Content]:
    old, new = finding["source_value"], finding["new_value"]
    told: list[Content] = [] if old is None else [tag("code", report.shown(old))]
    return told if new is None else [*told, " → ", tag("code", report.shown(new))]


def _verdict(finding: Finding) -> str:
    return f"{finding['verdict']}, waived" if finding["waived"] else str(finding["verdict"])


def _definitions(compared: Json) -> t.Iterator[Markup]:
    before, after = compared["before"], compared["after"]
    for kind, title in KINDS:
        for name in after[kind]:
            content = sides.table(sides.lines(before[kind].get(name) or {}), sides.lines(after[kind][name]))
            heads = tag("div", tag("b", "EC2"), tag("b", "Fargate"), class_="row heads")
            yield tag("details", tag("summary", tag("b", title), f" {name}"), heads, content, open="" if kind == "task_definitions" else None)
