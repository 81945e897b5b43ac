# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The other side of the connection: would the PHP-FPM of the task accept 127.0.0.1? Its pools are read out of its image; nothing is changed."""

from __future__ import annotations

import typing as t

from .._aws.clients import Clients
from .._aws.errors import ClientError, CutoverError
from .._aws.run import Progress
from .._nginx import php_fpm
from .._nginx.findings import Finding, finding
from .._oci import derive, layers, reference
from .._oci.registry import RegistryError
from .repository import hub_name, registry_for

UNREADABLE = (RegistryError, layers.LayerError, reference.BadReferenceError, CutoverError, ClientError)


def check(images: t.Iterable[t.Mapping[str, t.Any]], clients: Clients, progress: Progress) -> list[tuple[str, Finding]]:
    """(container, finding) for every linked container. An image without pools has none; one that cannot be read is told, and stops nothing."""
    return [(str(wanted["container"]), each) for wanted in images for each in _check(wanted, clients, progress)]


def _check(wanted: t.Mapping[str, t.Any], clients: Clients, progress: Progress) -> list[Finding]:
    progress(f"looking for pools of PHP-FPM in {wanted['image']}")
    try:
        name = reference.parse(wanted["image"])
        source = derive.find(registry_for(name, clients), hub_name(name), name.version, [wanted.get("platform") or "linux/amd64"])
        files = derive.read_tree(source.images[0], php_fpm.is_pool, progress).regular_files()
    except UNREADABLE as error:
        return [finding("FPM-UNREAD", wanted["image"], message=str(error).rstrip("."))]
    environment = {str(name): str(value) for name, value in (wanted.get("environment") or {}).items()}
    return php_fpm.check(files, {**source.images[0].environment, **environment})
