"""nginx's lexical rules. The oracle for whole confs is nginx itself: tests/integration/test_nginx_oracle.py."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._nginx import lexer
from hypothesis import given
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


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No crash and no hang; what is read lies in order inside the file."""
    try:
        directives = lexer.parse(data)
    except lexer.ConfError:
        return
    spans = [(word.start, word.end) for directive, _around in lexer.walk(directives) for word in directive.words]
    assert spans == sorted(spans)
    assert all(0 <= start <= end <= len(data) for start, end in spans)
