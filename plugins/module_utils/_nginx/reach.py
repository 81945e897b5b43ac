# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which files of a container belong to its conf: those of the known folders, and those that a link or an include leads to, wherever they are.

The files of an image come as a stream, so what is reached is only known after they were read: ``Reach`` says which paths are wanted,
``widen`` learns more from what came, and the stream is read once more when there is something new. In usual images there is nothing.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
import typing as t

from . import lexer, tree
from .findings import Finding, finding

MOST_LINKS = 40  # as Linux: a longer chain is a loop
# What Debian's modules-enabled, Alpine's modules and Red Hat's nginx.conf lead to: known, so that their images are read once.
MORE_ROOTS = ("usr/share/nginx/modules-available", "usr/lib/nginx/modules", "usr/share/nginx/modules")
# What lies beside confs and is none. All else of the known folders is read at once, since an include may name it (fastcgi_params).
NO_TEXT = (".pem", ".key", ".crt", ".mmdb", ".dat", ".so", ".gz", ".html", ".png", ".ico", ".js", ".css", ".lua", ".luac", ".pl", ".pm", ".sh")
WILD = re.compile(r"[*?\[]")

Files = t.Mapping[str, bytes]
Links = t.Mapping[str, str]


class Reach:
    """``path in reach`` tells whether a file is to be read. Paths have no leading slash; links are path -> target."""

    def __init__(self) -> None:
        self._roots = {*tree.roots(), *MORE_ROOTS}
        self._linked: dict[str, str] = {}  # what a link leads to, a file or a folder -> the link
        self._patterns: set[str] = set()

    def __contains__(self, path: str) -> bool:
        return (self._is_below_a_root(path) and not path.endswith(NO_TEXT)) or self._is_linked(path) or any(_matches(path, each) for each in self._patterns)

    def _is_below_a_root(self, path: str) -> bool:
        return any(_is_below(path, root) for root in self._roots)

    def _is_linked(self, path: str) -> bool:
        """Whether a link leads to this file, or to a folder in which it may be a conf."""
        return path in self._linked or any(_is_below(path, real) and tree.is_conf(link + path[len(real) :]) for real, link in self._linked.items())

    def widen(self, files: Files, links: Links) -> bool:
        """Learn from what was read; True when there is more to read."""
        before = (len(self._roots), len(self._linked), len(self._patterns))
        self._roots |= {resolve(root, links) for root in self._roots}
        self._linked.update({real: link for link in self._places(links) if (real := resolve(link, links)) and real not in self})
        for path in self.confs(files, links):
            for pattern in _patterns(files, path, links):
                found = [pattern, *(resolve(link, links) for link in links if _matches(link, pattern))]
                self._patterns.update(each for each in found if each not in self and not each.endswith("~"))
        return before != (len(self._roots), len(self._linked), len(self._patterns))

    def _places(self, links: Links) -> list[str]:
        """The links that stand where a conf or a folder of confs does."""
        return [link for link in sorted(links) if self._is_below_a_root(link) and (tree.is_conf(link) or posixpath.basename(link) in tree.CONF_FOLDERS)]

    def confs(self, files: Files, links: Links) -> set[str]:
        """Those files that are confs: by place and name, or because a link or an include leads to them."""
        targets = {resolve(link, links) for link in self._places(links)}
        queue = [path for path in files if path in targets or self._is_linked(path) or (self._is_below_a_root(path) and tree.is_conf(path))]
        found = set(queue)
        while queue:
            for pattern in _patterns(files, queue.pop(), links):
                reached = {path for path in files if _matches(path, pattern)} | {resolve(link, links) for link in links if _matches(link, pattern)}
                new = {path for path in reached if path in files and not path.endswith("~")} - found
                found |= new
                queue += new
        return found

    def lost(self, files: Files, links: Links) -> list[Finding]:
        """Links in the place of a conf that lead to nothing that was read."""
        reals = {link: resolve(link, links) for link in self._places(links)}
        return [finding("NGX-LINK", link, text=links[link]) for link, real in reals.items() if not any(path == real or _is_below(path, real) for path in files)]


def _patterns(files: Files, path: str, links: Links) -> list[str]:
    """The includes of one file as patterns of real paths."""
    prefix = main_folder(files, links)
    full = (posixpath.normpath(posixpath.join("/", prefix, pattern)).lstrip("/") for pattern in includes(files[path]))
    return [_resolved_pattern(each, links) for each in full]


def main_folder(files: Files, links: Links) -> str:
    """The folder against which includes are resolved: that of the main conf, as Nginx names it."""
    main = next((name for name in tree.MAIN_CONFS if resolve(name, links) in files), tree.MAIN_CONFS[0])
    return posixpath.dirname(main)


def includes(data: bytes) -> list[str]:
    try:
        directives = lexer.parse(data)
    except lexer.ConfError:
        return []
    words = (each.arguments[0].value for each, _around in lexer.walk(directives) if each.name == b"include" and each.arguments)
    return [word.decode("utf-8", "surrogateescape") for word in words]


def resolve(path: str, links: Links) -> str:
    """The real path, links followed inside the container. '' for a loop."""
    todo = [part for part in reversed(path.split("/")) if part]
    done: list[str] = []
    followed = 0
    while todo:
        part = todo.pop()
        if part == "..":
            done = done[:-1]
            continue
        if part == ".":
            continue
        target = links.get("/".join([*done, part]))
        if target is None:
            done.append(part)
            continue
        followed += 1
        if followed > MOST_LINKS:
            return ""
        if target.startswith("/"):
            done = []
        todo += [each for each in reversed(target.split("/")) if each]
    return "/".join(done)


def _resolved_pattern(pattern: str, links: Links) -> str:
    """Links are followed as far as the folders have no pattern in them, and a name without one is followed whole."""
    parts = pattern.split("/")
    plain = next((index for index, part in enumerate(parts) if WILD.search(part)), len(parts))
    return "/".join(part for part in (resolve("/".join(parts[:plain]), links), *parts[plain:]) if part)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _matches(path: str, pattern: str) -> bool:
    if not path.startswith(WILD.split(pattern, 1)[0]):
        return False
    parts, wanted = path.split("/"), pattern.split("/")
    if len(parts) != len(wanted):
        return False
    return all(fnmatch.fnmatchcase(name, each) and (each.startswith(".") or not name.startswith(".")) for name, each in zip(parts, wanted, strict=True))
