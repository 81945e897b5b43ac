"""A registry for all tests of this folder, and moto for the little that is asked of Amazon ECR's own API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._ecr import image
from moto import mock_aws
from registries.server import Server

PEERS = {"php-fpm": "127.0.0.1"}
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Clients]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with mock_aws():
        yield Clients({"region": "eu-west-1"})


@pytest.fixture
def derive(clients: Clients) -> Run:
    """``ecr_image`` for one image: (source, target host, target repository). More words are the image's options, ``params`` the module's."""

    def run(
        source: str,
        host: str,
        repository: str,
        check_mode: bool = False,
        platforms: tuple[str, ...] = (),
        progress: list[str] | None = None,
        params: dict[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        wanted = {
            **{"container": "nginx", "source_image": source, "repository": repository, "tag": "v1-fargate", "image": f"{host}/{repository}:v1-fargate"},
            **{"peers": PEERS, "platform": None, "tags": {}, **more},
        }
        told = (progress if progress is not None else []).append
        return image.run({"images": [wanted], "platforms": list(platforms), **(params or {})}, clients, check_mode, told)

    return run
