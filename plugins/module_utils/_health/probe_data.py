# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Probes as the inventory writes them (``fargate_probes``): what may be said, what was misspelt, and what becomes of it. Pure.

An entry is a step, a probe of steps (``{name, steps}``), a comparison of both sides (``{parity: [path], ...}``) or a ready-made set (``{set: laravel, ...}``).
What runs is only the second and the third.
"""

from __future__ import annotations

import re
import typing as t

from . import probe_sets
from .model import Json

# Probes that are asked beside those of the inventory.
REDIRECT, BARE_NAME = "redirect to HTTPS", "bare name"
RESERVED = (REDIRECT, BARE_NAME)
READ_ONLY = ("GET", "HEAD", "OPTIONS")
PROBE_KEYS = ("name", "steps")
PARITY_KEYS = ("name", "parity", "headers", "mask", "differences")
STEP_KEYS = ("name", "method", "path", "headers", "form", "json", "body", "follow", "timeout", "within", "on", "expect", "capture")
EXPECT_KEYS = ("status", "header", "cookie", "body_contains", "json")
CAPTURE_KEYS = ("header", "cookie", "regex", "json")


# --- what was misspelt: a key nobody reads would be an expectation nobody checks


def misspelt(items: t.Iterable[t.Any]) -> str | None:
    """The first thing that is no probe, in one line."""
    return next((problem for number, item in enumerate(items) if (problem := _misspelt_item(f"fargate_probes[{number}]", item))), None)


def _misspelt_item(where: str, item: t.Any) -> str | None:
    if not isinstance(item, t.Mapping):
        return f"{where} is {shown(item)}. It should be a step with path, expect ..., or a mapping with steps, parity or set."
    if "set" in item:
        return _misspelt_set(where, item)
    if "parity" in item:
        return _misspelt_parity(where, item)
    if "steps" in item:
        return _unknown(where, item, PROBE_KEYS) or _misspelt_steps(f"{where}.steps", item["steps"])
    return _misspelt_step(where, item)


def _misspelt_set(where: str, item: t.Mapping[str, t.Any]) -> str | None:
    """What the user's own steps say wrong shows in the probes that are made of them."""
    problem = probe_sets.misspelt(where, item)
    if problem:
        return problem
    steps = [(f"{where}.{name}", probe_sets.own_steps(item.get(name))) for name in probe_sets.OWN_STEPS if item.get(name) is not None]
    return next((problem for place, own in steps if (problem := _misspelt_steps(place, own))), None)


def _misspelt_parity(where: str, item: t.Mapping[str, t.Any]) -> str | None:
    problem = _unknown(where, item, PARITY_KEYS)
    for key in ("parity", "headers", "mask"):
        value = item.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value) or (key == "parity" and not value):
            problem = problem or f"{where}.{key} is {shown(value)}. It should be a list of {PARITY_LISTS[key]}."
    if item.get("differences", "fail") not in ("fail", "warn"):
        problem = problem or f"{where}.differences is {item['differences']!r}. It should be fail or warn."
    return problem or next((bad for number, pattern in enumerate(item.get("mask") or []) if (bad := _bad_regex(f"{where}.mask[{number}]", pattern))), None)


PARITY_LISTS = {"parity": "paths, for example [/, /login]", "headers": "names of headers", "mask": "regular expressions"}


def _misspelt_steps(where: str, steps: t.Any) -> str | None:
    if not isinstance(steps, list):
        return f"{where} is {shown(steps)}. It should be a list of steps."
    return next((problem for place, step in enumerate(steps) if (problem := _misspelt_step(f"{where}[{place}]", step))), None)


def _misspelt_step(where: str, step: t.Any) -> str | None:
    if not isinstance(step, t.Mapping):
        return f"{where} is {shown(step)}. It should be a step with path, expect ..."
    if step.get("on") not in (None, "source", "target"):
        return f"{where}.on is {step['on']!r}. It should be source or target."
    if step.get("within") is not None and method_of(step) not in READ_ONLY:
        return f"{where}.within is {step['within']!r}, but the step is a {method_of(step)}. It should be a GET: only what reads may be repeated."
    return _unknown(where, step, STEP_KEYS) or _unknown(f"{where}.expect", step.get("expect") or {}, EXPECT_KEYS) or _misspelt_captures(where, step)


def _misspelt_captures(where: str, step: t.Mapping[str, t.Any]) -> str | None:
    for name, how in (step.get("capture") or {}).items():
        place = f"{where}.capture.{name}"
        problem = _unknown(place, how, CAPTURE_KEYS) or ("regex" in how and _bad_regex(f"{place}.regex", how["regex"])) or None
        if problem:
            return problem
    return None


def _unknown(where: str, given: t.Any, known: t.Sequence[str]) -> str | None:
    if not isinstance(given, t.Mapping):
        return f"{where} is {shown(given)}. It should be a mapping with: {', '.join(known)}."
    extra = sorted(str(key) for key in set(given) - set(known))
    return f"{where} has the unknown key {extra[0]}. It should be one of: {', '.join(known)}." if extra else None


def _bad_regex(where: str, pattern: t.Any) -> str | None:
    try:
        re.compile(str(pattern))
    except re.error as error:
        return f"{where} is {pattern!r}. It should be a regular expression: {error}."
    return None


def shown(value: t.Any) -> str:
    """As it was written, unless it may hold somebody's password."""
    if isinstance(value, t.Mapping):
        return "a mapping"
    plain = not isinstance(value, list) or all(isinstance(entry, str) for entry in value)
    return repr(value) if plain else "a list"


# --- what runs


def as_probes(items: t.Iterable[Json], health_paths: t.Sequence[str] = ()) -> list[Json]:
    """Sets become their probes; steps written without a probe form one together, which comes first. ``health_paths``: of the side's target groups."""
    probes: list[Json] = []
    loose: list[Json] = []
    for item in items:
        if "set" in item:
            probes += probe_sets.expand(item, health_paths)
        elif "parity" in item:
            probes.append({"name": "parity with the other side", **item})
        elif "steps" in item:
            probes.append({"name": item.get("name", "probe"), "steps": list(item["steps"])})
        else:
            loose.append(item)
    return _told_apart([*([{"name": "probes", "steps": loose}] if loose else []), *probes])


def _told_apart(probes: list[Json]) -> list[Json]:
    """Each under a name of its own: results go by it."""
    seen = set(RESERVED)
    named: list[Json] = []
    for probe in probes:
        given = str(probe["name"])
        name = next(each for each in (given, *(f"{given} ({number})" for number in range(2, len(probes) + len(RESERVED) + 2))) if each not in seen)
        seen.add(name)
        named.append({**probe, "name": name})
    return named


def is_read_only(probe: Json) -> bool:
    return all(method_of(step) in READ_ONLY for step in probe.get("steps", []))


def method_of(step: t.Mapping[str, t.Any]) -> str:
    return str(step.get("method") or ("POST" if {"form", "json", "body"} & {key for key, value in step.items() if value is not None} else "GET")).upper()


def needs_other_side(probe: Json, side: str) -> bool:
    """Where the other side is not to be asked (before a scale-in its silence is measured) or is gone, such a probe has nothing to say."""
    return "parity" in probe or any(step.get("on") not in (None, side) for step in probe["steps"])
