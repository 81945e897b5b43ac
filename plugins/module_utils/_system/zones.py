# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Hosted zones and record sets: what an FQDN leads to, and which records lead to a load balancer."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._aws.errors import CutoverError
from .hostnames import bare, nearest, normal, suffixes
from .read import Reader, Shape, each, unique

TYPES = ("A", "AAAA", "CNAME")
DEPTH = 8  # aliases and CNAMEs that lead to each other end here


@dataclass(frozen=True)
class Zone:
    """A hosted zone with all its record sets, as Route 53 gives them."""

    zone: Shape
    record_sets: list[Shape] = field(repr=False)

    @property
    def id(self) -> str:
        return str(self.zone["Id"]).rpartition("/")[2]

    @property
    def name(self) -> str:
        return normal(self.zone["Name"])

    @property
    def private(self) -> bool:
        return bool(self.zone.get("Config", {}).get("PrivateZone"))

    def named(self, name: str) -> list[Shape]:
        """The address records of a name; else those of the wildcard that answers for it."""
        wildcard = "*." + name.partition(".")[2]
        for wanted in (name, wildcard):
            found = [record for record in self.record_sets if record["Type"] in TYPES and normal(record["Name"]) == wanted]
            if found:
                return found
        return []


@dataclass(frozen=True)
class Ending:
    """Where following one record set of the FQDN ends: at a name outside the zone, or at addresses."""

    zone: Zone
    record_set: Shape
    host: str | None
    addresses: tuple[str, ...] = ()


def find(read: Reader, fqdn: str) -> list[Zone]:
    """Public and private zones, for each the longest suffix that knows the FQDN: what resolvers outside and inside the VPC are told.

    Several private zones may have the same name (for different VPCs); all of them are read.
    """
    candidates = [zone for found in each(lambda suffix: _zones_named(read, suffix), suffixes(fqdn)) for zone in found]
    if not candidates:
        known = [normal(zone["Name"]) for zone in read.all("route53", "list_hosted_zones", "HostedZones")]
        raise CutoverError(
            f"fargate_fqdn is {fqdn}, but account {read.clients.account_id()} has no hosted zone for it. "
            f"It should be the name users open. Nearest zones: {_listed(nearest(fqdn, known))}. Nothing was written."
        )
    zones = [*_first_with_record(read, fqdn, candidates, private=False), *_first_with_record(read, fqdn, candidates, private=True)]
    if not any(zone.named(normal(fqdn)) for zone in zones):
        names = unique(normal(record["Name"]) for zone in zones for record in zone.record_sets if record["Type"] in TYPES)
        raise CutoverError(
            f"fargate_fqdn is {fqdn}, but hosted zone {zones[0].name} has no A, AAAA or CNAME record of that name. "
            f"Nearest names: {_listed(nearest(fqdn, names))}. Nothing was written."
        )
    return zones


def endings(zones: t.Sequence[Zone], fqdn: str) -> list[Ending]:
    """Where the FQDN leads, over aliases and CNAMEs inside the zones. Record sets of weight 0 lead nowhere while another has weight."""
    return [ending for zone in zones for ending in _follow(zone, normal(fqdn), 0)]


def pointing(zones: t.Sequence[Zone], balancers: t.Mapping[str, str]) -> list[Shape]:
    """Every record set that names a load balancer directly, in the contract's shape. ``balancers``: bare DNS name -> side."""
    return [
        {"zone_id": zone.id, "zone_name": zone.name, "private_zone": zone.private, "record_set": record, "side": balancers[bare(destination)]}
        for zone in zones
        for record in zone.record_sets
        for destination in destinations(record)
        if record["Type"] in TYPES and bare(destination) in balancers
    ]


def destinations(record: Shape) -> list[str]:
    """The names a record set leads to: its alias target, or a CNAME's values."""
    if "AliasTarget" in record:
        return [record["AliasTarget"]["DNSName"]]
    return [value["Value"] for value in record.get("ResourceRecords", [])] if record["Type"] == "CNAME" else []


def _zones_named(read: Reader, name: str) -> list[Shape]:
    """Route 53 lists zones from a name on; there is no paginator for it."""
    found: list[Shape] = []
    position = {"DNSName": name}
    while True:
        page = read.one("route53", "list_hosted_zones_by_name", MaxItems="20", **position)
        found += [zone for zone in page["HostedZones"] if normal(zone["Name"]) == name]
        if not page.get("IsTruncated") or normal(page.get("NextDNSName", "")) != name:
            return found
        position = {"DNSName": page["NextDNSName"], "HostedZoneId": page["NextHostedZoneId"]}


def _first_with_record(read: Reader, fqdn: str, candidates: t.Sequence[Shape], private: bool) -> list[Zone]:
    """The zones of the longest suffix that have the name; when none has, those of the longest suffix."""
    wanted = [zone for zone in candidates if bool(zone.get("Config", {}).get("PrivateZone")) is private]
    first: list[Zone] = []
    for name in unique(normal(zone["Name"]) for zone in wanted):
        zones = each(lambda zone: _with_records(read, zone), [zone for zone in wanted if normal(zone["Name"]) == name])
        if any(zone.named(normal(fqdn)) for zone in zones):
            return zones
        first = first or zones
    return first


def _with_records(read: Reader, zone: Shape) -> Zone:
    """All record sets: Route 53 has no filter for the alias target, and records of other names must be found too."""
    return Zone(zone, read.all("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]))


def _follow(zone: Zone, name: str, depth: int) -> list[Ending]:
    found: list[Ending] = []
    for record in _effective(zone.named(name)):
        hosts = destinations(record)
        if not hosts:
            found.append(Ending(zone, record, None, tuple(value["Value"] for value in record.get("ResourceRecords", []))))
        for host in hosts:
            further = _follow(zone, normal(host), depth + 1) if depth < DEPTH else []
            found += further or [Ending(zone, record, normal(host))]
    return found


def _effective(records: t.Sequence[Shape]) -> list[Shape]:
    """Weighted record sets of weight 0 get no queries unless all weights are 0. [D r53/routing-policy-weighted]"""
    used = [record for record in records if record.get("Weight", 1) > 0]
    return used or list(records)


def _listed(names: t.Sequence[str]) -> str:
    return ", ".join(names) or "none"
