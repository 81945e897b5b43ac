"""What goes wrong on the way: broken connections, restarts, refusals, bytes that are not what was promised, and passwords that must stay secret."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._oci import derive as oci
from ansible_collections.cutover.fargate.plugins.module_utils._oci.layers import Entry
from ansible_collections.cutover.fargate.plugins.module_utils._oci.registry import Registry, RegistryError
from registries.between import CuttingProxy, Front
from registries.images import Pusher, digest_of, read_manifest
from registries.server import PASSWORD, USER, Server, free_port

Run = Callable[..., dict[str, Any]]
CONF = "etc/nginx/conf.d/app.conf"
BEFORE = b"fastcgi_pass php-fpm:9000;"
MIB = 1 << 20


def at_once(_seconds: float) -> None:
    """No pause between tries."""


def transfer(source: str, target: str, name: str, sleep: Callable[[float], None] = at_once) -> str:
    """Derive with one changed file from one registry into another; the digest."""
    found = oci.find(Registry(source, USER, PASSWORD, sleep), name, "v1", ["linux/amd64"])
    tree = oci.read_tree(found.images[0], lambda path: path.endswith(".conf"), lambda line: None)
    made = oci.append(found.images[0], [Entry(path, b"new", 0o644, 0, 0) for path in tree.files], "test")
    oci.push(found, [made], Registry(target, USER, PASSWORD, sleep), name, "v1", lambda line: None)
    return made.manifest.digest


@pytest.fixture
def other(tmp_path: Path) -> Any:
    with Server(tmp_path / "other") as running:
        yield running


@pytest.fixture(scope="module")
def large(server: Server) -> str:
    """Bytes that do not compress, so that a connection can be cut within them."""
    Pusher(server.url, "faults/large").image("v1", {"usr/lib/large": os.urandom(24 * MIB), CONF: BEFORE})
    return "faults/large"


def test_an_upload_that_is_cut_is_repeated(server: Server, other: Server, large: str) -> None:
    with CuttingProxy(other.port, "up", [5 * MIB, 17 * MIB]) as proxy:
        digest = transfer(server.url, proxy.url, large)
        assert proxy.cuts == 2
    assert read_manifest(other.url, large, "v1").digest == digest


def test_a_download_that_is_cut_goes_on_where_it_broke_off(server: Server, other: Server, large: str) -> None:
    before = len(server.requests())
    with CuttingProxy(server.port, "down", [5 * MIB, 9 * MIB, 3 * MIB]) as proxy:
        digest = transfer(proxy.url, other.url, large)
        assert proxy.cuts == 3
    assert read_manifest(other.url, large, "v1").digest == digest
    assert [status for method, path, status in server.requests()[before:] if status == 206] == [206] * 3


def test_a_registry_that_restarts_within_an_upload(server: Server, other: Server, large: str) -> None:
    def restart() -> None:
        other.stop()
        threading.Timer(1.5, other.start).start()

    with CuttingProxy(other.port, "up", [5 * MIB], restart) as proxy:
        digest = transfer(server.url, proxy.url, large, time.sleep)
        assert proxy.cuts == 1
    assert read_manifest(other.url, large, "v1").digest == digest


def test_a_connection_that_breaks_at_every_try_ends_with_one_clear_line(server: Server, other: Server, large: str) -> None:
    with CuttingProxy(other.port, "up", [MIB] * 50) as proxy, pytest.raises(RegistryError, match="is the registry up and reachable") as caught:
        transfer(server.url, proxy.url, large)
    assert "_state" not in str(caught.value)
    with pytest.raises(OSError, match="404"):
        read_manifest(other.url, large, "v1")


def test_storage_gets_no_credentials(server: Server, other: Server) -> None:
    Pusher(server.url, "faults/redirect").image("v1", {CONF: BEFORE})

    def redirect(method: str, path: str) -> tuple[int, dict[str, str], bytes] | None:
        return (307, {"Location": f"{storage.url}{path}?X-Amz-Signature=signed"}, b"") if method == "GET" and "/blobs/" in path else None

    with Front(server.port) as storage, Front(server.port, redirect) as front:
        digest = transfer(front.url, other.url, "faults/redirect")
    assert read_manifest(other.url, "faults/redirect", "v1").digest == digest
    assert storage.seen
    assert not [headers for _method, _path, headers in storage.seen if "Authorization" in headers]
    assert all("Authorization" in headers for _method, _path, headers in front.seen)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_registry_is_asked_again(server: Server, other: Server, status: int) -> None:
    Pusher(server.url, "faults/busy").image("v1", {CONF: BEFORE})
    refusals = iter([(status, {"Retry-After": "7"}, b"")] * 2)
    pauses: list[float] = []
    with Front(server.port, lambda method, path: next(refusals, None)) as front:
        assert transfer(front.url, other.url, "faults/busy", pauses.append)
    assert pauses == [7, 7]


def test_a_registry_that_stays_busy(server: Server) -> None:
    too_many = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit"}]}'
    pauses: list[float] = []
    with Front(server.port, lambda method, path: (429, {}, too_many)) as front, pytest.raises(RegistryError) as caught:
        Registry(front.url, sleep=pauses.append).manifest("a/b", "v1")
    assert pauses == [1, 2, 4, 8]
    expected = "HTTP 429: TOOMANYREQUESTS: You have reached your pull rate limit: the registry limits requests and did so at every try: run again later, or log in"
    assert expected in str(caught.value)


def test_an_unreachable_registry() -> None:
    with pytest.raises(RegistryError, match=r"GET http://127\.0\.0\.1:\d+/v2/a/b/manifests/v1: .*Connection refused: is the registry up and reachable"):
        Registry(f"http://127.0.0.1:{free_port()}", sleep=at_once).manifest("a/b", "v1")


def test_an_image_that_is_not_there(server: Server, derive: Run) -> None:
    with pytest.raises(CutoverError, match=r"Image: GET .*/v2/no/such/manifests/v1: HTTP 404: MANIFEST_UNKNOWN: .*it does not exist: check repository and tag\. No traffic"):
        derive(f"{server.host}/no/such:v1", server.host, "no/target")


def test_a_name_that_is_no_image(server: Server, derive: Run) -> None:
    with pytest.raises(CutoverError, match="is not an image name; it should read"):
        derive(f"{server.host}/No/Such:v1", server.host, "no/target")


def docker_login(host: str, password: str) -> None:
    folder = Path(os.environ["DOCKER_CONFIG"])
    folder.mkdir(exist_ok=True)
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))


def test_a_registry_with_a_password(tmp_path: Path, derive: Run) -> None:
    with Server(tmp_path / "protected", protected=True) as protected:
        Pusher(protected.url, "secret/nginx").image("v1", {CONF: BEFORE})
        docker_login(protected.host, PASSWORD)
        result = derive(f"{protected.host}/secret/nginx:v1", protected.host, "secret/target")
        assert read_manifest(protected.url, "secret/target", "v1-fargate").digest == result["images"][0]["digest"]


@pytest.mark.parametrize("password", ["", "wrong-pass-word"])
def test_a_password_that_is_refused(tmp_path: Path, derive: Run, password: str) -> None:
    with Server(tmp_path / "protected", protected=True) as protected:
        if password:
            docker_login(protected.host, password)
        with pytest.raises(CutoverError, match=r"HTTP 401: UNAUTHORIZED: authentication required: no credentials .* docker login on this machine") as caught:
            derive(f"{protected.host}/secret/nginx:v1", protected.host, "secret/target")
    assert "wrong-pass-word" not in str(caught.value)
    assert base64.b64encode(f"{USER}:{password}".encode()).decode() not in str(caught.value)


def test_a_registry_that_repeats_the_password(server: Server) -> None:
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    body = json.dumps({"errors": [{"code": "DENIED", "message": f"Authorization: Basic {login} of {USER} with {PASSWORD}"}]}).encode()
    with Front(server.port, lambda method, path: (403, {}, body)) as front, pytest.raises(RegistryError) as caught:
        Registry(front.url, USER, PASSWORD).manifest("a/b", "v1")
    assert f"DENIED: Authorization: Basic *** of {USER} with ***: access is denied" in str(caught.value)


def test_a_token_is_fetched_where_the_registry_says_so_and_not_repeated(server: Server) -> None:
    """As Docker Hub does: 401 with a Bearer challenge, a token for the asked scope, the request again."""
    Pusher(server.url, "faults/token").image("v1", {CONF: BEFORE})

    def answer(method: str, path: str) -> tuple[int, dict[str, str], bytes] | None:
        if path.startswith("/token"):
            return 200, {}, b'{"token": "the-token"}'
        if front.seen[-1][2].get("Authorization") != "Bearer the-token":
            return 401, {"WWW-Authenticate": f'Bearer realm="{front.url}/token",service="s",scope="repository:faults/token:pull"'}, b""
        return (403, {}, b'{"errors": [{"code": "DENIED", "message": "no the-token"}]}') if "denied" in path else None

    with Front(server.port, answer) as front:
        registry = Registry(front.url, USER, PASSWORD)
        assert registry.manifest("faults/token", "v1").digest
        assert [path for _method, path, _headers in front.seen if "token?" in path] == ["/token?service=s&scope=repository%3Afaults%2Ftoken%3Apull"]
        with pytest.raises(RegistryError, match=r"DENIED: no \*\*\*: access is denied"):
            registry.manifest("denied", "v1")


def test_a_layer_with_other_bytes_is_refused(server: Server, derive: Run) -> None:
    pushed = Pusher(server.url, "faults/layer").image("v1", {CONF: BEFORE})
    digest = pushed.content["layers"][0]["digest"]
    data = server.blob(digest).read_bytes()
    server.blob(digest).write_bytes(data[:-20] + bytes(20))
    with pytest.raises(CutoverError, match=f"blob {digest}: the bytes that came have the digest {digest_of(data[:-20] + bytes(20))}; they were refused"):
        derive(f"{server.host}/faults/layer:v1", server.host, "faults/target")
    with pytest.raises(OSError, match="404"):
        read_manifest(server.url, "faults/target", "v1-fargate")


@pytest.mark.parametrize("by_digest", [True, False])
def test_a_manifest_with_other_bytes_is_refused(server: Server, by_digest: bool) -> None:
    pushed = Pusher(server.url, "faults/manifest").image("v1", {CONF: BEFORE})
    headers = {"Content-Type": pushed.media_type, "Docker-Content-Digest": pushed.digest}
    other = json.dumps({**pushed.content, "annotations": {"a": "b"}}).encode()
    version = pushed.digest if by_digest else "v1"
    with Front(server.port, lambda method, path: (200, headers, other)) as front, pytest.raises(RegistryError, match=f"should have the digest {pushed.digest}, it has .*refused"):
        Registry(front.url).manifest("faults/manifest", version)


def test_something_that_is_no_registry(server: Server) -> None:
    page = (200, {"Content-Type": "text/html"}, b"<html>Hello</html>")
    with Front(server.port, lambda method, path: page) as front, pytest.raises(RegistryError, match="is not a manifest: is there a registry at this address"):
        Registry(front.url).manifest("a/b", "v1")
