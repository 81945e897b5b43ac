# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A small client of the OCI distribution API: manifests, blobs, mounts, uploads. Constant memory for blobs; every digest is verified."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import ssl
import time
import typing as t
import urllib.parse
from dataclasses import dataclass

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEX_TYPES = MANIFEST_TYPES[:2]
CHUNK = 1 << 20
ATTEMPTS = 5
RETRIED = frozenset([429, 500, 502, 503, 504])
ADVICE = {
    401: "the credentials were refused: may the caller use ecr:GetAuthorizationToken?",
    403: "access is denied: check the repository's policy and the caller's ecr: permissions",
    404: "it does not exist: check repository and tag",
    429: "the registry is limiting requests: try again later",
}


class RegistryError(Exception):
    """One line: what was asked, what was answered, what to do."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Manifest:
    """``body`` is kept as bytes: its digest is the image's name."""

    body: bytes
    media_type: str
    digest: str

    @property
    def content(self) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", json.loads(self.body))

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES


class Registry:
    """One registry. ``url`` is scheme://host[:port]; user and password as ``docker login`` takes them."""

    def __init__(self, url: str, user: str = "", password: str = "", sleep: t.Callable[[float], None] = time.sleep) -> None:
        self.url = url.rstrip("/")
        self._credentials = base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
        self._authorization = f"Basic {self._credentials}" if user else ""
        self._sleep = sleep

    def manifest(self, repository: str, version: str) -> Manifest:
        with self._request("GET", f"/v2/{repository}/manifests/{version}", {"Accept": ", ".join(MANIFEST_TYPES)}) as response:
            body = response.read()
        media_type = response.getheader("Content-Type", "").split(";")[0].strip()
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        if version.startswith("sha256:") and digest != version:
            raise RegistryError(f"{self.url}/{repository}@{version}: the manifest's digest is {digest}; it was refused")
        return Manifest(body, json.loads(body).get("mediaType", media_type), digest)

    def manifest_digest(self, repository: str, tag: str) -> str | None:
        """The digest behind a tag, None when there is no such tag (or repository)."""
        try:
            return self.manifest(repository, tag).digest
        except RegistryError as error:
            if error.status == 404:
                return None
            raise

    def put_manifest(self, repository: str, version: str, manifest: Manifest) -> None:
        path = f"/v2/{repository}/manifests/{version}"
        self._request("PUT", path, {"Content-Type": manifest.media_type}, manifest.body).close()

    def has_blob(self, repository: str, digest: str) -> bool:
        try:
            self._request("HEAD", f"/v2/{repository}/blobs/{digest}").close()
        except RegistryError as error:
            if error.status == 404:
                return False
            raise
        return True

    def open_blob(self, repository: str, digest: str) -> BlobReader:
        return BlobReader(self._request("GET", f"/v2/{repository}/blobs/{digest}"), digest)

    def blob(self, repository: str, digest: str) -> bytes:
        with self.open_blob(repository, digest) as reader:
            return reader.read()

    def mount(self, repository: str, digest: str, source: str) -> str:
        """Ask for a blob of another repository of this registry. '' when mounted, else the upload that was opened instead.

        Amazon ECR mounts only when the account setting BLOB_MOUNTING is ENABLED; refusing (202) is the normal case.
        """
        query = urllib.parse.urlencode({"mount": digest, "from": source})
        return self._open_upload(f"/v2/{repository}/blobs/uploads/?{query}")

    def upload(self, repository: str, digest: str, size: int, body: t.Callable[[], t.IO[bytes] | BlobReader], session: str = "") -> None:
        """Upload a blob from a stream that ``body`` opens (again, when a broken connection makes a second try necessary)."""
        for attempt in range(ATTEMPTS):
            location = session or self._open_upload(f"/v2/{repository}/blobs/uploads/")
            session = ""
            separator = "&" if "?" in location else "?"
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
            try:
                with body() as stream:
                    self._request("PUT", f"{location}{separator}digest={urllib.parse.quote(digest)}", headers, stream, attempts=1).close()
                return
            except RegistryError as error:
                if (error.status and error.status not in RETRIED) or attempt == ATTEMPTS - 1:
                    raise
                self._sleep(2**attempt)

    def _open_upload(self, path: str) -> str:
        with self._request("POST", path, {"Content-Length": "0"}) as response:
            response.read()
        return "" if response.status == 201 else urllib.parse.urljoin(self.url + "/", response.getheader("Location", ""))

    def _request(self, method: str, path: str, headers: t.Mapping[str, str] | None = None, body: t.Any = None, attempts: int = ATTEMPTS) -> _Response:
        """One request with retries. A stream cannot be sent twice, so callers who give one ask for a single attempt."""
        url = path if "://" in path else self.url + path
        for attempt in range(attempts):
            last = attempt == attempts - 1
            try:
                response = self._follow(method, url, dict(headers or {}), body)
            except (OSError, http.client.HTTPException) as error:
                if last:
                    raise RegistryError(f"{method} {_shown(url)}: {error or type(error).__name__}: is the registry up and reachable from here?") from error
                self._sleep(2**attempt)
                continue
            if response.status < 400:
                return response
            if response.status == 401 and self._log_in(response):
                response.close()
                response = self._follow(method, url, dict(headers or {}), body)
                if response.status < 400:
                    return response
            if response.status not in RETRIED or last:
                raise self._refused(method, url, response)
            self._sleep(float(response.getheader("Retry-After", "") or 2**attempt))
            response.close()
        raise AssertionError("unreachable")

    def _follow(self, method: str, url: str, headers: dict[str, str], body: t.Any) -> _Response:
        """Send; follow redirects to storage. Credentials go to the registry only: S3 refuses a request that carries two of them."""
        for _hop in range(5):
            own = urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(self.url).netloc
            extra = {"Authorization": self._authorization} if own and self._authorization else {}
            response = _send(method, url, {**headers, **extra, "User-Agent": "cutover.fargate"}, body)
            if response.status not in (301, 302, 303, 307, 308):
                return response
            url = urllib.parse.urljoin(url, response.getheader("Location", ""))
            response.close()
        raise RegistryError(f"{method} {_shown(url)}: too many redirects")

    def _log_in(self, response: _Response) -> bool:
        """Get a bearer token when the registry asks for one. https://distribution.github.io/distribution/spec/auth/token/"""
        challenge = response.getheader("WWW-Authenticate", "")
        if not challenge.lower().startswith("bearer "):
            return False
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = urllib.parse.urlencode({key: fields[key] for key in ("service", "scope") if key in fields})
        headers = {"Authorization": f"Basic {self._credentials}"} if self._credentials else {}
        with _send("GET", f"{fields['realm']}?{query}", headers, None) as answer:
            if answer.status != 200:
                return False
            token = json.loads(answer.read())
        self._authorization = f"Bearer {token.get('token') or token.get('access_token')}"
        return True

    def _refused(self, method: str, url: str, response: _Response) -> RegistryError:
        text = response.read(2000).decode("utf-8", "replace")
        response.close()
        try:
            said = "; ".join(f"{each.get('code')}: {each.get('message')}" for each in json.loads(text)["errors"])
        except (ValueError, KeyError, TypeError, AttributeError):
            said = text.strip()[:200]
        advice = ADVICE.get(response.status, "")
        return RegistryError(": ".join(part for part in (f"{method} {_shown(url)}", f"HTTP {response.status}", said, advice) if part), response.status)


class BlobReader:
    """A stream that checks its digest at the end."""

    def __init__(self, response: _Response, digest: str) -> None:
        self._response = response
        self._digest = digest
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        # http.client of some Python 3.11 reads a negative size until the connection ends, which a kept-alive one does not.
        data = self._response.read(None if size < 0 else size)
        self._hash.update(data)
        if (size < 0 or not data) and size != 0:
            self._check()
        return data

    def _check(self) -> None:
        found = "sha256:" + self._hash.hexdigest()
        if found != self._digest:
            raise RegistryError(f"blob {self._digest}: the bytes that came have the digest {found}; they were refused")

    def __enter__(self) -> BlobReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()


class _Response:
    """An answer and the connection it came on: closing one closes both."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self.status = response.status
        self.read = response.read

    def getheader(self, name: str, default: str = "") -> str:
        return self._response.getheader(name) or default

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> _Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _send(method: str, url: str, headers: t.Mapping[str, str], body: t.Any) -> _Response:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(parts.netloc, timeout=60, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.blocksize = CHUNK
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body=body, headers=dict(headers))
        return _Response(connection, connection.getresponse())
    except BaseException:
        connection.close()
        raise


def _shown(url: str) -> str:
    """A URL without its query: upload and storage URLs carry signatures."""
    return url.split("?", 1)[0]
