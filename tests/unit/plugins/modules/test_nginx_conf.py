"""nginx_conf as Ansible starts it: atomic writes that keep mode and owner, backups, check mode, no secret in the result."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cutover.fargate.plugins.modules import nginx_conf

PASS = b"server { location / { fastcgi_pass php-fpm:9000; fastcgi_param DB_PASSWORD hunter2; } }\r\n# \xe4"
LOCAL = PASS.replace(b"php-fpm", b"127.0.0.1")
ENVIRONMENT = [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "APP_URL", "value": "https://shop.example.com"}]
DEFINITION = {"containerDefinitions": [{"name": "web", "links": ["php-fpm"], "environment": ENVIRONMENT}, {"name": "php-fpm"}]}


def started(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    with patch_module_args({"peers": {"php-fpm": "127.0.0.1"}, **arguments}), pytest.raises(SystemExit):
        nginx_conf.main()
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    place = tmp_path / "conf.d" / "shop.conf"
    place.parent.mkdir()
    place.write_bytes(PASS)
    place.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(place, 1234, 4321)
    return place


def test_the_file_is_replaced_and_keeps_mode_and_owner(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = conf.stat()
    result = started(capsys, path=str(conf.parent), backup=True)
    after = conf.stat()
    assert conf.read_bytes() == LOCAL
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (0o640, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino, "a reader sees the old file or the new one, never half of it"
    assert result["changed"] is True
    assert [Path(name).read_bytes() for name in result["backup_files"]] == [PASS]
    assert sorted(path.name for path in conf.parent.iterdir()) == sorted(["shop.conf", Path(result["backup_files"][0]).name])
    assert started(capsys, path=str(conf.parent), backup=True)["changed"] is False


def test_check_mode_tells_and_leaves(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = started(capsys, path=str(conf), _ansible_check_mode=True, _ansible_diff=True, backup=True)
    assert (result["changed"], result["backup_files"], conf.read_bytes()) == (True, [], PASS)
    assert "127.0.0.1:9000" in result["diff"][0]["after"]


def test_secrets_stay_inside_while_names_are_shown(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = started(capsys, path=str(conf), task_definition=DEFINITION, environment={"API_TOKEN": "hunter3"}, peers=None)
    text = json.dumps(result)
    assert "hunter" not in text
    assert result["edits"][0]["before"] == "php-fpm"
    assert "https://shop.example.com" in text


def test_a_blocker_fails_with_all_the_evidence(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf.write_bytes(PASS + b"\nfastcgi_pass php$x:9000;")
    result = started(capsys, path=str(conf))
    assert (result["failed"], result["changed"], len(result["edits"])) == (True, False, 1)
    assert [(each["id"], each["line"], each["column"]) for each in result["findings"]] == [("NGX-UNDECIDABLE", 3, 14)]
    assert conf.read_bytes() == PASS + b"\nfastcgi_pass php$x:9000;"


def test_the_validation_runs_a_real_command(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert started(capsys, path=str(conf), validate="false %s")["failed"] is True
    assert started(capsys, path=str(conf), validate="/nowhere/nginx -t -c %s")["failed"] is True
    assert conf.read_bytes() == PASS
    assert started(capsys, path=str(conf), validate="test -s %s")["changed"] is True
    assert conf.read_bytes() == LOCAL


def test_somebody_must_name_the_peers(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Either peers or task_definition should name" in started(capsys, path=str(conf), peers={})["msg"]
