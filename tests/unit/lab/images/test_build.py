"""ensure_images and push against a registry of a few lines: what is uploaded, and what is not uploaded again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lab.images import build, files, oci, rootfs
from lab.images.recipes import Image, RootFileSystem, Tree
from lab.settings import Settings


class FakeRegistry(ThreadingHTTPServer):
    """The five requests of the distribution API that a push makes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, Any] = {}
        self.uploads: list[str] = []


class FakeHandler(BaseHTTPRequestHandler):
    server: FakeRegistry

    def do_HEAD(self) -> None:
        self.answer(200 if self.path.rpartition("/")[2] in self.server.blobs else 404)

    def do_POST(self) -> None:
        self.answer(202, Location=f"http://127.0.0.1:{self.server.server_port}{self.path}1")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        url = urlsplit(self.path)
        if "/manifests/" in url.path:
            self.server.manifests[url.path.removeprefix("/v2/")] = json.loads(body)
        else:
            digest = parse_qs(url.query)["digest"][0]
            self.server.blobs[digest] = body
            self.server.uploads.append(digest)
        self.answer(201)

    def answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    """Stands in for the child process; its address is a context manager's, as the process's is."""
    with FakeRegistry() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

        class Process(SimpleNamespace):
            def __enter__(self) -> None:
                self.storage.mkdir(parents=True, exist_ok=True)

            def __exit__(self, *error: object) -> None: ...

        def process(lab: str, storage: Path, port: int, run_dir: Path) -> Process:
            return Process(storage=storage, address=f"127.0.0.1:{server.server_port}")

        monkeypatch.setattr(build, "RegistryProcess", process)
        yield server
        server.shutdown()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Two images on one root file system, and no mmdebstrap."""
    monkeypatch.setenv("CUTOVER_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "HERE", tmp_path)
    root = RootFileSystem("root", ("busybox",))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    images = tuple(Image(f"shop/{name}", root, (Tree(name),), {"Cmd": [name]}) for name in ("one", "two"))
    monkeypatch.setattr(build, "IMAGES", images)

    def layer(root: RootFileSystem, cache: Path) -> oci.Layer:
        with oci.LayerWriter(cache / root.name, root.name) as writer:
            pass
        return writer.layer

    monkeypatch.setattr(rootfs, "layer", layer)
    return Settings()


def test_first_run_pushes_every_image_with_its_tag(settings: Settings, registry: FakeRegistry) -> None:
    build.ensure_images(settings, print)
    assert sorted(registry.manifests) == ["shop/one/manifests/v1", "shop/two/manifests/v1"]
    for manifest in registry.manifests.values():
        assert {blob["digest"] for blob in (manifest["config"], *manifest["layers"])} <= set(registry.blobs)
    assert sorted(build.image_digests(settings)) == ["shop/one", "shop/two"]


def test_second_run_does_nothing(settings: Settings, registry: FakeRegistry) -> None:
    build.ensure_images(settings, print)
    registry.manifests.clear()
    said: list[str] = []
    build.ensure_images(settings, said.append)
    assert (registry.manifests, said) == ({}, [])


def test_changed_file_rebuilds_its_image_only(settings: Settings, registry: FakeRegistry, tmp_path: Path) -> None:
    build.ensure_images(settings, print)
    digests = build.image_digests(settings)
    registry.manifests.clear()
    registry.uploads.clear()
    (tmp_path / "two" / "file").write_text("changed")
    build.ensure_images(settings, print)
    assert list(registry.manifests) == ["shop/two/manifests/v1"]
    assert len(registry.uploads) == 2, "the layer of files and the configuration, not the root file system"
    assert build.image_digests(settings)["shop/one"] == digests["shop/one"]
    assert build.image_digests(settings)["shop/two"] != digests["shop/two"]


def test_deleted_registry_is_filled_again(settings: Settings, registry: FakeRegistry) -> None:
    build.ensure_images(settings, print)
    (settings.cache_dir / "registry" / "images.json").unlink()
    registry.manifests.clear()
    build.ensure_images(settings, print)
    assert len(registry.manifests) == 2
