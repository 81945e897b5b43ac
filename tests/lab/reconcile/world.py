"""What all reconcilers share."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.reconcile.pulls import Pulls
from lab.settings import Settings

if TYPE_CHECKING:
    from lab.aws.server import AwsServer
    from lab.faults import Faults
    from lab.network.namespace import Network

log = logging.getLogger("lab")


@dataclass(frozen=True)
class HostName:
    """A name that AWS itself answers for (load balancer, database, cache, instance)."""

    addresses: tuple[str, ...]
    ttl: int


@dataclass
class World:
    """Settings, the emulated API, the network, a pool for slow work, and the names and addresses that reconcilers tell each other."""

    settings: Settings
    aws: AwsServer
    network: Network
    faults: Faults
    stopping: threading.Event = field(default_factory=threading.Event)
    pulls: Pulls = field(default_factory=Pulls)
    hosts: dict[str, HostName] = field(default_factory=dict)
    instance_address: dict[str, str] = field(default_factory=dict)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(12, thread_name_prefix="lab-work"))
    _running: dict[str, Future[Any]] = field(default_factory=dict)
    _serial: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def state(self) -> Iterator[None]:
        """Hold the API still: for reading several of moto's objects consistently, or for changing one. Never wait inside."""
        with self.aws.lock:
            yield

    def backend(self, service: str) -> Any:
        return self.aws.backend(service)

    @property
    def observed(self) -> Any:
        return self.aws.observed

    def scaled(self, seconds: float, floor: float = 0.0) -> float:
        return self.settings.scaled(seconds, floor)

    def alias_ttl(self) -> int:
        return max(round(self.scaled(self.settings.times.alias_ttl)), 1)

    def work(self, key: str, task: Callable[[], Any]) -> bool:
        """Run slow work in the pool unless work of the same key is still going on. Failures are logged. Returns whether it was started."""
        current = self._running.get(key)
        if current is not None and not current.done():
            return False
        self._running[key] = self.pool.submit(self._guarded, key, task)
        return True

    def busy(self, key: str) -> bool:
        current = self._running.get(key)
        return current is not None and not current.done()

    def pause(self, seconds: float) -> bool:
        """Wait in lab seconds already scaled; True when the lab is stopping and the wait was cut short."""
        return self.stopping.wait(max(seconds, 0))

    @staticmethod
    def _guarded(key: str, task: Callable[[], Any]) -> Any:
        try:
            return task()
        except Exception:
            log.exception("work %s failed", key)
            return None
