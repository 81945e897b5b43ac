"""Route 53 -> DNS answers.

A change is answered, and INSYNC, after the time AWS takes to tell its name servers. Aliases follow the current addresses of their target and carry
AWS's own TTL; weighted sets are drawn by weight for each query; an unknown name is NXDOMAIN.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.aws.server import DnsAnswer
from lab.network.dns import Answer
from lab.reconcile.world import HostName, World

HOPS = 8  # alias or CNAME steps before giving up


@dataclass(frozen=True)
class Record:
    """One record set, as far as answers need it."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    ttl: int = 0
    alias: str = ""
    weight: int | None = None


Zone = tuple[Record, ...]


@dataclass
class _Pending:
    due: float
    zones: dict[str, Zone]
    changes: set[str]


class Names:
    """What the lab's name server answers."""

    name = "names"

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: dict[str, Zone] = {}
        self._known_changes: set[str] = set()
        self._pending: list[_Pending] = []
        self.zones: dict[str, Zone] = {}
        world.aws.answer_dns = self.test_answer

    def tick(self) -> None:
        """Notice changes, publish what is due."""
        with self._world.state():
            zones = {_zone_id(zone): _read_zone(zone) for zone in self._world.backend("route53").zones.values()}
            changes = set(self._world.observed.changes) - self._known_changes
        if zones != self._seen or changes:
            delay = self._world.scaled(self._world.settings.times.dns_insync)
            self._pending.append(_Pending(time.monotonic() + delay, zones, changes))
            self._seen, self._known_changes = zones, self._known_changes | changes
        while self._pending and self._pending[0].due <= time.monotonic():
            published = self._pending.pop(0)
            self.zones = published.zones
            self._world.observed.insync |= published.changes

    def answer(self, name: str, kind: str) -> Answer | None:
        """The answer for the DNS server: addresses, a CNAME, an empty answer for a known name, None for an unknown one."""
        return answer(name, kind, self.zones, self._world.hosts, self._ttl)

    def resolve(self, name: str) -> list[str]:
        """IPv4 addresses of a name, CNAMEs followed: for the lab's own proxies."""
        for _hop in range(HOPS):
            found = self.answer(name, "A")
            if found is None or not found.cname:
                return list(found.addresses) if found else []
            name = found.cname
        return []

    def test_answer(self, zone_id: str, name: str, kind: str) -> DnsAnswer:
        """TestDNSAnswer: what Route 53 would answer now for a record of one zone."""
        zones = {key: zone for key, zone in self.zones.items() if key == zone_id.rpartition("/")[2]}
        found = answer(name, kind, zones, self._world.hosts, self._ttl)
        if found is None:
            return DnsAnswer("NXDOMAIN")
        return DnsAnswer("NOERROR", tuple(found.addresses) if found.addresses else (found.cname,) if found.cname else (), int(found.ttl))

    def _ttl(self, seconds: int) -> int:
        return max(round(self._world.scaled(seconds)), 1)


def answer(name: str, kind: str, zones: Mapping[str, Zone], hosts: Mapping[str, HostName], ttl: Any, hops: int = HOPS) -> Answer | None:
    """Resolve one name in the zones, then among AWS's own names. ``ttl`` scales a record's own TTL to lab time."""
    name = name.lower().rstrip(".")
    records = [record for zone in zones.values() for record in zone if record.name == name]
    if not records:
        return _host(hosts, name, kind)
    exact = [record for record in records if record.type == kind] or [record for record in records if record.type == "CNAME"]
    if not exact:
        return Answer(addresses=(), ttl=0)
    record = _draw(exact)
    if record.alias:
        target = answer(record.alias, kind, zones, hosts, ttl, hops - 1) if hops else None
        return target or Answer(addresses=(), ttl=ttl(60))
    if record.type == "CNAME":
        return Answer(cname=record.values[0].rstrip("."), ttl=ttl(record.ttl))
    return Answer(addresses=record.values, ttl=ttl(record.ttl))


def _host(hosts: Mapping[str, HostName], name: str, kind: str) -> Answer | None:
    host = hosts.get(name.removeprefix("dualstack.")) or hosts.get(name)
    if host is None:
        return None
    return Answer(addresses=host.addresses if kind == "A" else (), ttl=host.ttl)


def _draw(records: Sequence[Record]) -> Record:
    """One of the weighted sets by weight; all weights 0 means all equal (Route 53, weighted records)."""
    if len(records) == 1:
        return records[0]
    weights = [record.weight or 0 for record in records]
    return random.choices(records, weights if any(weights) else None)[0]


def _zone_id(zone: Any) -> str:
    return str(zone.id).rpartition("/")[2]


def _read_zone(zone: Any) -> Zone:
    return tuple(_read(record) for record in zone.rrsets)


def _read(record: Any) -> Record:
    alias = (record.alias_target or {}).get("DNSName", "")
    values = tuple(item["Value"] if isinstance(item, Mapping) else item for item in record.records or ())
    weight = int(record.weight) if record.weight is not None else None
    return Record(record.name.lower().rstrip("."), record.type, values, int(record.ttl or 0), alias.lower().rstrip("."), weight)
