# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The other side of the connection: would the PHP-FPM of the task accept 127.0.0.1, and who listens where? Read out of the images; nothing is changed."""

from __future__ import annotations

import dataclasses
import typing as t

from .._aws.clients import Clients
from .._aws.errors import ClientError, CutoverError
from .._aws.run import Progress
from .._nginx import php_fpm
from .._nginx.findings import Finding, finding
from .._oci import derive, layers, reference
from .._oci.registry import RegistryError
from .proposal import Proposal
from .repository import hub_name, registry_for

UNREADABLE = (RegistryError, layers.LayerError, reference.BadReferenceError, CutoverError, ClientError)


@dataclasses.dataclass(frozen=True)
class Peer:
    """A linked container as its image tells."""

    container: str
    findings: t.Sequence[Finding]
    exposed: t.Collection[int] = ()


def read(images: t.Iterable[t.Mapping[str, t.Any]], clients: Clients, progress: Progress) -> list[Peer]:
    """Every linked container. An image without pools has no finding; one that cannot be read is told, and stops nothing."""
    return [_read(wanted, clients, progress) for wanted in images]


def _read(wanted: t.Mapping[str, t.Any], clients: Clients, progress: Progress) -> Peer:
    progress(f"looking for pools of PHP-FPM in {wanted['image']}")
    container = str(wanted["container"])
    try:
        name = reference.parse(wanted["image"])
        source = derive.find(registry_for(name, clients), hub_name(name), name.version, [wanted.get("platform") or "linux/amd64"])
        files = derive.read_tree(source.images[0], php_fpm.is_pool, progress).regular_files()
    except derive.PlatformError:
        raise
    except UNREADABLE as error:
        return Peer(container, [finding("FPM-UNREAD", wanted["image"], message=str(error).rstrip("."))])
    environment = {str(name): str(value) for name, value in (wanted.get("environment") or {}).items()}
    return Peer(container, php_fpm.check(files, {**source.images[0].environment, **environment}), source.images[0].exposed)


def clashes(proposals: t.Iterable[Proposal], peers: t.Iterable[Peer]) -> list[tuple[str, Finding]]:
    """(container, finding) where Nginx listens on a port that a linked image exposes, or two such images expose the same. What passes tell isn't told twice."""
    exposed = {peer.container: peer.exposed for peer in peers}
    return [(str(each.wanted["container"]), found) for each in proposals for found in _clashes(each, exposed)]


def _clashes(proposal: Proposal, exposed: t.Mapping[str, t.Collection[int]]) -> t.Iterator[Finding]:
    own = str(proposal.wanted["container"])
    linked = dict.fromkeys(str(name) for name in (proposal.wanted.get("containers") or {}).values())
    users = {own: {port for part in proposal.parts for port in part.rewritten.listens}, **{name: exposed.get(name, ()) for name in linked if name != own}}
    told = {port for part in proposal.parts for port in part.rewritten.clashing}
    for port in sorted({port for ports in users.values() for port in ports} - told):
        names = [name for name, ports in users.items() if port in ports]
        if len(names) > 1:
            yield finding("NGX-EXPOSE-CLASH", str(proposal.wanted["source_image"]), names=" and ".join(names), port=port)
