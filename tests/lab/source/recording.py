"""The mutating calls of a playbook run, kept as they came over the wire, and replayed without the playbook.

Ids are equal in every replay: before each recorded call the source of moto's ids is seeded with the call's number. (Addresses and the like, which
come from state, may differ; no call refers to them.)
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.aws.protocol import Environ

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

Recorded = dict[str, Any]
KEPT = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "RAW_URI", "CONTENT_TYPE", "HTTP_AUTHORIZATION", "HTTP_X_AMZ_TARGET", "HTTP_USER_AGENT", "HTTP_HOST")


class ReplayError(RuntimeError):
    """A recorded call was answered with an error: the recording is of another emulator."""


@contextmanager
def record(aws: AwsServer) -> Iterator[list[Recorded]]:
    """Seed and collect every mutating call while the block runs; failed calls are not kept."""
    calls: list[Recorded] = []

    def before() -> None:
        aws.moto.seed(_seed(len(calls)))

    def after(environ: Environ, body: bytes) -> None:
        calls.append({**{key: environ[key] for key in KEPT if environ.get(key)}, "body": base64.b64encode(body).decode()})

    aws.recorder = (before, after)
    try:
        yield calls
    finally:
        aws.recorder = None
        aws.moto.seed(None)


def replay(aws: AwsServer, calls: list[Recorded]) -> None:
    """Raises ReplayError at the first call that fails."""
    try:
        for number, recorded in enumerate(calls):
            status, text = aws.replay(_environ(recorded), base64.b64decode(recorded["body"]), _seed(number))
            if status >= 300:
                raise ReplayError(f"call {number} of the recording failed with {status}: {text[:500]}")
    finally:
        aws.moto.seed(None)


def _seed(number: int) -> str:
    return f"source system, call {number}"


def _environ(recorded: Mapping[str, Any]) -> Environ:
    return {key: value for key, value in recorded.items() if key != "body"}


def save(path: Path, calls: list[Recorded]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps(calls, indent=1))
    new.replace(path)


def load(path: Path) -> list[Recorded] | None:
    try:
        calls: list[Recorded] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return calls
