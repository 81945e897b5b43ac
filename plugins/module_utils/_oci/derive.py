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
from .blob import Meter
from .registry import Manifest, Registry
from .transport import CHUNK, RegistryError

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
BASE = "org.opencontainers.image.base.digest"
EPOCH = "1970-01-01T00:00:00Z"
ALL = "all"
LONG = 32 << 20
LARGEST_OWN = 32 << 20  # of confs, a layer stays far below it

Progress = t.Callable[[str], None]


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
    def platform(self) -> str:
        """``os/architecture``; empty where the configuration doesn't say it."""
        described = json.loads(self.config)
        parts = [str(described.get(key) or "") for key in ("os", "architecture")]
        return "/".join(parts) if all(parts) else ""

    @property
    def exposed(self) -> set[int]:
        """The TCP ports of EXPOSE: what the image's maker says that it listens on."""
        ports = (json.loads(self.config).get("config") or {}).get("ExposedPorts") or {}
        return {int(number) for number, _slash, protocol in (str(each).partition("/") for each in ports) if number.isdigit() and protocol in ("", "tcp")}

    @property
    def user(self) -> str:
        """``user[:group]`` of USER; empty is root."""
        return str((json.loads(self.config).get("config") or {}).get("User") or "")

    @property
    def environment(self) -> dict[str, str]:
        """What the image sets for every process, by name."""
        pairs = (str(each).partition("=") for each in (json.loads(self.config).get("config") or {}).get("Env") or [])
        return {name: value for name, _equals, value in pairs}

    @property
    def layers(self) -> list[dict[str, t.Any]]:
        return list(self.manifest.content["layers"])


@dataclass(frozen=True)
class Source:
    """What an image name stands for: ``images`` holds the platforms that are kept, ``index`` the index they came from when it is to be an index again."""

    images: tuple[Image, ...]
    index: Manifest | None = None
    entries: tuple[dict[str, t.Any], ...] = ()

    @property
    def manifest(self) -> Manifest:
        return self.index or self.images[0].manifest


@dataclass(frozen=True)
class Derived:
    """What is to be pushed for one platform. ``manifest.digest`` tells whether it is there already."""

    manifest: Manifest
    config: bytes
    layer: layers.Layer | None


class PlatformError(RegistryError):
    """The image is for other platforms than the tasks run on: none would start."""


def find(registry: Registry, repository: str, version: str, platforms: t.Sequence[str]) -> Source:
    """The images for ``os/architecture[/variant]``; an index is followed, attestations in it are passed over.

    An index gives, for one platform, that image alone; for several (or ``all``) an index again. A single image must be for the first. https://github.com/opencontainers/image-spec/blob/main/image-index.md
    """
    name = f"{repository}:{version}"
    manifest = registry.manifest(repository, version)
    if not manifest.is_index:
        image = _image(registry, repository, manifest, name)
        if platforms[0] != ALL and image.platform and not f"{platforms[0]}/".startswith(f"{image.platform}/"):
            raise _other_platform(name, platforms[0], image.platform)
        return Source((image,))
    entries = _choose(manifest, platforms, name)
    images = tuple(_image(registry, repository, registry.manifest(repository, entry["digest"]), name) for entry in entries)
    single = len(platforms) == 1 and platforms[0] != ALL
    return Source(images) if single else Source(images, manifest, tuple(entries))


def _image(registry: Registry, repository: str, manifest: Manifest, name: str) -> Image:
    described = manifest.content
    if not isinstance(described.get("layers"), list) or "digest" not in described.get("config", {}):
        raise RegistryError(f"{name} has a manifest of type {manifest.media_type}, which is not an image of this decade: push it again")
    config = registry.blob(repository, described["config"]["digest"])
    try:
        diff_ids = json.loads(config)["rootfs"]["diff_ids"]
    except (ValueError, KeyError, TypeError):
        diff_ids = None
    if not isinstance(diff_ids, list) or len(diff_ids) != len(described["layers"]):
        raise RegistryError(f"{name} is no container image: its configuration ({described['config'].get('mediaType')}) does not list its layers. Check the tag")
    return Image(registry, repository, manifest, config)


def _choose(index: Manifest, platforms: t.Sequence[str], name: str) -> list[dict[str, t.Any]]:
    """The entries of an index that are asked for, in its order; of several for one platform the first, as container runtimes take it."""
    offered: dict[str, dict[str, t.Any]] = {}
    for entry in index.content["manifests"]:
        if not _is_attestation(entry):
            offered.setdefault(_platform(entry), entry)
    if ALL in platforms:
        return list(offered.values())
    chosen: dict[str, dict[str, t.Any]] = {}
    for wanted in platforms:
        match = next((each for each in offered if each == wanted or each.startswith(f"{wanted}/")), None)
        if match is None:
            raise _other_platform(name, wanted, ", ".join(offered))
        chosen[match] = offered[match]
    return [entry for platform, entry in offered.items() if platform in chosen]


def _other_platform(name: str, wanted: str, offered: str) -> PlatformError:
    return PlatformError(f"{name} has no image for {wanted}; it has {offered}. Set fargate_architecture or fargate_image_platforms, or push that platform")


def _platform(entry: t.Mapping[str, t.Any]) -> str:
    described = entry.get("platform", {})
    return "/".join(str(described[key]) for key in ("os", "architecture", "variant") if described.get(key))


def _is_attestation(entry: t.Mapping[str, t.Any]) -> bool:
    """BuildKit's provenance and SBOM, which speak of the image before the change. https://docs.docker.com/build/metadata/attestations/attestation-storage/"""
    return "vnd.docker.reference.type" in entry.get("annotations", {}) or entry.get("platform", {}).get("os") == "unknown"


def read_tree(image: Image, wanted: t.Callable[[str], bool], progress: Progress) -> layers.Tree:
    """The wanted files as the container sees them: newest layer first, whiteouts honoured."""
    tree = layers.Tree(wanted)
    described = image.layers
    for number, layer in enumerate(reversed(described), start=1):
        what = f"reading layer {number} of {len(described)}"
        if layer["size"] > LONG:
            progress(f"{what} ({layer['size'] >> 20} MiB)")
        with image.registry.open_blob(image.repository, layer["digest"], Meter(what, layer["size"], progress)) as stream:
            try:
                tree.add(t.cast("t.IO[bytes]", stream), layer["mediaType"])
            finally:
                # What follows the tar's end still counts for the digest; and bytes that are not the layer's are the reason why they can't be unpacked.
                while stream.read(CHUNK):
                    pass
    return tree


def append(image: Image, entries: t.Sequence[layers.Entry], why: str, environment: t.Mapping[str, str] | None = None, record: str = "") -> Derived:
    """The image with one more layer and other values for some of its variables; the image itself when there is nothing to change.

    ``record`` stands in the history for all that the entries depend on beside the image. Same input, same digest.
    """
    if not entries and not environment:
        return Derived(image.manifest, image.config, None)
    layer = layers.write(entries) if entries else None
    config = json.loads(image.config)
    history = {"created": EPOCH, "created_by": why, "comment": _comment(image, record)}
    config["history"] = [*(config.get("history") or []), history if layer else {**history, "empty_layer": True}]
    if layer:
        config["rootfs"]["diff_ids"].append(layer.diff_id)
    if environment:
        config["config"]["Env"] = [f"{name}={value}" for name, value in {**image.environment, **environment}.items()]
    packed = _pack(config)
    content = image.manifest.content
    docker = image.manifest.media_type == DOCKER_MANIFEST
    content["config"] = {"mediaType": DOCKER_CONFIG if docker else OCI_CONFIG, "digest": layers.sha256(packed), "size": len(packed)}
    if layer:
        content["layers"].append({"mediaType": DOCKER_LAYER if docker else OCI_LAYER, "digest": layer.digest, "size": len(layer.blob)})
    if not docker:
        content["annotations"] = {**(content.get("annotations") or {}), BASE: image.manifest.digest}
    return Derived(_manifest(content, image.manifest.media_type), packed, layer)


def _comment(image: Image, record: str) -> str:
    return f"base digest {image.manifest.digest}" + (f", made by {record}" if record else "")


def made_by(there: Image) -> str:
    """The record that ``append`` left in the history; '' when it did not make this image."""
    history = json.loads(there.config).get("history") or [{}]
    return str(history[-1].get("comment") or "").partition(", made by ")[2]


def again(image: Image, there: Image, why: str) -> Derived | None:
    """``there`` made again from the image and the little that ``there`` has more than it: an own layer, values of variables.

    None when that does not give the very same digest: then ``there`` is something else. No layer of the image is read.
    """
    own = there.layers[len(image.layers) :]
    if len(own) > 1 or any(layer["size"] > LARGEST_OWN for layer in own):
        return None
    tree = layers.Tree(lambda _path: True)
    for layer in own:
        with there.registry.open_blob(there.repository, layer["digest"]) as stream:
            tree.add(t.cast("t.IO[bytes]", stream), layer["mediaType"])
    environment = {name: value for name, value in there.environment.items() if image.environment.get(name) != value}
    derived = append(image, list(tree.files.values()), why, environment, made_by(there))
    return derived if derived.manifest.digest == there.manifest.digest else None


def platforms(registry: Registry, repository: str, manifest: Manifest) -> list[Image]:
    """The images behind a manifest of ours, in the order of its entries."""
    entries = [registry.manifest(repository, entry["digest"]) for entry in manifest.content["manifests"]] if manifest.is_index else [manifest]
    return [_image(registry, repository, each, repository) for each in entries]


def index(source: Source, derived: t.Sequence[Derived]) -> Manifest:
    """The manifest that gets the tag: the derived image's own, or a new index over the derived images."""
    if source.index is None:
        return derived[0].manifest
    content = source.index.content
    entries = [
        {**entry, "mediaType": each.manifest.media_type, "digest": each.manifest.digest, "size": len(each.manifest.body)}
        for entry, each in zip(source.entries, derived, strict=True)
    ]
    if entries == content["manifests"]:
        return source.index
    content["manifests"] = entries
    if source.index.media_type == OCI_INDEX:
        content["annotations"] = {**(content.get("annotations") or {}), BASE: source.index.digest}
    return _manifest(content, source.index.media_type)


def _manifest(content: t.Mapping[str, t.Any], media_type: str) -> Manifest:
    body = _pack(content)
    return Manifest(body, media_type, layers.sha256(body))


def _pack(content: t.Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def push(source: Source, derived: t.Sequence[Derived], registry: Registry, repository: str, tag: str, progress: Progress) -> None:
    """Bring every blob over (mounted where the registry allows, streamed otherwise), then the manifests; the last makes the tag real.

    Killed anywhere before the last step, the repository has some unreferenced blobs and no tag; the next run goes on from there.
    """
    for image, each in zip(source.images, derived, strict=True):
        for layer in image.layers:
            copy_blob(image, registry, repository, layer, progress)
        small = {layers.sha256(each.config): each.config}
        if each.layer is not None:
            small[each.layer.digest] = each.layer.blob
        for digest, data in small.items():
            if not registry.has_blob(repository, digest):
                registry.upload(repository, digest, len(data), lambda data=data: io.BytesIO(data))  # type: ignore[misc]
        if source.index is not None:
            registry.put_manifest(repository, each.manifest.digest, each.manifest)
    registry.put_manifest(repository, tag, index(source, derived))


def copy_blob(image: Image, registry: Registry, repository: str, layer: t.Mapping[str, t.Any], progress: Progress) -> None:
    digest, size = layer["digest"], layer["size"]
    if registry.has_blob(repository, digest):
        return
    session = ""
    if registry.url == image.registry.url:
        session = registry.mount(repository, digest, image.repository)
        if not session:
            return
    what = f"copying layer {digest[7:19]}"
    if size > LONG:
        progress(f"{what} ({size >> 20} MiB)")
    registry.upload(repository, digest, size, lambda: image.registry.open_blob(image.repository, digest, Meter(what, size, progress)), session)


def entry_like(original: layers.Entry, data: bytes) -> layers.Entry:
    """The same file with other content: owner and mode stay."""
    return layers.Entry(posixpath.normpath(original.path), data, original.mode, original.uid, original.gid)
