"""What a stack of layers shows, and that a new layer depends on its content only."""

from __future__ import annotations

import gzip
import io
import tarfile

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
