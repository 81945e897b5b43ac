# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How the target's services deploy while it does not serve, and once it does.

Neither member starts a deployment: "This parameter doesn't trigger a new service deployment." [B UpdateServiceRequest.deploymentConfiguration]
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
"""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import CLOCK, Call, Clock, apply, covers, overlay, report
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._cloudwatch import copied
from .._cloudwatch.alarms import existing
from .common import describe_services, rolls, whole_configuration

Wanted = t.Mapping[str, t.Any]
Json = t.Dict[str, t.Any]

MEMBERS = {"deploymentConfiguration": "deployment_configuration", "availabilityZoneRebalancing": "availability_zone_rebalancing"}
"""Members of UpdateService by the plan's name."""


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> dict[str, t.Any]:
    """``create`` false touches only what exists: neither the cutover nor a rollback builds anything."""
    services = _services(clients, params["deployments"])
    if params["create"] and not check_mode:
        _refuse_missing(params["deployments"], services)
    calls: list[Call] = []
    before: Json = {}
    after: Json = {}
    if params["create"]:
        alarms = [alarm for item in params["deployments"] for alarm in item.get("alarms") or []]
        calls, before, after = copied.changes(alarms, clients, check_mode, {})
    known = None if params["create"] else _existing(clients, params["deployments"])
    for item in params["deployments"]:
        current = services.get(item["service"])
        if current is None and not (params["create"] and check_mode):
            continue
        wanted = state(item, params["hold"], current or {}, known)
        calls = [*calls, *compare(item, wanted, current or {})]
        before[item["service"]] = view(current or {})
        after[item["service"]] = overlay(before[item["service"]], wanted)
    return report(apply(calls, clients, {}, check_mode, clock), before, after)


def state(item: Wanted, hold: bool, current: Wanted, known: t.Collection[str] | None) -> Json:
    """UpdateService's arguments. Alarms that a person added to the target's service go on deciding; of ``known`` alarms only those that exist are named."""
    wanted = {member: item["held" if hold else "serving"][name] for member, name in MEMBERS.items()}
    if not rolls(current):
        return {member: value for member, value in wanted.items() if member != "deploymentConfiguration"}
    alarms = wanted["deploymentConfiguration"].get("alarms")
    if not alarms:
        return wanted
    theirs = ((current.get("deploymentConfiguration") or {}).get("alarms") or {}).get("alarmNames") or []
    ours = [name for name in alarms["alarmNames"] if known is None or name in known]
    names = sorted({*theirs, *ours})
    configuration = {key: value for key, value in wanted["deploymentConfiguration"].items() if key != "alarms"}
    return {**wanted, "deploymentConfiguration": {**configuration, "alarms": {**alarms, "alarmNames": names}} if names else configuration}


def compare(item: Wanted, wanted: Wanted, current: Wanted) -> list[Call]:
    now = view(current)
    drift = {member: value for member, value in wanted.items() if not covers(now.get(member), value)}
    if not drift:
        return []
    if "deploymentConfiguration" in drift:
        drift["deploymentConfiguration"] = whole_configuration(now.get("deploymentConfiguration"), drift["deploymentConfiguration"])
    text = f"set {' and '.join(sorted(drift))} of service {item['service']}{_told(drift)}"
    return [Call(text, "ecs", "update_service", {"cluster": item["cluster"], "service": item["service"], **drift})]


def _told(drift: Wanted) -> str:
    configuration = drift.get("deploymentConfiguration") or {}
    rollback = (configuration.get("deploymentCircuitBreaker") or {}).get("rollback")
    alarms = configuration.get("alarms") or {}
    parts = [] if rollback is None else [f"a failed deployment is {'' if rollback else 'not '}rolled back"]
    if alarms.get("alarmNames"):
        parts.append(f"{', '.join(alarms['alarmNames'])} {'decides' if alarms['enable'] else 'waits until it serves'}")
    return f" ({'; '.join(parts)})" if parts else ""


def view(service: Wanted) -> Json:
    """Both members of a described service, alarms in order."""
    shown = {member: service[member] for member in MEMBERS if service.get(member) is not None}
    alarms = (shown.get("deploymentConfiguration") or {}).get("alarms")
    if alarms:
        ordered = {**alarms, "alarmNames": sorted(alarms.get("alarmNames") or [])}
        shown["deploymentConfiguration"] = {**shown["deploymentConfiguration"], "alarms": ordered}
    return shown


def _services(clients: Clients, wanted: t.Sequence[Wanted]) -> dict[str, Json]:
    """Those that are active and carry our tag: nothing else is ours to change."""
    found: dict[str, Json] = {}
    for cluster in sorted({item["cluster"] for item in wanted}):
        described = describe_services(clients, cluster, [item["service"] for item in wanted if item["cluster"] == cluster]) or {}
        found.update({name: service for name, service in described.items() if service.get("status") == "ACTIVE"})
    owners = {item["service"]: (item.get("tags") or {}).get(tagging.SYSTEM) for item in wanted}
    return {name: service for name, service in found.items() if owners[name] in (None, tagging.to_dict(service.get("tags")).get(tagging.SYSTEM))}


def _refuse_missing(wanted: t.Sequence[Wanted], services: t.Mapping[str, Json]) -> None:
    missing = [f"{item['service']} in cluster {item['cluster']}" for item in wanted if item["service"] not in services]
    if missing:
        raise CutoverError(
            f"There is no service {' and no '.join(missing)} that carries this system's tag {tagging.SYSTEM}. Run the role service first (--tags service). "
            "Nothing was created or changed."
        )


def _existing(clients: Clients, wanted: t.Sequence[Wanted]) -> set[str]:
    """A deployment must not wait for an alarm that nobody made."""
    names = {name for item in wanted for name in (item["serving"]["deployment_configuration"].get("alarms") or {}).get("alarmNames") or []}
    return set(existing(clients, sorted(names)))
