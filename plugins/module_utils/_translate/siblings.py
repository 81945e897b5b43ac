# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Containers of one task side by side: they share ports, ``net.*`` and fate. fargate-rules.md 2"""

from __future__ import annotations

import re
import typing as t

from .context import Json, as_int
from .findings import Finding, found

FIRST_FREE_PORT = "net.ipv4.ip_unprivileged_port_start"

_FPM = re.compile(r"\bfpm\b", re.IGNORECASE)


def port_clash(definition: Json, unmapped: t.Iterable[tuple[str, int]], path: str) -> t.Iterator[Finding]:
    """One network namespace: a container port may be listened on once per task. fargate-rules.md 2 portMappings[].containerPort

    ``unmapped``: (container, port) of who is known to listen without a mapping.
    """
    owners: dict[tuple[int, str], str] = {}
    for container in definition.get("containerDefinitions") or []:
        name = str(container.get("name"))
        for index, mapping in enumerate(container.get("portMappings") or []):
            for port in ports(mapping):
                owner = owners.setdefault((port, mapping.get("protocol") or "tcp"), name)
                if owner != name:
                    yield found("FG-PORT-CLASH", f"{path}.containerDefinitions[{name}].portMappings[{index}]", port, other=owner)
                    break
    for name, port in unmapped:
        owner = owners.setdefault((port, "tcp"), name)
        if owner != name:
            yield found("FG-PORT-CLASH", f"{path}.containerDefinitions[{name}]", port, other=owner)


def low_port(definition: Json, path: str) -> t.Iterator[Finding]:
    """A user other than root may not bind a port below 1024 as Docker's bridge mode allowed, unless a container says so for all. fargate-rules.md 2 user"""
    first = first_free_port(definition)
    for container in definition.get("containerDefinitions") or []:
        user = str(container.get("user") or "").partition(":")[0]
        low = low_ports(container, first)
        if user not in ("", "0", "root") and low:
            yield found("FG-LOW-PORT", f"{path}.containerDefinitions[{container.get('name')}].user", user, ports=", ".join(map(str, low)))


def first_free_port(definition: Json) -> int:
    """The first port that everybody may bind: with awsvpc what one container says holds for all."""
    controls = [control for container in definition.get("containerDefinitions") or [] for control in container.get("systemControls") or []]
    return min((as_int(control.get("value")) or 0 for control in controls if control.get("namespace") == FIRST_FREE_PORT), default=1024)


def low_ports(container: Json, first: int) -> list[int]:
    return [port for mapping in container.get("portMappings") or [] for port in ports(mapping) if port < first]


def control_clash(definition: Json, path: str) -> t.Iterator[Finding]:
    """With awsvpc one container's ``net.*`` applies to all, the last one wins. fargate-rules.md 2 systemControls"""
    values: dict[str, tuple[str, str]] = {}
    for container in definition.get("containerDefinitions") or []:
        for control in container.get("systemControls") or []:
            key, value = str(control.get("namespace")), str(control.get("value"))
            name, other = values.setdefault(key, (str(container.get("name")), value))
            if key.startswith("net.") and other != value:
                yield found("FG-SYSTEM-CONTROL", f"{path}.containerDefinitions[{container.get('name')}].systemControls[{key}]", value, name=name, other=other)


def optional_peer(source: Json, path: str) -> t.Iterator[Finding]:
    """A link target or a PHP-FPM that isn't essential may die and leave a task that answers 502. fargate-rules.md 2 essential"""
    containers = source.get("containerDefinitions") or []
    wanted = {str(link).partition(":")[0] for container in containers for link in container.get("links") or []}
    wanted |= {str(container.get("name")) for container in containers if _FPM.search(f"{container.get('name')} {container.get('image')}")}
    for container in containers:
        if container.get("name") in wanted and container.get("essential") is False:
            yield found("FG-ESSENTIAL", f"{path}.containerDefinitions[{container.get('name')}].essential", False)


def ports(mapping: Json) -> list[int]:
    """The port, or every port of ``"8000-8010"``."""
    if mapping.get("containerPort"):
        return [int(mapping["containerPort"])]
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", str(mapping.get("containerPortRange") or ""))
    return list(range(int(match[1]), min(int(match[2]), 65535) + 1)) if match else []
