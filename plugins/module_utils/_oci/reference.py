# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Image references: ``host/repository:tag`` or ``host/repository@sha256:...``."""

from __future__ import annotations

import re
from dataclasses import dataclass

ECR = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)")


# https://github.com/distribution/reference/blob/main/reference.go
HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-f:]+\](?::\d+)?")
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?")


HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


class BadReferenceError(ValueError):
    """Not an image name."""


@dataclass(frozen=True)
class Reference:
    """``host`` is '' for Docker Hub's short names. Exactly one of ``tag`` and ``digest`` says which image is meant; the digest wins."""

    host: str
    repository: str
    tag: str
    digest: str = ""

    @property
    def version(self) -> str:
        return self.digest or self.tag

    @property
    def url(self) -> str:
        """Plain HTTP for this machine's own registries only, as Docker has it."""
        return f"{'http' if LOOPBACK.fullmatch(self.host) else 'https'}://{self.host or 'registry-1.docker.io'}"

    @property
    def ecr_account(self) -> str | None:
        match = ECR.fullmatch(self.host)
        return match["account"] if match else None

    @property
    def ecr_region(self) -> str | None:
        match = ECR.fullmatch(self.host)
        return match["region"] if match else None


def parse(image: str) -> Reference:
    """Read an image name as Docker does: the part before the first slash is a host when it holds a dot or a colon, or is localhost."""
    rest, _, digest = image.partition("@")
    head, slash, tail = rest.partition("/")
    host = head if slash and ("." in head or ":" in head or head == "localhost") else ""
    path = tail if host else rest
    repository, colon, tag = path.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = path, ""
    found = Reference("" if host in HUB else host, repository, tag or ("" if digest else "latest"), digest)
    parts = ((found.host, HOST), (found.repository, REPOSITORY), (found.tag, TAG), (found.digest, DIGEST))
    if not repository or path.endswith(":") or any(part and not rule.fullmatch(part) for part, rule in parts):
        raise BadReferenceError(f"{image!r} is not an image name; it should read host/repository:tag or host/repository@sha256:<64 hexadecimal digits>")
    return found
