"""nginx itself is the judge: it must accept what we wrote exactly when it accepts what was there, the peer being resolvable.

Needs the nginx binary (Debian: nginx-light). No root: `nginx -t` on confs in a temporary folder.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._nginx import lexer
from ansible_collections.cutover.fargate.plugins.module_utils._nginx.rewrite import rewrite

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
CASES = 300
# A name that no resolver knows: before the rewrite nginx refuses it at start, as on Fargate.
PEER = "php-fpm.invalid"

pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx: apt-get install nginx-light")


def accepts(folder: Path, conf: bytes) -> tuple[bool, str]:
    """Does nginx take this as the body of http {}?"""
    head = f"pid {folder}/nginx.pid; error_log stderr; events {{}} http {{ access_log off; ".encode()
    temporary = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")).encode()
    (folder / "nginx.conf").write_bytes(head + temporary + conf + b"\n}")
    done = subprocess.run([str(NGINX), "-t", "-c", str(folder / "nginx.conf"), "-p", str(folder)], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def pieces(rng: random.Random) -> bytes:
    """One location with something that names the peer, in one of the many ways people write it."""
    space = rng.choice([b" ", b"\t", b"  ", b"\r\n    ", b" # php-fpm.invalid:9000\n  "])
    quote = rng.choice([b"", b'"', b"'"])
    peer = rng.choice([PEER, PEER.upper()]).encode()
    port = rng.choice([b":9000", b":9001"])
    value = quote + peer + port + quote
    number = rng.randrange(10**6)
    location = b"location /%d " % number
    return rng.choice(
        [
            location + b"{ fastcgi_pass" + space + value + b" ; }",
            location + b"{ proxy_pass" + space + quote + b"http://" + peer + port + b"/a%20b/" + quote + b"; }",
            location + b"{ uwsgi_pass" + space + value + b"; }",
            location + b"{ grpc_pass" + space + value + b"; }",
            location + b"{ scgi_pass" + space + value + b"; }",
            location + b"{ memcached_pass" + space + value + b"; }",
            location + b"{ set $v%d" % number + space + value + b"; resolver 127.0.0.1; fastcgi_pass $v%d; }" % number,
            location + b"{ return 200 foo}; }",
            location + b'{ add_header X "fastcgi_pass php-fpm.invalid:9000;"; }',
            location + b"{ fastcgi_pass unix:/run/x.sock; }",
            location + b"{ fastcgi_pass" + space + b"127.0.0.1:9000; } # fastcgi_pass php-fpm.invalid:9000;\n",
            b"# " + peer + port + b"\r\n",
        ]
    )


def conf(rng: random.Random) -> bytes:
    body = b" ".join(pieces(rng) for _piece in range(rng.randrange(1, 5)))
    upstream = b"upstream u { server" + rng.choice([b" ", b"\n\t"]) + PEER.encode() + b":9000 weight=2 max_fails=3; keepalive 4; }\n"
    listen = b"server { listen 127.0.0.1:18080; location /u { fastcgi_pass u; } "
    damage = rng.choice([b""] * 9 + [b" location /broken { ", b' x "y"z; '])
    return (upstream if rng.random() < 0.5 else b"upstream u { server 127.0.0.1:1; }\n") + listen + body + damage + b" }"


@pytest.mark.parametrize("seed", range(4))
def test_nginx_accepts_the_output_exactly_when_it_accepts_the_input(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    changed = 0
    for _case in range(CASES // 4):
        before = conf(rng)
        resolvable = before.replace(PEER.encode(), b"localhost").replace(PEER.upper().encode(), b"localhost")
        result = rewrite({"a": before}, {PEER: "127.0.0.1"})
        after = result.changed.get("a", before)
        expected, why = accepts(tmp_path, resolvable)
        found, said = accepts(tmp_path, after)
        assert found == expected, f"{before!r}\n{after!r}\nnginx on the input: {why}\nnginx on the output: {said}"
        if not expected:
            assert after == before or _readable(before)
        changed += after != before
        for edit in result.edits:
            assert edit.before.lower() == PEER
    assert changed > CASES // 8


def _readable(data: bytes) -> bool:
    try:
        lexer.parse(data)
    except lexer.ConfError:
        return False
    return True


ATOMS = [b"a", b"b", b" ", b"\t", b"\r\n", b"#", b'"', b"'", b"\\", b"${uri}", b")", b"}", b'"q"', b"'q'"]


@pytest.mark.parametrize("seed", range(4))
def test_the_lexer_refuses_what_nginx_refuses_and_nothing_else(tmp_path: Path, seed: int) -> None:
    """Random words as the arguments of log_format, which takes any text: what nginx refuses there is lexical."""
    rng = random.Random(1000 + seed)
    refused = 0
    for _case in range(CASES // 4):
        inside = b"".join(rng.choice(ATOMS) for _atom in range(rng.randrange(1, 16)))
        text = b"log_format x z " + inside + b"\n;"
        accepted, said = accepts(tmp_path, text)
        assert _readable(text) == accepted, f"{text!r}: {said}"
        refused += not accepted
    assert CASES // 16 < refused < CASES // 4
