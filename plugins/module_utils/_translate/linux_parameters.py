# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""``linuxParameters``: what Fargate's kernel boundary allows. fargate-rules.md 2b"""

from __future__ import annotations

import typing as t

from .context import Json
from .findings import Finding, found

# Docker gives these to every container: adding them changes nothing unless all were dropped before.
DOCKER_DEFAULT = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
DEFAULT_SHARED_MEMORY = 64


def translate(draft: Json, path: str) -> t.Iterator[Finding]:
    """All rules of ``linuxParameters``; an empty result is dropped."""
    parameters = draft.get("linuxParameters")
    if not parameters:
        return
    where = f"{path}.linuxParameters"
    for rule in (capabilities, devices, shared_memory, swap, tmpfs):
        yield from rule(parameters, where)
    if not parameters:
        del draft["linuxParameters"]


def capabilities(parameters: Json, path: str) -> t.Iterator[Finding]:
    """``add`` may hold SYS_PTRACE only ("<CAP> is not allowed on Fargate"); ``drop`` is kept. fargate-rules.md 2b capabilities"""
    given = parameters.get("capabilities") or {}
    add, drop = given.get("add") or [], given.get("drop") or []
    instead = sorted((DOCKER_DEFAULT if "ALL" in drop else set(drop)) - set(add))
    for index, capability in enumerate(add):
        if capability == "SYS_PTRACE":
            continue
        lost = {"ALL", capability} & set(drop)
        kind = "FG-CAPABILITY" if capability not in DOCKER_DEFAULT else "FG-CAPABILITY-DROP-ALL" if lost else "FG-CAPABILITY-DEFAULT"
        yield found(kind, f"{path}.capabilities.add[{index}]", capability, dropped=", ".join(drop), instead=", ".join(instead) or "nothing")
    if not set(add) - {"SYS_PTRACE"}:
        return
    if "SYS_PTRACE" in add:
        given["add"] = ["SYS_PTRACE"]
    else:
        del given["add"]
    if not given:
        del parameters["capabilities"]


def devices(parameters: Json, path: str) -> t.Iterator[Finding]:
    """ "Fargate compatible task definitions do not support devices". fargate-rules.md 2b devices"""
    for index, device in enumerate(parameters.pop("devices", None) or []):
        yield found("FG-DEVICES", f"{path}.devices[{index}]", device.get("hostPath"))


def shared_memory(parameters: Json, path: str) -> t.Iterator[Finding]:
    """``sharedMemorySize`` is dropped, /dev/shm stays 64 MB; more than that was asked for by something. fargate-rules.md 2b sharedMemorySize"""
    size = parameters.pop("sharedMemorySize", None)
    if size is not None:
        yield found("FG-SHARED-MEMORY-LARGE" if size > DEFAULT_SHARED_MEMORY else "FG-SHARED-MEMORY", f"{path}.sharedMemorySize", size, DEFAULT_SHARED_MEMORY)


def swap(parameters: Json, path: str) -> t.Iterator[Finding]:
    """``maxSwap`` and ``swappiness`` are dropped: no swap on Fargate. 0 meant none; without ``maxSwap`` the other is ignored. fargate-rules.md 2b maxSwap"""
    kind = "FG-SWAP" if parameters.get("maxSwap") else "FG-SWAP-NONE"
    for key in ("maxSwap", "swappiness"):
        value = parameters.pop(key, None)
        if value is not None:
            yield found(kind, f"{path}.{key}", value)


def tmpfs(parameters: Json, path: str) -> t.Iterator[Finding]:
    """Kept: Fargate has it since 2026-01; its size counts against the task's memory. fargate-rules.md 2b tmpfs"""
    for index, mount in enumerate(parameters.get("tmpfs") or []):
        yield found("FG-TMPFS", f"{path}.tmpfs[{index}]", mount.get("containerPath"), size=mount.get("size"))
