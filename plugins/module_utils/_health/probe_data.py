# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Probes as the inventory writes them (``fargate_probes``): what may be said, and what was misspelt. Pure."""

from __future__ import annotations

import typing as t

from .model import Json

READ_ONLY = ("GET", "HEAD", "OPTIONS")

PROBE_KEYS = ("name", "steps")
STEP_KEYS = ("name", "method", "path", "headers", "form", "json", "body", "follow", "timeout", "on", "expect", "capture")
EXPECT_KEYS = ("status", "header", "body_contains", "json")
CAPTURE_KEYS = ("header", "cookie", "regex", "json")


def misspelt(items: t.Iterable[Json]) -> str | None:
    """The first thing that is no probe, in one line. A key nobody reads would be an expectation nobody checks."""
    for number, item in enumerate(items):
        where = f"fargate_probes[{number}]"
        if "steps" not in item:
            problem = _misspelt_step(where, item)
        else:
            steps = (_misspelt_step(f"{where}.steps[{place}]", step) for place, step in enumerate(item["steps"] or []))
            problem = _unknown(where, item, PROBE_KEYS) or next((found for found in steps if found), None)
        if problem:
            return problem
    return None


def _misspelt_step(where: str, step: t.Any) -> str | None:
    if not isinstance(step, t.Mapping):
        return f"{where} is {step!r}. It should be a step with path, expect ..."
    if step.get("on") not in (None, "source", "target"):
        return f"{where}.on is {step['on']!r}. It should be source or target."
    captures = (_unknown(f"{where}.capture.{name}", how, CAPTURE_KEYS) for name, how in (step.get("capture") or {}).items())
    return (
        _unknown(where, step, STEP_KEYS)
        or _unknown(f"{where}.expect", step.get("expect") or {}, EXPECT_KEYS)
        or next((found for found in captures if found), None)
    )


def _unknown(where: str, given: t.Mapping[str, t.Any], known: t.Sequence[str]) -> str | None:
    extra = sorted(set(given) - set(known))
    return f"{where} has the unknown key {extra[0]}. It should be one of: {', '.join(known)}." if extra else None


def as_probes(items: t.Iterable[Json]) -> list[Json]:
    """``{name, steps}`` is a probe; steps written without one form a probe together."""
    probes: list[Json] = []
    loose: list[Json] = []
    for item in items:
        if "steps" in item:
            probes.append({"name": item.get("name", "probe"), "steps": list(item["steps"])})
        else:
            loose.append(item)
    return [*([{"name": "probes", "steps": loose}] if loose else []), *probes]


def is_read_only(probe: Json) -> bool:
    return all(method_of(step) in READ_ONLY for step in probe["steps"])


def method_of(step: Json) -> str:
    return str(step.get("method") or ("POST" if {"form", "json", "body"} & {key for key, value in step.items() if value is not None} else "GET")).upper()


def needs_other_side(probe: Json, side: str) -> bool:
    """Where the other side is not to be asked (before a scale-in its silence is measured) or is gone, such a probe has nothing to say."""
    return any(step.get("on") not in (None, side) for step in probe["steps"])
