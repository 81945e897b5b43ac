# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The Cloud Map services that the target's services register their tasks in. Found by name in their namespace; AWS gives no other key."""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import Call, Ref, overlay
from .._aws.clients import Clients
from .._aws.errors import CutoverError

Wanted = t.Mapping[str, t.Any]
Found = t.Dict[str, t.Any]
Key = t.Tuple[str, str]


def read(clients: Clients, registries: t.Sequence[Wanted]) -> dict[Key, Found]:
    """Those that exist, by namespace and name, as GetService gives them, with their tags."""
    found = {(item["namespace_id"], item["name"]): find(clients, item["namespace_id"], item["name"]) for item in registries}
    return {key: service for key, service in found.items() if service}


def find(clients: Clients, namespace_id: str, name: str) -> Found | None:
    client = clients("servicediscovery")
    namespace = [{"Name": "NAMESPACE_ID", "Values": [namespace_id], "Condition": "EQ"}]
    for page in client.get_paginator("list_services").paginate(Filters=namespace):
        for summary in page["Services"]:
            service = client.get_service(Id=summary["Id"])["Service"] if summary["Name"] == name else {}
            if service.get("NamespaceId") == namespace_id:
                marks = client.list_tags_for_resource(ResourceARN=service["Arn"])["Tags"]
                return {**service, "Tags": tagging.to_dict(marks)}
    return None


def refuse(wanted: Wanted, current: Found | None) -> None:
    """Somebody else's is not touched; and what AWS can't change has to be as wanted."""
    if current is None:
        return
    owner, where = (wanted.get("tags") or {}).get(tagging.SYSTEM), f"The Cloud Map service {wanted['name']} in namespace {wanted['namespace_id']}"
    if owner is not None and current["Tags"].get(tagging.SYSTEM) != owner:
        raise CutoverError(
            f"{where} exists without the tag {tagging.SYSTEM}={owner}, so it is not ours. Choose another name (fargate_names.cloud_map_services), "
            "or tag it if it is this system's. No service was created or changed."
        )
    for member, shown in (("record types", _types), ("routing policy", _policy)):
        if shown(current.get("DnsConfig")) != shown(wanted.get("dns_config")):
            raise CutoverError(
                f"{where} has the {member} {shown(current.get('DnsConfig')) or 'none'}; should be {shown(wanted.get('dns_config')) or 'none'}, and AWS can't "
                "change it. Abandon the target, or delete the Cloud Map service. No service was created or changed."
            )


def _types(config: Wanted | None) -> str:
    return ", ".join(sorted(record["Type"] for record in (config or {}).get("DnsRecords") or []))


def _policy(config: Wanted | None) -> str:
    return str((config or {}).get("RoutingPolicy") or "MULTIVALUE") if _types(config) else ""


def compare(wanted: Wanted, current: Found | None) -> list[Call]:
    """Create, or update the only thing that may drift: how long answers are kept."""
    if current is None:
        return [_create(wanted)]
    calls = []
    if _ttls(wanted.get("dns_config")) != _ttls(current.get("DnsConfig")):
        # "If you omit any existing DnsRecords or HealthCheckConfig configurations ..., the configurations are deleted" [B UpdateServiceRequest]
        change = {"DnsConfig": {"DnsRecords": wanted["dns_config"]["DnsRecords"]}}
        if current.get("HealthCheckConfig"):
            change["HealthCheckConfig"] = current["HealthCheckConfig"]
        text = f"update the TTL of Cloud Map service {wanted['name']}"
        calls.append(Call(text, "servicediscovery", "update_service", {"Id": current["Id"], "Service": change}))
    missing = tagging.missing(wanted.get("tags") or {}, current["Tags"])
    if missing:
        text = f"tag Cloud Map service {wanted['name']} with {', '.join(sorted(missing))}"
        calls.append(Call(text, "servicediscovery", "tag_resource", {"ResourceARN": current["Arn"], "Tags": tagging.to_list(missing)}))
    return calls


def _ttls(config: Wanted | None) -> dict[str, int]:
    return {record["Type"]: int(record["TTL"]) for record in (config or {}).get("DnsRecords") or []}


def _create(wanted: Wanted) -> Call:
    members = {
        "Name": wanted["name"],
        "NamespaceId": wanted["namespace_id"],
        "DnsConfig": wanted.get("dns_config"),
        "HealthCheckConfig": wanted.get("health_check_config"),
        "HealthCheckCustomConfig": wanted.get("health_check_custom_config"),
        "Type": wanted.get("type"),
        "Tags": tagging.to_list(wanted.get("tags") or {}),
    }
    params = {key: value for key, value in members.items() if value is not None}
    gives: dict[Ref, tuple[str | int, ...]] = {ref(wanted["namespace_id"], wanted["name"]): ("Service", "Arn")}
    return Call(f"create Cloud Map service {wanted['name']}", "servicediscovery", "create_service", params, gives=gives)


def ref(namespace_id: str, name: str) -> Ref:
    return Ref("cloud_map_service", f"{namespace_id}/{name}")


def argument(item: Wanted, found: t.Mapping[Key, Found]) -> list[dict[str, t.Any]]:
    """CreateService's ``serviceRegistries``; what is yet to be made stands for itself."""
    return [view({"registryArn": _arn(entry, found), **{to: entry.get(key) for key, to in MEMBERS}}) for entry in item.get("service_registries") or []]


MEMBERS = (("port", "port"), ("container_name", "containerName"), ("container_port", "containerPort"))


def _arn(entry: Wanted, found: t.Mapping[Key, Found]) -> str | Ref:
    if entry.get("registry_arn"):
        return str(entry["registry_arn"])
    key = (entry["namespace_id"], entry["name"])
    return str(found[key]["Arn"]) if key in found else ref(*key)


def view(registry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A registry of a service without the members that AWS leaves at null or 0."""
    return {key: registry[key] for key in ("registryArn", "port", "containerName", "containerPort") if registry.get(key)}


def shown(current: Found) -> dict[str, t.Any]:
    """For the diff."""
    return {"dns_config": current.get("DnsConfig"), "tags": current["Tags"]}


def expected(wanted: Wanted, current: Found | None) -> dict[str, t.Any]:
    after = {"dns_config": wanted.get("dns_config"), "tags": dict(wanted.get("tags") or {})}
    return t.cast("dict[str, t.Any]", overlay(shown(current), after)) if current else after

