"""Same content, same bytes; and what a layer says of itself is true of the bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from lab.images import oci


def write(path: Path, mtime: int = 5, owner: str = "builder") -> oci.Layer:
    with oci.LayerWriter(path, "a test") as writer:
        member = tarfile.TarInfo("etc/motd")
        member.size, member.mtime, member.uname = 5, mtime, owner
        writer.add(member, io.BytesIO(b"hello"))
    return writer.layer


def test_time_and_owner_of_the_build_do_not_reach_the_digest(tmp_path: Path) -> None:
    assert write(tmp_path / "a").blob == write(tmp_path / "b", mtime=99, owner="somebody").blob


def test_digests_are_those_of_the_bytes_on_disk(tmp_path: Path) -> None:
    layer = write(tmp_path / "a")
    packed = layer.path.read_bytes()
    assert layer.blob.digest == f"sha256:{hashlib.sha256(packed).hexdigest()}"
    assert layer.blob.size == len(packed)
    assert layer.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(packed)).hexdigest()}"


def test_files_have_a_time_that_opcache_accepts(tmp_path: Path) -> None:
    with tarfile.open(write(tmp_path / "a").path) as archive:
        assert archive.getmember("etc/motd").mtime == oci.MODIFIED > 0


def test_manifest_refers_to_configuration_and_layers_in_order(tmp_path: Path) -> None:
    layers = [write(tmp_path / "a"), write(tmp_path / "b")]
    config = oci.configuration({"Cmd": ["true"]}, layers)
    described = json.loads(oci.manifest(config, layers).content)
    assert described["config"]["digest"] == f"sha256:{hashlib.sha256(config.content).hexdigest()}"
    assert [layer["digest"] for layer in described["layers"]] == [layer.blob.digest for layer in layers]
    assert json.loads(config.content)["rootfs"]["diff_ids"] == [layer.diff_id for layer in layers]
