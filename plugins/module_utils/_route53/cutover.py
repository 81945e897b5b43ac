# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The switch itself: every record set that points to one load balancer points to the other, in one change batch for each hosted zone.

Route 53 makes all changes of a batch or none. UPSERT is used for a simple alias: same name and type, new target.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._aws import tags as aws_tags
from .._aws.apply import CLOCK, Call, Clock, Ids, Ref, apply, report
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import KNOWN_AFTER_APPLY, Progress, silent
from .._elbv2.common import find_load_balancer
from .common import RecordSet, bare_name, find_record_set

Params = t.Mapping[str, t.Any]
# An overlapping change of the same zone passes by itself. https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html#API_ChangeResourceRecordSets_Errors
BUSY = (("PriorRequestNotComplete", ""), ("Throttling", ""))

ARGUMENT_SPEC: dict[str, t.Any] = {
    "record_sets": {"type": "list", "elements": "dict", "required": True},
    "load_balancer": {"type": "str", "required": True},
    "origin": {"type": "str"},
    "side": {"type": "str", "choices": ["target", "source"], "required": True},
    "verified": {"type": "dict", "default": {}},
    "wait_timeout": {"type": "float", "default": 600},
    "poll_seconds": {"type": "float", "default": 5},
}


@dataclass(frozen=True)
class Zone:
    """The record sets of one hosted zone: as they are, and as they shall be."""

    zone_id: str
    name: str
    private: bool
    present: tuple[RecordSet, ...]
    wanted: tuple[RecordSet, ...]

    @property
    def changes(self) -> list[dict[str, t.Any]]:
        return [{"Action": "UPSERT", "ResourceRecordSet": new} for old, new in zip(self.present, self.wanted, strict=True) if old != new]


@dataclass(frozen=True)
class State:
    """``destination`` is None in check mode when it does not exist yet. ``cutover_at`` is the remembered time, on the target's load balancer."""

    destination: dict[str, t.Any] | None
    origin: dict[str, t.Any] | None
    cutover_at: str | None
    zones: tuple[Zone, ...]


def run(params: Params, clients: Clients, check_mode: bool, progress: Progress = silent, clock: Clock = CLOCK) -> dict[str, t.Any]:
    """Point the record sets to ``load_balancer``, wait until Route 53 answers so, and remember when."""
    state = read(params, clients, check_mode)
    if any(zone.changes for zone in state.zones) and not check_mode:
        require_proof(params, state, clients)
    batches = [_batch(zone) for zone in state.zones if zone.changes]
    ids: Ids = {}
    changes = apply(batches, clients, ids, check_mode, clock)
    for batch in batches:
        progress(f"{'would ' if check_mode else ''}{batch.text}")
    for change_id in ids.values():
        wait_insync(params, clients, change_id, progress, clock)
    answers = [] if check_mode else prove(params, state, clients, progress, clock)
    changes += apply(_remember(params, state, bool(batches)), clients, {}, check_mode, clock)
    before, after = ({zone.name: [_shown(each) for each in getattr(zone, side)] for zone in state.zones} for side in ("present", "wanted"))
    return report(changes, before, after, answers=answers, serving=params["load_balancer"])


def read(params: Params, clients: Clients, check_mode: bool) -> State:
    destination = find_load_balancer(clients, params["load_balancer"])
    origin = find_load_balancer(clients, params["origin"]) if params.get("origin") else None
    if destination is None and not check_mode:
        raise CutoverError(f"Load balancer {params['load_balancer']} does not exist, so no record was changed. Build it first: --tags provision.")
    by_zone: dict[str, list[t.Mapping[str, t.Any]]] = {}
    for entry in params["record_sets"]:
        by_zone.setdefault(entry["zone_id"], []).append(entry)
    zones = tuple(_zone(entries, clients, destination, origin) for _id, entries in sorted(by_zone.items()))
    return State(destination, origin, _cutover_at(clients, destination if params["side"] == "target" else origin), zones)


def _cutover_at(clients: Clients, load_balancer: t.Mapping[str, t.Any] | None) -> str | None:
    if load_balancer is None:
        return None
    found = clients("elbv2").describe_tags(ResourceArns=[load_balancer["LoadBalancerArn"]])["TagDescriptions"]
    return aws_tags.to_dict(found[0]["Tags"]).get(aws_tags.CUTOVER_AT) if found else None


def _zone(entries: t.Sequence[t.Mapping[str, t.Any]], clients: Clients, destination: t.Any, origin: t.Any) -> Zone:
    first = entries[0]
    present = []
    for entry in entries:
        found = find_record_set(clients, first["zone_id"], entry["record_set"])
        if found is None or "AliasTarget" not in found:
            what = "is gone" if found is None else "is no alias any more"
            name = f"{entry['record_set']['Name']} {entry['record_set']['Type']}"
            raise CutoverError(f"Record {name} of zone {first['zone_name']} {what}. Nothing was changed. Run the plan again.")
        present.append(found)
    return Zone(
        first["zone_id"],
        first["zone_name"],
        bool(first.get("private_zone")),
        tuple(present),
        tuple(pointed(each, destination, origin) for each in present),
    )


def pointed(record_set: RecordSet, destination: t.Mapping[str, t.Any] | None, origin: t.Mapping[str, t.Any] | None) -> RecordSet:
    """The record set with the destination as its alias target; everything else stays, also the way the name is spelled.

    A record that points to neither load balancer was changed by somebody: that is not ours to overwrite.
    """
    alias = record_set["AliasTarget"]
    target = bare_name(alias["DNSName"])
    known = {bare_name(each["DNSName"]) for each in (destination, origin) if each}
    if known and origin and target not in known:
        name = f"{record_set['Name']} {record_set['Type']}"
        raise CutoverError(f"Record {name} points to {target}, which is neither of this system's load balancers. Nothing was changed.")
    if destination is not None and target == bare_name(destination["DNSName"]):
        return record_set
    prefix = "dualstack." if alias["DNSName"].lower().startswith("dualstack.") else ""
    new_name = f"{prefix}{destination['DNSName'].lower()}." if destination else KNOWN_AFTER_APPLY
    zone = destination["CanonicalHostedZoneId"] if destination else KNOWN_AFTER_APPLY
    return {**record_set, "AliasTarget": {**alias, "HostedZoneId": zone, "DNSName": new_name}}


def _batch(zone: Zone) -> Call:
    names = ", ".join(f"{change['ResourceRecordSet']['Name']} {change['ResourceRecordSet']['Type']}" for change in zone.changes)
    target = zone.changes[0]["ResourceRecordSet"]["AliasTarget"]["DNSName"]
    params = {"HostedZoneId": zone.zone_id, "ChangeBatch": {"Comment": "cutover.fargate", "Changes": zone.changes}}
    gives = {Ref("change", zone.zone_id): ("ChangeInfo", "Id")}
    return Call(f"point {names} to {target}", "route53", "change_resource_record_sets", params, gives, again=BUSY)


def wait_insync(params: Params, clients: Clients, change_id: str, progress: Progress, clock: Clock) -> None:
    """Wait until all of Route 53's servers have the change, generally within 60 seconds."""
    deadline = clock.now() + params["wait_timeout"]
    while clients("route53").get_change(Id=change_id)["ChangeInfo"]["Status"] != "INSYNC":
        if clock.now() >= deadline:
            late = f"not INSYNC after {params['wait_timeout']} s"
            raise CutoverError(f"Change {change_id} was accepted but is {late}. Traffic may be moving. Run again: nothing is sent twice.")
        clock.sleep(params["poll_seconds"])
    progress(f"change {change_id.rpartition('/')[2]} is INSYNC")


def require_proof(params: Params, state: State, clients: Clients) -> None:
    """No traffic moves unless the exact targets that will receive it were verified in this run."""
    verified = params.get("verified") or {}
    destination = t.cast("dict[str, t.Any]", state.destination)
    if verified.get("load_balancer_arn") != destination["LoadBalancerArn"] or not verified.get("target_groups"):
        raise CutoverError(
            f"Load balancer {params['load_balancer']} was not verified in this run, so no traffic was moved. "
            "Let the role verify run before: it has the tags verify, dns and cutover.",
        )
    for arn, expected in verified["target_groups"].items():
        health = clients("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        healthy = {f"{each['Target']['Id']}:{each['Target']['Port']}" for each in health if each["TargetHealth"]["State"] == "healthy"}
        if healthy != set(expected) or not healthy:
            raise CutoverError(
                f"The targets of {arn.split('/')[1]} changed after they were verified (verified: {', '.join(sorted(expected))}; healthy now: "
                f"{', '.join(sorted(healthy)) or 'none'}), so no traffic was moved. Run again.",
            )


def prove(params: Params, state: State, clients: Clients, progress: Progress, clock: Clock) -> list[dict[str, t.Any]]:
    """Route 53's own authoritative answer for each name must be addresses of the destination.

    TestDNSAnswer asks the authoritative servers; it knows public zones only, for private ones the INSYNC of the batch is what there is.
    https://docs.aws.amazon.com/Route53/latest/APIReference/API_TestDNSAnswer.html
    """
    destination = t.cast("dict[str, t.Any]", state.destination)
    addresses = load_balancer_addresses(clients, destination)
    deadline = clock.now() + params["wait_timeout"]
    answers = []
    for zone in state.zones:
        for record_set in zone.wanted:
            if not zone.private and record_set["Type"] == "A":
                answers.append(_ask_until(params, clients, zone, record_set, addresses, deadline, clock))
                progress(f"the authoritative answer for {record_set['Name']} is {', '.join(answers[-1]['answer'])}: {params['load_balancer']}")
    return answers


def _ask_until(params: Params, clients: Clients, zone: Zone, record_set: RecordSet, addresses: set[str], deadline: float, clock: Clock) -> dict[str, t.Any]:
    while True:
        answer = clients("route53").test_dns_answer(HostedZoneId=zone.zone_id, RecordName=record_set["Name"], RecordType=record_set["Type"])
        found = answer["RecordData"]
        if found and set(found) <= addresses:
            return {"name": record_set["Name"], "type": record_set["Type"], "answer": sorted(found), "name_server": answer.get("Nameserver", "")}
        if clock.now() >= deadline:
            raise CutoverError(
                f"{params['wait_timeout']} s after the change, Route 53 still answers {record_set['Name']} with {', '.join(found) or 'nothing'}; "
                f"it should be one of {', '.join(sorted(addresses))} ({params['load_balancer']}). The change batch was accepted: look at the zone {zone.name}.",
            )
        clock.sleep(params["poll_seconds"])


def load_balancer_addresses(clients: Clients, load_balancer: t.Mapping[str, t.Any]) -> set[str]:
    """Public and private addresses of an ALB's network interfaces, which are described as "ELB app/<name>/<id>"."""
    description = "ELB " + load_balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
    found: set[str] = set()
    for page in clients("ec2").get_paginator("describe_network_interfaces").paginate(Filters=[{"Name": "description", "Values": [description]}]):
        for interface in page["NetworkInterfaces"]:
            found.add(interface.get("PrivateIpAddress", ""))
            found.add(interface.get("Association", {}).get("PublicIp", ""))
    return found - {""}


def _remember(params: Params, state: State, moved: bool) -> list[Call]:
    """The bake time counts from the last cutover: its time is a tag on the target's load balancer. A rollback takes it away."""
    to_target = params["side"] == "target"
    target = state.destination if to_target else state.origin
    if target is None:
        return []
    arn, name = target["LoadBalancerArn"], target["LoadBalancerName"]
    if to_target and (moved or state.cutover_at is None):
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        tags = aws_tags.to_list({aws_tags.CUTOVER_AT: now})
        return [Call(f"note the time of the cutover on {name}", "elbv2", "add_tags", {"ResourceArns": [arn], "Tags": tags})]
    if not to_target and state.cutover_at is not None:
        keys = [aws_tags.CUTOVER_AT]
        return [Call(f"remove the time of the cutover from {name}", "elbv2", "remove_tags", {"ResourceArns": [arn], "TagKeys": keys})]
    return []


def _shown(record_set: RecordSet) -> str:
    alias = record_set["AliasTarget"]
    return f"{record_set['Name']} {record_set['Type']} alias {alias['DNSName']} (evaluate target health: {alias['EvaluateTargetHealth']})"
