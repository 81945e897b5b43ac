"""Task definition -> what one container is started with. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Container = Mapping[str, Any]  # one of containerDefinitions, AWS's keys


@dataclass(frozen=True)
class HealthCheck:
    """containerDefinitions[].healthCheck with ECS's defaults (HealthCheck in the API reference)."""

    command: list[str]
    interval: float = 30
    timeout: float = 5
    retries: int = 3
    start_period: float = 0


@dataclass(frozen=True)
class LogTarget:
    group: str
    stream: str
    create_group: bool


def overridden(container: Container, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A container with RunTask's overrides of the same name applied (command, environment, memory, cpu)."""
    merged = dict(container)
    for override in overrides.get("containerOverrides", []):
        if override.get("name") == container["name"]:
            environment = {item["name"]: item["value"] for item in container.get("environment", [])}
            environment |= {item["name"]: item["value"] for item in override.get("environment", [])}
            merged |= {key: value for key, value in override.items() if key not in ("name", "environment")}
            merged["environment"] = [{"name": name, "value": value} for name, value in environment.items()]
    return merged


def start_order(containers: Sequence[Container]) -> list[Container]:
    """Dependencies first (dependsOn, links, whose addresses must be known, and volumesFrom), else the order of the definition."""
    names = {container["name"]: container for container in containers}
    ordered: list[Container] = []

    def visit(container: Container, path: tuple[str, ...]) -> None:
        if container in ordered or container["name"] in path:
            return
        for needed in [*dependencies(container), *(name for name, _alias in links(container)), *(name for name, _read_only in volumes_from(container))]:
            if needed in names:
                visit(names[needed], (*path, container["name"]))
        ordered.append(container)

    for container in containers:
        visit(container, ())
    return ordered


def dependencies(container: Container) -> dict[str, str]:
    """name -> condition of dependsOn."""
    return {item["containerName"]: item["condition"] for item in container.get("dependsOn", [])}


def links(container: Container) -> list[tuple[str, str]]:
    """(container, alias) of links: ``name`` or ``name:alias``."""
    pairs = [link.partition(":") for link in container.get("links", [])]
    return [(name, alias or name) for name, _colon, alias in pairs]


def volumes_from(container: Container) -> list[tuple[str, bool]]:
    """(container, read only) of volumesFrom."""
    return [(item["sourceContainer"], bool(item.get("readOnly"))) for item in container.get("volumesFrom") or []]


def open_files(container: Container, most: int) -> dict[str, tuple[int, int]]:
    """``ulimits`` of the open files, soft and hard, as far as the machine allows. The others are the platform's. [B Ulimit]"""
    return {
        item["name"]: (min(int(item["softLimit"]), most), min(int(item["hardLimit"]), most)) for item in container.get("ulimits") or [] if item["name"] == "nofile"
    }


def environment(container: Container, platform: Mapping[str, str]) -> dict[str, str]:
    """The container's variables; what the platform sets (AWS_EXECUTION_ENV ...) wins only where the definition is silent."""
    return {**platform, **{item["name"]: str(item.get("value", "")) for item in container.get("environment", [])}}


def extra_hosts(container: Container) -> dict[str, str]:
    return {item["hostname"]: item["ipAddress"] for item in container.get("extraHosts", [])}


def memory_limit(container: Container, task_memory: int | None) -> int | None:
    """Hard limit in MiB: the container's own, else the task's; a soft limit (memoryReservation) alone does not kill."""
    limit = container.get("memory") or task_memory
    return int(limit) if limit else None


def published(container: Container) -> list[tuple[int, int]]:
    """(host port, container port) of bridge mode; host port 0 is dynamic."""
    return [(int(item.get("hostPort") or 0), int(item["containerPort"])) for item in container.get("portMappings", [])]


def log_target(container: Container, task_id: str) -> LogTarget | None:
    """awslogs group and stream ``prefix/container/task``; None for another or no driver."""
    configuration = container.get("logConfiguration") or {}
    if configuration.get("logDriver") != "awslogs":
        return None
    options = configuration.get("options", {})
    prefix = options.get("awslogs-stream-prefix")
    stream = f"{prefix}/{container['name']}/{task_id}" if prefix else f"{container['name']}/{task_id}"
    return LogTarget(options["awslogs-group"], stream, str(options.get("awslogs-create-group", "")).lower() == "true")


def health_check(container: Container) -> HealthCheck | None:
    """The command as an argv: ``CMD-SHELL text`` runs in a shell, ``CMD a b`` directly, a list without either as it is."""
    check = container.get("healthCheck")
    if not check or not check.get("command") or check["command"][0] == "NONE":
        return None
    kind, *rest = check["command"]
    argv = ["/bin/sh", "-c", " ".join(rest)] if kind == "CMD-SHELL" else rest if kind == "CMD" else [kind, *rest]
    return HealthCheck(argv, check.get("interval") or 30, check.get("timeout") or 5, check.get("retries") or 3, check.get("startPeriod") or 0)


def stop_timeout(container: Container) -> float:
    """Seconds between SIGTERM and SIGKILL: 30 by default (ECS_CONTAINER_STOP_TIMEOUT)."""
    return float(container.get("stopTimeout") or 30)


def essential(container: Container) -> bool:
    return bool(container.get("essential", True))
