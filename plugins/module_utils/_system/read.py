# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How this package asks AWS: every page, many questions at once, and what may not be asked or is not there becomes a problem instead of an exception."""

from __future__ import annotations

import datetime
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._aws.clients import Clients
from .._aws.errors import BotoCoreError, ClientError, explain, is_code

Shape = t.Dict[str, t.Any]
Item = t.TypeVar("Item")
Answer = t.TypeVar("Answer")

THREADS = 16
REQUESTS = 16
"""Requests under way at once, however the reads are nested: few enough for AWS's request rates, with the retries for the rest."""
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403")


class Reader:
    """Asks AWS and collects problems. Safe to use from many threads."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.problems: list[dict[str, str]] = []
        self._once: dict[str, t.Any] = {}
        self._asking: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(REQUESTS)

    def one(self, service: str, operation: str, **arguments: t.Any) -> Shape:
        """One call."""
        ask = getattr(self.clients(service), operation)
        with self._slots:
            return ask(**arguments)

    def all(self, service: str, operation: str, key: str, **arguments: t.Any) -> list[t.Any]:
        """The list under ``key`` of every page."""
        pages = self.clients(service).get_paginator(operation).paginate(**arguments)
        with self._slots:
            return [item for page in pages for item in page.get(key) or []]

    def batches(self, service: str, operation: str, key: str, argument: str, values: t.Sequence[str], size: int, **others: t.Any) -> list[t.Any]:
        """The same for calls that take at most ``size`` names at a time."""
        parts = each(lambda part: self.one(service, operation, **{argument: part}, **others).get(key, []), chunks(values, size))
        return [item for part in parts for item in part]

    def existing(self, default: t.Any, ask: t.Callable[[], Answer], absent: t.Sequence[str]) -> Answer:
        """``default`` when AWS says, by one of the codes ``absent``, that what is asked for does not exist."""
        try:
            return ask()
        except ClientError as error:
            if is_code(error, *absent):
                return default
            raise

    def optional(self, path: str, default: t.Any, ask: t.Callable[[], Answer], absent: t.Sequence[str] = ()) -> Answer:
        """The same for what discovery can do without: also ``default``, and a problem, when it must not be read."""
        try:
            return self.existing(default, ask, absent)
        except ClientError as error:
            if not is_code(error, *DENIED):
                raise
            self.problem("not-readable", path, explain(error))
            return default

    def if_possible(self, path: str, default: t.Any, ask: t.Callable[[], Answer], absent: t.Sequence[str] = ()) -> Answer:
        """The same for what only makes the report richer: a service that can't be reached, or does not exist in the region, is a problem too."""
        try:
            return self.existing(default, ask, absent)
        except (BotoCoreError, ClientError) as error:
            self.problem("not-readable", path, explain(error))
            return default

    def once(self, name: str, ask: t.Callable[[], Answer]) -> Answer:
        """The answer of the first time: for lists of the whole account that both sides need."""
        with self._lock:
            asking = self._asking.setdefault(name, threading.Lock())
        with asking:
            if name not in self._once:
                self._once[name] = ask()
            return self._once[name]

    def problem(self, identifier: str, path: str, message: str) -> None:
        entry = {"id": identifier, "path": path, "message": message}
        with self._lock:
            if entry not in self.problems:
                self.problems.append(entry)


def each(function: t.Callable[[Item], Answer], items: t.Iterable[Item]) -> list[Answer]:
    """``[function(item) ...]``, concurrently, in the order of the items. A pool of its own, so that nested calls cannot wait for each other."""
    work = list(items)
    if len(work) < 2:
        return [function(item) for item in work]
    with ThreadPoolExecutor(max_workers=min(THREADS, len(work))) as pool:
        return list(pool.map(function, work))


def together(**questions: t.Callable[[], t.Any]) -> dict[str, t.Any]:
    """The answers to independent questions, asked concurrently."""
    return dict(zip(questions, each(lambda ask: ask(), questions.values()), strict=True))


def chunks(values: t.Sequence[Item], size: int) -> list[t.Sequence[Item]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def unique(values: t.Iterable[Item]) -> list[Item]:
    """Each value once, in order of first appearance."""
    return list(dict.fromkeys(value for value in values if value))


def plain(value: t.Any) -> t.Any:
    """AWS's answer as JSON can say it: times are ISO strings in UTC, call metadata and nulls among a list's elements are gone."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value if item is not None]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    return value
