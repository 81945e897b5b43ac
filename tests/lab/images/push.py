"""Pushes images to a registry over the distribution API (https://github.com/opencontainers/distribution-spec)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import requests

from lab.images import oci


class RegistryClient:
    """One registry without authentication on plain HTTP."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}/v2"
        self._session = requests.Session()

    def __enter__(self) -> RegistryClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._session.close()

    def push(self, repository: str, tag: str, config: oci.Document, layers: Sequence[oci.Layer]) -> oci.Blob:
        """Upload what the registry lacks, the manifest last; gives the manifest's descriptor."""
        for layer in layers:
            self._put_blob(repository, layer.blob, layer.path)
        self._put_blob(repository, config.blob, config.content)
        manifest = oci.manifest(config, layers)
        url = f"{self._url}/{repository}/manifests/{tag}"
        self._session.put(url, data=manifest.content, headers={"Content-Type": manifest.blob.media_type}).raise_for_status()
        return manifest.blob

    def _put_blob(self, repository: str, blob: oci.Blob, content: bytes | Path) -> None:
        if self._session.head(f"{self._url}/{repository}/blobs/{blob.digest}").ok:
            return
        started = self._session.post(f"{self._url}/{repository}/blobs/uploads/")
        started.raise_for_status()
        self._upload(started.headers["Location"], blob, content)

    def _upload(self, location: str, blob: oci.Blob, content: bytes | Path) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        if isinstance(content, Path):
            with content.open("rb") as file:
                answer = self._session.put(location, params={"digest": blob.digest}, data=file, headers=headers)
        else:
            answer = self._session.put(location, params={"digest": blob.digest}, data=content, headers=headers)
        answer.raise_for_status()
