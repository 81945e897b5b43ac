# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""An image plus one layer: the source's layers are reused, only a small layer and a config are new."""

from __future__ import annotations

import io
import json
import posixpath
import typing as t
from dataclasses import dataclass

from . import layers
from .registry import CHUNK, Manifest, Registry, RegistryError

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Image:
    """One platform's image in a registry."""

    registry: Registry
    repository: str
    manifest: Manifest
    config: bytes

    @property
    def architecture(self) -> str:
        return str(json.loads(self.config).get("architecture", ""))

    @property
    def layers(self) -> list[dict[str, t.Any]]:
        return list(self.manifest.content["layers"])


@dataclass(frozen=True)
class Derived:
    """What is to be pushed. ``manifest.digest`` tells whether it is there already."""

    manifest: Manifest
    config: bytes
    layer: layers.Layer | None


def find(registry: Registry, repository: str, version: str, platform: str) -> Image:
    """The image for ``os/architecture``; an index is followed, attestations in it are passed over."""
    manifest = registry.manifest(repository, version)
    if manifest.is_index:
        manifest = registry.manifest(repository, _choose(manifest, platform, f"{repository}:{version}"))
    if "layers" not in manifest.content:
        raise RegistryError(f"{repository}:{version} has a manifest of type {manifest.media_type}, which is not an image of this decade: push it again")
    config = registry.blob(repository, manifest.content["config"]["digest"])
    return Image(registry, repository, manifest, config)


def _choose(index: Manifest, platform: str, name: str) -> str:
    offered = []
    for entry in index.content["manifests"]:
        described = entry.get("platform", {})
        offered.append(f"{described.get('os')}/{described.get('architecture')}")
        if offered[-1] == platform:
            return str(entry["digest"])
    there = ", ".join(each for each in offered if "unknown" not in each)
    raise RegistryError(f"{name} has no image for {platform}; it has {there}. Set the architecture in fargate_sizes or push that platform")


def read_tree(image: Image, wanted: t.Callable[[str], bool], progress: t.Callable[[str], None]) -> layers.Tree:
    """The wanted files as the container sees them: newest layer first, whiteouts honoured."""
    tree = layers.Tree(wanted)
    described = image.layers
    for number, layer in enumerate(reversed(described), start=1):
        if layer["size"] > (32 << 20):
            progress(f"reading layer {number} of {len(described)} ({layer['size'] >> 20} MiB)")
        with image.registry.open_blob(image.repository, layer["digest"]) as stream, layers.open_tar(t.cast("t.IO[bytes]", stream), layer["mediaType"]) as tar:
            tree.add(tar)
            while stream.read(CHUNK):  # what follows the tar's end still counts for the digest
                pass
    return tree


def append(image: Image, entries: t.Sequence[layers.Entry], why: str) -> Derived:
    """The image with one more layer; the image itself when there is nothing to add. Same input, same digest."""
    if not entries:
        return Derived(image.manifest, image.config, None)
    layer = layers.write(entries)
    config = json.loads(image.config)
    config["rootfs"]["diff_ids"].append(layer.diff_id)
    comment = f"base digest {image.manifest.digest}"
    config.setdefault("history", []).append({"created": EPOCH, "created_by": why, "comment": comment})
    packed = _pack(config)
    content = image.manifest.content
    docker = image.manifest.media_type == DOCKER_MANIFEST
    content["config"] = {"mediaType": DOCKER_CONFIG if docker else OCI_CONFIG, "digest": layers.sha256(packed), "size": len(packed)}
    content["layers"].append({"mediaType": DOCKER_LAYER if docker else OCI_LAYER, "digest": layer.digest, "size": len(layer.blob)})
    if not docker:
        content.setdefault("annotations", {})["org.opencontainers.image.base.digest"] = image.manifest.digest
    body = _pack(content)
    return Derived(Manifest(body, image.manifest.media_type, layers.sha256(body)), packed, layer)


def _pack(content: t.Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def push(image: Image, derived: Derived, registry: Registry, repository: str, tag: str, progress: t.Callable[[str], None]) -> None:
    """Bring every blob over (mounted where the registry allows, streamed otherwise), then the manifest, which makes the tag real.

    Killed anywhere before the last step, the repository has some unreferenced blobs and no tag; the next run goes on from there.
    """
    for layer in image.layers:
        copy_blob(image, registry, repository, layer, progress)
    small = {layers.sha256(derived.config): derived.config}
    if derived.layer is not None:
        small[derived.layer.digest] = derived.layer.blob
    for digest, data in small.items():
        if not registry.has_blob(repository, digest):
            registry.upload(repository, digest, len(data), lambda data=data: _memory(data))  # type: ignore[misc]
    registry.put_manifest(repository, tag, derived.manifest)


def copy_blob(image: Image, registry: Registry, repository: str, layer: t.Mapping[str, t.Any], progress: t.Callable[[str], None]) -> None:
    digest, size = layer["digest"], layer["size"]
    if registry.has_blob(repository, digest):
        return
    session = ""
    if registry.url == image.registry.url:
        session = registry.mount(repository, digest, image.repository)
        if not session:
            return
    if size > (8 << 20):
        progress(f"copying layer {digest[7:19]} ({size >> 20} MiB)")
    registry.upload(repository, digest, size, lambda: image.registry.open_blob(image.repository, digest), session)


def _memory(data: bytes) -> t.IO[bytes]:
    return io.BytesIO(data)


def entry_like(original: layers.Entry, data: bytes) -> layers.Entry:
    """The same file with other content: owner and mode stay."""
    return layers.Entry(posixpath.normpath(original.path), data, original.mode, original.uid, original.gid)
