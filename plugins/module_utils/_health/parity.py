# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The same question to both sides: what they answer differently, and what of it is only noise.

Noise is what an answer would not repeat either. So a difference counts when every answer of one side shows it and no answer of the other: where the
first answers differ, both sides are asked once more. That takes care of tokens, clocks and adverts that nobody has listed; ``NOISE`` and the inventory's
``mask`` take care of what stays the same for a while.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from collections import Counter
from dataclasses import dataclass

from .http import Answer, ProbeError, request
from .model import Json, StepResult
from .probe_steps import STEP_TIMEOUT, Sides

# What decides how a browser or a cache takes the answer. Of cookies the names and attributes count, never the values.
HEADERS = ("Content-Type", "Cache-Control", "Location", "Set-Cookie")
# They start at few places and are bounded: an answer of a megabyte must not take minutes.
NOISE = (
    r"<(?:input|meta)\b[^<>]{0,300}(?:_token|csrf|xsrf|nonce|captcha)[^<>]{0,300}>",
    r"""\bnonce=["'][^"']*["']""",
    r"""(?<![\w-])[\w-]{0,40}(?:token|csrf|xsrf|nonce|request_?id|trace_?id|session_?id|timestamp)[\w-]{0,20}["']?\s*[:=]\s*["'][^"']*["']""",
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b",
    r"\bRoot=1-[0-9a-f]{8}-[0-9a-f]{24}\b",
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT",
    r"\b\d\d:\d\d:\d\d\b",
    r"\b1\d{9}(?:\d{3})?(?:\.\d+)?\b",
)
MASKED = "***"
# Where a text can be taken apart: after tags, lines, and the marks of JSON and scripts.
SEAMS = re.compile(r"(?<=[>\n,;{}\[\]])|(?=<)")
ACCEPT = "text/html,application/json;q=0.9,*/*;q=0.8"
ROUNDS = 2
EXCERPT, MOST_EXCERPTS = 80, 2


@dataclass(frozen=True)
class Face:
    """An answer as it is compared."""

    status: int
    headers: t.Mapping[str, tuple[str, ...]]
    pieces: t.Mapping[str, int]


def face(answer: Answer, headers: t.Sequence[str], noise: t.Sequence[re.Pattern[str]]) -> Face:
    kept = {name: tuple(sorted(_header(name, value, noise) for value in answer.all(name))) for name in headers}
    return Face(answer.status, kept, Counter(pieces(answer, noise)))


def _header(name: str, value: str, noise: t.Sequence[re.Pattern[str]]) -> str:
    if name.lower() != "set-cookie":
        return _masked(value, noise)
    pair, *attributes = value.split(";")
    lasting = (attribute.strip() for attribute in attributes if attribute.strip().partition("=")[0].lower() not in ("expires", "max-age"))
    return "; ".join([pair.partition("=")[0].strip(), *lasting])


def pieces(answer: Answer, noise: t.Sequence[re.Pattern[str]]) -> list[str]:
    """What is no text is compared as a whole."""
    if b"\0" in answer.body:
        return [f"{len(answer.body)} bytes, SHA-256 {hashlib.sha256(answer.body).hexdigest()[:16]}"]
    found = (" ".join(piece.split()) for piece in SEAMS.split(_masked(answer.text, noise)))
    return [piece for piece in found if piece]


def _masked(text: str, noise: t.Sequence[re.Pattern[str]]) -> str:
    for pattern in noise:
        text = pattern.sub(MASKED, text)
    return text


def differences(sources: t.Sequence[Face], targets: t.Sequence[Face]) -> list[str]:
    """In words. A status is never noise; of headers and bodies counts what all answers of one side have and none of the other."""
    one, other = ({face.status for face in faces} for faces in (sources, targets))
    if one != other:
        return [f"the source answers {_statuses(one)}, the target {_statuses(other)}"]
    found = [_of_header(name, sources, targets) for name in sources[0].headers]
    return [text for text in [*found, _of_body(sources, targets)] if text]


def _statuses(statuses: t.Iterable[int]) -> str:
    return " or ".join(str(status) for status in sorted(statuses))


def _of_header(name: str, sources: t.Sequence[Face], targets: t.Sequence[Face]) -> str:
    pairs = [[Counter(face.headers[name]) for face in faces] for faces in (sources, targets)]
    lost, new = _only_in(pairs[0], pairs[1]), _only_in(pairs[1], pairs[0])
    return _told(f"header {name}", lost, new) if lost or new else ""


def _of_body(sources: t.Sequence[Face], targets: t.Sequence[Face]) -> str:
    one, other = [face.pieces for face in sources], [face.pieces for face in targets]
    lost, new = _only_in(one, other), _only_in(other, one)
    return _told("body", lost, new) if lost or new else ""


def _only_in(mine: t.Sequence[t.Mapping[str, int]], others: t.Sequence[t.Mapping[str, int]]) -> list[str]:
    """What each of mine has more often than any of the others, in the order of the first answer."""
    return [piece for piece in mine[0] if min(one.get(piece, 0) for one in mine) > max(other.get(piece, 0) for other in others)]


def _told(what: str, lost: list[str], new: list[str]) -> str:
    return f"{what}: " + "; ".join(f"only the {side} has {_quoted(found)}" for side, found in (("source", lost), ("target", new)) if found)


def _quoted(found: list[str]) -> str:
    shown = [repr(piece if len(piece) <= EXCERPT else piece[: EXCERPT - 4] + " ...") for piece in found[:MOST_EXCERPTS]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


# --- asking


def compare(probe: Json, sides: Sides, now: t.Callable[[], float]) -> list[StepResult]:
    """One result for each path of ``{name, parity: [path], headers, mask, differences}``. All paths are compared, whatever the first ones say."""
    noise = [re.compile(pattern, re.IGNORECASE) for pattern in (*NOISE, *(probe.get("mask") or ()))]
    return [_compare_path(probe, str(path), sides, noise, now) for path in probe["parity"]]


def _compare_path(probe: Json, path: str, sides: Sides, noise: t.Sequence[re.Pattern[str]], now: t.Callable[[], float]) -> StepResult:
    here, title, started = sides.routes[sides.here], f"GET {path}", now()
    answers: dict[str, Answer] = {}

    def result(problem: str, text: str) -> StepResult:
        mine = answers.get(sides.here, Answer(0))
        return StepResult(str(probe["name"]), title, here.address, problem, text, started, here.origin + path, mine.status, mine.header("Server"))

    faces: dict[str, list[Face]] = {"source": [], "target": []}
    found: list[str] = []
    for _round in range(ROUNDS):
        problem, text = _ask_both(sides, path, answers)
        if problem:
            return result(problem, text)
        for side, answered in faces.items():
            answered.append(face(answers[side], tuple(probe.get("headers") or HEADERS), noise))
        found = differences(faces["source"], faces["target"])
        if not found:
            return result("", f"{title} {answers[sides.here].status}, the same on both sides")
    text = " | ".join(found)
    return result("", f"{title} differs (only a warning): {text}") if probe.get("differences") == "warn" else result("differs", text)


def _ask_both(sides: Sides, path: str, answers: dict[str, Answer]) -> tuple[str, str]:
    """Fills ``answers``. (problem, text) when there is nothing to compare: an error of ours is explained as any other, one of theirs is not ours."""
    theirs = "target" if sides.here == "source" else "source"
    for side in (sides.here, theirs):
        if side not in sides.routes:
            return "other_side", f"needs the load balancer of the {side}, which is not known"
        try:
            answers[side] = request(sides.routes[side], "GET", path, {"Accept": ACCEPT}, None, STEP_TIMEOUT)
        except ProbeError as error:
            return (error.problem, error.text) if side == sides.here else ("other_side", f"from the {side}: {error.text}")
    mine, other = answers[sides.here].status, answers[theirs].status
    if other >= 500:
        return "other_side", f"the {theirs} answers {other}, so there is nothing to compare with"
    return ("status", f"got {mine}, the {theirs} answers {other}") if mine >= 500 else ("", "")
