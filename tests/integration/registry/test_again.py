"""A second run reads no layer of the source when it can prove that there is nothing to do, and only then."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._ecr import record
from registries.images import Pushed, Pusher, call, digest_of, read_manifest
from registries.server import Server

Run = Callable[..., dict[str, Any]]
CONF = "etc/nginx/conf.d/app.conf"
NGINX = ({"usr/bin/nginx": b"binary" * 1000}, {CONF: b"fastcgi_pass php-fpm:9000; proxy_pass http://api:80;\n"})


class Case:
    """One source that was derived once; ``again`` derives it once more and tells how many of the source's layers were read."""

    def __init__(self, server: Server, derive: Run, name: str, kind: str = "oci", architectures: tuple[str, ...] = ()) -> None:
        self.server, self._derive, self.name = server, derive, name
        self.pusher = Pusher(server.url, name, kind)
        self.platforms = tuple(f"linux/{each}" for each in architectures)
        if architectures:
            # The second platform names no peer: it stays as it is.
            contents = (NGINX, ({"usr/bin/other": b"x"},))
            images = {f"linux/{each}": self.pusher.image(each, *content, architecture=each) for each, content in zip(architectures, contents, strict=True)}
            self.pusher.index("v1", images)
            self.layers = [layer for image in images.values() for layer in image.content["layers"]]
        else:
            self.layers = self.pusher.image("v1", *NGINX).content["layers"]
        self.first, _reads = self.again()

    def again(self, **more: Any) -> tuple[dict[str, Any], int]:
        before = len(self.server.requests())
        result = self._derive(f"{self.server.host}/{self.name}:v1", self.server.host, f"{self.name}-fargate", platforms=self.platforms, **more)
        asked = [path for method, path, _status in self.server.requests()[before:] if method == "GET"]
        return result, sum(path == f"/v2/{self.name}/blobs/{layer['digest']}" for layer in self.layers for path in asked)

    @property
    def target(self) -> Pushed:
        return read_manifest(self.server.url, f"{self.name}-fargate", "v1-fargate")

    def replace(self, content: dict[str, Any]) -> None:
        Pusher(self.server.url, f"{self.name}-fargate").manifest("v1-fargate", self.target.media_type, content)

    def config(self) -> dict[str, Any]:
        return dict(json.loads(call("GET", f"{self.server.url}/v2/{self.name}-fargate/blobs/{self.target.content['config']['digest']}", None)[0]))


@pytest.mark.parametrize(("kind", "architectures"), [("oci", ()), ("docker", ()), ("oci", ("amd64", "arm64"))], ids=["oci", "docker", "index"])
def test_nothing_of_the_source_is_read_twice(server: Server, derive: Run, kind: str, architectures: tuple[str, ...]) -> None:
    case = Case(server, derive, f"twice/{kind}{len(architectures)}", kind, architectures)
    assert case.first["images"][0]["state"] == "derived"
    result, reads = case.again()
    assert (result["changed"], result["images"][0]["state"], reads) == (False, "present", 0)
    assert result["images"][0]["digest"] == case.first["images"][0]["digest"]


@pytest.mark.parametrize(
    "more",
    [
        {"peers": {"php-fpm": "127.0.0.1", "api": "127.0.0.1"}},
        {"peers": {"php-fpm": "127.0.0.2"}},
    ],
    ids=["more peers", "another address"],
)
def test_other_peers_are_not_taken_for_done(server: Server, derive: Run, more: dict[str, Any]) -> None:
    case = Case(server, derive, "peers/nginx")
    result, reads = case.again(**more)
    assert result["changed"]
    assert reads == len(NGINX)
    assert case.target.digest == result["images"][0]["digest"] != case.first["images"][0]["digest"]
    assert case.again(**more)[1] == 0


@pytest.mark.parametrize("more", [{"environment": {"APP_ENV": "production"}}, {"params": {"waive": ["NGX-LUA"]}}], ids=["environment", "waived"])
def test_another_input_that_makes_no_difference_is_read_and_pushes_nothing(server: Server, derive: Run, more: dict[str, Any]) -> None:
    case = Case(server, derive, "alike/nginx")
    result, reads = case.again(**more)
    assert (result["changed"], reads) == (False, len(NGINX))
    assert case.target.digest == case.first["images"][0]["digest"]


def test_a_changed_rewriter_is_not_taken_for_done(server: Server, derive: Run, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the result is the same nothing is pushed: the tag may be immutable."""
    clients("ecr").create_repository(repositoryName="code/nginx-fargate", imageTagMutability="IMMUTABLE")
    case = Case(server, derive, "code/nginx")
    monkeypatch.setattr(record, "CODE", record.CODE[1:])
    result, reads = case.again()
    assert (result["changed"], reads) == (False, len(NGINX))


def test_a_source_that_moved_is_read(server: Server, derive: Run) -> None:
    case = Case(server, derive, "moved/again")
    case.layers = case.pusher.image("v1", *NGINX, {"usr/bin/new": b"1"}).content["layers"]
    result, reads = case.again()
    assert result["changed"]
    assert reads == len(case.layers)


def one_more_layer(case: Case, server: Server) -> None:
    """As a build FROM the derived image leaves it, its history taken over."""
    layer = Pusher(server.url, f"{case.name}-fargate").blob(case.target.content["layers"][-1]["mediaType"], b"")
    case.replace({**case.target.content, "layers": [*case.target.content["layers"], layer]})


def another_command(case: Case, server: Server) -> None:
    changed = json.dumps({**case.config(), "config": {"Cmd": ["/bin/sh"]}}).encode()
    described = Pusher(server.url, f"{case.name}-fargate").blob(case.target.content["config"]["mediaType"], changed)
    assert described["digest"] == digest_of(changed)
    case.replace({**case.target.content, "config": described})


def without_its_layer(case: Case, server: Server) -> None:
    server.blob(case.target.content["layers"][-1]["digest"]).unlink()


@pytest.mark.parametrize("spoil", [one_more_layer, another_command, without_its_layer])
def test_a_record_alone_proves_nothing(server: Server, derive: Run, spoil: Callable[[Case, Server], None]) -> None:
    case = Case(server, derive, f"spoilt/{spoil.__name__}")
    spoil(case, server)
    result, reads = case.again()
    assert reads == len(NGINX)
    assert result["changed"] or spoil is without_its_layer
    assert case.target.digest == case.first["images"][0]["digest"]
