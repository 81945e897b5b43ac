# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A small client of the OCI distribution API: manifests, blobs, mounts, uploads. Constant memory for blobs; every digest is verified."""

from __future__ import annotations

import hashlib
import json
import time
import typing as t
import urllib.parse
from dataclasses import dataclass

from .blob import BlobReader
from .transport import ATTEMPTS, RETRIED, RegistryError, Response, Transport

__all__ = ["BlobReader", "Manifest", "Registry", "RegistryError"]

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEX_TYPES = MANIFEST_TYPES[:2]
# Answers to the end of an upload after which a new one may succeed: the token has expired; the registry has forgotten the upload.
UPLOAD_AGAIN = RETRIED | {401, 404, 416}


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
        self._http = Transport(url, user, password, sleep)
        self.url = self._http.url

    def manifest(self, repository: str, version: str) -> Manifest:
        path = f"/v2/{repository}/manifests/{version}"
        with self._http.request("GET", path, {"Accept": ", ".join(MANIFEST_TYPES)}) as response:
            body = response.read()
        media_type = response.getheader("Content-Type").split(";")[0].strip()
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        promised = version if version.startswith("sha256:") else response.getheader("Docker-Content-Digest")
        if promised.startswith("sha256:") and digest != promised:
            raise RegistryError(f"{self.url}/{repository}:{version}: the manifest should have the digest {promised}, it has {digest}; it was refused")
        try:
            content = json.loads(body)
            return Manifest(body, content.get("mediaType") or media_type, digest)
        except (ValueError, AttributeError):
            raise RegistryError(f"{self.url}{path}: the answer is not a manifest: is there a registry at this address?") from None

    def find_manifest(self, repository: str, tag: str) -> Manifest | None:
        """What is behind a tag, None when there is no such tag (or repository)."""
        try:
            return self.manifest(repository, tag)
        except RegistryError as error:
            if error.status == 404:
                return None
            raise

    def put_manifest(self, repository: str, version: str, manifest: Manifest) -> None:
        path = f"/v2/{repository}/manifests/{version}"
        self._http.request("PUT", path, {"Content-Type": manifest.media_type}, manifest.body).close()

    def has_blob(self, repository: str, digest: str) -> bool:
        try:
            self._http.request("HEAD", f"/v2/{repository}/blobs/{digest}").close()
        except RegistryError as error:
            if error.status == 404:
                return False
            raise
        return True

    def open_blob(self, repository: str, digest: str, meter: t.Callable[[int], None] | None = None) -> BlobReader:
        def fetch(offset: int) -> Response:
            return self._http.request("GET", f"/v2/{repository}/blobs/{digest}", {"Range": f"bytes={offset}-"} if offset else {})

        return BlobReader(fetch, digest, self._http.sleep, meter)

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
        """Upload a blob in one request from a stream that ``body`` opens, again from its start when the connection breaks.

        An upload is repeated and not resumed: Amazon ECR drops the bytes of every chunk after the first
        (https://github.com/aws/containers-roadmap/issues/2831), and the distribution registry refuses a session that was cut within a chunk.
        """
        for attempt in range(ATTEMPTS):
            location = session or self._open_upload(f"/v2/{repository}/blobs/uploads/")
            session = ""
            separator = "&" if "?" in location else "?"
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
            try:
                with body() as stream:
                    self._http.request("PUT", f"{location}{separator}digest={urllib.parse.quote(digest)}", headers, stream).close()
                return
            except RegistryError as error:
                if not (error.broken or error.status in UPLOAD_AGAIN) or attempt == ATTEMPTS - 1:
                    raise
            self._http.sleep(2.0**attempt)
            if self.has_blob(repository, digest):  # only the answer was lost
                return

    def _open_upload(self, path: str) -> str:
        with self._http.request("POST", path, {"Content-Length": "0"}) as response:
            response.read()
        return "" if response.status == 201 else urllib.parse.urljoin(self.url + "/", response.getheader("Location"))
