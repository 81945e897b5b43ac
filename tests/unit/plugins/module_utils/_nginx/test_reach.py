"""What of a container's files is its conf: the known folders, and whatever links and includes lead to, however far."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._nginx.reach import Reach, resolve

Files = dict[str, bytes]
MAIN = {"etc/nginx/nginx.conf": b"http { include conf.d/*.conf; }"}


def confs(files: Files, links: dict[str, str] | None = None) -> tuple[set[str], int, list[str]]:
    """(the confs without the main one, how often the files were read, links that lead nowhere)."""
    reach, reads = Reach(), 1
    while reach.widen({path: data for path, data in files.items() if path in reach}, links or {}):
        reads += 1
        assert reads < 9
    read = {path: data for path, data in files.items() if path in reach}
    return reach.confs(read, links or {}) - set(MAIN), reads, [each.path for each in reach.lost(read, links or {})]


@pytest.mark.parametrize(
    ("files", "links", "expected", "reads"),
    [
        pytest.param({"etc/nginx/conf.d/a.conf": b"", "etc/nginx/readme": b"", "srv/b.conf": b""}, {}, {"etc/nginx/conf.d/a.conf"}, 1, id="the known folders"),
        pytest.param({"etc/nginx/extra": b"", "etc/nginx/conf.d/a.conf": b"include extra;"}, {}, {"etc/nginx/extra", "etc/nginx/conf.d/a.conf"}, 1, id="an include of the known folders"),
        pytest.param({"srv/a.inc": b"", "srv/b.inc": b"", "etc/nginx/conf.d/a.conf": b"include /srv/a.inc;"}, {}, {"srv/a.inc", "etc/nginx/conf.d/a.conf"}, 2, id="an include of elsewhere"),
        pytest.param({"srv/n/a": b"", "srv/n/.b": b"", "srv/n/x/c": b"", "etc/nginx/conf.d/a.conf": b"include /srv/n/*;"}, {}, {"srv/n/a", "etc/nginx/conf.d/a.conf"}, 2, id="a pattern"),
        pytest.param({"srv/a": b"include ../../srv/b;", "srv/b": b"", "etc/nginx/conf.d/a.conf": b"include /srv/a;"}, {}, {"srv/a", "srv/b", "etc/nginx/conf.d/a.conf"}, 3, id="an include in it, against the main folder"),
        pytest.param({"srv/shop.txt": b""}, {"etc/nginx/conf.d/shop.conf": "/srv/shop.txt"}, {"srv/shop.txt"}, 2, id="a link to a file"),
        pytest.param({"srv/sites/a": b"", "srv/sites/x/b.conf": b"", "srv/c.conf": b""}, {"etc/nginx/sites-enabled": "../../srv/sites"}, {"srv/sites/a", "srv/sites/x/b.conf"}, 2, id="a linked folder"),
        pytest.param({"etc/nginx/sites-available/a": b""}, {"etc/nginx/sites-enabled/a": "../sites-available/a"}, {"etc/nginx/sites-available/a"}, 1, id="Debian's sites"),
        pytest.param({"usr/share/nginx/modules-available/m.conf": b""}, {"etc/nginx/modules-enabled/50-m.conf": "/usr/share/nginx/modules-available/m.conf"}, {"usr/share/nginx/modules-available/m.conf"}, 1, id="Debian's modules"),
        pytest.param({"usr/lib/nginx/modules/m.so": b"", "etc/nginx/nginx.conf": b"include modules/*.conf;"}, {"etc/nginx/modules": "/usr/lib/nginx/modules"}, set(), 1, id="Alpine's modules"),
        pytest.param({"data/app/x.conf": b"", "etc/nginx/conf.d/a.conf": b"include /app/*.conf;"}, {"app": "data/app"}, {"data/app/x.conf", "etc/nginx/conf.d/a.conf"}, 2, id="an include through a linked folder"),
        pytest.param({"srv/y.txt": b"", "srv/n/a": b"", "etc/nginx/conf.d/a.conf": b"include /srv/n/*;"}, {"srv/n/y": "../y.txt"}, {"srv/n/a", "srv/y.txt", "etc/nginx/conf.d/a.conf"}, 2, id="a link that a pattern finds"),
        pytest.param({"opt/conf/conf.d/a.conf": b"", "opt/conf/other.txt": b""}, {"etc/nginx": "/opt/conf"}, {"opt/conf/conf.d/a.conf"}, 2, id="the whole folder is a link"),
        pytest.param({"etc/nginx/conf.d/a.conf~": b"", "etc/nginx/conf.d/a.conf": b"include conf.d/a.*;"}, {}, {"etc/nginx/conf.d/a.conf"}, 1, id="a backup"),
        pytest.param({"srv/key.pem": b"", "etc/nginx/conf.d/a.conf": b"ssl_certificate /srv/key.pem;"}, {}, {"etc/nginx/conf.d/a.conf"}, 1, id="what is no include"),
        pytest.param({"etc/nginx/conf.d/a.conf": b"include /srv/missing; include loop;"}, {"etc/nginx/loop": "loop"}, {"etc/nginx/conf.d/a.conf"}, 2, id="what is not there"),
        pytest.param({"etc/nginx/conf.d/a.conf": b"include /srv/a.inc"}, {}, {"etc/nginx/conf.d/a.conf"}, 1, id="a conf that nginx refuses"),
    ],
)  # fmt: skip
def test_what_is_reached(files: Files, links: dict[str, str], expected: set[str], reads: int) -> None:
    found = confs({**MAIN, **files} if "etc/nginx" not in links else files, links)
    assert found[:2] == (expected, reads)
    assert found[2] == []


@pytest.mark.parametrize("target", ["/run/secrets/app.conf", "../nowhere", "a.conf"], ids=["mounted at run time", "nowhere", "a loop"])
def test_a_link_that_leads_nowhere_is_told(target: str) -> None:
    assert confs(MAIN, {"etc/nginx/conf.d/a.conf": target})[2] == ["etc/nginx/conf.d/a.conf"]
    assert confs(MAIN, {"etc/nginx/html/a.conf.txt": target})[2] == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b", "a/b"), ("l/b", "x/y/b"), ("l/../b", "x/b"), ("up/b", "b"), ("loop/b", ""), ("chain/b", "x/y/b"), ("a/./b", "a/b")],
)
def test_links_are_followed_inside_the_container(path: str, expected: str) -> None:
    assert resolve(path, {"l": "/x/y", "up": "../../../", "loop": "loop", "chain": "l"}) == expected
