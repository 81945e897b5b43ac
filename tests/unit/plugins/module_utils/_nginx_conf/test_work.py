"""nginx_conf on real files: what is read, what is written, and what is left alone."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._nginx_conf import folder
from ansible_collections.cutover.fargate.plugins.module_utils._nginx_conf.show import masked
from ansible_collections.cutover.fargate.plugins.module_utils._nginx_conf.work import Actions, run

PASS = b"server { listen 8080; location / { fastcgi_pass php-fpm:9000; } }\r\n"
LOCAL = PASS.replace(b"php-fpm", b"127.0.0.1")
MAIN = b"events {} http { include conf.d/*.conf; include sites-enabled/*; include extra/odd; }"


class Disk:
    """Writes for real, as a plain program does; remembers what was asked."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.written: list[str] = []
        self.seen: dict[str, bytes] = {}

    def replace(self, path: str, data: bytes, backup: bool) -> str | None:
        self.written.append(path)
        Path(path).write_bytes(data)
        return f"{path}~" if backup else None

    def command(self, words: list[str]) -> tuple[int, str, str]:
        where = Path(words[-1]).parent
        self.seen = {str(path.relative_to(where)): path.read_bytes() for path in where.rglob("*") if path.is_file()} | {"%s": Path(words[-1]).read_bytes()}
        return self.code, "", f"[emerg] unknown directive in {words[-1]}:1"


def work(path: Path, disk: Disk | None = None, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
    disk = disk or Disk()
    return run({"path": str(path), "peers": {"php-fpm": "127.0.0.1"}, **params}, check_mode, Actions(disk.replace, disk.command))


def write(root: Path, **files: bytes) -> Path:
    for name, data in files.items():
        place = root / name.replace("__", "/").replace("_dot_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return root


def test_a_file_is_taken_alone(tmp_path: Path) -> None:
    write(tmp_path, shop=PASS, other_dot_conf=PASS)
    result = work(tmp_path / "shop")
    assert (result["changed"], result["files"]) == (True, [str(tmp_path / "shop")])
    assert (tmp_path / "shop").read_bytes() == LOCAL
    assert (tmp_path / "other.conf").read_bytes() == PASS
    assert work(tmp_path / "shop")["changed"] is False


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path, real=PASS)
    (tmp_path / "link").symlink_to("real")
    work(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == LOCAL


def test_sites_enabled_are_edited_once_where_they_really_are(tmp_path: Path) -> None:
    write(tmp_path, nginx_dot_conf=MAIN, **{"sites-available__shop": PASS})
    (tmp_path / "sites-enabled").mkdir()
    (tmp_path / "sites-enabled" / "shop").symlink_to("../sites-available/shop")
    (tmp_path / "sites-enabled" / "again").symlink_to(tmp_path / "sites-available" / "shop")
    disk = Disk()
    assert len(work(tmp_path, disk)["edits"]) == 1
    assert disk.written == [str(tmp_path / "sites-available" / "shop")]
    assert (tmp_path / "sites-enabled" / "shop").is_symlink()


def test_what_an_include_reaches_is_a_conf_whatever_its_name(tmp_path: Path) -> None:
    write(tmp_path, nginx_dot_conf=MAIN, extra__odd=b"include deeper/x;", deeper__x=PASS, deeper__y=PASS)
    work(tmp_path)
    assert (tmp_path / "deeper" / "x").read_bytes() == LOCAL
    assert (tmp_path / "deeper" / "y").read_bytes() == PASS


def test_nothing_outside_of_the_path_is_touched(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", shop=PASS) / "shop"
    inside = write(tmp_path / "inside", nginx_dot_conf=MAIN.replace(b"extra/odd", os.fsencode(outside)), **{"sites-enabled__x": b""})
    (inside / "sites-enabled" / "absolute").symlink_to(outside)
    (inside / "sites-enabled" / "relative").symlink_to("../../outside/shop")
    (inside / "sites-enabled" / "loop").symlink_to("loop")
    result = work(inside)
    assert result["changed"] is False
    assert outside.read_bytes() == PASS
    assert [each["path"] for each in result["findings"] if each["id"] == "NGX-LINK"] == [f"sites-enabled/{name}" for name in ("absolute", "loop", "relative")]


def test_a_containers_absolute_links_and_includes_stay_inside_its_tree(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        etc__nginx__nginx_dot_conf=b"http { include /etc/nginx/conf.d/*.conf; include /opt/confs/x; }",
        opt__confs__x=PASS,
        srv__app__nginx_dot_conf=PASS,
        etc__nginx__mime_dot_types=b"types {}",
    )
    (root / "etc/nginx/conf.d").mkdir()
    (root / "etc/nginx/conf.d/shop.conf").symlink_to("/srv/app/nginx.conf")
    result = work(root)
    assert [edit["path"] for edit in result["edits"]] == ["opt/confs/x", "srv/app/nginx.conf"]
    assert result["findings"] == []


def test_backups_are_no_confs(tmp_path: Path) -> None:
    write(tmp_path, nginx_dot_conf=MAIN, **{"conf.d__a_dot_conf": PASS, "conf.d__a_dot_conf.1.2026-11-25@07:00:00~": PASS})
    result = work(tmp_path, backup=True)
    assert result["backup_files"] == [str(tmp_path / "conf.d/a.conf~")]
    assert [edit["path"] for edit in result["edits"]] == ["conf.d/a.conf"]


def test_check_mode_writes_and_runs_nothing_but_tells_the_same(tmp_path: Path) -> None:
    write(tmp_path, nginx_dot_conf=MAIN, **{"conf.d__a_dot_conf": PASS})
    disk = Disk()
    told = work(tmp_path, disk, check_mode=True, validate="nginx -t -c %s")
    assert (disk.written, disk.seen) == ([], {})
    done = work(tmp_path)
    assert {**told, "validate": None} == {**done, "validate": None}
    assert told["diff"] == [{"before_header": done["files"][0], "after_header": done["files"][0], "before": PASS.decode(), "after": LOCAL.decode()}]


def test_a_blocker_stops_before_the_first_write(tmp_path: Path) -> None:
    write(tmp_path, nginx_dot_conf=MAIN, **{"conf.d__a_dot_conf": PASS, "conf.d__b_dot_conf": b"\n fastcgi_pass php-$x:9000;"})
    disk = Disk()
    with pytest.raises(CutoverError, match=r"nothing was changed: NGX-UNDECIDABLE conf.d/b.conf:2:15 'php-\$x:9000'") as caught:
        work(tmp_path, disk)
    assert (disk.written, caught.value.details["changed"]) == ([], False)
    result = work(tmp_path, disk, waive=["NGX-UNDECIDABLE@conf.d/b.conf"])
    assert [(each["id"], each["waived"]) for each in result["findings"]] == [("NGX-UNDECIDABLE", True)]
    assert disk.written == [str(tmp_path / "conf.d/a.conf")]


def test_a_conf_that_nginx_would_refuse_is_told_with_its_place_and_left(tmp_path: Path) -> None:
    write(tmp_path, nginx_dot_conf=MAIN, **{"conf.d__a_dot_conf": PASS + b"server {\n  listen 80", "conf.d__b_dot_conf": PASS})
    with pytest.raises(CutoverError, match=r"NGX-SYNTAX conf.d/a.conf:3:12"):
        work(tmp_path)
    work(tmp_path, waive=["NGX-SYNTAX"])
    assert (tmp_path / "conf.d/a.conf").read_bytes() == PASS + b"server {\n  listen 80"
    assert (tmp_path / "conf.d/b.conf").read_bytes() == LOCAL


def test_the_validation_sees_the_new_conf_and_decides(tmp_path: Path) -> None:
    main = MAIN.replace(b"extra/odd", os.fsencode(tmp_path / "extra" / "odd"))
    write(tmp_path, nginx_dot_conf=main, extra__odd=PASS, **{"sites-available__shop": PASS, "conf.d__x_dot_conf": b""})
    (tmp_path / "sites-enabled").mkdir()
    (tmp_path / "sites-enabled" / "shop").symlink_to(tmp_path / "sites-available" / "shop")
    disk = Disk(code=1)
    with pytest.raises(CutoverError, match=r"refused the new conf, so nothing was changed: .*" + str(tmp_path / "nginx.conf")):
        work(tmp_path, disk, validate="nginx -t -c %s")
    assert disk.written == []
    assert (disk.seen["sites-enabled/shop"], disk.seen["sites-available/shop"], disk.seen["extra/odd"]) == (LOCAL, LOCAL, LOCAL)
    assert str(tmp_path).encode() not in disk.seen["%s"].replace(b"include /tmp/nginx_conf", b"")
    assert work(tmp_path, Disk(), validate="nginx -t -c %s")["changed"]


def test_one_file_is_validated_where_it_is_and_nothing_stays_behind(tmp_path: Path) -> None:
    write(tmp_path, nginx_dot_conf=PASS, neighbour=b"x")
    disk = Disk()
    work(tmp_path / "nginx.conf", disk, validate="nginx -t -c %s")
    assert (disk.seen["%s"], disk.seen["neighbour"]) == (LOCAL, b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["neighbour", "nginx.conf"]


DEFINITION = {
    "containerDefinitions": [
        {
            "name": "nginx",
            "links": ["php-fpm:app"],
            "environment": [{"name": "PHP_HOST", "value": "app"}, {"name": "API_URL", "value": "http://u:hunter2@worker:80/"}],
        },
        {"name": "php-fpm"},
        {"name": "worker"},
    ],
}


def test_peers_and_environment_come_from_the_task_definition(tmp_path: Path) -> None:
    write(tmp_path, **{"templates__a_dot_conf.template": b"fastcgi_pass ${PHP_HOST}:9000; fastcgi_pass app:9000; fastcgi_pass php-fpm:9000; proxy_pass http://worker:81;"})
    result = work(tmp_path, peers=None, task_definition=DEFINITION)
    assert [edit["before"] for edit in result["edits"]] == ["app", "php-fpm", "worker"]
    assert result["environment"] == [
        {"name": "PHP_HOST", "before": "app", "after": "127.0.0.1", "host": "app", "path": "templates/a.conf.template", "line": 1, "column": 14}
    ]
    assert [each["id"] for each in result["findings"]] == ["NGX-ENVIRONMENT"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"task_definition": {"containerDefinitions": [{"name": "a"}, {"name": "b"}]}}, r"container: 0 containers have links.* one of: a, b"),
        ({"task_definition": DEFINITION, "container": "web"}, r"container: 'web' is no container .* one of: nginx, php-fpm, worker"),
        ({"validate": "nginx -t"}, r"validate: 'nginx -t' should contain %s"),
        ({"php_fpm_paths": ["/does/not/exist"]}, r"php_fpm_paths: /does/not/exist does not exist"),
    ],
)
def test_arguments_that_cannot_be_used(tmp_path: Path, params: dict[str, t.Any], message: str) -> None:
    with pytest.raises(CutoverError, match=message + r".*[Nn]othing was changed"):
        work(tmp_path, **params)


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(CutoverError, match=r"path: .*/nowhere does not exist.*Nothing was changed"):
        work(tmp_path / "nowhere")


def test_a_folder_without_main_conf_cannot_be_validated(tmp_path: Path) -> None:
    write(tmp_path, a_dot_conf=PASS)
    with pytest.raises(CutoverError, match=r"holds no nginx.conf"):
        work(tmp_path, validate="nginx -t -c %s")


def test_pools_that_would_refuse_nginx_stop_it_too(tmp_path: Path) -> None:
    write(tmp_path, nginx_dot_conf=PASS, pools__www_dot_conf=b"[www]\nlisten = 9000\nlisten.allowed_clients = 172.17.0.2\n")
    with pytest.raises(CutoverError, match=r"FPM-CLIENTS .*www.conf:3:26 '172.17.0.2'"):
        work(tmp_path / "nginx.conf", php_fpm_paths=[str(tmp_path / "pools")])


def test_a_file_that_is_no_conf_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "LARGEST_CONF", 10)
    write(tmp_path, nginx_dot_conf=PASS)
    with pytest.raises(CutoverError, match=r"bytes, a conf at most 10"):
        work(tmp_path)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"fastcgi_param DB_PASSWORD hunter2;", "fastcgi_param DB_PASSWORD ********;"),
        (b'proxy_set_header Authorization "Basic aHVudGVy";', 'proxy_set_header Authorization "********";'),
        (b"set $api_key abc; proxy_pass http://app;", "set $api_key ********; proxy_pass http://app;"),
        (b"ssl_certificate_key /etc/ssl/key.pem;", "ssl_certificate_key /etc/ssl/key.pem;"),
        (b"fastcgi_pass php-fpm:9000;", "fastcgi_pass php-fpm:9000;"),
        ("# Größe".encode("latin-1"), "# Größe"),
    ],
)
def test_secrets_of_a_conf_are_not_shown(data: bytes, expected: str) -> None:
    assert masked(data) == expected
