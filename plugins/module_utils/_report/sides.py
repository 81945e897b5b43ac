# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Two definitions side by side, line by line: what is equal is folded, what changed inside a line is marked."""

from __future__ import annotations

import difflib
import json
import typing as t

from .markup import Content, Markup, escape, join, tag

INDENT = "  "
CONTEXT = 2  # equal lines that stay visible around a change


def lines(value: t.Any, depth: int = 0) -> list[str]:
    """A JSON value in the manner of YAML: one line for each scalar, so that a diff has one line for each change.

    >>> lines({"cpu": "256", "links": ["php-fpm"], "image": {}})
    ['cpu: "256"', 'image: {}', 'links:', '  - "php-fpm"']
    """
    pad = INDENT * depth
    if isinstance(value, t.Mapping) and value:
        found = []
        for key in sorted(value, key=str):
            found += _entry(f"{pad}{key}:", value[key], depth)
        return found
    if isinstance(value, (list, tuple)) and value:
        found = []
        for item in value:
            found += _entry(f"{pad}-", item, depth)
        return found
    return [pad + json.dumps(value, ensure_ascii=False)]


def _entry(head: str, value: t.Any, depth: int) -> list[str]:
    if isinstance(value, (t.Mapping, list, tuple)) and value:
        return [head, *lines(value, depth + 1)]
    return [f"{head} {json.dumps(value, ensure_ascii=False)}"]


def table(before: t.Sequence[str], after: t.Sequence[str]) -> Markup:
    """Rows of two cells each, the source on the left."""
    rows: list[Markup] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    blocks = matcher.get_opcodes()
    for number, (kind, low, high, start, end) in enumerate(blocks):
        if kind == "equal":
            rows.append(_equal(before[low:high], first=number == 0, last=number == len(blocks) - 1))
        else:
            rows.append(_changed(before[low:high], after[start:end]))
    return tag("div", *rows, class_="sides")


def _equal(same: t.Sequence[str], first: bool, last: bool) -> Markup:
    """Equal lines; more than fit around a change are folded."""
    head, foot = 0 if first else CONTEXT, 0 if last else CONTEXT
    if len(same) <= head + foot + 1:
        return join(_row(line, line) for line in same)
    inner = same[head : len(same) - foot]
    folded = tag("details", tag("summary", f"{len(inner)} equal lines"), *(_row(line, line) for line in inner))
    return join([*(_row(line, line) for line in same[:head]), folded, *(_row(line, line) for line in same[len(same) - foot :])])


def _changed(gone: t.Sequence[str], come: t.Sequence[str]) -> Markup:
    rows = []
    for before, after in _pairs(gone, come):
        if before is None:
            rows.append(_row("", after or "", right="come"))
        elif after is None:
            rows.append(_row(before, "", left="gone"))
        else:
            rows.append(_row(*_marked(before, after), left="gone", right="come"))
    return join(rows)


def _pairs(gone: t.Sequence[str], come: t.Sequence[str]) -> t.Iterator[tuple[str | None, str | None]]:
    """Lines of the same key stand beside each other, in the order of both sides; the others stand alone."""
    keys = [_key(line) for line in come]
    at = 0
    for line in gone:
        try:
            partner = keys.index(_key(line), at)
        except ValueError:
            yield line, None
            continue
        yield from ((None, other) for other in come[at:partner])
        yield line, come[partner]
        at = partner + 1
    yield from ((None, other) for other in come[at:])


def _key(line: str) -> str:
    return line.partition(": ")[0] if ": " in line else line.partition("- ")[0]


def _marked(before: str, after: str) -> tuple[Content, Content]:
    """The part in which two lines differ."""
    head = _shared(before, after)
    foot = _shared(before[head:][::-1], after[head:][::-1])
    return _mark(before, head, foot), _mark(after, head, foot)


def _shared(left: str, right: str) -> int:
    """Length of the common beginning."""
    return next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), min(len(left), len(right)))


def _mark(line: str, head: int, foot: int) -> Content:
    end = len(line) - foot
    return line if head >= end else join([line[:head], tag("mark", line[head:end]), line[end:]])


def _row(left_text: Content, right_text: Content, left: str = "", right: str = "") -> Markup:
    return tag("div", tag("code", escape(left_text), class_=left or None), tag("code", escape(right_text), class_=right or None), class_="row")
