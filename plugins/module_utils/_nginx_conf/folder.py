# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The conf files below a path. Every real file comes once, however many links lead to it, and nothing outside of the path is ever read or written."""

from __future__ import annotations

import os
import posixpath
import typing as t
from dataclasses import dataclass, field

from .._aws.errors import CutoverError
from .._nginx import lexer, tree
from .._nginx.findings import Finding, finding

LARGEST_CONF = 8 * 1024 * 1024
MOST_LINKS = 40  # as Linux: a longer chain is a loop


@dataclass
class Folder:
    """``files``: name as the user knows it -> bytes; ``real``: the same name -> the file that is written."""

    files: dict[str, bytes] = field(default_factory=dict)
    real: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)  # link to a file -> its name
    main: str | None = None  # name of the main conf, when it is there
    is_container: bool = False  # the path is the root of a container's files


def read(path: str) -> Folder:
    if not os.path.exists(path):
        raise CutoverError(f"path: {path} does not exist. It should be a conf file, a folder of confs or the root of a container's files. Nothing was changed.")
    if os.path.isfile(path):
        return _one_file(path)
    root = os.path.realpath(path)
    main = next((name for name in tree.MAIN_CONFS if os.path.lexists(os.path.join(root, name))), None)
    if main is not None:
        return _Reader(root, main, is_container=True).read()
    return _Reader(root, "nginx.conf" if os.path.isfile(os.path.join(root, "nginx.conf")) else None, is_container=False).read()


def _one_file(path: str) -> Folder:
    name = os.path.basename(path)
    real = os.path.realpath(path)
    return Folder({name: _bytes(real)}, {name: real}, main=name)


def _bytes(real: str) -> bytes:
    size = os.path.getsize(real)
    if size > LARGEST_CONF:
        raise CutoverError(f"{real} has {size} bytes, a conf at most {LARGEST_CONF}. Give a path with confs only. Nothing was changed.")
    with open(real, "rb") as file:
        return file.read()


class _Reader:
    def __init__(self, root: str, main: str | None, is_container: bool) -> None:
        self.root = root
        self.is_container = is_container
        self.folder = Folder(main=main, is_container=is_container)

    def read(self) -> Folder:
        starts = tree.roots() if self.is_container else ("",)
        for start in starts:
            self._walk(start)
        self._includes()
        return self.folder

    def _walk(self, start: str) -> None:
        top = self._resolve(start)
        if top is None:
            return
        for where, folders, names in os.walk(top):
            # os.walk does not enter linked folders; their files are found where they really are, or through an include.
            folders[:] = sorted(name for name in folders if name not in (".git", "node_modules"))
            for name in sorted(names):
                path = posixpath.relpath(os.path.join(where, name), self.root)
                if tree.is_conf(path if self.is_container else posixpath.join(os.path.basename(self.root), path)):
                    self._add(path)

    def _add(self, path: str) -> None:
        real = self._resolve(path)
        if real is None:
            place = os.path.join(self.root, path)
            told = finding("NGX-LINK", path, text=os.readlink(place) if os.path.islink(place) else "")
            # A plain name that is missing belongs to the image (fastcgi_params in a checkout).
            if os.path.lexists(place) and told not in self.folder.findings:
                self.folder.findings.append(told)
            return
        # A file is known by its own name, not by that of the first link to it.
        name = posixpath.relpath(real, self.root)
        if name != path:
            self.folder.links[path] = name
        if name in self.folder.files or not os.path.isfile(real):
            return
        self.folder.files[name] = _bytes(real)
        self.folder.real[name] = real

    def _resolve(self, path: str) -> str | None:
        """The real file, with every link resolved inside the root: a container's absolute link must not lead to the machine's own files."""
        todo = [part for part in reversed(path.split("/")) if part]
        done: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part in (".", ".."):
                if part == ".." and done:
                    done.pop()
                elif part == ".." and not self.is_container:
                    return None
                continue
            place = os.path.join(self.root, *done, part)
            if not os.path.islink(place):
                done.append(part)
                continue
            links += 1
            target = os.readlink(place)
            if links > MOST_LINKS:
                return None
            if os.path.isabs(target):
                inside = self._inside(target)
                if inside is None:
                    return None
                target, done = inside, []
            todo += [each for each in reversed(target.split("/")) if each]
        real = os.path.join(self.root, *done)
        return real if os.path.exists(real) else None

    def _inside(self, target: str) -> str | None:
        """An absolute path as a path below the root; None when it leads out of it."""
        if self.is_container:
            return target
        prefix = self.root.rstrip("/") + "/"
        return target[len(prefix) :] if target.startswith(prefix) else None

    def _includes(self) -> None:
        """What an include reaches is a conf, whatever its name."""
        if self.folder.main is None:
            return
        prefix = posixpath.dirname(self.folder.main)
        queue = list(self.folder.files)
        seen: set[str] = set()
        while queue:
            path = queue.pop()
            if path in seen:
                continue
            seen.add(path)
            before = set(self.folder.files)
            for pattern in _patterns(self.folder.files[path]):
                for found in self._glob(pattern, prefix):
                    if not found.endswith("~"):
                        self._add(found)
            queue.extend(set(self.folder.files) - before)

    def _glob(self, pattern: bytes, prefix: str) -> t.Iterator[str]:
        text = os.fsdecode(pattern)
        inside = self._inside(text) if text.startswith("/") else posixpath.join(prefix, text)
        if inside is None:
            return
        parts = [part for part in posixpath.normpath(inside).split("/") if part]
        yield from self._match("", parts)

    def _match(self, where: str, parts: list[str]) -> t.Iterator[str]:
        if not parts:
            yield where
            return
        if not any(mark in parts[0] for mark in "*?["):
            yield from self._match(posixpath.join(where, parts[0]), parts[1:])
            return
        real = self._resolve(where) if where else self.root
        if real is None or not os.path.isdir(real):
            return
        for name in sorted(os.listdir(real)):
            if tree.matching(parts[0].encode(), [name], ""):
                yield from self._match(posixpath.join(where, name), parts[1:])


def _patterns(data: bytes) -> list[bytes]:
    try:
        directives = lexer.parse(data)
    except lexer.ConfError:
        return []
    return [each.arguments[0].value for each, _around in lexer.walk(directives) if each.name == b"include" and each.arguments]
