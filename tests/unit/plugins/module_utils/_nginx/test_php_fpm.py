"""Would PHP-FPM accept Nginx at 127.0.0.1?"""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._nginx import php_fpm


def ids(text: str, **environment: str) -> list[str]:
    return [each.id for each in php_fpm.check({"www.conf": text.encode()}, environment)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[www]\nlisten = 9000\n", [], id="a port"),
        pytest.param("[www]\r\nlisten = 127.0.0.1:9000\r\n", [], id="the loopback address"),
        pytest.param("[www]\nlisten = 0.0.0.0:9000", [], id="every address"),
        pytest.param("[www]\nlisten = [::]:9000", [], id="every address of both kinds"),
        pytest.param("[www]\n; listen = /run/x.sock\nlisten = 9000 ; comment\n", [], id="comments"),
        pytest.param("[www]\nlisten = /run/php-fpm.sock\n", ["FPM-SOCKET"], id="a socket"),
        pytest.param("[www]\nlisten = 172.17.0.3:9000\n", ["FPM-ADDRESS"], id="one address"),
        pytest.param("[www]\nlisten = [::1]:9000\n", ["FPM-ADDRESS"], id="IPv6 only"),
        pytest.param("[www]\nlisten = php-fpm:9000\n", ["FPM-ADDRESS"], id="a name"),
        pytest.param("[www]\nlisten = 9000\nlisten.allowed_clients = 127.0.0.1\n", [], id="the loopback address may connect"),
        pytest.param("[www]\nlisten = 9000\nlisten.allowed_clients = 172.17.0.2, 127.0.0.1\n", [], id="it among others"),
        pytest.param("[www]\nlisten = 9000\nlisten.allowed_clients = any\n", [], id="anybody may connect"),
        pytest.param("[www]\nlisten = 9000\nlisten.allowed_clients =\n", [], id="an empty list"),
        pytest.param("[www]\nlisten = 9000\nlisten.allowed_clients = 172.17.0.2\n", ["FPM-CLIENTS"], id="only others may connect"),
        pytest.param("[www]\nlisten = ${LISTEN}\n", ["FPM-VARIABLE"], id="an unknown variable"),
        pytest.param("[www]\nnonsense\n", ["FPM-SYNTAX"], id="no setting"),
        pytest.param("[global]\npid = /run/php-fpm.pid\n", [], id="no pool"),
    ],
)
def test_findings(text: str, expected: list[str]) -> None:
    assert ids(text) == expected


def test_the_last_value_counts_over_all_files() -> None:
    files = {"php-fpm.d/www.conf": b"[www]\nlisten = 10.0.0.1:9000\n", "php-fpm.d/zz-docker.conf": b"[www]\nlisten = 9000\n"}
    assert php_fpm.check(files) == []
    files["php-fpm.d/zzz.conf"] = b"[www]\n  listen = /run/a.sock\n"
    (found,) = php_fpm.check(files)
    assert (found.id, found.severity, found.path, found.line, found.column, found.text) == ("FPM-SOCKET", "BLOCKER", "php-fpm.d/zzz.conf", 2, 12, "/run/a.sock")


def test_a_socket_beside_a_port_is_harmless() -> None:
    (found,) = php_fpm.check({"www.conf": b"[www]\nlisten = 9000\n[admin]\nlisten = /run/admin.sock\n"})
    assert (found.id, found.severity) == ("FPM-SOCKET", "INFO")


def test_variables_are_read_from_the_environment() -> None:
    assert ids("[www]\nlisten = ${LISTEN}\n", LISTEN="9000") == []
    assert ids("[www]\nlisten = ${LISTEN}\n", LISTEN="10.1.1.1:9000") == ["FPM-ADDRESS"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("usr/local/etc/php-fpm.d/www.conf", True),
        ("etc/php/8.2/fpm/pool.d/www.conf", True),
        ("etc/php83/php-fpm.d/www.conf", True),
        ("etc/php/8.2/fpm/php.ini", False),
        ("etc/nginx/conf.d/a.conf", False),
    ],
)
def test_which_files_are_pools(path: str, expected: bool) -> None:
    assert php_fpm.is_pool(path) is expected
