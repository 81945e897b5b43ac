# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What every rule may look at: the system as found, what the inventory wants, and the names."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field
from functools import cached_property

from . import names
from .findings import Finding, found

Json = t.Dict[str, t.Any]

SYSTEM_TAG = "cutover:system"
SOURCE_LOAD_BALANCER_TAG = "cutover:source-load-balancer"
SOURCE_CLUSTER_TAG = "cutover:source-cluster"
CLIENT_KEEP_ALIVE_TAG = "cutover:client-keep-alive"
DESIRED_COUNT_TAG = "cutover:desired-count"
CAPACITY_TAG = "cutover:capacity"

MAXIMUM_TAGS = 50


@dataclass(frozen=True)
class Context:
    """Read-only. ``found`` looks like a collector, but it only builds findings: rules yield them."""

    system: t.Mapping[str, t.Any]
    intent: t.Mapping[str, t.Any]
    overrides: t.Mapping[str, t.Any] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """The inventory host's name, else the first label of the FQDN."""
        given = self.intent.get("system") or self.system.get("name")
        return str(given or str(self.fqdn or "system").split(".")[0])

    @cached_property
    def names(self) -> dict[str, str]:
        return names.compute(self.name, {key: value for key, value in self.overrides.items() if isinstance(value, str)})

    def renamed(self, kind: str, source: str) -> str | None:
        """The name that ``fargate_names.<kind>.<source>`` gives, where the kind is plural: target_groups, families ..."""
        given = self.overrides.get(kind)
        return str(given[source]) if isinstance(given, t.Mapping) and given.get(source) else None

    @property
    def fqdn(self) -> str | None:
        return self.system.get("fqdn") or self.intent.get("fqdn")

    @property
    def region(self) -> str:
        return str(self.system.get("region") or self.intent.get("region") or "")

    @property
    def account_id(self) -> str:
        return str(self.system.get("account_id") or "")

    @cached_property
    def source(self) -> Json:
        return self.system.get("source") or {}

    @cached_property
    def target(self) -> Json:
        return self.system.get("target") or {}

    @property
    def partition(self) -> str:
        return "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    @property
    def registry(self) -> str:
        """The host of the account's own ECR registry."""
        return f"{self.account_id}.dkr.ecr.{self.region}.amazonaws.com" + (".cn" if self.partition == "aws-cn" else "")

    @property
    def own_tags(self) -> dict[str, str]:
        return {SYSTEM_TAG: self.name}

    @cached_property
    def source_services(self) -> list[Json]:
        return list(self.source.get("services") or [])

    @property
    def replica_services(self) -> list[Json]:
        """Those that have a number of tasks. Agents of the scheduling strategy DAEMON come and go with the instances: AWS takes no number for them."""
        return [service for service in self.source_services if service.get("schedulingStrategy") != "DAEMON"]

    @cached_property
    def source_load_balancer(self) -> Json:
        return self.source.get("load_balancer") or {}

    @cached_property
    def target_services(self) -> dict[str, Json]:
        return {str(service.get("serviceName")): service for service in self.target.get("services") or []}


def carried_tags(tags: t.Mapping[str, str] | None, context: Context, path: str, **more: str) -> tuple[dict[str, str], list[Finding]]:
    """Tags of the source without AWS's own and ours, plus ours. ``aws:`` (any case) is reserved; at most 50. fargate-rules.md 1 tags"""
    kept = {key: str(value) for key, value in sorted((tags or {}).items()) if not key.lower().startswith(("aws:", "cutover:"))}
    ours = {**context.own_tags, **more}
    lost = list(kept)[MAXIMUM_TAGS - len(ours) :]
    findings = [found("FG-TAGS", f"{path}.tags", ", ".join(lost), count=len(lost))] if lost else []
    return {**{key: kept[key] for key in kept if key not in lost}, **ours}, findings


def tag_list(tags: t.Mapping[str, str]) -> list[dict[str, str]]:
    """ECS's spelling of tags, sorted."""
    return [{"key": key, "value": str(tags[key])} for key in sorted(tags)]


def short(arn: str | None) -> str:
    """The last part of an ARN: the name of a cluster, service, role ..."""
    return str(arn or "").rpartition("/")[2]


def whole(value: t.Any) -> t.Any:
    """A copy without nulls among the elements of lists: they name nothing."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return [whole(item) for item in value if item is not None] if isinstance(value, (list, tuple)) else value


def as_int(value: t.Any) -> int | None:
    """A number that came through JSON, a tag or an inventory; None when it isn't one."""
    try:
        return int(str(value).strip())
    except ValueError:
        return None


def as_block(value: t.Any) -> ipaddress.IPv4Network | None:
    """A block of IPv4 addresses; None when it isn't one."""
    try:
        return ipaddress.IPv4Network(str(value), strict=False)
    except ValueError:
        return None


def as_list(value: t.Any) -> list[t.Any]:
    """None -> [], one -> [one]."""
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def deployed(service: t.Mapping[str, t.Any], member: str) -> list[Json]:
    """A list that DescribeServices shows in the deployments only: that of the PRIMARY one. [B Deployment]"""
    primary: Json = next((item for item in service.get("deployments") or [] if item.get("status") == "PRIMARY"), {})
    return list(primary.get(member) or service.get(member) or [])


def per_service(value: t.Any, service: str) -> t.Any:
    """An intent that is either one value for all services or a mapping by service name."""
    return value.get(service) if isinstance(value, t.Mapping) else value
