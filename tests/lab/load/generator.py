"""The open loop: requests leave at the given rate, whether or not earlier ones were answered; users take turns."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from lab.load.journal import Journal
from lab.load.network import Connector, TtlResolver
from lab.load.user import TIMEOUT, User

QUEUE_INTERVAL = 2.0
DRAIN_TIMEOUT = 30.0


@dataclass(frozen=True)
class Options:
    fqdn: str
    resolver: str
    out: Path
    ca: Path | None = None
    resolver_port: int = 53
    port: int | None = None
    users: int = 50
    rate: float = 50
    duration: float | None = None

    @property
    def url(self) -> str:
        """https when there is a CA to verify against."""
        scheme = "https" if self.ca else "http"
        return f"{scheme}://{self.fqdn}" + (f":{self.port}" if self.port else "")


class Generator:
    """One run. :meth:`stop` may be called at any time, also from a signal handler; :meth:`run` then ends in order."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._run = f"load-{secrets.token_hex(4)}-"  # the run's users are new customers, so that its orders can be counted apart
        self._tls = ssl.create_default_context(cafile=str(options.ca)) if options.ca else True
        self._stopping = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        self._state = "running"

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Load until the duration is over or stopped; then finish open requests, wait for the queue, write the last summary."""
        self._journal = Journal(self._options.out)
        self._users = [self._user(number) for number in range(self._options.users)]
        self._observer = self._watcher()
        helpers = [asyncio.create_task(self._flush()), asyncio.create_task(self._watch_queue())]
        try:
            await self._load()
            self._state = "finishing"
            await asyncio.gather(*self._open)
            await self._drain()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await asyncio.gather(self._observer.close(), *(user.close() for user in self._users))
            self._journal.close()

    def _user(self, number: int) -> User:
        """Every second user keeps connections open, the others open one for each request."""
        keep_alive = number % 2 == 0
        connector = self._connector(number, keep_alive)
        return User(number, f"{self._run}{number:03d}", self._options.url, connector, keep_alive, self._journal)

    def _connector(self, number: int, keep_alive: bool) -> Connector:
        def answered(addresses: list[str], ttl: float) -> None:
            self._journal.dns(number, addresses, ttl)

        return Connector(TtlResolver(self._options.resolver, self._options.resolver_port, answered), self._tls, keep_alive)

    def _watcher(self) -> aiohttp.ClientSession:
        """The one who looks at the queue; its requests are not part of the load."""
        return aiohttp.ClientSession(connector=self._connector(-1, keep_alive=False), timeout=TIMEOUT)

    async def _load(self) -> None:
        started, slot = time.monotonic(), 0
        end = started + self._options.duration if self._options.duration else float("inf")
        while not self._stopping.is_set():
            at = started + slot / self._options.rate
            if at >= end:
                return
            await self._pause(at - time.monotonic())
            self._take(slot)
            slot += 1

    async def _pause(self, seconds: float) -> None:
        """Until the time has come or the run is stopped."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _take(self, slot: int) -> None:
        user = self._users[slot % len(self._users)]
        if self._stopping.is_set():
            return
        if user.busy:
            self._journal.counts.skipped += 1
            return
        user.busy = True
        task = asyncio.create_task(user.act())
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._journal.flush(self._state)

    async def _watch_queue(self) -> None:
        while True:
            await self._look_at_queue()
            await asyncio.sleep(QUEUE_INTERVAL)

    async def _look_at_queue(self) -> None:
        """What the shop says of this run's orders. A look that fails is noted and says nothing about the orders."""
        try:
            async with self._observer.get(f"{self._options.url}/orders/stats", params={"user": self._run}) as response:
                response.raise_for_status()
                stats: dict[str, Any] = await response.json()
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as problem:
            self._journal.queue({"error": f"{type(problem).__name__}: {problem}"})
            return
        self._journal.queue(stats)
        self._journal.counts.jobs_done = stats["done"]
        self._journal.counts.jobs_twice = stats["twice"]

    async def _drain(self) -> None:
        """Until every accepted order is done, at most half a minute; looks at least once."""
        deadline = time.monotonic() + DRAIN_TIMEOUT
        await self._look_at_queue()
        while self._journal.counts.jobs_done < self._journal.counts.jobs_sent and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            await self._look_at_queue()
