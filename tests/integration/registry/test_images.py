"""Every kind of image comes out as its own kind with the conf changed and nothing else, and other tools agree on what it holds.

skopeo verifies digests and media types; umoci unpacks the layers, whiteouts included; GNU tar reads what umoci cannot.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from registries.images import LAYERS, MANIFESTS, Pusher, read_manifest
from registries.server import Server

Run = Callable[..., dict[str, Any]]
CONF = "etc/nginx/conf.d/app.conf"
BEFORE = b"server { location / { fastcgi_pass php-fpm:9000; } } # php-fpm:9000\n"
AFTER = b"server { location / { fastcgi_pass 127.0.0.1:9000; } } # php-fpm:9000\n"
OTHER = b"server { return 204; }\n"
# The oldest first: what is deleted or hidden in a newer layer must not be read, or come back.
STACK = (
    {"usr/bin/app": b"binary" * 1000, CONF: b"server { proxy_pass http://old; }", "etc/nginx/conf.d/gone.conf": BEFORE, "etc/nginx/sites-enabled/x": BEFORE},
    {"etc/nginx/conf.d/.wh.gone.conf": b"", "etc/nginx/sites-enabled/.wh..wh..opq": b"", "etc/nginx/sites-enabled/y": OTHER},
    {CONF: BEFORE},
)
KINDS = [("oci", "gzip"), ("oci", "zstd"), ("oci", "plain"), ("docker", "gzip"), ("oci", "estargz"), ("docker", "estargz"), ("oci", "zstd:chunked")]


def skopeo(*arguments: str) -> bytes:
    return subprocess.run(["skopeo", "--insecure-policy", *arguments], check=True, capture_output=True).stdout


def unpack(image: str, folder: Path) -> Path:
    """The root file system as umoci sees it."""
    skopeo("copy", "--src-tls-verify=false", f"docker://{image}", f"oci:{folder}/layout:x")
    subprocess.run(["umoci", "unpack", "--rootless", "--image", f"{folder}/layout:x", f"{folder}/bundle"], check=True, capture_output=True)
    return folder / "bundle/rootfs"


@pytest.mark.parametrize(("kind", "packing"), KINDS)
def test_the_kind_stays_and_only_the_conf_changes(server: Server, derive: Run, tmp_path: Path, kind: str, packing: str) -> None:
    name = f"kinds/{kind}-{packing.replace(':', '-')}"
    source = Pusher(server.url, name, kind, packing).image("v1", *STACK)
    result = derive(f"{server.host}/{name}:v1", server.host, f"{name}-fargate")
    target = read_manifest(server.url, f"{name}-fargate", "v1-fargate")

    assert target.digest == result["images"][0]["digest"]
    assert [edit["before"] for edit in result["images"][0]["edits"]] == ["php-fpm"]
    assert target.content["mediaType"] == MANIFESTS[kind]
    assert target.content["layers"][:-1] == source.content["layers"]
    assert target.content["layers"][-1]["mediaType"] == LAYERS[kind]["gzip"]
    assert target.content["config"]["mediaType"] == source.content["config"]["mediaType"]
    config = json.loads(skopeo("inspect", "--config", "--raw", "--tls-verify=false", f"docker://{server.host}/{name}-fargate:v1-fargate"))
    assert re.fullmatch(rf"base digest {source.digest}, made by sha256:[0-9a-f]{{64}}", config["history"][-1]["comment"])
    assert config["config"] == {"Cmd": ["/bin/true"]}
    assert target.content.get("annotations", {}).get("org.opencontainers.image.base.digest") == (source.digest if kind == "oci" else None)

    skopeo("copy", "--src-tls-verify=false", f"docker://{server.host}/{name}-fargate:v1-fargate", f"dir:{tmp_path}/copy")
    with tarfile.open(tmp_path / "copy" / target.content["layers"][-1]["digest"][7:]) as layer:
        assert [(each.name, each.mode, each.uid, each.gid) for each in layer] == [(CONF, 0o640, 33, 44)]
        assert layer.extractfile(CONF).read() == AFTER  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_umoci_sees_what_we_saw(server: Server, derive: Run, tmp_path: Path, kind: str) -> None:
    name = f"umoci/{kind}"
    Pusher(server.url, name, kind).image("v1", *STACK)
    derive(f"{server.host}/{name}:v1", server.host, f"{name}-fargate")
    root = unpack(f"{server.host}/{name}-fargate:v1-fargate", tmp_path)
    files = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert files == {"usr/bin/app": b"binary" * 1000, CONF: AFTER, "etc/nginx/sites-enabled/y": OTHER}


def test_a_second_run_uploads_nothing(server: Server, derive: Run) -> None:
    Pusher(server.url, "again/nginx").image("v1", *STACK)
    first = derive(f"{server.host}/again/nginx:v1", server.host, "again/target")
    before = len(server.requests())
    second = derive(f"{server.host}/again/nginx:v1", server.host, "again/target")
    assert first["changed"]
    assert not second["changed"]
    assert second["images"] == [{**first["images"][0], "state": "present", "edits": []}]
    assert {method for method, _path, _status in server.requests()[before:]} == {"GET"}


def test_check_mode_pushes_nothing(server: Server, derive: Run) -> None:
    Pusher(server.url, "check/nginx").image("v1", *STACK)
    before = len(server.requests())
    result = derive(f"{server.host}/check/nginx:v1", server.host, "check/target", check_mode=True)
    assert result["changes"] == ["create ECR repository check/target", "push check/target:v1-fargate (1 address changed in 1 file(s))"]
    assert [diff["after"].encode() for diff in result["diff"]] == [AFTER]
    assert {method for method, _path, _status in server.requests()[before:]} == {"GET"}


def test_a_password_in_a_conf_is_not_shown_and_stays_in_the_image(server: Server, derive: Run) -> None:
    conf = b"location / { fastcgi_param DB_PASSWORD hunter2-hunter2; fastcgi_pass php-fpm:9000; }\n"
    Pusher(server.url, "secret/nginx").image("v1", {CONF: conf})
    result = derive(f"{server.host}/secret/nginx:v1", server.host, "secret/target")
    assert "hunter2" not in json.dumps(result)
    assert "fastcgi_pass 127.0.0.1:9000" in result["diff"][0]["after"]
    layer = read_manifest(server.url, "secret/target", "v1-fargate").content["layers"][-1]["digest"]
    with tarfile.open(server.blob(layer)) as written:
        assert b"hunter2-hunter2" in written.extractfile(CONF).read()  # type: ignore[union-attr]


def test_layers_are_mounted_within_a_registry(server: Server, derive: Run) -> None:
    Pusher(server.url, "mount/nginx").image("v1", *STACK)
    before = len(server.requests())
    derive(f"{server.host}/mount/nginx:v1", server.host, "mount/target")
    asked = server.requests()[before:]
    assert len([path for method, path, status in asked if method == "POST" and "mount=" in path and status == 201]) == len(STACK)
    assert len([path for method, path, _status in asked if method == "PUT" and "/blobs/" in path]) == 2  # the new layer and the configuration


def test_layers_are_streamed_between_registries(server: Server, derive: Run, tmp_path: Path) -> None:
    Pusher(server.url, "stream/nginx").image("v1", *STACK)
    with Server(tmp_path / "other") as other:
        result = derive(f"{server.host}/stream/nginx:v1", other.host, "stream/target")
        assert read_manifest(other.url, "stream/target", "v1-fargate").digest == result["images"][0]["digest"]
        assert (unpack(f"{other.host}/stream/target:v1-fargate", tmp_path) / CONF).read_bytes() == AFTER


def test_confs_are_found_through_links_and_includes(server: Server, derive: Run, tmp_path: Path) -> None:
    """The links stay, and what they lead to is changed where it lies, once."""
    files = {
        **{"etc/nginx/nginx.conf": b"http { include sites-enabled/*; include /srv/extra/*.inc; }", "etc/nginx/sites-enabled@": b"../../srv/sites"},
        **{"srv/sites/shop": b"include /srv/php;", "srv/php@": b"data/php.txt", "srv/data/php.txt": BEFORE, "srv/extra/a.inc": BEFORE, "srv/extra/a.txt": BEFORE},
        "etc/nginx/conf.d/lost.conf@": b"/run/lost.conf",
    }
    Pusher(server.url, "links/nginx").image("v1", {"srv/sites/shop": b"proxy_pass http://old;"}, files, {"srv/extra/b.inc": BEFORE})
    result = derive(f"{server.host}/links/nginx:v1", server.host, "links/target")
    assert [edit["path"] for edit in result["images"][0]["edits"]] == ["srv/data/php.txt", "srv/extra/a.inc", "srv/extra/b.inc"]
    assert [(each["id"], each["path"]) for each in result["findings"]] == [("NGX-LINK", "etc/nginx/conf.d/lost.conf")]
    root = unpack(f"{server.host}/links/target:v1-fargate", tmp_path)
    assert {path: (root / path).read_bytes() == AFTER for path in ("srv/data/php.txt", "srv/extra/a.inc", "srv/extra/b.inc", "srv/extra/a.txt")} == {
        "srv/data/php.txt": True,
        "srv/extra/a.inc": True,
        "srv/extra/b.inc": True,
        "srv/extra/a.txt": False,
    }
    assert (root / "etc/nginx/sites-enabled").is_symlink()
    assert (root / "srv/php").is_symlink()


def test_an_image_without_a_conf_to_change_is_used_as_it_is(server: Server, derive: Run, clients: Clients) -> None:
    source = Pusher(server.url, "plain/php").image("v1", {"usr/bin/php": b"x"})
    result = derive(f"{server.host}/plain/php:v1", server.host, "plain/target")
    assert (result["images"][0]["image"], result["images"][0]["digest"]) == (f"{server.host}/plain/php:v1", source.digest)
    assert (result["changed"], result["changes"], result["diff"]) == (False, [], [])
    assert clients("ecr").describe_repositories()["repositories"] == []


def test_a_tag_that_holds_an_older_derived_image_gets_the_source_that_needs_no_change(server: Server, derive: Run) -> None:
    """The tag is what the task definition looks up: what it holds must be right."""
    pusher = Pusher(server.url, "moved/nginx")
    pusher.image("latest", *STACK)
    derive(f"{server.host}/moved/nginx:latest", server.host, "moved/target")
    source = pusher.image("latest", {CONF: OTHER})
    result = derive(f"{server.host}/moved/nginx:latest", server.host, "moved/target")
    assert result["changes"] == ["push moved/target:v1-fargate (no conf needs a change: the source image as it is)"]
    assert result["images"][0]["image"] == f"{server.host}/moved/target:v1-fargate"
    assert read_manifest(server.url, "moved/target", "v1-fargate").digest == source.digest
    assert not derive(f"{server.host}/moved/nginx:latest", server.host, "moved/target")["changed"]


@pytest.mark.parametrize("kind", ["oci", "docker"])
@pytest.mark.parametrize(
    ("platforms", "expected"),
    [((), None), (("linux/arm64",), ["amd64", "arm64"]), (("all",), ["amd64", "arm64", "s390x"])],
    ids=["one", "two", "all"],
)
def test_an_index_keeps_the_platforms_asked_for(server: Server, derive: Run, kind: str, platforms: tuple[str, ...], expected: list[str] | None) -> None:
    name = f"index/{kind}-{'-'.join(platforms).replace('/', '-') or 'one'}"
    pusher = Pusher(server.url, name, kind)
    images = {f"linux/{each}": pusher.image(each, *STACK, {"usr/bin/arch": each.encode()}, architecture=each) for each in ("amd64", "arm64", "s390x")}
    source = pusher.index("v1", images)
    result = derive(f"{server.host}/{name}:v1", server.host, f"{name}-fargate", platforms=platforms)
    target = read_manifest(server.url, f"{name}-fargate", "v1-fargate")
    assert target.digest == result["images"][0]["digest"]
    assert len(result["images"][0]["edits"]) == len(result["diff"]) == 1
    if expected is None:
        assert target.content["mediaType"] == MANIFESTS[kind]
        assert target.content["layers"][:-1] == images["linux/amd64"].content["layers"]
        return
    assert target.media_type == source.media_type
    assert [entry["platform"]["architecture"] for entry in target.content["manifests"]] == expected
    for entry in target.content["manifests"]:
        child = read_manifest(server.url, f"{name}-fargate", entry["digest"])
        assert (child.digest, child.size, child.media_type) == (entry["digest"], entry["size"], entry["mediaType"])
        assert child.content["layers"][:-1] == images[f"linux/{entry['platform']['architecture']}"].content["layers"]
    skopeo("copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", f"docker://{server.host}/{name}-fargate:v1-fargate", f"docker://{server.host}/{name}-copy:x")
    assert not derive(f"{server.host}/{name}:v1", server.host, f"{name}-fargate", platforms=platforms)["changed"]


@pytest.mark.parametrize("platforms", [(), ("all",)], ids=["one", "all"])
def test_an_attestation_is_known_by_its_annotation_alone(server: Server, derive: Run, platforms: tuple[str, ...]) -> None:
    name = f"index/annotated-{len(platforms)}"
    pusher = Pusher(server.url, name)
    images = {f"linux/{each}": pusher.image(each, *STACK, architecture=each) for each in ("amd64", "arm64")}
    pusher.index("v1", images, by_annotation=True)
    result = derive(f"{server.host}/{name}:v1", server.host, f"{name}-fargate", platforms=platforms)
    target = read_manifest(server.url, f"{name}-fargate", "v1-fargate")
    assert target.digest == result["images"][0]["digest"]
    children = [read_manifest(server.url, f"{name}-fargate", each["digest"]) for each in target.content["manifests"]] if platforms else [target]
    assert [child.content["layers"][:-1] for child in children] == [image.content["layers"] for image in list(images.values())[: len(children)]]
    assert len(children) == (2 if platforms else 1)


def test_a_platform_that_is_not_there_is_named(server: Server, derive: Run) -> None:
    pusher = Pusher(server.url, "index/missing")
    pusher.index("v1", {"linux/arm64": pusher.image("arm64", *STACK, architecture="arm64")})
    with pytest.raises(CutoverError, match=r"index/missing:v1 has no image for linux/amd64; it has linux/arm64\. Set fargate_architecture"):
        derive(f"{server.host}/index/missing:v1", server.host, "index/none")


def test_an_immutable_tag_is_not_overwritten(server: Server, derive: Run, clients: Clients) -> None:
    pusher = Pusher(server.url, "immutable/nginx")
    pusher.image("v1", *STACK)
    clients("ecr").create_repository(repositoryName="immutable/target", imageTagMutability="IMMUTABLE")
    first = derive(f"{server.host}/immutable/nginx:v1", server.host, "immutable/target")
    assert not derive(f"{server.host}/immutable/nginx:v1", server.host, "immutable/target")["changed"]
    pusher.image("v1", *STACK, {"usr/bin/new": b"1"})
    before = len(server.requests())
    with pytest.raises(CutoverError, match="has immutable tags and v1-fargate is there with another digest"):
        derive(f"{server.host}/immutable/nginx:v1", server.host, "immutable/target")
    assert {method for method, _path, _status in server.requests()[before:]} == {"GET"}
    assert read_manifest(server.url, "immutable/target", "v1-fargate").digest == first["images"][0]["digest"]


MEASURE = """
import resource, sys
from ansible_collections.cutover.fargate.plugins.module_utils._oci import derive
from ansible_collections.cutover.fargate.plugins.module_utils._oci.layers import Entry
from ansible_collections.cutover.fargate.plugins.module_utils._oci.registry import Registry
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def work(source, target, name):
    found = derive.find(Registry(source), name, "v1", ["linux/amd64"])
    tree = derive.read_tree(found.images[0], lambda path: path.endswith(".conf"), print)
    made = [derive.append(found.images[0], [Entry(path, b"new", 0o644, 0, 0) for path in tree.files], "test")]
    derive.push(found, made, Registry(target), name, "v1", print)
source, target = sys.argv[1:]
work(source, target, "small")
before = peak()
work(source, target, "large")
print("added", peak() - before)
"""


def test_a_layer_of_a_gibibyte_needs_little_memory(server: Server, tmp_path: Path) -> None:
    """Read and streamed to another registry. CUTOVER_LAYER_MIB sets another size."""
    size = int(os.environ.get("CUTOVER_LAYER_MIB", "1024")) << 20
    big = tmp_path / "layer.tar"
    info = tarfile.TarInfo("var/lib/big")
    info.size = size
    with big.open("wb") as file:  # sparse: a member of zeros, then the tar's end
        file.write(info.tobuf())
        file.truncate(512 + size + 10240)
    digest = "sha256:" + subprocess.run(["sha256sum", str(big)], check=True, capture_output=True, text=True).stdout.split()[0]
    Pusher(server.url, "small").image("v1", {CONF: BEFORE})
    Pusher(server.url, "large").image("v1", {CONF: BEFORE}, extra=(big, digest))
    big.unlink()
    try:
        with Server(tmp_path / "other") as other:
            path = os.pathsep.join(each for each in sys.path if each)
            done = subprocess.run(
                [sys.executable, "-c", MEASURE, server.url, other.url], env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True, text=True
            )
            assert other.blob(digest).stat().st_size == 512 + size + 10240
            other.blob(digest).unlink()
    finally:
        server.blob(digest).unlink()
    assert f"copying layer {digest[7:19]} ({size >> 20} MiB)" in done.stdout
    added = int(done.stdout.split()[-1])
    print(f"peak memory above that of a small image: {added >> 10} MiB")
    assert added < 100 << 10, f"{added >> 10} MiB above the baseline"
