# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""nginx's lexical rules, byte for byte, with the span of every word.

The rules are those of ``ngx_conf_read_token`` in nginx's src/core/ngx_conf_file.c. They work on bytes: a conf has no encoding, and white space is
exactly space, TAB, CR and LF. Text that is not edited stays as it is, because callers splice by span. nginx-rules.md 2
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

SPACE = b" \t\r\n"
# nginx's NGX_CONF_BUFFER: a longer parameter is "too long parameter, probably missing terminating ..."
LONGEST_WORD = 4096
BACKSLASH = 0x5C
LUA_BLOCK = b"_by_lua_block"
ESCAPES = {ord('"'): b'"', ord("'"): b"'", ord("\\"): b"\\", ord("t"): b"\t", ord("r"): b"\r", ord("n"): b"\n"}
# Inside a word: a "{" right after "$" (or after such a "{") ends nothing, and "\\" takes the next byte with it.
BARE = re.compile(rb"(?:[^ \t\r\n;{\\$]+|\$\{*|\\.)*", re.DOTALL)
QUOTED = {b'"': re.compile(rb'(?:[^"\\]+|\\.)*', re.DOTALL), b"'": re.compile(rb"(?:[^'\\]+|\\.)*", re.DOTALL)}
SPACE_AND_COMMENTS = re.compile(rb"(?:[ \t\r\n]+|#[^\n]*)*")
LUA_LONG_BRACKET = re.compile(rb"\[(=*)\[")
UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Word:
    """One word of a directive. ``data[start:end]`` is its raw text without the quotes; ``value`` has nginx's escapes resolved."""

    value: bytes
    raw: bytes
    start: int
    end: int
    quoted: bool


@dataclass(frozen=True)
class Directive:
    """``words[0]`` is the name. ``block`` is None for a simple directive (``;``) and for a Lua block, whose text is opaque: ``lua`` is its span."""

    words: tuple[Word, ...]
    block: tuple[Directive, ...] | None
    lua: tuple[int, int] | None = None

    @property
    def name(self) -> bytes:
        return self.words[0].value

    @property
    def arguments(self) -> tuple[Word, ...]:
        return self.words[1:]


class ConfError(Exception):
    """A conf that nginx itself would refuse. ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{message} at line {line}, column {column}")
        self.message = message
        self.line = line
        self.column = column


def place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column (both from 1, in bytes) of an offset."""
    return data.count(b"\n", 0, offset) + 1, offset - (data.rfind(b"\n", 0, offset) + 1) + 1


def parse(data: bytes) -> tuple[Directive, ...]:
    """The directives of one file. A fragment (only a location, only some passes) is a file too."""
    lexer = _Lexer(data)
    # Blocks are kept on a stack of our own: nesting in a hostile file must not end in a RecursionError.
    stack: list[tuple[tuple[Word, ...], list[Directive]]] = []
    current: list[Directive] = []
    while True:
        words, stop = lexer.directive()
        if stop == ";":
            current.append(Directive(words, None))
        elif stop == "{" and words[0].value.endswith(LUA_BLOCK):
            opened = lexer.position
            lexer.skip_lua_block()
            current.append(Directive(words, None, (opened, lexer.position - 1)))
        elif stop == "{":
            stack.append((words, current))
            current = []
        elif stop == "}":
            if not stack:
                raise lexer.error('unexpected "}"', lexer.position - 1)
            words, outer = stack.pop()
            outer.append(Directive(words, tuple(current)))
            current = outer
        elif stack:
            raise lexer.error('unexpected end of file, expecting "}"', len(data))
        else:
            return tuple(current)


def walk(directives: t.Iterable[Directive], within: tuple[bytes, ...] = ()) -> t.Iterator[tuple[Directive, tuple[bytes, ...]]]:
    """Every directive with the names of the blocks around it, in file order."""
    stack = [(iter(directives), within)]
    while stack:
        following, around = stack[-1]
        directive = next(following, None)
        if directive is None:
            stack.pop()
            continue
        yield directive, around
        if directive.block:
            stack.append((iter(directive.block), (*around, directive.name)))


def unescape(raw: bytes) -> bytes:
    """What nginx stores for a word: ``\\"`` ``\\'`` ``\\\\`` lose the backslash, ``\\t`` ``\\r`` ``\\n`` become control characters, any other pair stays."""
    if b"\\" not in raw:
        return raw
    out = bytearray()
    index = 0
    while index < len(raw):
        escaped = ESCAPES.get(raw[index + 1]) if raw[index] == BACKSLASH and index + 1 < len(raw) else None
        out += escaped if escaped is not None else raw[index : index + 1]
        index += 2 if escaped is not None else 1
    return bytes(out)


class _Lexer:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def error(self, message: str, offset: int) -> ConfError:
        return ConfError(message, *place(self.data, offset))

    def directive(self) -> tuple[tuple[Word, ...], str]:
        """The words up to ``;`` or ``{``, and which of ``; { }`` or '' (end of file) stopped it."""
        words: list[Word] = []
        while True:
            self._skip_space_and_comments()
            if self.position >= len(self.data):
                if words:
                    raise self.error('unexpected end of file, expecting ";" or "}"', len(self.data))
                return (), ""
            byte = self.data[self.position : self.position + 1]
            if byte in (b";", b"{"):
                if not words:
                    raise self.error(f'unexpected "{byte.decode()}"', self.position)
                self.position += 1
                return tuple(words), byte.decode()
            if byte == b"}":
                if words:
                    raise self.error('unexpected "}"', self.position)
                self.position += 1
                return (), "}"
            words.append(self._quoted_word(byte) if byte in (b'"', b"'") else self._bare_word())

    def _skip_space_and_comments(self) -> None:
        self.position = self._end(SPACE_AND_COMMENTS, self.position)

    def _end(self, pattern: re.Pattern[bytes], start: int) -> int:
        """Where the longest match of a pattern that matches everywhere (also nothing) ends."""
        found = pattern.match(self.data, start)
        return found.end() if found else start

    def _bare_word(self) -> Word:
        start = self.position
        end = self._end(BARE, start)
        if end >= len(self.data) or self.data[end] == BACKSLASH:
            raise self.error('unexpected end of file, expecting ";" or "}"', len(self.data))
        self.position = end
        return self._word(start, end, quoted=False)

    def _quoted_word(self, quote: bytes) -> Word:
        start = self.position + 1
        end = self._end(QUOTED[quote], start)
        if self.data[end : end + 1] != quote:
            raise self.error(f"unexpected end of file, expecting a closing {quote.decode()}", len(self.data))
        self.position = end + 1
        after = self.data[self.position : self.position + 1]
        if after and after not in (b" ", b"\t", b"\r", b"\n", b";", b"{", b")"):
            raise self.error(f'unexpected "{after.decode("latin-1")}"', self.position)
        return self._word(start, end, quoted=True)

    def _word(self, start: int, end: int, quoted: bool) -> Word:
        if end - start >= LONGEST_WORD:
            raise self.error("too long parameter, probably missing terminating quote", start)
        raw = self.data[start:end]
        return Word(unescape(raw), raw, start, end, quoted)

    def skip_lua_block(self) -> None:
        """Go behind the ``}`` that closes a Lua block: strings, comments and long brackets of Lua may hold braces."""
        depth, data, size = 1, self.data, len(self.data)
        opened = self.position
        while self.position < size:
            byte = data[self.position : self.position + 1]
            if byte in (b'"', b"'"):
                self.position = min(self._end(QUOTED[byte], self.position + 1) + 1, size)
            elif data.startswith(b"--", self.position):
                self._skip_lua_comment()
            elif byte == b"[" and (bracket := LUA_LONG_BRACKET.match(data, self.position)):
                self._skip_long_bracket(bracket)
            else:
                depth += {b"{": 1, b"}": -1}.get(byte, 0)
                self.position += 1
                if depth == 0:
                    return
        raise self.error("a Lua block is not closed", opened)

    def _skip_lua_comment(self) -> None:
        bracket = LUA_LONG_BRACKET.match(self.data, self.position + 2)
        if bracket:
            self._skip_long_bracket(bracket)
        else:
            newline = self.data.find(b"\n", self.position)
            self.position = len(self.data) if newline < 0 else newline + 1

    def _skip_long_bracket(self, bracket: re.Match[bytes]) -> None:
        end = self.data.find(b"]" + bracket[1] + b"]", bracket.end())
        self.position = len(self.data) if end < 0 else end + len(bracket[1]) + 2
