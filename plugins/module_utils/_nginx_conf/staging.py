# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The conf as it would be, beside the real one or in a temporary folder, so that it can be validated before a byte of the real one changes."""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import tempfile
import typing as t

from .._nginx import lexer
from .folder import Folder


@contextlib.contextmanager
def staged(path: str, folder: Folder, changed: t.Mapping[str, bytes]) -> t.Iterator[str | None]:
    """The place of the new main conf while it is validated; None when the path has none."""
    if os.path.isfile(path):
        with _beside(*next((folder.real[name], data) for name, data in changed.items())) as place:
            yield place
    elif folder.main is None:
        yield None
    else:
        with tempfile.TemporaryDirectory(prefix="nginx_conf") as where:
            yield _copy(os.path.realpath(path), folder, folder.main, changed, os.path.join(where, "conf"))


@contextlib.contextmanager
def _beside(real: str, data: bytes) -> t.Iterator[str]:
    """Relative includes are resolved against the folder of the conf, so it must be this one. No pattern of an include matches a hidden name."""
    handle, place = tempfile.mkstemp(prefix=f".{os.path.basename(real)}.", dir=os.path.dirname(real))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        yield place
    finally:
        os.unlink(place)


def _copy(root: str, folder: Folder, main: str, changed: t.Mapping[str, bytes], target: str) -> str:
    """Copy the folder of the main conf, with the changes in it. In the copy (only there) absolute includes lead into the copy."""
    source = posixpath.dirname(main)
    shutil.copytree(os.path.join(root, source), target, symlinks=True)
    absolute = f"/{source}/" if folder.is_container else os.path.join(root, "")
    names = {name: name for name in folder.files} | folder.links
    for place, name in names.items():
        if source and not place.startswith(source + "/"):
            continue
        copy = os.path.join(target, posixpath.relpath(place, source or "."))
        if os.path.islink(copy):
            os.unlink(copy)
        elif not os.path.exists(os.path.dirname(copy)):
            continue
        with open(copy, "wb") as file:
            file.write(_redirect(changed.get(name, folder.files[name]), os.fsencode(absolute), os.fsencode(target)))
    return os.path.join(target, posixpath.basename(main))


def _redirect(data: bytes, absolute: bytes, target: bytes) -> bytes:
    try:
        words = [each.arguments[0] for each, _around in lexer.walk(lexer.parse(data)) if each.name == b"include" and each.arguments]
    except lexer.ConfError:
        return data
    for word in reversed(words):
        if word.raw.startswith(absolute):
            data = data[: word.start] + target + b"/" + word.raw[len(absolute) :] + data[word.end :]
    return data
