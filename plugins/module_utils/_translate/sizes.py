# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Task size: the smallest pair that AWS sells and that holds what the containers declare."""

from __future__ import annotations

import math
import re
import typing as t

from . import connect
from .context import Context, Json, per_service
from .findings import Finding, found

HEADROOM = 1.3
SPARE = 0.25
"""The share of a task's memory from which on it is told that no container can use it."""

# CPU units -> MiB. fargate-rules.md 6: botocore up to 16 vCPU, cfn-lint E3047 for all. AWS adds rows: fargate_size_table replaces this.
TABLE: dict[int, list[int]] = {
    256: [512, 1024, 2048],
    512: list(range(1024, 4096 + 1, 1024)),
    1024: list(range(2048, 8192 + 1, 1024)),
    2048: list(range(4096, 16384 + 1, 1024)),
    4096: list(range(8192, 30720 + 1, 1024)),
    8192: list(range(16384, 61440 + 1, 4096)),
    16384: list(range(32768, 122880 + 1, 8192)),
    32768: [61440, 122880, 249856],
}


def cpu_units(value: t.Any) -> int | None:
    """``"1 vCPU"``, ``".5 vcpu"``, ``"1024"``, 1024 -> CPU units. fargate-rules.md 6"""
    return _amount(value, r"v?cpus?", 1024)


def memory_mib(value: t.Any) -> int | None:
    """``"2GB"``, ``"0.5 GB"``, ``"2048"``, 2048 -> MiB. fargate-rules.md 6"""
    return _amount(value, r"gi?b", 1024)


def _amount(value: t.Any, unit: str, factor: int) -> int | None:
    if value is None or value == "":
        return None
    match = re.fullmatch(rf"\s*(\d+(?:\.\d+)?|\.\d+)\s*({unit})?\s*", str(value), re.IGNORECASE)
    if not match:
        return None
    return round(float(match[1]) * (factor if match[2] else 1))


def needed_cpu(definition: t.Mapping[str, t.Any], proxy: int = 0) -> int:
    """``max(task.cpu, sum(container.cpu))``. fargate-rules.md 6 rule 1

    A task's own size holds Service Connect's ``proxy`` already, those of its containers don't.
    """
    containers = definition.get("containerDefinitions") or []
    return max(cpu_units(definition.get("cpu")) or 0, sum(container.get("cpu") or 0 for container in containers) + proxy)


def needed_memory(definition: t.Mapping[str, t.Any], proxy: int = 0) -> int:
    """The larger of the task's memory and the sum of hard limits (else reservations) and tmpfs sizes. fargate-rules.md 6 rule 2"""
    containers = definition.get("containerDefinitions") or []
    declared = sum(max(container.get("memory") or 0, container.get("memoryReservation") or 0) for container in containers)
    return max(memory_mib(definition.get("memory")) or 0, declared + sum(map(tmpfs, containers)) + proxy)


def floor(definition: t.Mapping[str, t.Any]) -> tuple[int, int]:
    """Below this RegisterTaskDefinition refuses: the sum of CPU, the sum of reservations, the largest single limit. fargate-rules.md 6 rule 7"""
    containers = definition.get("containerDefinitions") or []
    reserved = sum(container.get("memoryReservation") or container.get("memory") or 0 for container in containers)
    largest = max((container.get("memory") or 0 for container in containers), default=0)
    return sum(container.get("cpu") or 0 for container in containers), max(reserved, largest)


def tmpfs(container: t.Mapping[str, t.Any]) -> int:
    """MiB of the container's tmpfs mounts: they count against the task's memory."""
    return sum(mount.get("size") or 0 for mount in (container.get("linuxParameters") or {}).get("tmpfs") or [])


def smallest(cpu: int, memory: int, table: t.Mapping[int, t.Sequence[int]]) -> tuple[int, int] | None:
    """The first pair, by CPU and then memory, that holds both. fargate-rules.md 6 rule 4"""
    pairs = ((row, size) for row in sorted(table) if row >= cpu for size in sorted(table[row]) if size >= memory)
    return next(pairs, None)


def size(draft: Json, services: t.Sequence[str], context: Context, path: str) -> t.Iterator[Finding]:
    """Set the task's ``cpu`` and ``memory``, which Fargate requires, and say why these. fargate-rules.md 1 cpu, memory and 6"""
    table = size_table(context)
    proxy = connect.proxy(services, context)
    cpu, memory = needed_cpu(draft, proxy[0]), needed_memory(draft, proxy[1])
    declared = _declared(draft, cpu, memory, proxy[1])
    reason = f"the smallest for the declared need, {declared}"
    yield from _unreadable(draft, path)
    wanted = next(filter(None, (per_service(context.intent.get("sizes") or {}, name) for name in (*services, draft.get("family") or ""))), None)
    seen, kept = measured(services, context), as_built(services, context, table)
    if wanted is not None:
        pair, findings = _given(wanted, floor(draft), table, path)
        reason = f"set by fargate_sizes; declared are {declared}"
    elif kept is not None and kept[0] >= cpu and kept[1] >= memory:
        pair, findings = kept, []
        reason = f"as the target has it; declared are {declared}"
    elif seen is not None:
        least, factor = floor(draft), headroom(context)
        need = [max(math.ceil(value * factor), low) if value else known for value, low, known in zip(seen, least, (cpu, memory), strict=True)]
        # What was built by an earlier measurement, below the declared need, only grows.
        built = kept or (0, 0)
        pair, findings = _chosen(max(need[0], built[0]), max(need[1], built[1]), table, path)
        seen_at = f"{_seen(seen)} measured{_where(services, context)}, times {factor:g} for headroom{_forced(need[0], pair, table)}"
        reason = f"the smallest for {seen_at}; declared are {declared}"
        if pair == kept:
            reason = f"as the target has it; declared are {declared}"
    else:
        pair, findings = _chosen(cpu, memory, table, path)
        reason += _forced(cpu, pair, table)
    yield from findings
    yield found("FG-SIZE", f"{path}.cpu", _own(draft), f"{pair[0]}/{pair[1]}", reason=reason)
    yield from _spare(draft, pair[1], proxy[1], path)
    draft["cpu"], draft["memory"] = str(pair[0]), str(pair[1])


def _spare(definition: Json, memory: int, proxy: int, path: str) -> t.Iterator[Finding]:
    """Memory of the task that the hard limits keep from every container. fargate-rules.md 2 memory"""
    containers = definition.get("containerDefinitions") or []
    spare = memory - proxy - sum((container.get("memory") or 0) + tmpfs(container) for container in containers)
    if containers and all(container.get("memory") for container in containers) and spare >= memory * SPARE:
        yield found("FG-SIZE-SPARE", f"{path}.memory", None, spare=spare, memory=memory)


def as_built(services: t.Sequence[str], context: Context, table: t.Mapping[int, t.Sequence[int]]) -> tuple[int, int] | None:
    """The size that the target's services run, which a new measurement must not change: an idle source needs less every day. None where it doesn't decide.

    It does while discovery's measurements would, and when the target serves. An answer of the inventory always goes first.
    """
    if (context.intent.get("measured") or {}) or not (context.system.get("serving") == "target" or _measurements(services, context)):
        return None
    built = [context.target_services[name].get("TaskDefinition") or {} for name in services if name in context.target_services]
    pairs = {(cpu_units(item.get("cpu")) or 0, memory_mib(item.get("memory")) or 0) for item in built}
    return next((pair for pair in sorted(pairs, reverse=True) if pair[1] in table.get(pair[0], [])), None)


def measured(services: t.Sequence[str], context: Context) -> tuple[float, float] | None:
    """The most that one task used, of all services that run the definition: evidence beats declarations. fargate-rules.md 6 rule 3"""
    pairs = [(cpu_units(item.get("cpu")) or 0, memory_mib(item.get("memory")) or 0) for item in _measurements(services, context)]
    most = (max((cpu for cpu, _memory in pairs), default=0), max((memory for _cpu, memory in pairs), default=0))
    return most if any(most) else None


def _measurements(services: t.Sequence[str], context: Context) -> list[t.Mapping[str, t.Any]]:
    """The inventory's, else what discovery read in CloudWatch."""
    given = context.intent.get("measured")
    answers = [given.get(name) for name in services] if isinstance(given, t.Mapping) else []
    wanted = [item for item in answers if isinstance(item, t.Mapping)]
    seen = [service.get("Measured") for service in context.source_services if service.get("serviceName") in services]
    return wanted or [item for item in seen if isinstance(item, t.Mapping)]


def _where(services: t.Sequence[str], context: Context) -> str:
    """`` by Container Insights in 14 days``; nothing where the inventory says it."""
    told = [item for item in _measurements(services, context) if item.get("source") and item.get("days")]
    return f" by {told[0]['source']} in {told[0]['days']} days" if told else ""


def headroom(context: Context) -> float:
    """The factor on what was measured: ``fargate_headroom``, at least 1. fargate-rules.md 6 rule 3"""
    try:
        return max(1.0, float(context.intent.get("headroom") or HEADROOM))
    except ValueError:
        return HEADROOM


def _seen(pair: tuple[float, float]) -> str:
    return " and ".join(f"{value:g} {unit}" for value, unit in zip(pair, ("CPU units", "MiB"), strict=True) if value)


def _chosen(cpu: int, memory: int, table: t.Mapping[int, t.Sequence[int]], path: str) -> tuple[tuple[int, int], list[Finding]]:
    """The smallest pair; over the largest a BLOCKER, and without any declared CPU a warning instead of a silent 256. fargate-rules.md 6 rules 3 to 5"""
    pair = smallest(cpu, memory, table)
    if pair is None:
        largest = _largest(table)
        return largest, [found("FG-SIZE-MAX", f"{path}.cpu", f"{cpu}/{memory}", f"{largest[0]}/{largest[1]}")]
    return pair, [] if cpu else [found("FG-SIZE-UNKNOWN", f"{path}.cpu", None, str(pair[0]))]


def _forced(cpu: int, pair: tuple[int, int], table: t.Mapping[int, t.Sequence[int]]) -> str:
    """Said when memory, not the need of CPU, decides the row. fargate-rules.md 6 rule 4"""
    least = next((row for row in sorted(table) if row >= cpu), pair[0])
    return f" (so much memory comes with {pair[0]} CPU units or more)" if least < pair[0] else ""


def _largest(table: t.Mapping[int, t.Sequence[int]]) -> tuple[int, int]:
    return max((row, max(sizes)) for row, sizes in table.items())


def size_table(context: Context) -> dict[int, list[int]]:
    """The table, or the inventory's ``fargate_size_table``, since AWS adds sizes."""
    given = context.intent.get("size_table")
    if not isinstance(given, t.Mapping) or not given:
        return TABLE
    return {int(cpu): [int(size) for size in sizes] for cpu, sizes in given.items()}


def _given(wanted: t.Any, least: tuple[int, int], table: t.Mapping[int, t.Sequence[int]], path: str) -> tuple[tuple[int, int], list[Finding]]:
    """The inventory's size may be below the declared limits, but AWS must sell it and register it. fargate-rules.md 6 rule 7"""
    asked = (cpu_units(wanted.get("cpu")) or 0, memory_mib(wanted.get("memory")) or 0) if isinstance(wanted, t.Mapping) else (0, 0)
    if asked[1] in table.get(asked[0], []) and asked[0] >= least[0] and asked[1] >= least[1]:
        return asked, []
    pair = smallest(max(asked[0], least[0]), max(asked[1], least[1]), table) or _largest(table)
    return pair, [found("FG-SIZE-INVALID", f"{path}.cpu", f"{asked[0]}/{asked[1]}", f"{pair[0]}/{pair[1]}", need=f"{least[0]}/{least[1]}")]


def _unreadable(draft: Json, path: str) -> t.Iterator[Finding]:
    for key, parse in (("cpu", cpu_units), ("memory", memory_mib)):
        if draft.get(key) and parse(draft[key]) is None:
            yield found("FG-SIZE-UNREADABLE", f"{path}.{key}", draft[key])


def _own(draft: Json) -> str | None:
    """The size that the task itself has, not its containers; None on EC2, mostly."""
    parts = {"cpu": draft.get("cpu"), "memory": draft.get("memory")}
    if all(parts.values()):
        return f"{draft['cpu']}/{draft['memory']}"
    return next((f"{key} {value}" for key, value in parts.items() if value), None)


def _declared(definition: Json, cpu: int, memory: int, proxy: int = 0) -> str:
    """``php-fpm 1024 (reserves 512) + nginx 256 = 1280 MiB, 384 CPU units``: hard limits count, reservations are told. fargate-rules.md 6 rules 2 and 6"""
    parts = [
        (f"{container.get('name')} {_limit(container)}{_reserves(container)}", _limit(container)) for container in definition.get("containerDefinitions") or []
    ]
    parts += [(f"Service Connect's proxy {proxy}", proxy)]
    told = [text for text, amount in parts if amount]
    total, sums = sum(amount for _text, amount in parts), " + ".join(told)
    shown = f"{sums} = " if len(told) > 1 or "reserves" in sums else ""
    size = f"{shown}{total or memory} MiB{f' (the task itself {memory})' if 0 < total < memory else ''}" if memory else "no memory"
    return f"{size}, {f'{cpu} CPU units' if cpu else 'no CPU'}"


def _limit(container: Json) -> int:
    """MiB that a container may use."""
    return max(container.get("memory") or 0, container.get("memoryReservation") or 0) + tmpfs(container)


def _reserves(container: Json) -> str:
    reserved = container.get("memoryReservation") or 0
    return f" (reserves {reserved})" if 0 < reserved < (container.get("memory") or 0) else ""
