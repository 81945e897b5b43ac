"""Container engines: podman with a private store. One for Fargate (and the data stores), one for each EC2 instance."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from lab.containers.spec import ContainerSpec, ContainerState, Mount, Publish
from lab.network.namespace import Namespace
from lab.settings import Settings

__all__ = ["ContainerSpec", "ContainerState", "Engine", "EngineError", "Mount", "PullError", "Publish", "reap_orphans", "remove_all"]


class EngineError(RuntimeError):
    """podman's own words about what it could not do (container not created, not started, unknown)."""


class PullError(EngineError):
    """The image could not be pulled; the text is the registry's (ECS: CannotPullContainerError)."""


class Engine:
    """``Engine(settings, store, namespace, mode)``.

    mode "namespace": containers join a network interface's namespace (awsvpc); ``namespace`` is the default, ``run(spec, namespace)`` overrides it.
    mode "bridge": the engine lives in the instance's namespace with a bridge and port mappings of its own.
    Image layers are shared by all engines of the lab; a pull always asks the registry.
    """

    def __init__(self, settings: Settings, store: str, namespace: Namespace | None = None, mode: str = "namespace") -> None:
        raise NotImplementedError

    def pull(self, image: str) -> str:
        """Fetch the image from the registry, as ECS does before each start; returns its manifest digest. Raises PullError."""
        raise NotImplementedError

    def run(self, spec: ContainerSpec, namespace: Namespace | None = None) -> str:
        """Start a container of a pulled image; returns its id. Raises EngineError when it cannot be created or started."""
        raise NotImplementedError

    def alive(self, container: str) -> bool:
        """Whether its first process runs; cheap (reads /proc), made for polling."""
        raise NotImplementedError

    def inspect(self, container: str) -> ContainerState:
        """Raises EngineError when there is no such container."""
        raise NotImplementedError

    def states(self) -> dict[str, ContainerState]:
        """Every container of this engine by id, in one podman call."""
        raise NotImplementedError

    def stop(self, container: str, timeout: float) -> ContainerState:
        """The image's stop signal, then SIGKILL after ``timeout`` seconds; waits and returns the final state."""
        raise NotImplementedError

    def kill(self, container: str, signal: str = "KILL") -> None:
        raise NotImplementedError

    def pause(self, container: str) -> None:
        raise NotImplementedError

    def unpause(self, container: str) -> None:
        raise NotImplementedError

    def remove(self, container: str) -> None:
        """Remove the container, running or not; nothing happens when it is gone already."""
        raise NotImplementedError

    def exec(self, container: str, argv: Sequence[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command inside; the result has returncode, stdout, stderr."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Remove all containers and the store."""
        raise NotImplementedError


def reap_orphans() -> None:
    """Reap conmon and its clean-up processes when this process is their subreaper; leaves other children alone."""
    raise NotImplementedError


def remove_all(settings: Settings) -> None:
    """Clean up after a killed lab of this name: containers, processes, mounts, cgroups and stores below its state directory."""
    raise NotImplementedError
