# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""``fargate_waive``: findings that a person has looked at and accepts, ``FG-X`` everywhere or ``FG-X@path`` in one place.

The findings of confs, pools and images (NGX-, FPM-, IMG-) are told and waived when the image is read.
"""

from __future__ import annotations

import typing as t

from .context import Context, as_list
from .findings import KINDS, Finding, found

STALE = "FG-WAIVE-STALE"
OF_IMAGES = ("NGX-", "FPM-", "IMG-")


def unknown(context: Context) -> list[Finding]:
    """Entries that can be no finding's."""
    return [
        found("FG-INTENT", f"fargate_waive[{entry}]", entry, expected="it should be the id of a finding, see docs/guide/findings.md.")
        for entry in _entries(context)
        if _id(entry) not in KINDS and not entry.startswith(OF_IMAGES)
    ]


def applied(findings: t.Sequence[Finding], context: Context) -> list[Finding]:
    """The findings, those accepted marked, and what accepts nothing any more."""
    accepted = set(_entries(context))
    return [{**finding, "waived": bool(_names(finding) & accepted)} for finding in [*findings, *_stale(findings, context)]]


def _stale(findings: t.Sequence[Finding], context: Context) -> list[Finding]:
    """It would also accept the next finding of that name, which nobody has looked at. Once a target is there, what it settled may be found again."""
    if not context.source or context.target:
        return []
    told = {name for finding in findings for name in _names(finding)}
    entries = dict.fromkeys(entry for entry in _entries(context) if _id(entry) in KINDS and _id(entry) != STALE)
    return [found(STALE, f"fargate_waive[{entry}]", entry) for entry in entries if entry not in told]


def _entries(context: Context) -> list[str]:
    return [str(entry) for entry in as_list(context.intent.get("waive"))]


def _id(entry: str) -> str:
    return entry.partition("@")[0]


def _names(finding: Finding) -> set[str]:
    return {finding["id"], f"{finding['id']}@{finding['path']}"}
