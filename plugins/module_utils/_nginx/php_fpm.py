# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Would PHP-FPM accept a connection from 127.0.0.1? Its pools say: ``listen`` and ``listen.allowed_clients``. Nothing is changed. nginx-rules.md 4

https://www.php.net/manual/en/install.fpm.configuration.php#listen
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
import typing as t
from dataclasses import dataclass

from .findings import INFO, Finding, finding

# Where the images in common use keep the pools: PHP's own, Debian's, Alpine's, Red Hat's, Bitnami's.
FOLDERS = ("usr/local/etc/php-fpm.d", "etc/php/*/fpm/pool.d", "etc/php*/php-fpm.d", "etc/php-fpm.d", "opt/bitnami/php/etc/php-fpm.d")
LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = frozenset(["", "*", "0.0.0.0", "[::]", "::", LOOPBACK, "localhost"])  # noqa: S104 it is read, not bound
SECTION = re.compile(r"\[([^\]]+)\]")
SETTING = re.compile(r"([\w.\[\]-]+)\s*=\s*(.*)")


@dataclass(frozen=True)
class Setting:
    value: str
    path: str
    line: int
    column: int

    def finding(self, identity: str, pool: str, severity: str = "") -> Finding:
        return finding(identity, self.path, (self.line, self.column), self.value, severity, pool=pool)


def is_pool(path: str) -> bool:
    """True for a file (path without leading slash) that PHP-FPM reads as a pool."""
    folder = posixpath.dirname(path)
    return path.endswith(".conf") and any(fnmatch.fnmatchcase(folder, each) for each in FOLDERS)


def check(files: t.Mapping[str, bytes], environment: t.Mapping[str, str] | None = None) -> list[Finding]:
    """Findings for the pools of one container that would refuse Nginx at 127.0.0.1.

    PHP-FPM reads the files in the order of their names, and the last value of a setting counts: the official image's ``zz-docker.conf`` relies on it.
    A pool on a socket is harmless beside a pool that listens on a port.

    >>> [each.id for each in check({"www.conf": b"[www]\\nlisten = /run/php-fpm.sock\\n"})]
    ['FPM-SOCKET']
    """
    findings: list[Finding] = []
    pools = _read(files, environment or {}, findings)
    listens = {pool: settings["listen"] for pool, settings in pools.items() if "listen" in settings}
    has_port = any(not listen.value.startswith("/") for listen in listens.values())
    for pool, listen in listens.items():
        if "${" in listen.value:
            findings.append(listen.finding("FPM-VARIABLE", pool))
        elif listen.value.startswith("/"):
            findings.append(listen.finding("FPM-SOCKET", pool, INFO if has_port else ""))
        elif _host(listen.value) not in EVERY_ADDRESS:
            findings.append(listen.finding("FPM-ADDRESS", pool))
    for pool, settings in pools.items():
        clients = settings.get("listen.allowed_clients")
        if clients is None or not clients.value or (pool in listens and listens[pool].value.startswith("/")):
            continue  # without the setting everybody may connect
        allowed = [each.strip() for each in clients.value.split(",")]
        if "${" in clients.value:
            findings.append(clients.finding("FPM-VARIABLE", pool))
        elif LOOPBACK not in allowed and "any" not in allowed:
            findings.append(clients.finding("FPM-CLIENTS", pool))
    return findings


def _host(listen: str) -> str:
    """``9000``, ``0.0.0.0:9000``, ``[::]:9000`` -> the address, '' for a bare port."""
    return "" if listen.isdigit() else listen.rpartition(":")[0].lower()


def _read(files: t.Mapping[str, bytes], environment: t.Mapping[str, str], findings: list[Finding]) -> dict[str, dict[str, Setting]]:
    """Pool -> setting -> its last value. The file that includes the others comes first."""
    pools: dict[str, dict[str, Setting]] = {}
    for path in sorted(files, key=lambda each: (posixpath.basename(each) != "php-fpm.conf", each)):
        pool = "global"
        for number, line in enumerate(files[path].removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n"), start=1):
            text = line.strip()
            section, setting = SECTION.match(text), SETTING.match(text)
            if not text or text.startswith((";", "#")):
                continue
            if section:
                pool = section[1]
            elif setting:
                value = _value(setting[2], environment)
                column = line.index(setting[1]) + setting.start(2) + 1
                pools.setdefault(pool, {})[setting[1]] = Setting(value, path, number, column)
            else:
                findings.append(finding("FPM-SYNTAX", path, (number, len(line) - len(line.lstrip()) + 1), text))
    pools.pop("global", None)
    return pools


def _value(raw: str, environment: t.Mapping[str, str]) -> str:
    """A value as PHP's ini reader gives it: without quotes and comment, ``${NAME}`` from the environment where it is known."""
    value = raw[1 : raw.index(raw[0], 1)] if raw[:1] in ("'", '"') and raw[0] in raw[1:] else raw.partition(";")[0].strip()
    return re.sub(r"\$\{(\w+)\}", lambda match: environment.get(match[1], match[0]), value)
