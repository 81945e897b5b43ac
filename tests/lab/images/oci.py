"""Writes OCI images: layers that are the same bytes for the same content, a configuration, a manifest.

Formats: https://github.com/opencontainers/image-spec (layer.md, config.md, manifest.md).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

CREATED = "1970-01-01T00:00:00Z"
# Every file's time: constant for constant digests, and not 0, because PHP's opcache takes a time of 0 for "unknown" and does not cache the file.
MODIFIED = 1_000_000_000
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Blob:
    """Content by its digest, with the media type that descriptors give it."""

    media_type: str
    digest: str
    size: int

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class Layer:
    """A compressed layer on disk. ``diff_id`` is the digest of the same without compression."""

    path: Path
    blob: Blob
    diff_id: str
    created_by: str


@dataclass(frozen=True)
class Document:
    """A configuration or a manifest: small enough to be held in memory."""

    blob: Blob
    content: bytes


class _Hashing:
    """A writable file that passes bytes on and remembers their digest and number."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._target.write(data)

    def flush(self) -> None:
        self._target.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


class LayerWriter(AbstractContextManager["LayerWriter"]):
    """Writes a layer in one pass; after the ``with`` block, :attr:`layer` describes it."""

    layer: Layer

    def __init__(self, path: Path, created_by: str) -> None:
        self._path = path
        self._created_by = created_by

    def __enter__(self) -> LayerWriter:
        self._file = self._path.open("wb")
        self._packed = _Hashing(self._file)
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=self._packed, mtime=0)
        self._plain = _Hashing(self._gzip)  # type: ignore[arg-type]
        self._tar = tarfile.open(fileobj=self._plain, mode="w|", format=tarfile.PAX_FORMAT)  # type: ignore[call-overload]
        return self

    def add(self, member: tarfile.TarInfo, content: IO[bytes] | None = None) -> None:
        """Add one entry, owned by root unless it says otherwise, without names and times that differ from build to build."""
        member.mtime = MODIFIED
        member.uname = member.gname = ""
        member.pax_headers = {}
        self._tar.addfile(member, content)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._tar.close()
        self._gzip.close()
        self._file.close()
        self.layer = Layer(self._path, Blob(LAYER, self._packed.digest, self._packed.size), self._plain.digest, self._created_by)


def architecture() -> str:
    """This machine's architecture by Go's name, which image configurations use."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


def document(media_type: str, value: Mapping[str, Any]) -> Document:
    content = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return Document(Blob(media_type, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)), content)


def configuration(config: Mapping[str, Any], layers: Sequence[Layer]) -> Document:
    """The image configuration: what to run, and of which layers the file system consists."""
    return document(
        CONFIG,
        {
            "architecture": architecture(),
            "config": dict(config),
            "created": CREATED,
            "history": [{"created": CREATED, "created_by": layer.created_by} for layer in layers],
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        },
    )


def manifest(config: Document, layers: Sequence[Layer]) -> Document:
    return document(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.blob.descriptor,
            "layers": [layer.blob.descriptor for layer in layers],
        },
    )
