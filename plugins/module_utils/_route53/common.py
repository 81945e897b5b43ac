# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Names and record sets as Route 53 spells them."""

from __future__ import annotations

import typing as t

from .._aws.clients import Clients

RecordSet = t.Dict[str, t.Any]


def bare_name(dns_name: str) -> str:
    """A DNS name for comparison: lower case, no trailing dot, without the ``dualstack.`` that the console puts before a load balancer's name."""
    return dns_name.rstrip(".").lower().removeprefix("dualstack.")


def find_record_set(clients: Clients, zone_id: str, like: t.Mapping[str, t.Any]) -> RecordSet | None:
    """The record set that has the name, type and set identifier of ``like`` now, wherever it points."""
    start = {"StartRecordName": like["Name"], "StartRecordType": like["Type"]}
    if like.get("SetIdentifier"):
        start["StartRecordIdentifier"] = like["SetIdentifier"]
    for found in clients("route53").list_resource_record_sets(HostedZoneId=zone_id, MaxItems="10", **start)["ResourceRecordSets"]:
        if all(_same(found, like, key) for key in ("Name", "Type", "SetIdentifier")):
            return t.cast("RecordSet", found)
    return None


def _same(found: t.Mapping[str, t.Any], like: t.Mapping[str, t.Any], key: str) -> bool:
    one, other = found.get(key) or "", like.get(key) or ""
    return bare_name(one) == bare_name(other) if key == "Name" else one == other
