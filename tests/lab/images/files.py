"""Our own layer of an image: folders beside this file, directories and links, as one sorted list of tar entries."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from lab.images import oci
from lab.images.recipes import Image, Tree

HERE = Path(__file__).resolve().parent


def key(image: Image) -> str:
    """Names the content of the layer."""
    digest = hashlib.sha256()
    for member, content in entries(image):
        digest.update(repr((member.name, member.type, member.mode, member.linkname, len(content))).encode() + content)
    return digest.hexdigest()


def layer(image: Image, path: Path) -> oci.Layer:
    with oci.LayerWriter(path, f"files of {image.repository}") as writer:
        for member, content in entries(image):
            writer.add(member, io.BytesIO(content) if member.isreg() else None)
    return writer.layer


def entries(image: Image) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Parents come before what is in them, because names are sorted."""
    files = {name: path for tree in image.trees for name, path in _files(tree)}
    directories = {**_parents([*files, *image.directories, *image.links]), **image.directories}
    for name in sorted({*files, *directories, *image.links}):
        if name in directories:
            yield _entry(name, tarfile.DIRTYPE, directories[name]), b""
        elif name in image.links:
            yield _entry(name, tarfile.SYMTYPE, 0o777, link=image.links[name]), b""
        else:
            content = files[name].read_bytes()
            yield _entry(name, tarfile.REGTYPE, _mode(files[name]), size=len(content)), content


def _files(tree: Tree) -> Iterator[tuple[str, Path]]:
    root = HERE / tree.source
    for path in root.rglob("*"):
        if path.is_file():
            yield str(PurePosixPath(tree.target) / path.relative_to(root).as_posix()), path


def _parents(names: list[str]) -> dict[str, int]:
    parents = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    return dict.fromkeys(parents - {"."}, 0o755)


def _mode(path: Path) -> int:
    """Like git, only know whether a file can be executed: the umask of a checkout must not change an image."""
    return 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644


def _entry(name: str, kind: bytes, mode: int, size: int = 0, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.linkname = kind, mode, size, link
    return member
