# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Findings: everything a person must know, with its severity, its reason and its fix. What all findings of one id have in common stands in ``kinds``."""

from __future__ import annotations

import typing as t

from .kinds import KINDS
from .kinds.kind import BLOCKER, INFO, SEVERITIES, Kind
from .secrets import mask

__all__ = ["BLOCKER", "INFO", "KINDS", "SEVERITIES", "Finding", "Kind", "found", "order"]

Finding = t.Dict[str, t.Any]


def found(kind_id: str, path: str, source_value: t.Any = None, new_value: t.Any = None, **words: t.Any) -> Finding:
    """A finding: what it is, where it is, what was there and what comes instead. Secrets never get in."""
    kind = KINDS[kind_id]
    shown = {key: mask(str(value)) for key, value in words.items()}
    return {
        "id": kind.id,
        "severity": kind.severity,
        "path": path,
        "source_value": mask(source_value),
        "verdict": kind.verdict,
        "new_value": mask(new_value),
        "why": kind.why.format(**shown),
        "fix": kind.fix,
        "doc": kind.doc,
        "waived": False,
    }


def order(findings: t.Iterable[Finding]) -> list[Finding]:
    """By severity, id and path; each once."""
    unique = {(finding["id"], finding["path"], str(finding["source_value"])): finding for finding in findings}
    return sorted(unique.values(), key=lambda item: (SEVERITIES.index(item["severity"]), item["id"], item["path"], str(item["source_value"])))
