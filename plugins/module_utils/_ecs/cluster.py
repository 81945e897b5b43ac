# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The target's cluster: settings, capacity providers, tags."""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import CLOCK, Call, Clock, apply, overlay, report
from .._aws.clients import Clients
from .common import LINKED_ROLE

Section = t.Mapping[str, t.Any]

UPDATE_IN_PROGRESS = (("UpdateInProgressException", ""), ("ResourceInUseException", ""))
"""A cluster takes one change of its capacity providers at a time. [B PutClusterCapacityProviders]"""


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> dict[str, t.Any]:
    wanted = normalise(params["cluster"])
    found = read(clients, wanted["name"])
    current = view(found)
    foreign = is_foreign(wanted, current)
    calls = [] if foreign else compare(wanted, current)
    changes = apply(calls, clients, {}, check_mode, clock)
    after = current if foreign else overlay(current, {**wanted, "capacity_providers": _united(wanted, current)})
    return report(changes, current, after, notes=_notes(wanted, current) if foreign else [], name=wanted["name"])


def normalise(section: Section) -> dict[str, t.Any]:
    """The plan's section without what it leaves open."""
    return {
        "name": section["name"],
        "settings": {key: str(value) for key, value in (section.get("settings") or {}).items()},
        "capacity_providers": sorted(section.get("capacity_providers") or []),
        "tags": {key: str(value) for key, value in (section.get("tags") or {}).items()},
    }


def read(clients: Clients, name: str) -> dict[str, t.Any] | None:
    """DescribeClusters still tells of a deleted cluster, as INACTIVE; CreateCluster brings it back to life."""
    clusters = clients("ecs").describe_clusters(clusters=[name], include=["SETTINGS", "TAGS"])["clusters"]
    return next((cluster for cluster in clusters if cluster.get("status") != "INACTIVE"), None)


def view(cluster: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """A cluster as AWS describes it in the shape of the plan; ``{}`` when there is none."""
    if cluster is None:
        return {}
    return {
        "name": cluster["clusterName"],
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
    return [*_settings(wanted, current), *_providers(wanted, current), *_tags(wanted, current)]


def _create(wanted: Section) -> Call:
    params = {
        "clusterName": wanted["name"],
        "settings": _setting_list(wanted["settings"]),
        "capacityProviders": wanted["capacity_providers"],
        "tags": tagging.to_list(wanted["tags"], lower=True),
    }
    return Call(f"create cluster {wanted['name']}", "ecs", "create_cluster", {key: value for key, value in params.items() if value}, again=LINKED_ROLE)


def _settings(wanted: Section, current: Section) -> t.Iterator[Call]:
    different = {name: value for name, value in wanted["settings"].items() if current["settings"].get(name) != value}
    if different:
        text = f"set {', '.join(f'{name}={value}' for name, value in sorted(different.items()))} on cluster {wanted['name']}"
        yield Call(text, "ecs", "update_cluster", {"cluster": wanted["name"], "settings": _setting_list(different)}, again=UPDATE_IN_PROGRESS)


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
    absent = [f"{name} is not a capacity provider" for name in wanted["capacity_providers"] if name not in current["capacity_providers"]]
    return [f"Cluster {wanted['name']} has no tag {tagging.SYSTEM}={wanted['tags'][tagging.SYSTEM]}; it is used as it is.", *differing, *absent]


def _setting_list(settings: t.Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": settings[name]} for name in sorted(settings)]
