# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which files of an image or a folder belong to an Nginx conf. nginx-rules.md 5"""

from __future__ import annotations

import fnmatch
import posixpath
import typing as t

from . import lexer

# Where the images in common use keep their main conf. The first that exists is the conf prefix against which includes are resolved.
MAIN_CONFS = ("etc/nginx/nginx.conf", "usr/local/openresty/nginx/conf/nginx.conf", "opt/bitnami/nginx/conf/nginx.conf", "usr/local/nginx/conf/nginx.conf")
CONF_NAMES = ("*.conf", "*.template", "*.stream-template", "*.vhost", "*.tmpl", "*.tpl", "*.j2")
# Debian's and Alpine's folders hold confs without a suffix.
CONF_FOLDERS = frozenset(
    ["sites-enabled", "sites-available", "snippets", "conf.d", "http.d", "default.d", "server_blocks", "modules-enabled", "templates", "stream-conf.d"]
)
# "~" is what Ansible's and editors' backups end with.
NO_CONF_SUFFIXES = (".default", ".example", ".bak", ".orig", "~")
NOT_CONFS = frozenset(["mime.types", "koi-utf", "koi-win", "win-utf"])


def roots() -> tuple[str, ...]:
    """The folders to look into."""
    return tuple(posixpath.dirname(main) for main in MAIN_CONFS)


def is_conf(path: str) -> bool:
    """True for a file below a conf root that Nginx or an entrypoint may read.

    More than what nginx.conf reaches, on purpose: entrypoints copy and render files at start.
    """
    name, folder = posixpath.basename(path), posixpath.basename(posixpath.dirname(path))
    if name in NOT_CONFS or name.startswith(".") or name.endswith(NO_CONF_SUFFIXES):
        return False
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in CONF_NAMES) or folder in CONF_FOLDERS


def matching(pattern: bytes, files: t.Iterable[str], prefix: str | None = None) -> set[str]:
    """The files that an include reaches. It is relative to the folder of the main conf, not of the including file, and matches as glob(3) does.

    Without a prefix every folder may be that of the main conf: a pattern then matches the end of a path.
    """
    wanted = [part for part in pattern.decode("latin-1").split("/") if part not in ("", ".")]
    if prefix is not None and not pattern.startswith(b"/"):
        wanted = [*(part for part in prefix.split("/") if part), *wanted]
    found = set()
    for path in files:
        parts = [part for part in path.split("/") if part]
        if prefix is None:
            parts = parts[-len(wanted) :] if wanted else []
        if wanted and len(parts) == len(wanted) and all(_matches(part, one) for part, one in zip(parts, wanted, strict=True)):
            found.add(path)
    return found


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))


def included(main: str, files: t.Mapping[str, bytes]) -> set[str]:
    """The files that Nginx reads, starting from ``main``."""
    prefix = posixpath.dirname(main)
    seen: set[str] = set()
    queue = [main]
    while queue:
        path = queue.pop()
        if path in seen or path not in files:
            continue
        seen.add(path)
        try:
            directives = lexer.parse(files[path])
        except lexer.ConfError:
            continue
        for directive, _around in lexer.walk(directives):
            if directive.name == b"include" and directive.arguments:
                queue.extend(matching(directive.arguments[0].value, files, prefix))
    return seen
