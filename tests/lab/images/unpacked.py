"""The images' layers, unpacked once into the cache: a read-only image store beneath the stores of every lab.

Unpacking costs more processor time than all the rest of a lab's start. A pull still asks the lab's registry for manifest and configuration, but layers
that lie here already are neither fetched nor unpacked again.
Source: containers-storage.conf(5), additionalimagestores; podman-pull(1).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from lab.network.process import run
from lab.registry import RegistryProcess, cache_lock, free_port, registry_cache
from lab.settings import Settings

TIMEOUT = 300.0


def store(settings: Settings) -> Path:
    """The store's root, as ``--storage-opt=additionalimagestore`` wants it. It only grows: running labs may stand on any layer of it."""
    return settings.cache_dir / "unpacked"


def ensure_unpacked(settings: Settings, digests: Mapping[str, str], progress: Callable[[str], None]) -> None:
    """Afterwards the layers of these images (repository: manifest digest) of the cached registry are unpacked."""
    with cache_lock(settings):
        known = _known(settings)
        missing = {repository: digest for repository, digest in digests.items() if digest not in known}
        if not missing:
            return
        progress(f"unpacking {', '.join(sorted(missing))}")
        with tempfile.TemporaryDirectory(prefix="lab-") as work, RegistryProcess(settings.name, registry_cache(settings), free_port(), Path(work)) as registry:
            for repository, digest in missing.items():
                _pull(settings, f"{registry.address}/{repository}@{digest}", Path(work))
        # podman's own record names the run root, which was a temporary folder: the next one would be refused.
        shutil.rmtree(store(settings) / "libpod", ignore_errors=True)
        _index(settings).write_text(json.dumps(sorted({*known, *digests.values()})) + "\n")


def _pull(settings: Settings, image: str, work: Path) -> None:
    places = [f"--root={store(settings)}", f"--runroot={work}/run", f"--tmpdir={work}/tmp", "--storage-driver=overlay"]
    identity = run(["podman", *places, "pull", "--quiet", "--tls-verify=false", image], timeout=TIMEOUT).strip()
    # Without a name nobody can take this image for one of a lab's registry that has the same port by chance.
    run(["podman", *places, "untag", identity], timeout=TIMEOUT)


def _index(settings: Settings) -> Path:
    """Inside the store, so that whoever deletes the store deletes the claim that layers are in it."""
    return store(settings) / "unpacked.json"


def _known(settings: Settings) -> set[str]:
    try:
        return set(json.loads(_index(settings).read_text()))
    except (FileNotFoundError, ValueError):
        return set()
