# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The record sets that will move, and those that can't be moved yet. fargate-rules.md 11"""

from __future__ import annotations

import typing as t

from . import load_balancer
from .context import Context, Json
from .findings import Finding, found

ROUTING = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig", "GeoProximityLocation")


def section(context: Context) -> tuple[Json, list[Finding]]:
    """Simple A and AAAA aliases move in one change batch for each zone; everything else is refused, each with its reason."""
    findings: list[Finding] = []
    kept: list[Json] = []
    only_own = load_balancer.is_shared(context)
    for record in context.system.get("records") or [] if context.source else []:
        record_set = record.get("record_set") or {}
        path = f"records[{record_set.get('Name')} {record_set.get('Type')}]"
        own = _plain(record_set.get("Name")) == _plain(context.fqdn)
        if only_own and not own:
            findings.append(found("FG-DNS-FOREIGN", path, record_set.get("Name")))
            continue
        reasons = refusals(record_set, path)
        findings += reasons
        if not reasons:
            kept.append({key: record.get(key) for key in ("zone_id", "zone_name", "private_zone", "record_set")})
            if not own:
                findings.append(found("FG-DNS-NAME", path, record_set.get("Name")))
    if context.source and not kept and not findings:
        findings.append(found("FG-DNS-NONE", "records", context.fqdn))
    plan = {
        "source_load_balancer": context.source_load_balancer.get("LoadBalancerName"),
        "target_load_balancer": context.names["load_balancer"],
        "record_sets": kept,
    }
    return plan, findings


def refusals(record_set: t.Mapping[str, t.Any], path: str) -> list[Finding]:
    """Why this record set isn't a simple A or AAAA alias. fargate-rules.md 11 Already weighted ..., TrafficPolicyInstanceId, CNAME with TTL"""
    if record_set.get("TrafficPolicyInstanceId"):
        return [found("FG-DNS-TRAFFIC-POLICY", path, record_set["TrafficPolicyInstanceId"])]
    routing = [key for key in ROUTING if record_set.get(key) is not None]
    if routing or record_set.get("SetIdentifier"):
        return [found("FG-DNS-ROUTING", path, f"{', '.join(routing)} {record_set.get('SetIdentifier') or ''}".strip())]
    if not record_set.get("AliasTarget"):
        return [found("FG-DNS-CNAME", path, f"{record_set.get('Type')}, TTL {record_set.get('TTL')}")]
    return []


def _plain(name: t.Any) -> str:
    return str(name or "").rstrip(".").lower()
