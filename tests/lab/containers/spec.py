"""What a container is started with and what is known of it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Publish:
    """A port mapping of bridge mode. Host port 0 is chosen by the engine (ECS's dynamic ports, 32768 and up)."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: str = "tcp"


@dataclass(frozen=True)
class Mount:
    """``source`` is a path of the machine, or the name of a volume of the engine, which is made when it is first used."""

    source: Path | str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """``image`` may be an ECR URI; the engine maps the host to the lab's registry. None means: as in the image.

    ``cpu_units`` are shares (1024 = one vCPU's worth when contended), ``cpu_limit`` is a hard limit in vCPUs. ``memory_mib`` is the hard limit.
    """

    name: str
    image: str
    command: Sequence[str] | None = None
    entry_point: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_mib: int | None = None
    memory_reservation_mib: int | None = None
    cpu_units: int | None = None
    cpu_limit: float | None = None
    hosts: Mapping[str, str] = field(default_factory=dict)
    publish: Sequence[Publish] = ()
    log_path: Path | None = None
    stop_signal: str | None = None
    stop_timeout: float = 30
    user: str | None = None
    working_directory: str | None = None
    hostname: str | None = None
    mounts: Sequence[Mount] = ()
    volumes_from: Sequence[str] = ()
    tmpfs: Sequence[str] = ()
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    read_only_root: bool = False
    init: bool = False
    privileged: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ContainerState:
    """``exit_code`` is None while it runs. ``ports`` are the published ports with the host port chosen. Times are Unix times, None when not there yet."""

    id: str
    name: str
    running: bool
    paused: bool
    exit_code: int | None
    oom_killed: bool
    address: str | None
    started_at: float | None
    finished_at: float | None
    image_digest: str | None
    ports: tuple[Publish, ...] = ()
