"""Where refusals and operations are registered: by decorator, under botocore's service and operation names."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab.aws.protocol import ApiCall

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

Operation = Callable[["AwsServer", ApiCall], dict[str, Any]]
Refusal = Callable[["AwsServer", ApiCall], None]

OPERATIONS: dict[tuple[str, str], Operation] = {}
REFUSALS: dict[tuple[str, str], list[Refusal]] = {}
UNLOCKED: set[tuple[str, str]] = set()


def operation(service: str, *names: str, locked: bool = True) -> Callable[[Operation], Operation]:
    """The function answers these operations. ``locked=False`` for one that waits for something outside of moto (registry, DNS)."""

    def register(function: Operation) -> Operation:
        for name in names:
            OPERATIONS[service, name] = function
            if not locked:
                UNLOCKED.add((service, name))
        return function

    return register


def refuse(service: str, *names: str) -> Callable[[Refusal], Refusal]:
    """The function raises AwsError for what AWS rejects; it sees the call before anything is applied, in order of registration."""

    def register(function: Refusal) -> Refusal:
        for name in names:
            REFUSALS.setdefault((service, name), []).append(function)
        return function

    return register


def load() -> None:
    """Import every module of ``operations`` and ``refusals``, so that they register themselves."""
    for package in ("lab.aws.operations", "lab.aws.refusals"):
        module = importlib.import_module(package)
        for found in pkgutil.iter_modules(module.__path__):
            importlib.import_module(f"{package}.{found.name}")


def page(items: Sequence[Any], parameters: Mapping[str, Any], most: int) -> tuple[list[Any], str | None]:
    """One page and the token of the next: AWS pages even where moto doesn't, and a client that forgets it sees a part only."""
    start = int(parameters.get("nextToken") or 0)
    end = start + min(int(parameters.get("maxResults") or most), most)
    return list(items[start:end]), str(end) if end < len(items) else None
