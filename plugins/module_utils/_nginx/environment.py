# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""envsubst in front of nginx: the official image renders templates with the container's environment before it starts.

Only variables that the environment defines are replaced, as ``$NAME`` and as ``${NAME}``; all others are nginx's own and stay.
https://github.com/nginx/docker-nginx 20-envsubst-on-templates.sh, nginx-rules.md 6
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .address import VARIABLE

TEMPLATE_SUFFIXES = (".template", ".stream-template", ".tmpl", ".tpl")
# A value with one of these would be more than (a part of) one word after the rendering.
NO_WORD = re.compile(r"[\s;{}\"'\\#]")


@dataclass(frozen=True)
class Piece:
    """Text as rendered. ``start`` is the offset of its source in the raw word; ``variable`` is '' for literal text."""

    text: bytes
    start: int
    variable: str = ""


@dataclass(frozen=True)
class EnvironmentEdit:
    """One environment variable that must change: ``host`` is what was replaced in ``before``; the place is where the conf uses it."""

    name: str
    before: str
    after: str
    host: str
    path: str
    line: int
    column: int


def is_template(path: str) -> bool:
    return path.endswith(TEMPLATE_SUFFIXES)


def expand(raw: bytes, values: t.Mapping[str, str]) -> list[Piece]:
    """The pieces of a word after envsubst. Values are taken as they are: envsubst renders once."""
    pieces: list[Piece] = []
    position = 0
    for match in VARIABLE.finditer(raw):
        name = (match[1] or match[2]).decode("latin-1")
        if name in values:
            pieces.append(Piece(raw[position : match.start()], position))
            pieces.append(Piece(values[name].encode("utf-8", "surrogateescape"), match.start(), name))
            position = match.end()
    pieces.append(Piece(raw[position:], position))
    return [piece for piece in pieces if piece.text]


def text(pieces: t.Iterable[Piece]) -> bytes:
    return b"".join(piece.text for piece in pieces)


def holder(pieces: t.Iterable[Piece], start: int, end: int) -> tuple[Piece, int] | None:
    """The piece that holds all of ``start:end`` of the rendered text, and where in the piece it begins; None when it is put together."""
    offset = 0
    for piece in pieces:
        if offset <= start and end <= offset + len(piece.text):
            return piece, start - offset
        offset += len(piece.text)
    return None
