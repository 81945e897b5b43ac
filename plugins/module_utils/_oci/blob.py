# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reading blobs: a stream that goes on where a broken connection left off, and whose digest is verified at the end."""

from __future__ import annotations

import hashlib
import http.client
import time
import typing as t

from .transport import ATTEMPTS, CHUNK, UNREACHABLE, RegistryError, Response


class Meter:
    """Tells how far a long transfer is, every few seconds."""

    def __init__(self, what: str, size: int, progress: t.Callable[[str], None], clock: t.Callable[[], float] = time.monotonic) -> None:
        self._what, self._size, self._progress, self._clock = what, size, progress, clock
        self._next = clock() + 5

    def __call__(self, done: int) -> None:
        if self._clock() >= self._next:
            self._next = self._clock() + 5
            self._progress(f"{self._what}: {done >> 20} of {self._size >> 20} MiB")


class BlobReader:
    """``fetch(offset)`` opens the blob from a byte on (an answer of 200 begins at its first)."""

    def __init__(self, fetch: t.Callable[[int], Response], digest: str, sleep: t.Callable[[float], None], meter: t.Callable[[int], None] | None = None) -> None:
        self._fetch = fetch
        self._digest = digest
        self._sleep = sleep
        self._meter = meter
        self._hash = hashlib.sha256()
        self._offset = 0
        self._response = fetch(0)
        self._length = self._response.length

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        if size == 0:
            return b""
        data = self._read(size)
        self._hash.update(data)
        self._offset += len(data)
        if not data:
            self._check()
        elif self._meter:
            self._meter(self._offset)
        return data

    def _read(self, size: int) -> bytes:
        for attempt in range(ATTEMPTS):
            try:
                data = self._response.read(size)
                if data or self._length is None or self._offset >= self._length:
                    return data
                problem = "the connection ended"
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
            self._response.close()
            self._sleep(2.0**attempt)
            self._resume()
        done = f"{self._offset} of {self._length} bytes"
        raise RegistryError(f"blob {self._digest}: after {done} {problem}, also after {ATTEMPTS} tries: {UNREACHABLE}", broken=True)

    def _resume(self) -> None:
        self._response = self._fetch(self._offset)
        skip = 0 if self._response.status == 206 else self._offset
        try:
            while skip and (data := self._response.read(min(skip, CHUNK))):
                skip -= len(data)
        except (OSError, http.client.HTTPException):
            self._response.close()  # the read that follows fails on it, which counts as one more try

    def _check(self) -> None:
        found = "sha256:" + self._hash.hexdigest()
        if found != self._digest:
            advice = "push the image again from where it was built"
            raise RegistryError(f"blob {self._digest}: the bytes that came have the digest {found}; they were refused: {advice}")

    def __enter__(self) -> BlobReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()
