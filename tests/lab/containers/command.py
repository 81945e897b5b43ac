"""podman's command lines and output, as pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.containers.spec import ContainerSpec, ContainerState, Publish

ECR_HOST = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")

ULIMITS = {"nofile": (20000, 20000), "nproc": (20000, 20000)}
"""The engine's own defaults exceed the hard limits of a root without CAP_SYS_RESOURCE."""

CONTAINERS_CONF = """\
[containers]
default_ulimits = [{ulimits}]
# Names of the machine the lab runs on do not belong into a container.
base_hosts_file = "none"
host_containers_internal_ip = "none"
dns_servers = ["{resolver}"]
log_driver = "k8s-file"

[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
# The default, shared memory, is one table for all engines of a machine: a new engine would free the locks of the others.
lock_type = "file"

[network]
network_backend = "netavark"
"""


def local_image(image: str, registry: str) -> str:
    """An ECR URI names a repository of the lab's registry; anything else is left alone."""
    return ECR_HOST.sub(f"{registry}/", image)


def run_arguments(spec: ContainerSpec, image: str, network: str, cgroup_parent: str, pid_file: Path) -> list[str]:
    """``podman run`` for a specification. Entry point and command follow ECS: an entry point without a command drops the image's command."""
    options = [*_options(spec, network, cgroup_parent, pid_file)]
    entry = list(spec.entry_point or ())
    if entry:
        options.append("--entrypoint=" + json.dumps(entry))
    return ["run", "--detach", *options, image, *(spec.command or ())]


def _options(spec: ContainerSpec, network: str, cgroup_parent: str, pid_file: Path) -> Iterator[str]:
    yield from ("--pull=never", f"--name={spec.name}", f"--network={network}", f"--cgroup-parent={cgroup_parent}", f"--pidfile={pid_file}")
    yield f"--stop-timeout={max(0, round(spec.stop_timeout))}"
    if spec.log_path:
        yield from ("--log-driver=k8s-file", f"--log-opt=path={spec.log_path}")
    yield from (f"--env={name}={value}" for name, value in spec.environment.items())
    yield from (f"--label={name}={value}" for name, value in spec.labels.items())
    yield from (f"--add-host={name}:{address}" for name, address in spec.hosts.items())
    yield from (f"--publish={port.host_ip}:{port.host_port or ''}:{port.container_port}/{port.protocol}" for port in spec.publish)
    yield from _limits(spec)
    yield from _file_system(spec)
    yield from _process(spec)


def _limits(spec: ContainerSpec) -> Iterator[str]:
    if spec.memory_mib:
        # Without swap: ECS's limit is on memory, and the lab's machine may have swap.
        yield from (f"--memory={spec.memory_mib}m", f"--memory-swap={spec.memory_mib}m")
    if spec.memory_reservation_mib:
        yield f"--memory-reservation={spec.memory_reservation_mib}m"
    if spec.cpu_units:
        yield f"--cpu-shares={max(2, spec.cpu_units)}"
    if spec.cpu_limit:
        yield f"--cpus={spec.cpu_limit:g}"
    if spec.ulimits:  # podman forgets the defaults of its configuration when one is given
        yield from (f"--ulimit={name}={soft}:{hard}" for name, (soft, hard) in {**ULIMITS, **spec.ulimits}.items())


def _file_system(spec: ContainerSpec) -> Iterator[str]:
    yield from (f"--volume={mount.source}:{mount.target}:{'ro' if mount.read_only else 'rw'}" for mount in spec.mounts)
    yield from (f"--volumes-from={container}" for container in spec.volumes_from)
    yield from (f"--tmpfs={path}" for path in spec.tmpfs)
    if spec.read_only_root:
        yield from ("--read-only", "--read-only-tmpfs=false")


def _process(spec: ContainerSpec) -> Iterator[str]:
    for option, value in (("user", spec.user), ("workdir", spec.working_directory), ("hostname", spec.hostname), ("stop-signal", spec.stop_signal)):
        if value:
            yield f"--{option}={value}"
    if spec.init:
        yield "--init"
    if spec.privileged:
        yield "--privileged"


def parse_state(found: Mapping[str, Any], oom_killed: bool) -> ContainerState:
    """A container's state from ``podman inspect``. ``oom_killed`` is the kernel's word, because podman's own stays false under cgroups v1."""
    state = found["State"]
    running = state["Status"] in ("running", "paused", "stopping")
    settings = found.get("NetworkSettings") or {}
    return ContainerState(
        id=found["Id"],
        name=found["Name"],
        running=running,
        paused=state["Status"] == "paused",
        exit_code=None if running or state["Status"] in ("created", "initialized") else int(state["ExitCode"]),
        oom_killed=not running and (oom_killed or bool(state.get("OOMKilled"))),
        address=settings.get("IPAddress") or None,
        started_at=_unix(state.get("StartedAt")),
        finished_at=_unix(state.get("FinishedAt")),
        image_digest=found.get("ImageDigest") or None,
        ports=tuple(_ports(settings.get("Ports") or {})),
    )


def _ports(ports: Mapping[str, Any]) -> Iterator[Publish]:
    for inside, bindings in ports.items():
        number, _, protocol = inside.partition("/")
        for binding in bindings or ():
            yield Publish(binding["HostIp"], int(binding["HostPort"]), int(number), protocol)


def _unix(text: str | None) -> float | None:
    """Go's zero time means: not yet. Nanoseconds are more than Python reads."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00")).timestamp()
