"""What a stack of layers shows, and that a new layer depends on its content only."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import tracemalloc

import pytest
import zstandard
from ansible_collections.cutover.fargate.plugins.module_utils._oci import layers
from ansible_collections.cutover.fargate.plugins.module_utils._oci.layers import Entry, Tree

Files = dict[str, bytes]


def tar(files: Files, links: dict[str, str] | None = None) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as out:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            out.addfile(info)
    return raw.getvalue()


def seen(*stack: Files) -> Files:
    """The files of a stack of layers, the oldest first."""
    tree = Tree(lambda path: path.endswith(".conf"))
    for files in reversed(stack):
        tree.add(io.BytesIO(tar(files)), "tar")
    return tree.regular_files()


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param([{"etc/a.conf": b"1"}], {"etc/a.conf": b"1"}, id="one layer"),
        pytest.param([{"./etc/a.conf": b"1"}, {"/etc/a.conf": b"2"}], {"etc/a.conf": b"2"}, id="the newest wins, however it is spelled"),
        pytest.param([{"etc/a.conf": b"1"}, {"etc/.wh.a.conf": b""}], {}, id="whited out"),
        pytest.param([{"etc/a.conf": b"1"}, {"etc/.wh.a.conf": b""}, {"etc/a.conf": b"3"}], {"etc/a.conf": b"3"}, id="and made again"),
        pytest.param([{"etc/d/a.conf": b"1"}, {".wh.etc": b""}], {}, id="a folder whited out"),
        pytest.param([{"etc/a.conf": b"1"}, {"etc/.wh..wh..opq": b"", "etc/b.conf": b"2"}], {"etc/b.conf": b"2"}, id="an opaque folder hides what is below, not what it holds"),
        pytest.param([{"etc/a.txt": b"1"}], {}, id="not wanted"),
        pytest.param([{"etc/a.conf": b"1"}, {"etc": b"a file now"}], {}, id="a folder replaced by a file"),
    ],
)
def test_what_a_stack_shows(stack: list[Files], expected: Files) -> None:
    assert seen(*stack) == expected


def test_all_links_that_are_visible_are_known() -> None:
    def with_folder(name: str) -> bytes:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as out:
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE
            out.addfile(info)
        return raw.getvalue()

    tree = Tree(lambda path: path.endswith(".conf"))
    for layer in (with_folder("srv/now"), tar({"etc/file": b"", ".wh.gone": b""}), tar({"srv/now/a.conf": b"1"}, {"etc/a": "new"})):
        tree.add(io.BytesIO(layer), "tar")
    tree.add(io.BytesIO(tar({}, {"etc/a": "old", "gone": "x", "etc/file": "x", "srv/now": "/elsewhere", "srv/b": "y"})), "tar")
    assert tree.links == {"etc/a": "new", "srv/b": "y"}
    assert tree.regular_files() == {"srv/now/a.conf": b"1"}


def test_links_are_not_edited() -> None:
    tree = Tree(lambda path: True)
    tree.add(io.BytesIO(tar({"a.conf": b"1"}, {"b.conf": "a.conf"})), "tar")
    assert tree.regular_files() == {"a.conf": b"1"}
    assert tree.files["b.conf"].link == "a.conf"


@pytest.mark.parametrize(
    ("media_type", "pack"),
    [
        ("application/vnd.oci.image.layer.v1.tar", bytes),
        ("application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", gzip.compress),
        ("application/vnd.oci.image.layer.v1.tar+zstd", zstandard.compress),
    ],
)
def test_every_kind_of_layer_is_read(media_type: str, pack: object) -> None:
    with layers.open_tar(io.BytesIO(pack(tar({"a.conf": b"1"}))), media_type) as opened:  # type: ignore[operator]
        assert [member.name for member in opened] == ["a.conf"]


def test_the_same_content_gives_the_same_digest_in_any_order() -> None:
    one, other = Entry("a", b"1", 0o644, 0, 0), Entry("b", b"2", 0o600, 33, 33)
    layer = layers.write([one, other])
    assert layers.write([other, one]) == layer
    assert layer.digest == layers.sha256(layer.blob)
    assert layer.diff_id == layers.sha256(gzip.decompress(layer.blob))
    with layers.open_tar(io.BytesIO(layer.blob), "tar+gzip") as opened:
        found = {member.name: (member.mode, member.uid, member.mtime) for member in opened}
    assert found == {"a": (0o644, 0, 0), "b": (0o600, 33, 0)}


def read(raw: bytes, media_type: str = "tar") -> Tree:
    tree = Tree(lambda path: path.endswith(".conf"))
    tree.add(io.BytesIO(raw), media_type)
    return tree


@pytest.mark.parametrize(("media_type", "pack"), [("tar+gzip", gzip.compress), ("tar+zstd", zstandard.compress)])
def test_layers_of_many_members_are_read_to_the_end(media_type: str, pack: object) -> None:
    """eStargz and zstd:chunked compress every file on its own."""
    raw = tar({"a.conf": b"1" * 2000, "b.conf": b"2" * 2000})
    packed = b"".join(pack(raw[start : start + 1024]) for start in range(0, len(raw), 1024))  # type: ignore[operator]
    assert sorted(read(packed, media_type).files) == ["a.conf", "b.conf"]


@pytest.mark.parametrize(("media_type", "pack"), [("tar", bytes), ("tar+gzip", gzip.compress), ("tar+zstd", zstandard.compress)])
def test_a_layer_that_ends_early_is_refused(media_type: str, pack: object) -> None:
    packed = pack(tar({"a.conf": random.Random(1).randbytes(9000)}))  # type: ignore[operator]
    with pytest.raises(layers.LayerError, match=r"cannot be unpacked .*push the image again"):
        read(packed[:5000], media_type)


@pytest.mark.parametrize("media_type", ["tar+gzip", "tar+zstd"])
def test_a_layer_that_is_something_else_is_refused(media_type: str) -> None:
    with pytest.raises(layers.LayerError, match="cannot be unpacked"):
        read(b"hello" * 500, media_type)


def test_a_type_that_nobody_reads_here() -> None:
    with pytest.raises(layers.LayerError, match=r"of type tar\+gzip\+encrypted cannot be read here"):
        read(b"", "tar+gzip+encrypted")


def test_zstd_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "zstandard", None)
    with pytest.raises(layers.LayerError, match="install the Python package zstandard on the controller"):
        read(b"", "application/vnd.oci.image.layer.v1.tar+zstd")
    with pytest.raises(layers.LayerError, match="cannot be unpacked"):
        read(b"hello" * 500, "tar+gzip")


def test_of_two_members_of_one_name_the_last_counts() -> None:
    first, second = tar({"a.conf": b"1"}), tar({"a.conf": b"2"})
    assert read(first[:1024] + second).regular_files() == {"a.conf": b"2"}


def hard_link(target: str) -> bytes:
    raw = io.BytesIO(tar({"a.conf": b"1", "other": b"2"}))
    with tarfile.open(fileobj=raw, mode="a") as out:
        info = tarfile.TarInfo("b.conf")
        info.type, info.linkname, info.mode = tarfile.LNKTYPE, target, 0o600
        out.addfile(info)
    return raw.getvalue()


def test_a_hard_link_is_a_file_of_its_own() -> None:
    assert read(hard_link("a.conf")).regular_files() == {"a.conf": b"1", "b.conf": b"1"}


def test_a_hard_link_to_what_is_not_read() -> None:
    with pytest.raises(layers.LayerError, match=r"/b\.conf is a hard link to /other, which is no conf"):
        read(hard_link("other"))


def test_many_files_are_not_kept() -> None:
    raw = tar({f"usr/share/{number}": b"" for number in range(4_000)})
    tracemalloc.start()
    read(raw)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 << 20  # the names alone
