# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The plan's section ``load_balancer`` in the form that :mod:`.read` gives. Pure."""

from __future__ import annotations

import typing as t

from . import shapes

Dict = t.Dict[str, t.Any]
Section = t.Mapping[str, t.Any]

DELETION_PROTECTION = "deletion_protection.enabled"


def normalise(section: Section) -> Dict:
    groups = section.get("target_groups") or []
    return {
        "name": section["name"],
        "type": "application",
        "scheme": section.get("scheme"),
        "vpc_id": next((group["vpc_id"] for group in groups if group.get("vpc_id")), None),
        "ip_address_type": section.get("ip_address_type"),
        "subnets": sorted(section.get("subnets") or []),
        "security_groups": sorted(section.get("security_groups") or []),
        "attributes": {key: value for key, value in shapes.attributes(section.get("attributes")).items() if key != DELETION_PROTECTION},
        "web_acl_arn": section.get("web_acl_arn"),
        "deletion_protection": bool(section.get("deletion_protection")),
        "tags": _tags(section),
        "target_groups": {group["name"]: _target_group(group) for group in groups},
        "listeners": {int(listener["port"]): _listener(listener) for listener in section.get("listeners") or []},
    }


def _target_group(group: Section) -> Dict:
    members = ("protocol", "protocol_version", "port", "vpc_id", "target_type", "ip_address_type")
    return {
        **{key: group.get(key) for key in members},
        "health_check": {key: value for key, value in (group.get("health_check") or {}).items() if value is not None},
        "attributes": shapes.attributes(group.get("attributes")),
        "tags": _tags(group),
    }


def _listener(listener: Section) -> Dict:
    mutual = listener.get("mutual_authentication")
    return {
        "protocol": listener["protocol"],
        "ssl_policy": listener.get("ssl_policy"),
        "certificate_arn": listener.get("certificate_arn"),
        "sni_certificate_arns": sorted(set(listener.get("sni_certificate_arns") or []) - {listener.get("certificate_arn")}),
        "alpn_policy": listener.get("alpn_policy") or None,
        "mutual_authentication": shapes.mutual_authentication(mutual) if mutual else None,
        "attributes": shapes.attributes(listener.get("attributes")),
        "default_actions": shapes.actions(listener["default_actions"]),
        "rules": {int(rule["priority"]): _rule(rule) for rule in listener.get("rules") or []},
        "tags": _tags(listener),
    }


def _rule(rule: Section) -> Dict:
    return {
        "conditions": shapes.conditions(rule["conditions"]),
        "actions": shapes.actions(rule["actions"]),
        "transforms": shapes.transforms(rule.get("transforms")),
        "tags": _tags(rule),
    }


def _tags(holder: Section) -> dict[str, str]:
    return {key: str(value) for key, value in (holder.get("tags") or {}).items()}
