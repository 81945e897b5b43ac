"""Image pulls, one at a time per image: whoever waits finds the layers there."""

from __future__ import annotations

import threading
from collections import defaultdict

from lab.containers.engine import Engine


class Pulls:
    """Every task still asks the registry anew, as on AWS; only the same layers are never unpacked twice at once."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def pull(self, engine: Engine, image: str) -> str:
        """The manifest's digest. Raises PullError."""
        with self._guard:
            lock = self._locks[image]
        with lock:
            return engine.pull(image)
