"""Root file systems, with a small program in the place of mmdebstrap."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from lab.images import rootfs
from lab.images.recipes import RootFileSystem

ROOT = RootFileSystem("tiny", ("busybox",))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder, and an mmdebstrap that prints ``archive.tar`` or fails with ``error``."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "mmdebstrap"
    program.write_text(f'#!/bin/sh\necho run >>{tmp_path}/runs\ncd {tmp_path} && [ ! -e error ] || {{ cat error >&2; exit 25; }}\ncat archive.tar\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with tarfile.open(tmp_path / "archive.tar", "w") as archive:
        for name in ("./", "./dev/null", "./usr/bin/php", "./usr/share/doc/php/README", "./usr/share/php/a.php"):
            member = tarfile.TarInfo(name)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            else:
                member.size = 3
            archive.addfile(member, io.BytesIO(b"abc") if member.size else None)
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def test_keeps_what_runs_and_builds_once(cache: Path) -> None:
    built = rootfs.layer(ROOT, cache)
    with tarfile.open(built.path) as archive:
        assert archive.getnames() == ["usr/bin/php", "usr/share/php/a.php"]
    assert rootfs.layer(ROOT, cache) == built
    assert (cache.parent / "runs").read_text().count("run") == 1


def test_failure_tells_the_programs_last_words_and_leaves_nothing_that_looks_built(cache: Path) -> None:
    (cache.parent / "error").write_text("I: downloading\nE: package not found\n")
    with pytest.raises(rootfs.ImageError, match=r"'tiny' \(25\): E: package not found"):
        rootfs.layer(ROOT, cache)
    assert not rootfs.cached(ROOT, cache)
    (cache.parent / "error").unlink()
    assert rootfs.layer(ROOT, cache).blob.size > 0


def test_archive_cut_short_is_a_failure(cache: Path) -> None:
    archive = cache.parent / "archive.tar"
    archive.write_bytes(archive.read_bytes()[:2050])
    with pytest.raises(rootfs.ImageError):
        rootfs.layer(ROOT, cache)


def test_missing_program_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(rootfs.ImageError, match="mmdebstrap is not installed"):
        rootfs.layer(ROOT, cache)


def test_key_follows_the_packages() -> None:
    assert rootfs.key(ROOT) != rootfs.key(replace(ROOT, packages=("busybox", "nginx-light")))


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("usr/share/php/Illuminate/autoload.php", True),
        ("usr/lib/php/20220829/redis.so", True),
        ("usr/lib/x86_64-linux-gnu/libicudata.so.72.1", True),
        ("etc/nginx/mime.types", True),
        ("usr/share/zoneinfo/Asia/Tokyo", True),
        ("usr/share/mysql/mysql_system_tables.sql", True),
        ("usr/share/zoneinfo/right/Asia/Tokyo", False),
        ("usr/share/doc/php-laravel-framework/README.md", False),
        ("etc/nginx/sites-enabled/default", False),
        ("dev/null", False),
    ],
)
def test_pruning(path: str, kept: bool) -> None:
    assert rootfs.kept(path) is kept
