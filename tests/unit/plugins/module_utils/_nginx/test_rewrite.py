"""Which hosts become 127.0.0.1, and what is left to a person."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._nginx import lexer, tree
from ansible_collections.cutover.fargate.plugins.module_utils._nginx.rewrite import apply, rewrite
from hypothesis import given, settings
from hypothesis import strategies as st

PEERS = {"php-fpm": "127.0.0.1", "api": "127.0.0.1", "App": "127.0.0.1"}


def one(data: bytes) -> bytes:
    return rewrite({"a.conf": data}, PEERS).changed.get("a.conf", data)


def ids(data: bytes) -> list[str]:
    return [finding.id for finding in rewrite({"a.conf": data}, PEERS).findings]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"fastcgi_pass php-fpm:9000;", b"fastcgi_pass 127.0.0.1:9000;", id="fastcgi_pass"),
        pytest.param(b"fastcgi_pass PHP-FPM:9000;", b"fastcgi_pass 127.0.0.1:9000;", id="host names have no case"),
        pytest.param(b"fastcgi_pass app:9000;", b"fastcgi_pass 127.0.0.1:9000;", id="nor have the peers"),
        pytest.param(b'fastcgi_pass  "php-fpm:9000" ;', b'fastcgi_pass  "127.0.0.1:9000" ;', id="quotes and blanks stay"),
        pytest.param(b"fastcgi_pass\n  php-fpm:9000\n;", b"fastcgi_pass\n  127.0.0.1:9000\n;", id="over several lines"),
        pytest.param(b"proxy_pass http://api:3000/x/;", b"proxy_pass http://127.0.0.1:3000/x/;", id="the URI of a proxy_pass stays"),
        pytest.param(b"proxy_pass http://api;", b"proxy_pass http://127.0.0.1;", id="without a port"),
        pytest.param(b"proxy_pass http://api:$port;", b"proxy_pass http://127.0.0.1:$port;", id="a variable port"),
        pytest.param(b"grpc_pass grpcs://api:50051;", b"grpc_pass grpcs://127.0.0.1:50051;", id="grpc_pass"),
        pytest.param(b"uwsgi_pass uwsgi://api:3031;", b"uwsgi_pass uwsgi://127.0.0.1:3031;", id="uwsgi_pass"),
        pytest.param(b"memcached_pass api:11211;", b"memcached_pass 127.0.0.1:11211;", id="memcached_pass"),
        pytest.param(
            b"upstream php-fpm { server php-fpm:9000 weight=2; server unix:/s; } fastcgi_pass php-fpm;",
            b"upstream php-fpm { server 127.0.0.1:9000 weight=2; server unix:/s; } fastcgi_pass php-fpm;",
            id="an upstream of the peer's name keeps its name",
        ),
        pytest.param(
            b'set $b "php-fpm:9000"; fastcgi_pass $b;',
            b'set $b "127.0.0.1:9000"; fastcgi_pass $b;',
            id="set",
        ),
        pytest.param(
            b"map $uri $b { default api:80; ~^/o other.example.com:80; } proxy_pass http://$b/x;",
            b"map $uri $b { default 127.0.0.1:80; ~^/o other.example.com:80; } proxy_pass http://$b/x;",
            id="map",
        ),
        pytest.param(b"set $a api:1; set $b $a; fastcgi_pass $b;", b"set $a 127.0.0.1:1; set $b $a; fastcgi_pass $b;", id="a variable of a variable"),
    ],
)
def test_the_host_changes_and_nothing_else(before: bytes, after: bytes) -> None:
    assert one(before) == after
    assert one(after) == after


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"# fastcgi_pass php-fpm:9000;\n", id="a comment"),
        pytest.param(b"fastcgi_pass 127.0.0.1:9000;", id="local already"),
        pytest.param(b"fastcgi_pass unix:/run/php-fpm.sock;", id="a socket"),
        pytest.param(b"fastcgi_pass [::1]:9000;", id="an IPv6 literal"),
        pytest.param(b"proxy_pass http://api.example.com;", id="a longer name that starts like a peer"),
        pytest.param(b"proxy_pass http://other/api:80;", id="a peer's name in the URI"),
        pytest.param(b"set $unused php-fpm:9000;", id="a variable that no pass uses"),
        pytest.param(b"server_name php-fpm;", id="another directive"),
        pytest.param(b'add_header X "fastcgi_pass php-fpm:9000;";', id="a string"),
        pytest.param(b"server { server_name a; } map $a $b { x api:80; }", id="a map that no pass uses"),
    ],
)
def test_what_is_no_address_of_a_peer_stays(data: bytes) -> None:
    assert rewrite({"a.conf": data}, PEERS).changed == {}


@pytest.mark.parametrize(
    ("data", "identity"),
    [
        (b"proxy_pass http://api-$x:80;", "NGX-UNDECIDABLE"),
        (b"fastcgi_pass $from_elsewhere;", "NGX-VARIABLE"),
        (b"fastcgi_pass php-fpm:9000; proxy_pass http://api:9000;", "NGX-PORT-CLASH"),
        (b"resolver 127.0.0.11;", "NGX-RESOLVER"),
        (b"allow 172.17.0.0/16;", "NGX-DOCKER-RANGE"),
        (b"\xef\xbb\xbfuser www;", "NGX-BOM"),
        (b"user www", "NGX-SYNTAX"),
        (b"{% if x %} user www; {% endif %}", "NGX-TEMPLATE"),
        (b"  # fastcgi_pass php-fpm:9000;\n", "NGX-COMMENT"),
    ],
)
def test_findings(data: bytes, identity: str) -> None:
    assert ids(data) == [identity]


@pytest.mark.parametrize("data", [b"resolver 10.0.0.2;", b"allow 10.0.0.0/8;", b"# see fastcgi_pass\n", b"fastcgi_pass ph\\p-fpm:9000;", b"proxy_pass http://other.example.com;"])
def test_no_finding_without_reason(data: bytes) -> None:
    assert ids(data) == []


def test_a_finding_names_file_line_and_column() -> None:
    finding = rewrite({"conf.d/x.conf": b"server {\n  fastcgi_pass a$b;\n}"}, PEERS).findings[0]
    assert (finding.path, finding.line, finding.column, finding.text) == ("conf.d/x.conf", 2, 16, "a$b")


def test_variables_are_followed_across_files() -> None:
    files = {"vars.conf": b"set $b php-fpm:9000;", "site.conf": b"fastcgi_pass $b;"}
    assert rewrite(files, PEERS).changed == {"vars.conf": b"set $b 127.0.0.1:9000;"}


def test_bytes_around_an_edit_survive() -> None:
    data = "# Größe\r\nfastcgi_pass\tphp-fpm:9000;\r\n".encode("latin-1") + b"# \xff\xfe"
    assert one(data) == data.replace(b"php-fpm", b"127.0.0.1")


NAMES = st.sampled_from([b"fastcgi_pass", b"proxy_pass", b"set", b"include", b"server", b"root"])
VALUES = st.sampled_from([b"php-fpm:9000", b"http://api:80/x", b"$v", b'"php-fpm:1"', b"unix:/s", b"/path", b"127.0.0.1:9000", b"u"])
SPACES = st.sampled_from([b" ", b"\t", b"\r\n", b" # php-fpm:9000\n"])


@st.composite
def confs(draw: st.DrawFn) -> bytes:
    out = b""
    for _number in range(draw(st.integers(0, 8))):
        values = b"".join(draw(SPACES) + draw(VALUES) for _value in range(draw(st.integers(1, 3))))
        statement = draw(NAMES) + values + draw(SPACES) + b";"
        out += b"upstream u {" + statement + b"}" if draw(st.booleans()) else statement
    return out


@settings(max_examples=200, derandomize=True, deadline=None)
@given(confs())
def test_rewriting_is_idempotent_and_touches_only_its_spans(data: bytes) -> None:
    result = rewrite({"a": data}, PEERS)
    after = result.changed.get("a", data)
    assert rewrite({"a": after}, PEERS).changed == {}
    assert after == apply(data, result.edits)
    undone, shift = after, 0
    for edit in result.edits:
        start = edit.start + shift
        assert undone[start : start + len(edit.after)] == edit.after.encode()
        shift += len(edit.after) - len(edit.before)
    for edit in reversed(result.edits):
        shift -= len(edit.after) - len(edit.before)
        start = edit.start + shift
        undone = undone[:start] + edit.before.encode() + undone[start + len(edit.after) :]
    assert undone == data
    assert len(list(lexer.walk(lexer.parse(after)))) == len(list(lexer.walk(lexer.parse(data))))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("etc/nginx/nginx.conf", True),
        ("etc/nginx/sites-enabled/shop", True),
        ("etc/nginx/templates/default.conf.template", True),
        ("etc/nginx/mime.types", False),
        ("etc/nginx/conf.d/default.conf.bak", False),
        ("etc/nginx/html/index.html", False),
    ],
)
def test_which_files_are_confs(path: str, expected: bool) -> None:
    assert tree.is_conf(path) is expected


def test_includes_are_relative_to_the_main_conf() -> None:
    files = {
        "etc/nginx/nginx.conf": b"http { include conf.d/*.conf; }",
        "etc/nginx/conf.d/a.conf": b"include snippets/b;",
        "etc/nginx/snippets/b": b"",
        "etc/nginx/conf.d/snippets/b": b"",
    }
    assert tree.included("etc/nginx/nginx.conf", files) == {"etc/nginx/nginx.conf", "etc/nginx/conf.d/a.conf", "etc/nginx/snippets/b"}
