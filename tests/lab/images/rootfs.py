"""Root file systems from Debian packages: ``mmdebstrap --variant=extract`` unpacks the packages and their dependencies, we keep what runs."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from lab.images import oci
from lab.images.recipes import PRUNED, SUITE, RootFileSystem

FORMAT = 1  # part of every key: raise it when this file changes what is written
_PRUNED = re.compile("|".join(fnmatch.translate(pattern) for pattern in PRUNED))


class ImageError(RuntimeError):
    """An image cannot be built; the message says which, and why."""


def key(root: RootFileSystem) -> str:
    """Names the content: same packages, same pruning, same key."""
    recipe = json.dumps([FORMAT, SUITE, oci.architecture(), oci.MODIFIED, asdict(root), PRUNED], sort_keys=True)
    return f"{root.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"


def layer(root: RootFileSystem, cache: Path) -> oci.Layer:
    """The root file system as a layer, from the cache or built into it."""
    described = cache / f"{key(root)}.json"
    if not described.exists():
        _store(_build(root, cache / f"{key(root)}.tar.gz"), described)
    return _load(described)


def cached(root: RootFileSystem, cache: Path) -> bool:
    return (cache / f"{key(root)}.json").exists()


def kept(name: str) -> bool:
    """Whether a path of the root file system goes into the layer."""
    return not _PRUNED.fullmatch(name)


def _build(root: RootFileSystem, target: Path) -> oci.Layer:
    if not shutil.which("mmdebstrap"):
        raise ImageError(f"the root file system {root.name!r} cannot be built: mmdebstrap is not installed")
    command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(root.packages)}", SUITE, "-"]
    partial = target.with_suffix(".partial")
    errors = target.with_suffix(".log")
    with errors.open("wb") as log, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log) as process:
        written = _repack(process, partial, " ".join(command[:-1]))
    if written is None or process.returncode:
        partial.unlink(missing_ok=True)
        raise ImageError(f"mmdebstrap failed for the root file system {root.name!r} ({process.returncode}): {_last_line(errors)}")
    errors.unlink()
    partial.replace(target)
    return oci.Layer(target, written.blob, written.diff_id, written.created_by)


def _repack(process: subprocess.Popen[bytes], target: Path, created_by: str) -> oci.Layer | None:
    """Read the archive from the process and write what is kept. None when it is no whole archive: the exit code tells why."""
    writer = oci.LayerWriter(target, created_by)
    try:
        with writer, tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in _kept_members(archive):
                writer.add(member, archive.extractfile(member) if member.isreg() else None)
    except tarfile.TarError:
        return None
    finally:
        if process.stdout:
            shutil.copyfileobj(process.stdout, _Discard())
    return writer.layer


class _Discard:
    def write(self, data: bytes) -> int:
        return len(data)


def _kept_members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in archive:
        member.name = member.name.removeprefix("./").rstrip("/")
        if member.name not in ("", ".") and kept(member.name):
            yield member


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"


def _store(built: oci.Layer, described: Path) -> None:
    content = {"digest": built.blob.digest, "size": built.blob.size, "diff_id": built.diff_id, "created_by": built.created_by}
    described.write_text(json.dumps(content))


def _load(described: Path) -> oci.Layer:
    content = json.loads(described.read_text())
    blob = oci.Blob(oci.LAYER, content["digest"], content["size"])
    return oci.Layer(described.with_suffix(".tar.gz"), blob, content["diff_id"], content["created_by"])
