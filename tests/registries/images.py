"""Images of a few files, pushed in plain requests that share no code with the collection."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from .server import PASSWORD, USER

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
MANIFESTS = {"oci": f"{OCI}.manifest.v1+json", "docker": f"{DOCKER}.distribution.manifest.v2+json"}
INDEXES = {"oci": f"{OCI}.index.v1+json", "docker": f"{DOCKER}.distribution.manifest.list.v2+json"}
CONFIGS = {"oci": f"{OCI}.config.v1+json", "docker": f"{DOCKER}.container.image.v1+json"}
LAYERS = {
    "oci": {"gzip": f"{OCI}.layer.v1.tar+gzip", "zstd": f"{OCI}.layer.v1.tar+zstd", "plain": f"{OCI}.layer.v1.tar"},
    "docker": {"gzip": f"{DOCKER}.image.rootfs.diff.tar.gzip"},
}
Json = dict[str, Any]


def estargz(data: bytes) -> bytes:
    """Many gzip members, the last an empty one whose extra field says where the table of contents is. https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md"""
    members = [gzip.compress(data[start : start + 512], mtime=0) for start in range(0, len(data), 512)]
    extra = b"SG" + (22).to_bytes(2, "little") + b"%016xSTARGZ" % sum(map(len, members))
    footer = b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff" + len(extra).to_bytes(2, "little") + extra + b"\x01\x00\x00\xff\xff" + bytes(8)
    return b"".join([*members, footer])


def zstd_chunked(data: bytes) -> bytes:
    """Many frames, and a skippable one with the table of contents at the end. https://github.com/containers/storage/blob/main/docs/containers-storage-zstd-chunked.md"""
    frames = [zstandard.compress(data[start : start + 512]) for start in range(0, len(data), 512)]
    contents = b"the table of contents"
    return b"".join([*frames, (0x184D2A50).to_bytes(4, "little") + len(contents).to_bytes(4, "little") + contents])


PACK = {"gzip": lambda data: gzip.compress(data, mtime=0), "zstd": zstandard.compress, "plain": bytes, "estargz": estargz, "zstd:chunked": zstd_chunked}


@dataclass(frozen=True)
class Pushed:
    """A manifest as it was stored."""

    digest: str
    size: int
    content: Json
    media_type: str


def tar(files: dict[str, bytes]) -> bytes:
    """A name that ends with @ is a symbolic link to what its content says."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as out:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.gid, info.mtime = len(data), 0o640, 33, 44, 1_000_000_000
            if name.endswith("@"):
                info.name, info.type, info.linkname, info.size = name[:-1], tarfile.SYMTYPE, data.decode(), 0
            out.addfile(info, io.BytesIO(data))
    return raw.getvalue()


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Pusher:
    """Pushes into one repository. ``kind`` is oci or docker, ``packing`` one of PACK."""

    def __init__(self, url: str, repository: str, kind: str = "oci", packing: str = "gzip") -> None:
        self.url, self.repository, self.kind, self.packing = url, repository, kind, packing

    def image(
        self,
        tag: str,
        *layers: dict[str, bytes],
        architecture: str = "amd64",
        extra: tuple[Path, str] | None = None,
        environment: dict[str, str] | None = None,
        exposed: tuple[str, ...] = (),
        user: str = "",
    ) -> Pushed:
        """An image of some layers, the oldest first. ``extra`` is the file of a plain layer and its digest, put below them."""
        descriptors: list[Json] = []
        diff_ids: list[str] = []
        if extra:
            path, digest = extra
            self._blob(digest, path)
            descriptors.append({"mediaType": LAYERS["oci"]["plain"], "digest": digest, "size": path.stat().st_size})
            diff_ids.append(digest)
        media_type = LAYERS[self.kind][{"estargz": "gzip", "zstd:chunked": "zstd"}.get(self.packing, self.packing)]
        for files in layers:
            raw = tar(files)
            descriptors.append(self.blob(media_type, PACK[self.packing](raw)))
            diff_ids.append(digest_of(raw))
        process: Json = {"Cmd": ["/bin/true"], **({"Env": [f"{name}={value}" for name, value in environment.items()]} if environment else {})}
        if exposed:
            process["ExposedPorts"] = {port: {} for port in exposed}
        if user:
            process["User"] = user
        config = {"architecture": architecture, "os": "linux", "config": process, "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        described = self.blob(CONFIGS[self.kind], json.dumps(config).encode())
        return self.manifest(tag, MANIFESTS[self.kind], {"config": described, "layers": descriptors})

    def index(self, tag: str, images: dict[str, Pushed], by_annotation: bool = False) -> Pushed:
        """An index over images by os/architecture, each with an attestation as BuildKit writes it.

        ``by_annotation``: the attestations come first and say the platform of their image, so that only the annotation tells them from it.
        """
        entries: list[Json] = []
        attestations: list[Json] = []
        for platform, image in images.items():
            os, architecture = platform.split("/")
            entries.append({"mediaType": image.media_type, "digest": image.digest, "size": image.size, "platform": {"os": os, "architecture": architecture}})
        for entry, image in zip(entries, images.values(), strict=True):
            statement = self.image("attestation", {"statement": image.digest.encode()})
            notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.digest}
            unknown = {"os": "unknown", "architecture": "unknown"}
            described = {"mediaType": statement.media_type, "digest": statement.digest, "size": statement.size, "annotations": notes}
            attestations.append({**described, "platform": entry["platform"] if by_annotation else unknown})
        return self.manifest(tag, INDEXES[self.kind], {"manifests": [*attestations, *entries] if by_annotation else [*entries, *attestations]})

    def blob(self, media_type: str, data: bytes) -> Json:
        digest = digest_of(data)
        self._blob(digest, data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def manifest(self, tag: str, media_type: str, content: Json) -> Pushed:
        content = {"schemaVersion": 2, "mediaType": media_type, **content}
        body = json.dumps(content).encode()
        call("PUT", f"{self.url}/v2/{self.repository}/manifests/{tag}", body, {"Content-Type": media_type})
        return Pushed(digest_of(body), len(body), content, media_type)

    def _blob(self, digest: str, data: bytes | Path) -> None:
        location = call("POST", f"{self.url}/v2/{self.repository}/blobs/uploads/", b"")[1]["Location"]
        headers = {"Content-Type": "application/octet-stream"}
        if isinstance(data, Path):
            size = str(data.stat().st_size)
            with data.open("rb") as file:
                call("PUT", f"{location}&digest={urllib.parse.quote(digest)}", iter(lambda: file.read(1 << 20), b""), {**headers, "Content-Length": size})
        else:
            call("PUT", f"{location}&digest={urllib.parse.quote(digest)}", data, headers)


def read_manifest(url: str, repository: str, version: str) -> Pushed:
    accepted = ", ".join([*MANIFESTS.values(), *INDEXES.values()])
    body, headers = call("GET", f"{url}/v2/{repository}/manifests/{version}", None, {"Accept": accepted})
    return Pushed(digest_of(body), len(body), json.loads(body), str(headers["Content-Type"]))


def call(method: str, url: str, body: Any, headers: dict[str, str] | None = None) -> tuple[bytes, Any]:
    """One request; with the test's user, whom a registry without users ignores."""
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(url, body, {"Authorization": f"Basic {login}", **(headers or {})}, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as answer:
        return answer.read(), answer.headers
