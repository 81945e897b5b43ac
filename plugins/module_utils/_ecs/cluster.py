# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The target's cluster: settings, capacity providers, tags."""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import CLOCK, Call, Clock, Ids, Ref, apply, covers, overlay, report, resolve
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from . import namespaces
from .common import LINKED_ROLE

Section = t.Mapping[str, t.Any]

UPDATE_IN_PROGRESS = (("UpdateInProgressException", ""), ("ResourceInUseException", ""))
"""A cluster takes one change of its capacity providers at a time. [B PutClusterCapacityProviders]"""


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> dict[str, t.Any]:
    spaces = params["cluster"].get("namespaces") or []
    present = namespaces.read(clients, spaces)
    wanted = {**normalise(params["cluster"]), **_default_namespace(params["cluster"], present, clients)}
    current = view(read(clients, wanted["name"]))
    foreign = is_foreign(wanted, current)
    calls = [*namespaces.compare(spaces, present, clock), *([] if foreign else compare(wanted, current))]
    ids: Ids = {}
    changes = apply(calls, clients, ids, check_mode, clock)
    after = current if foreign else resolve(overlay(current, {**wanted, "capacity_providers": _united(wanted, current)}), ids)
    return report(changes, current, after, notes=_notes(wanted, current) if foreign else [], name=wanted["name"])


def normalise(section: Section) -> dict[str, t.Any]:
    """The plan's section without what it leaves open."""
    configuration = section.get("configuration")
    return {
        "name": section["name"],
        **({"configuration": dict(configuration)} if configuration else {}),
        "settings": {key: str(value) for key, value in (section.get("settings") or {}).items()},
        "capacity_providers": sorted(section.get("capacity_providers") or []),
        "tags": {key: str(value) for key, value in (section.get("tags") or {}).items()},
    }


def _default_namespace(section: Section, present: t.Mapping[str, str], clients: Clients) -> dict[str, t.Any]:
    """The cluster's default namespace, by its ARN: ECS would make a namespace of a name that it doesn't know. [B ClusterServiceConnectDefaultsRequest]"""
    name = section.get("service_connect_namespace")
    if not name:
        return {}
    planned = {item["name"] for item in section.get("namespaces") or []}
    arn = present.get(name) or (Ref("namespace", name) if name in planned else namespaces.arn_of(clients, name))
    if arn is None:
        raise CutoverError(f"There is no namespace {name}, which the plan names as the default of cluster {section['name']}. Nothing was changed.")
    return {"service_connect_namespace": arn}


def read(clients: Clients, name: str) -> dict[str, t.Any] | None:
    """DescribeClusters still tells of a deleted cluster, as INACTIVE; CreateCluster brings it back to life."""
    clusters = clients("ecs").describe_clusters(clusters=[name], include=["CONFIGURATIONS", "SETTINGS", "TAGS"])["clusters"]
    return next((cluster for cluster in clusters if cluster.get("status") != "INACTIVE"), None)


def view(cluster: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """A cluster as AWS describes it in the shape of the plan; ``{}`` when there is none."""
    if cluster is None:
        return {}
    configuration, namespace = cluster.get("configuration"), (cluster.get("serviceConnectDefaults") or {}).get("namespace")
    return {
        "name": cluster["clusterName"],
        **({"configuration": configuration} if configuration else {}),
        **({"service_connect_namespace": namespace} if namespace else {}),
        "settings": {item["name"]: item["value"] for item in cluster.get("settings") or []},
        "capacity_providers": sorted(cluster.get("capacityProviders") or []),
        "default_capacity_provider_strategy": cluster.get("defaultCapacityProviderStrategy") or [],
        "tags": tagging.to_dict(cluster.get("tags")),
        "arn": cluster["clusterArn"],
    }


def is_foreign(wanted: Section, current: Section) -> bool:
    """A cluster that does not carry our tag is used as it is: it may be shared, and its settings belong to others."""
    owner = wanted["tags"].get(tagging.SYSTEM)
    return bool(current) and owner is not None and current["tags"].get(tagging.SYSTEM) != owner


def compare(wanted: Section, current: Section) -> list[Call]:
    if not current:
        return [_create(wanted)]
    return [*_settings(wanted, current), *_configuration(wanted, current), *_providers(wanted, current), *_tags(wanted, current)]


def _create(wanted: Section) -> Call:
    params = {
        "clusterName": wanted["name"],
        "settings": _setting_list(wanted["settings"]),
        "configuration": wanted.get("configuration"),
        "serviceConnectDefaults": {"namespace": wanted["service_connect_namespace"]} if "service_connect_namespace" in wanted else None,
        "capacityProviders": wanted["capacity_providers"],
        "tags": tagging.to_list(wanted["tags"], lower=True),
    }
    given = {key: value for key, value in params.items() if value}
    return Call(f"create cluster {wanted['name']}", "ecs", "create_cluster", given, again=LINKED_ROLE + namespaces.NEW_NAMESPACE)


def _settings(wanted: Section, current: Section) -> t.Iterator[Call]:
    different = {name: value for name, value in wanted["settings"].items() if current["settings"].get(name) != value}
    if different:
        text = f"set {', '.join(f'{name}={value}' for name, value in sorted(different.items()))} on cluster {wanted['name']}"
        yield Call(text, "ecs", "update_cluster", {"cluster": wanted["name"], "settings": _setting_list(different)}, again=UPDATE_IN_PROGRESS)


def _configuration(wanted: Section, current: Section) -> t.Iterator[Call]:
    """Configuration of ECS Exec and of storage, default namespace. Members that the plan does not name are sent as they are."""
    different: dict[str, t.Any] = {}
    if not covers(current.get("configuration"), wanted.get("configuration")):
        different["configuration"] = overlay(current.get("configuration"), wanted["configuration"])
    namespace = wanted.get("service_connect_namespace")
    if namespace not in (None, current.get("service_connect_namespace")):
        different["serviceConnectDefaults"] = {"namespace": namespace}
    if different:
        text = f"set {' and '.join(sorted(different))} of cluster {wanted['name']}"
        again = UPDATE_IN_PROGRESS + namespaces.NEW_NAMESPACE
        yield Call(text, "ecs", "update_cluster", {"cluster": wanted["name"], **different}, again=again)


def _providers(wanted: Section, current: Section) -> t.Iterator[Call]:
    """PutClusterCapacityProviders replaces both lists, so what is there is sent again."""
    missing = [name for name in wanted["capacity_providers"] if name not in current["capacity_providers"]]
    if missing:
        params = {
            "cluster": wanted["name"],
            "capacityProviders": _united(wanted, current),
            "defaultCapacityProviderStrategy": current["default_capacity_provider_strategy"],
        }
        text = f"add capacity providers {', '.join(missing)} to cluster {wanted['name']}"
        yield Call(text, "ecs", "put_cluster_capacity_providers", params, again=UPDATE_IN_PROGRESS + LINKED_ROLE)


def _tags(wanted: Section, current: Section) -> t.Iterator[Call]:
    missing = tagging.missing(wanted["tags"], current["tags"])
    if missing:
        yield Call(
            f"tag cluster {wanted['name']} with {', '.join(sorted(missing))}",
            "ecs",
            "tag_resource",
            {"resourceArn": current["arn"], "tags": tagging.to_list(missing, lower=True)},
        )


def _united(wanted: Section, current: Section) -> list[str]:
    """What is there and is not named by the plan stays."""
    return sorted({*current.get("capacity_providers", []), *wanted["capacity_providers"]})


def _notes(wanted: Section, current: Section) -> list[str]:
    settings = current["settings"]
    differing = [f"{name} is {settings.get(name)}, not {value}" for name, value in wanted["settings"].items() if settings.get(name) != value]
    differing += [f"{name} is another one" for name in ("configuration", "service_connect_namespace") if not covers(current.get(name), wanted.get(name))]
    absent = [f"{name} is not a capacity provider" for name in wanted["capacity_providers"] if name not in current["capacity_providers"]]
    return [f"Cluster {wanted['name']} has no tag {tagging.SYSTEM}={wanted['tags'][tagging.SYSTEM]}; it is used as it is.", *differing, *absent]


def _setting_list(settings: t.Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": settings[name]} for name in sorted(settings)]
