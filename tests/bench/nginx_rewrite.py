"""Rewriting Nginx confs: ours against crossplane (parse, change the argument, build) and against a regular expression, on the same files.

The generator knows the right answer, because it writes every conf twice: with the peer and with 127.0.0.1. A file is right when every byte is as it
should be. A directive is wrong when nginx would read other words than it should, whatever became of comments, quotes and white space.
"""

from __future__ import annotations

import random
import re
import tempfile
import typing as t
from pathlib import Path

import crossplane
from ansible_collections.cutover.fargate.plugins.module_utils._nginx import lexer
from ansible_collections.cutover.fargate.plugins.module_utils._nginx.rewrite import rewrite

from .registry import Table, side_by_side

FILES = 60
SERVERS = 12
PEER, LOCAL = b"php-fpm", b"127.0.0.1"
PLAIN = re.compile(rb"((?:fastcgi|proxy|grpc|uwsgi|scgi|memcached)_pass\s+(?:\w+://)?)php-fpm(?=[:/;])")


def conf(rng: random.Random, peer: bytes) -> bytes:
    """One site file as people have them. Only ``peer`` depends on it, never the random numbers."""
    out = [b"# Managed by hand. \xe4\xf6\xfc\n"]
    for number in range(SERVERS):
        out.append(b"upstream php%d {\n    server " % number + peer + b":9000 max_fails=3;\n    keepalive 8;\n}\n")
        out.append(b"server {\n    listen 80;\n    server_name shop%d.example.com;\n    root /var/www/html;\n" % number)
        out.append(b"    add_header X-Frame-Options \"SAMEORIGIN\";\n    log_format l%d '$remote_addr \"$request\"'  # one\n        '$status';\n" % number)
        for _location in range(rng.randrange(2, 6)):
            form = rng.choice(
                [
                    b"fastcgi_pass " + peer + b":9000;",
                    b'fastcgi_pass "' + peer + b':9000";',
                    b"fastcgi_pass  # php-fpm:9000\n            " + peer + b":9000;",
                    b"#fastcgi_pass php-fpm:9000;\n        fastcgi_pass php%d;" % number,
                    b"set $backend " + peer + b":9000;\n        fastcgi_pass $backend;",
                    b"proxy_pass http://" + peer + b":8080/a%20b/;",
                    b"return 200 'fastcgi_pass php-fpm:9000;';",
                ]
            )
            out.append(b"    location ~ \\.(php|phar)$ {\n        " + form + b"\n        include fastcgi_params;\n    }\n")
        out.append(b"}\n")
    return b"".join(out)


def with_crossplane(path: str) -> bytes:
    """As one would write it with the library: change the arguments of passes and servers, build the whole file anew."""
    parsed = crossplane.parse(path, single=True, strict=False, check_ctx=False, check_args=False, comments=True)["config"][0]["parsed"]
    queue = list(parsed)
    while queue:
        statement = queue.pop()
        queue.extend(statement.get("block") or [])
        name = statement["directive"]
        if (name.endswith("_pass") or name == "server") and statement["args"]:
            statement["args"][0] = re.sub(r"^(\w+://)?php-fpm(?=[:/]|$)", r"\g<1>127.0.0.1", statement["args"][0])
    return str(crossplane.build(parsed)).encode("utf-8", "replace")


def wrong(found: bytes, wanted: bytes) -> int:
    """How many directives nginx would read otherwise than it should."""
    pair = [[tuple(word.value for word in each.words) for each, _around in lexer.walk(lexer.parse(data))] for data in (found, wanted)]
    return sum(mine != right for mine, right in zip(*pair, strict=True))


def run() -> Table:
    befores = [conf(random.Random(seed), PEER) for seed in range(FILES)]
    wanted = [conf(random.Random(seed), LOCAL) for seed in range(FILES)]
    peers = {PEER.decode(): LOCAL.decode()}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.conf") for number in range(FILES)]
        for path, data in zip(paths, befores, strict=True):
            path.write_bytes(data)

        def ours() -> list[bytes]:
            return [rewrite({"a": data}, peers).changed.get("a", data) for data in (path.read_bytes() for path in paths)]

        def crossplanes() -> list[bytes]:
            return [with_crossplane(str(path)) for path in paths]

        def regular() -> list[bytes]:
            return [PLAIN.sub(rb"\g<1>" + LOCAL, path.read_bytes()) for path in paths]

        tools: dict[str, t.Callable[[], list[bytes]]] = {
            "cutover.fargate `_nginx`": ours,
            "crossplane 0.5.8 parse, change, build": crossplanes,
            "one regular expression": regular,
        }
        seconds = side_by_side(tools)
        results = {name: tool() for name, tool in tools.items()}
    mine = seconds["cutover.fargate `_nginx`"]
    addresses = sum(wrong(a, b) for a, b in zip(befores, wanted, strict=True))
    size = sum(len(data) for data in befores)
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{seconds[name] * 1000:.0f} ms",
            f"{size / seconds[name] / 1e6:.1f} MB/s",
            f"{seconds[name] / mine:.2f}",
            f"{sum(a == b for a, b in zip(results[name], wanted, strict=True))} of {FILES}",
            f"{sum(wrong(a, b) for a, b in zip(results[name], wanted, strict=True))} of {addresses}",
        )
        for name in tools
    ]
    return Table(
        ("tool", "CPU time", "speed", "time to ours", "files right to the byte", "directives wrong"),
        rows,
        (f"{FILES} generated site files, {size / 1000:.0f} kB together; {addresses} directives must change; median of 5 rounds in which the tools take turns.",
            "The program around crossplane follows no variables; crossplane loses comments between words and turns bytes that are no UTF-8 into others; the expression changes strings and misses"
            " quotes, variables, upstreams and addresses on another line.",),
    )
