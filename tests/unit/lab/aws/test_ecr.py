"""ECR in front of a registry that speaks the distribution API (here a small one in memory; the lab's is Debian's docker-registry)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

TYPE = "application/vnd.oci.image.manifest.v1+json"


class Registry(ThreadingHTTPServer):
    def __init__(self) -> None:
        self.tags: dict[str, dict[str, bytes]] = {}
        super().__init__(("127.0.0.1", 0), RegistryHandler)

    def find(self, repository: str, reference: str) -> bytes | None:
        tags = self.tags.get(repository, {})
        return tags.get(reference) or next((body for body in tags.values() if digest(body) == reference), None)


def digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


class RegistryHandler(BaseHTTPRequestHandler):
    server: Registry

    def _serve(self) -> None:
        repository, _, reference = self.path.removeprefix("/v2/").rpartition("/manifests/")
        if self.path.endswith("/tags/list"):
            repository = self.path.removeprefix("/v2/").removesuffix("/tags/list")
            known = self.server.tags.get(repository)
            self._answer(200 if known is not None else 404, json.dumps({"tags": list(known or {})}).encode())
        elif self.command == "PUT":
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.tags.setdefault(repository, {})[reference] = body
            self._answer(201, b"", digest(body))
        else:
            found = self.server.find(repository, reference)
            if found is not None and self.command == "DELETE":
                self.server.tags[repository] = {tag: body for tag, body in self.server.tags[repository].items() if body != found}
            self._answer(404 if found is None else 200, found or b"", digest(found or b""))

    do_GET = do_PUT = do_DELETE = _serve  # noqa: N815

    def _answer(self, status: int, body: bytes, content_digest: str = "") -> None:
        self.send_response(status)
        self.send_header("Docker-Content-Digest", content_digest)
        self.send_header("Content-Type", TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def registry(aws) -> Iterator[Registry]:
    server = Registry()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    before = aws.settings
    aws.settings = replace(before, base_port=server.server_port - 1)
    yield server
    aws.settings = before
    server.shutdown()
    server.server_close()


MANIFEST = json.dumps({"config": {"mediaType": "c", "size": 10}, "layers": [{"size": 100}, {"size": 1}]})


def test_images_are_those_of_the_registry(client, name: str, registry: Registry, refuse) -> None:
    ecr, repository = client("ecr"), f"{name}/web"
    uri = ecr.create_repository(repositoryName=repository)["repository"]["repositoryUri"]
    assert uri == f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{repository}"
    assert ecr.describe_images(repositoryName=repository)["imageDetails"] == []
    registry.tags[repository] = {"v1": MANIFEST.encode(), "latest": MANIFEST.encode()}
    detail = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
    assert (detail["imageDigest"], detail["imageTags"], detail["imageSizeInBytes"]) == (digest(MANIFEST.encode()), ["latest", "v1"], 111)
    assert refuse(ecr.describe_images, repositoryName=repository, imageIds=[{"imageTag": "v2"}])[0] == "ImageNotFoundException"
    assert len(ecr.list_images(repositoryName=repository)["imageIds"]) == 2


def test_manifests_both_ways(client, name: str, registry: Registry, refuse) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName=name)
    put = {"repositoryName": name, "imageManifest": MANIFEST, "imageTag": "v1"}
    assert ecr.put_image(**put)["image"]["imageId"]["imageDigest"] == digest(registry.tags[name]["v1"])
    assert refuse(ecr.put_image, **put)[0] == "ImageAlreadyExistsException"
    got = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "v1"}, {"imageTag": "v2"}])
    assert got["images"][0]["imageManifest"] == MANIFEST
    assert got["failures"][0]["failureCode"] == "ImageNotFound"


def test_deletion_reaches_the_registry(client, name: str, registry: Registry, refuse) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName=name)
    registry.tags[name] = {"v1": MANIFEST.encode()}
    assert refuse(ecr.delete_repository, repositoryName=name)[0] == "RepositoryNotEmptyException"
    ecr.delete_repository(repositoryName=name, force=True)
    assert registry.tags[name] == {}


def test_login_leads_to_the_registry(client, registry: Registry) -> None:
    data = client("ecr").get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == f"http://127.0.0.1:{registry.server_port}"


def test_registry_that_is_down_is_an_error_of_the_service(aws, client, name: str, refuse) -> None:
    client("ecr").create_repository(repositoryName=name)
    before, aws.settings = aws.settings, replace(aws.settings, base_port=1)
    try:
        assert refuse(client("ecr").describe_images, repositoryName=name)[0] == "ServerException"
    finally:
        aws.settings = before
