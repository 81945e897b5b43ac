# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Namespaces of Service Connect, and who is in them. Nothing is asked where no service uses Service Connect."""

from __future__ import annotations

import typing as t

from .read import Reader, Shape, each, unique


def in_use(service: Shape) -> Shape:
    """ServiceConnectConfiguration of the PRIMARY deployment, the only place where ECS shows it; empty where it is off."""
    primary: Shape = next((item for item in service.get("deployments") or [] if item.get("status") == "PRIMARY"), {})
    configuration: Shape = primary.get("serviceConnectConfiguration") or {}
    return configuration if configuration.get("enabled") else {}


def read_namespaces(read: Reader, cluster: Shape | None, services: t.Sequence[Shape], path: str) -> list[Shape]:
    """``namespaces`` of a side: those its services are in."""
    default = ((cluster or {}).get("serviceConnectDefaults") or {}).get("namespace")
    references = unique(configuration.get("namespace") or default or "" for configuration in map(in_use, services) if configuration)
    found = [item for item in each(lambda reference: _namespace(read, reference, f"{path}.namespaces"), references) if item]
    return list({item["Arn"]: item for item in found}.values())


def _namespace(read: Reader, reference: str, path: str) -> Shape | None:
    """ECS tells a namespace as it was given, by name or by ARN, and its name is Cloud Map's HTTP name."""
    found = read.optional(path, {}, lambda: _by_arn(read, reference) if reference.startswith("arn:") else _by_name(read, reference), ["NamespaceNotFound"])
    if not found:
        return None
    arn = found["Arn"]
    members = read.optional(
        path, None, lambda: sorted(read.all("ecs", "list_services_by_namespace", "serviceArns", namespace=arn)), ["NamespaceNotFoundException"]
    )
    return {"Id": found["Id"], "Arn": arn, "Name": _http_name(found), "services": members}


def _by_arn(read: Reader, arn: str) -> Shape:
    """By its id; one that another account shares only by its ARN. [B GetNamespaceRequest.Id]"""
    own = arn.split(":")[4] == read.clients.account_id()
    found: Shape = read.one("servicediscovery", "get_namespace", Id=arn.rpartition("/")[2] if own else arn)["Namespace"]
    return found


def _by_name(read: Reader, name: str) -> Shape:
    listed = read.all("servicediscovery", "list_namespaces", "Namespaces", Filters=[{"Name": "HTTP_NAME", "Values": [name], "Condition": "EQ"}])
    return next((item for item in listed if _http_name(item) == name), {})


def _http_name(namespace: Shape) -> str:
    return str(((namespace.get("Properties") or {}).get("HttpProperties") or {}).get("HttpName") or namespace["Name"])
