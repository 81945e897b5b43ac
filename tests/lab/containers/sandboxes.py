"""The network namespaces podman makes itself, one for each container on a bridge: ``/run/netns/netns-<uuid>``.

Nothing in their names is the lab's. podman forgets one before it is gone, so a podman (or its clean-up behind conmon) that is killed in between leaves it
to nobody: what a store knows has to be asked before anything of it is ended.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.network.namespace import NAMESPACES
from lab.network.process import CommandError, run

NAME = re.compile(rb"/run/netns/(netns-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def known(store: Path) -> set[str]:
    """Names of every namespace a store's books tell of, read as bytes: podman may hold its lock, and pages it gave up still name what it may have left."""
    return {name.decode() for book in _books(store) for name in NAME.findall(book)}


def _books(store: Path) -> Iterator[bytes]:
    for path in (*store.glob("root/libpod/*.db"), *store.glob("root/overlay-containers/*/userdata/config.json")):
        with contextlib.suppress(FileNotFoundError):  # removed together with its container
            yield path.read_bytes()


def remaining(names: Iterable[str]) -> list[str]:
    """Those that are still there."""
    return sorted(name for name in names if (NAMESPACES / name).exists())


def remove(names: Iterable[str]) -> None:
    """Delete those that are still there; whoever lived in them has been ended."""
    for name in remaining(names):
        with contextlib.suppress(CommandError):  # a name whose mount is gone (reboot) is only a file
            run(["ip", "netns", "del", name])
        (NAMESPACES / name).unlink(missing_ok=True)
