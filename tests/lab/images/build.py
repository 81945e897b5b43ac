"""Builds what is missing of the lab's images into the cache: ``ensure_images``."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab.images import files, oci, rootfs
from lab.images.push import RegistryClient
from lab.images.recipes import IMAGES, TAG, Image, RootFileSystem
from lab.registry import RegistryProcess, cache_lock, free_port, registry_cache
from lab.settings import Settings

Progress = Callable[[str], None]


def ensure_images(settings: Settings, progress: Progress) -> None:
    """Afterwards the cached registry holds every image of the recipes with its tag. Labs that start at once wait for each other.

    Root file systems are kept by their package list, so a changed application file costs a second and not a download.
    """
    with cache_lock(settings):
        wanted = {image.repository: _key(image) for image in IMAGES}
        built = _read_index(settings)
        outdated = [image for image in IMAGES if built.get(image.repository, {}).get("key") != wanted[image.repository]]
        if outdated:
            roots = _root_file_systems(settings, [image.root for image in outdated], progress)
            pushed = _push(settings, outdated, roots, progress)
            built |= {repository: {"key": wanted[repository], **blob.descriptor} for repository, blob in pushed.items()}
            _index(settings).write_text(json.dumps(built, indent=2) + "\n")


def image_digests(settings: Settings) -> dict[str, str]:
    """Manifest digest of each image in the cache."""
    return {repository: entry["digest"] for repository, entry in _read_index(settings).items()}


def _key(image: Image) -> str:
    parts = [rootfs.key(image.root), files.key(image), json.dumps(image.config, sort_keys=True), TAG]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _index(settings: Settings) -> Path:
    """Inside the registry's own folder, so that whoever deletes that folder deletes the claim that images are in it."""
    return registry_cache(settings) / "images.json"


def _read_index(settings: Settings) -> dict[str, dict[str, Any]]:
    try:
        return json.loads(_index(settings).read_text())
    except (FileNotFoundError, ValueError):
        return {}


def _root_file_systems(settings: Settings, roots: Sequence[RootFileSystem], progress: Progress) -> Mapping[str, oci.Layer]:
    cache = settings.cache_dir / "rootfs"
    cache.mkdir(parents=True, exist_ok=True)

    def get(root: RootFileSystem) -> oci.Layer:
        if rootfs.cached(root, cache):
            return rootfs.layer(root, cache)
        started = time.monotonic()
        progress(f"root file system {root.name}: unpacking {len(root.packages)} Debian packages and what they need")
        layer = rootfs.layer(root, cache)
        progress(f"root file system {root.name}: {layer.blob.size / 1e6:.0f} MB in {time.monotonic() - started:.1f} s")
        return layer

    with ThreadPoolExecutor(len(roots)) as pool:
        return dict(zip((root.name for root in roots), pool.map(get, roots), strict=True))


def _push(settings: Settings, images: Sequence[Image], roots: Mapping[str, oci.Layer], progress: Progress) -> dict[str, oci.Blob]:
    pushed = {}
    with tempfile.TemporaryDirectory() as work:
        registry = RegistryProcess(settings.name, registry_cache(settings), free_port(), Path(work))
        with registry, RegistryClient(registry.address) as client:
            for image in images:
                layers = [roots[image.root.name], files.layer(image, Path(work) / "files.tar.gz")]
                blob = client.push(image.repository, TAG, oci.configuration(image.config, layers), layers)
                progress(f"image {image.repository}:{TAG}: {sum(layer.blob.size for layer in layers) / 1e6:.0f} MB, {blob.digest[:19]}")
                pushed[image.repository] = blob
    return pushed
