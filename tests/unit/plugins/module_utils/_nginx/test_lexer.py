"""nginx's lexical rules. The oracle for whole confs is nginx itself: tests/integration/test_nginx_oracle.py."""

from __future__ import annotations

import os
import re

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._nginx import lexer
from hypothesis import given, settings
from hypothesis import strategies as st


def words(data: bytes) -> list[list[bytes]]:
    return [[word.value for word in directive.words] for directive, _around in lexer.walk(lexer.parse(data))]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"listen 80;", [[b"listen", b"80"]], id="plain"),
        pytest.param(b"a\tb\r\nc;", [[b"a", b"b", b"c"]], id="the four kinds of white space"),
        pytest.param("a\u00a0b c;".encode(), [["a\u00a0b".encode(), b"c"]], id="a no-break space is text"),
        pytest.param(b"return 200 foo};", [[b"return", b"200", b"foo}"]], id="a closing brace inside a word"),
        pytest.param(b"a b#c;", [[b"a", b"b#c"]], id="a hash inside a word"),
        pytest.param(b'a b"c;', [[b"a", b'b"c']], id="a quote inside a word"),
        pytest.param(b"a ${b}c;", [[b"a", b"${b}c"]], id="braces of a variable"),
        pytest.param(b'a "b;{}c" ;', [[b"a", b"b;{}c"]], id="quoted punctuation"),
        pytest.param(rb'a "x\"y" z\;w;', [[b"a", b'x"y', rb"z\;w"]], id="escapes: quotes lose the backslash, others keep it"),
        pytest.param(rb"a x\ty;", [[b"a", b"x\ty"]], id="escapes: control characters"),
        pytest.param(b"# comment; {\na b;# to the end", [[b"a", b"b"]], id="comments, the last one without a newline"),
        pytest.param(b'if ("a"){ b c; }', [[b"if", b'("a")'], [b"b", b"c"]], id="a brace right behind a word"),
        pytest.param(b"", [], id="an empty file"),
    ],
)
def test_words(data: bytes, expected: list[list[bytes]]) -> None:
    assert words(data) == expected


def test_spans_point_at_the_raw_text() -> None:
    data = b'a  "b c"  d\\"e;'
    (directive,) = lexer.parse(data)
    assert [data[word.start : word.end] for word in directive.words] == [b"a", b"b c", b'd\\"e']


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        pytest.param(b"a b", 1, 4, id="no semicolon"),
        pytest.param(b"a {\n b c;\n", 3, 1, id="an open block"),
        pytest.param(b"a b;\n}", 2, 1, id="a brace too many"),
        pytest.param(b"a b }", 1, 5, id="a brace inside a directive"),
        pytest.param(b";", 1, 1, id="nothing before the semicolon"),
        pytest.param(b'a "b"c;', 1, 6, id="text right behind a quote"),
        pytest.param(b'a "b', 1, 5, id="an open quote"),
        pytest.param(b"a " + b"x" * 5000 + b";", 1, 3, id="a word longer than nginx's buffer"),
    ],
)
def test_what_nginx_refuses_is_refused_with_its_place(data: bytes, line: int, column: int) -> None:
    with pytest.raises(lexer.ConfError) as caught:
        lexer.parse(data)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_lua_block_is_opaque() -> None:
    data = b"""location / { content_by_lua_block {
        local s = "}"  -- } in a comment
        local t = [==[ } ]==] --[[ } ]]
        if x then y = { a = 1 } end
    } proxy_pass http://a; }"""
    assert words(data)[1:] == [[b"content_by_lua_block"], [b"proxy_pass", b"http://a"]]


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    assert len(words(b"a {" * 5000 + b"}" * 5000)) == 5000


# LONG: a hundred times the examples, for a night.
EXAMPLES = 300 * (100 if os.environ.get("CUTOVER_LONG") else 1)
BYTES = st.binary(max_size=400)
ATOMS = st.lists(
    st.sampled_from([b"a", b" ", b"\n", b"\r\n", b";", b"{", b"}", b'"', b"'", b"\\", b"$", b"${", b"#", b")", b"server", b"a_by_lua_block", b"--", b"[[", b"]]", b"[=[", b"\xff"]),
    max_size=60,
).map(b"".join)


def parsed(data: bytes) -> tuple[tuple[lexer.Directive, ...], lexer.ConfError | None]:
    try:
        return lexer.parse(data), None
    except lexer.ConfError as error:
        return (), error


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(BYTES | ATOMS)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No crash and no hang. What is read lies in order inside the file, between it is nothing but white space, comments and punctuation."""
    directives, refused = parsed(data)
    if refused is not None:
        assert 1 <= refused.line <= data.count(b"\n") + 1
        assert 1 <= refused.column <= len(data.split(b"\n")[refused.line - 1]) + 1
    found = [directive for directive, _around in lexer.walk(directives)]
    spans = sorted([(word.start, word.end) for each in found for word in each.words] + [each.lua for each in found if each.lua])
    words = [word for each in found for word in each.words]
    assert [(word.start, word.end) for word in words] == sorted((word.start, word.end) for word in words)
    assert all(data[word.start : word.end] == word.raw for word in words)
    position = 0 if refused is None else len(data)
    for start, end in [*spans, (len(data), len(data))]:
        between = re.sub(rb"#[^\n]*", b"", data[position:start])
        assert not between.strip(b" \t\r\n;{}\"'"), (data, between)
        position = end


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=5), max_size=6), st.sampled_from([b'"', b"'"]))
def test_what_is_written_in_quotes_is_read_back(statements: list[list[bytes]], quote: bytes) -> None:
    def written(value: bytes) -> bytes:
        return quote + value.replace(b"\\", b"\\\\").replace(quote, b"\\" + quote) + quote

    data = b"".join(b" ".join(written(value) for value in statement) + b";\n" for statement in statements)
    assert words(data) == statements


@pytest.mark.parametrize("unit", [b'"', b"'", b"\\", b"$", b"${", b" ", b"#", b"a", b'"a\\', b'a "', b"{", b"a{", b"a ", b"a_by_lua_block {", b"[[", b"--[", b"#\n", b'"" '])
def test_the_work_grows_with_the_file_and_no_faster(unit: bytes) -> None:
    """A pattern that backtracks would not come back from these."""
    for data in (unit * 10_000, b"x " + unit * 10_000, b"a_by_lua_block {" + unit * 10_000):
        parsed(data)
