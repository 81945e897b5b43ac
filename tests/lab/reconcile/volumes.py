"""The volumes of one task: what its containers share, made real by directories of the lab and volumes of the engine.

=========================  ======================================================================================
in the task definition     here
=========================  ======================================================================================
``host: {}`` on Fargate    an empty directory of root's; the image's files come in where the image declares VOLUME
``host: {}`` on EC2        a volume of the engine, filled from the image as Docker fills it
``configuredAtLaunch``     an empty directory of root's (EBS)
``host.sourcePath``        a directory of the instance, which outlives the task
Docker volume              a volume of the engine: of the task, or of the instance where its scope is shared
EFS and the like           nothing: the lab has no file systems of the network
=========================  ======================================================================================
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.containers.engine import Engine, EngineError, Mount
from lab.reconcile.definition import Container
from lab.reconcile.world import log
from lab.settings import Settings

Volume = Mapping[str, Any]  # one of volumes, AWS's keys

TIME = ("/etc/localtime", "/usr/share/zoneinfo", "/etc/timezone")
"""Files of a real instance, which the lab's don't have: containers keep their image's, and both say UTC."""


class Volumes:
    """Made before the containers start, removed when they are gone."""

    def __init__(self, settings: Settings, engine: Engine, task_id: str, host: str, volumes: Sequence[Volume] = ()) -> None:
        self._engine = engine
        self._short = task_id[:12]
        self._folder = settings.state_dir / "volumes" / task_id
        self._host = settings.state_dir / "instances" / host if host else None
        self._volumes = {str(volume["name"]): volume for volume in volumes}
        self._own: set[str] = set()

    def mounts(self, container: Container, declared: Iterable[str] = ()) -> tuple[Mount, ...]:
        """The container's mount points; ``declared`` are the paths that its image declares as VOLUME."""
        paths = set(declared)
        found = [(item, self._source(self._volumes[item["sourceVolume"]], item["containerPath"] in paths)) for item in container.get("mountPoints") or []]
        return tuple(Mount(source, item["containerPath"], bool(item.get("readOnly"))) for item, source in found if source is not None)

    def _source(self, volume: Volume, declared: bool) -> Path | str | None:
        name = str(volume["name"])
        own = f"{self._short}-{name}"
        source = (volume.get("host") or {}).get("sourcePath")
        if source and self._host:
            return None if source.startswith(TIME) else _made(self._host / source.strip("/"))
        if volume.get("configuredAtLaunch"):
            return _made(self._folder / name)
        if volume.get("dockerVolumeConfiguration"):
            return self._engine_volume(name if volume["dockerVolumeConfiguration"].get("scope") == "shared" else own)
        if any(key.endswith("Configuration") for key in volume):
            return None
        if self._host or own in self._own or (declared and not (self._folder / name).exists()):
            return self._engine_volume(own)
        return _made(self._folder / name)

    def _engine_volume(self, name: str) -> str:
        if name.startswith(f"{self._short}-"):
            self._own.add(name)
        return name

    def remove(self) -> None:
        """What ends with the task. Its containers are gone."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in sorted(self._own):
            try:
                self._engine.remove_volume(name)
            except EngineError as error:
                log.warning("volume %s was not removed: %s", name, error)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
