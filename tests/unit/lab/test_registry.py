"""A lab's registry must not write into the cache it was copied from."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from lab.registry import RegistryError, RegistryProcess, clone

BLOB = Path("docker/registry/v2/blobs/sha256/ab/abcd/data")
LINK = Path("docker/registry/v2/repositories/shop/nginx/_manifests/tags/v1/current/link")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    for name, content in ((BLOB, "blob"), (LINK, "sha256:abcd")):
        (tmp_path / "cache" / name).parent.mkdir(parents=True)
        (tmp_path / "cache" / name).write_text(content)
    return tmp_path / "cache"


def test_blobs_are_linked_and_what_is_written_in_place_is_copied(cache: Path, tmp_path: Path) -> None:
    clone(cache, tmp_path / "lab")
    assert (tmp_path / "lab" / BLOB).samefile(cache / BLOB)
    assert not (tmp_path / "lab" / LINK).samefile(cache / LINK)
    (tmp_path / "lab" / LINK).write_text("sha256:other")
    assert (cache / LINK).read_text() == "sha256:abcd"


def test_rest_of_an_interrupted_copy_is_replaced(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.partial" / "docker").mkdir(parents=True)
    (tmp_path / "lab.partial" / "docker" / "half").write_text("")
    clone(cache, tmp_path / "lab")
    assert not (tmp_path / "lab" / "docker" / "half").exists()
    assert (tmp_path / "lab" / BLOB).exists()


def test_without_a_cache_a_lab_starts_empty(tmp_path: Path) -> None:
    clone(tmp_path / "nothing", tmp_path / "lab")
    assert list((tmp_path / "lab").iterdir()) == []


def test_port_in_use_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(RegistryError, match=f"port {port} .* is in use"):
            RegistryProcess("test", tmp_path / "storage", port, tmp_path / "run").start()
    assert list(tmp_path.iterdir()) == []
