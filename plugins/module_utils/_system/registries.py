# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The Cloud Map services that a side's services register their tasks in."""

from __future__ import annotations

import typing as t

from .._aws import tags
from .read import Reader, Shape, each, unique


def read_registries(read: Reader, services: t.Sequence[Shape], path: str) -> list[Shape]:
    """``registries`` of a side: each with its namespace and its tags. Nothing is asked when no service has one."""
    arns = unique(registry.get("registryArn") or "" for service in services for registry in service.get("serviceRegistries") or [])
    return [found for found in each(lambda arn: _registry(read, arn, path), arns) if found]


def _registry(read: Reader, arn: str, path: str) -> Shape | None:
    """None when it is gone or must not be read: the plan then knows the ARN only, and says so."""

    def ask() -> Shape:
        service = read.one("servicediscovery", "get_service", Id=arn.rpartition("/")[2])["Service"]
        namespace = read.one("servicediscovery", "get_namespace", Id=service["NamespaceId"])["Namespace"]
        marks = read.one("servicediscovery", "list_tags_for_resource", ResourceARN=arn)["Tags"]
        return {**service, "Namespace": namespace, "Tags": tags.to_dict(marks)}

    absent = ["ServiceNotFound", "NamespaceNotFound", "ResourceNotFoundException"]
    return read.optional(f"{path}.registries[{arn.rpartition('/')[2]}]", None, ask, absent)
