# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Layers: reading files out of a stack of them, and writing a new one whose bytes depend on its content only."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import posixpath
import tarfile
import typing as t
import zlib
from dataclasses import dataclass

try:
    import zstandard
except ImportError:  # only needed for images with zstd layers
    zstandard = None  # type: ignore[assignment]

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


class LayerError(Exception):
    """A layer cannot be read here; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """A file of an image. ``link`` is set for a symbolic link."""

    path: str
    data: bytes
    mode: int
    uid: int
    gid: int
    link: str = ""


@dataclass(frozen=True)
class Layer:
    """``blob`` is what is uploaded (gzip); ``diff_id`` is the digest of the tar inside."""

    blob: bytes
    digest: str
    diff_id: str


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def open_tar(stream: t.IO[bytes], media_type: str) -> tarfile.TarFile:
    """A streaming reader for a layer of any media type in use: plain, gzip or zstd.

    Lazily pulled layers (eStargz, zstd:chunked) are many gzip members or zstd frames: a reader that stops at the first would see no file of them.
    """
    if media_type.endswith("zstd"):
        if zstandard is None:
            raise LayerError("the image has zstd layers: install the Python package zstandard on the controller, or give the image in fargate_images")
        stream = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
    elif media_type.endswith("gzip"):
        stream = t.cast("t.IO[bytes]", gzip.GzipFile(fileobj=stream, mode="rb"))
    elif not media_type.endswith("tar"):
        raise LayerError(f"a layer of type {media_type} cannot be read here: give an image with plain, gzip or zstd layers in fargate_images")
    return tarfile.open(fileobj=stream, mode="r|")


class Tree:
    """Files of an image, layer by layer from the newest to the oldest. What a newer layer holds or whites out hides what is below.

    ``links`` are all symbolic links, wanted or not, as path -> target: a path may lead through them.
    """

    def __init__(self, wanted: t.Callable[[str], bool]) -> None:
        self.files: dict[str, Entry] = {}
        self.links: dict[str, str] = {}
        self._wanted = wanted
        self._hidden: set[str] = set()
        self._opaque: set[str] = set()
        self._folders: set[str] = set()

    def add(self, stream: t.IO[bytes], media_type: str) -> None:
        """Read one layer, older than those before it. A member that comes twice counts as it came last, as when it is unpacked."""
        hidden: set[str] = set()
        opaque: set[str] = set()
        folders: set[str] = set()
        own: dict[str, Entry] = {}
        links: dict[str, str] = {}
        with _unpacking(media_type), open_tar(stream, media_type) as tar:
            for member in _members(tar):
                path = posixpath.normpath(member.name).lstrip("/")
                folder, name = posixpath.split(path)
                if name == OPAQUE:
                    opaque.add(folder)
                elif name.startswith(WHITEOUT):
                    hidden.add(posixpath.join(folder, name[len(WHITEOUT) :]))
                elif member.isdir():
                    folders.add(path)
                else:
                    hidden.add(path)
                    if not self._visible(path):
                        continue
                    if member.issym():
                        links[path] = member.linkname
                    if self._wanted(path):
                        own[path] = _entry(path, member, tar, own)
        # A layer's whiteouts hide what is below it, not what it holds itself.
        self.files.update(own)
        self.links.update(links)
        self._hidden |= hidden
        self._opaque |= opaque
        self._folders |= folders

    def _visible(self, path: str) -> bool:
        if path in self.files or path in self._hidden or path in self._folders:
            return False
        above = posixpath.dirname(path)
        while above:
            if above in self._opaque or above in self._hidden:
                return False
            above = posixpath.dirname(above)
        return "" not in self._opaque

    def regular_files(self) -> dict[str, bytes]:
        """Path -> content, without links: a link's target is a file of its own and is edited once."""
        return {path: entry.data for path, entry in self.files.items() if not entry.link}


def _members(tar: tarfile.TarFile) -> t.Iterator[tarfile.TarInfo]:
    """The members of a layer in constant memory: a TarFile keeps all it has seen unless told to forget them."""
    while (member := tar.next()) is not None:
        yield member
        tar.members = []  # type: ignore[attr-defined]


@contextlib.contextmanager
def _unpacking(media_type: str) -> t.Iterator[None]:
    """What tarfile and the decompressors say of broken data, as one error."""
    broken = (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, *((zstandard.ZstdError,) if zstandard else ()))
    try:
        yield
    except broken as error:
        raise LayerError(f"a layer of type {media_type} cannot be unpacked ({error}): push the image again from where it was built") from error


def _entry(path: str, member: tarfile.TarInfo, layer: tarfile.TarFile, own: t.Mapping[str, Entry]) -> Entry:
    if member.islnk():
        # A hard link is a file of its own once it is written anew. Its content came earlier in the same layer.
        target = own.get(posixpath.normpath(member.linkname).lstrip("/"))
        if target is None:
            raise LayerError(f"/{path} is a hard link to /{member.linkname.lstrip('/')}, which is no conf: make it a file of its own in the image")
        return Entry(path, target.data, member.mode, member.uid, member.gid, target.link)
    if member.issym():
        return Entry(path, b"", member.mode, member.uid, member.gid, member.linkname)
    content = layer.extractfile(member)
    return Entry(path, content.read() if content else b"", member.mode, member.uid, member.gid)


def write(entries: t.Iterable[Entry]) -> Layer:
    """A gzip layer. Sorted names and no times: the same content always gives the same digest, so a second run uploads nothing."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in sorted(entries, key=lambda each: each.path):
            info = tarfile.TarInfo(entry.path)
            info.size, info.mode, info.uid, info.gid, info.mtime = len(entry.data), entry.mode, entry.uid, entry.gid, 0
            tar.addfile(info, io.BytesIO(entry.data))
    data = raw.getvalue()
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0, filename="") as stream:
        stream.write(data)
    return Layer(packed.getvalue(), sha256(packed.getvalue()), sha256(data))
