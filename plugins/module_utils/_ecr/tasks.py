# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""All images of the tasks, by their configurations alone: do they run on the platform, as whom, and on which ports do they listen? No layer is read."""

from __future__ import annotations

import typing as t

from .._aws.clients import Clients
from .._aws.errors import BotoCoreError
from .._aws.run import Progress
from .._nginx.findings import Finding, finding
from .._oci import derive, reference
from .._oci.registry import Registry, RegistryError
from .pools import UNREADABLE
from .repository import registry_for

Told = t.Tuple[str, Finding]
"""Container and finding."""
Json = t.Mapping[str, t.Any]
ROOT = ("", "0", "root")


def look(tasks: t.Iterable[Json], clients: Clients, progress: Progress) -> list[Told]:
    """An image for another platform is an error: its task would never start. One that cannot be read is told, and stops nothing."""
    configurations = Configurations(clients, progress)
    return list(dict.fromkeys(told for task in tasks for told in _of_task(task, configurations)))


class Configurations:
    """Each image is read once; a registry that cannot be reached is not tried again."""

    def __init__(self, clients: Clients, progress: Progress) -> None:
        self._clients = clients
        self._progress = progress
        self._registries: dict[str, Registry] = {}
        self._down: dict[str, Exception] = {}
        self._read: dict[tuple[str, str], derive.Image | Exception] = {}

    def of(self, image: str, platform: str) -> derive.Image | Exception:
        if (image, platform) not in self._read:
            self._read[image, platform] = self._ask(image, platform)
        return self._read[image, platform]

    def _ask(self, image: str, platform: str) -> derive.Image | Exception:
        self._progress(f"looking at the platform of {image}")
        try:
            name = reference.parse(image)
            if name.host in self._down:
                return self._down[name.host]
            registry = self._registries.get(name.host) or registry_for(name, self._clients)
            self._registries[name.host] = registry
            return derive.find(registry, name.repository, name.version, [platform]).images[0]
        except derive.PlatformError:
            raise
        except (*UNREADABLE, BotoCoreError) as error:
            if isinstance(error, BotoCoreError) or (isinstance(error, RegistryError) and error.broken):
                self._down[name.host] = error
            return error


def _of_task(task: Json, configurations: Configurations) -> t.Iterator[Told]:
    images: dict[str, derive.Image] = {}
    for item in task["containers"]:
        image = configurations.of(item["image"], task["platform"]) if item.get("image") else None
        if isinstance(image, derive.Image):
            images[item["name"]] = image
            yield from _low_ports(item, image)
        elif image:
            yield item["name"], finding("IMG-UNREAD", item["image"], message=str(image).rstrip("."))
    yield from _clashes(task["containers"], images)


def _low_ports(item: Json, image: derive.Image) -> t.Iterator[Told]:
    """The USER of the image, where the definition names none."""
    user = image.user.partition(":")[0]
    if user not in ROOT and item.get("low_ports"):
        yield item["name"], finding("IMG-LOW-PORT", item["image"], user=user, ports=", ".join(map(str, item["low_ports"])))


def _clashes(containers: t.Sequence[Json], images: t.Mapping[str, derive.Image]) -> t.Iterator[Told]:
    """A port by EXPOSE that another container uses by its mapping or EXPOSE. Nginx and those that it is linked with are told by ``pools.clashes``."""
    exposed = {item["name"]: images[item["name"]].exposed for item in containers if item.get("exposes") and item["name"] in images}
    used = {item["name"]: exposed.get(item["name"]) or set(item.get("ports") or []) for item in containers}
    linked = {item["name"] for item in containers if item.get("linked")}
    for port in sorted({port for ports in exposed.values() for port in ports}):
        names = [name for name, ports in used.items() if port in ports]
        if len(names) > 1 and set(names) - linked:
            first = next(item for item in containers if port in exposed.get(item["name"], ()))
            yield first["name"], finding("NGX-EXPOSE-CLASH", first["image"], names=" and ".join(names), port=port)
