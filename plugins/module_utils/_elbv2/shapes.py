# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One form for what is planned and what Elastic Load Balancing describes, so that both can be compared with ``==``. Pure.

Defaults are dropped, not filled: what is left is also what CreateListener and CreateRule are given.
"""

from __future__ import annotations

import json
import typing as t

from .common import group_name

Dict = t.Dict[str, t.Any]

REDIRECT_DEFAULTS = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
"""A component that is not given stays as the client sent it. [B RedirectActionConfig]"""

SIGN_IN_DEFAULTS = {"SessionCookieName": "AWSELBAuthSessionCookie", "Scope": "openid", "SessionTimeout": 604800, "OnUnauthenticatedRequest": "authenticate"}
"""[B AuthenticateOidcActionConfig, AuthenticateCognitoActionConfig]"""

DEFAULTS: dict[str, Dict] = {
    "RedirectConfig": REDIRECT_DEFAULTS,
    "AuthenticateOidcConfig": SIGN_IN_DEFAULTS,
    "AuthenticateCognitoConfig": SIGN_IN_DEFAULTS,
    "FixedResponseConfig": {"MessageBody": "", "ContentType": ""},
}

CONDITION_CONFIG = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}
"""The fields that may be written in the old way, with ``Values`` beside ``Field``. Describe returns both ways; only one may be sent. fargate-rules.md 10"""

MUTUAL_OFF: Dict = {"Mode": "off"}


def actions(given: t.Iterable[t.Mapping[str, t.Any]]) -> list[Dict]:
    """Actions in order, forwards by target group *name*.

    ``Order`` is dropped: the order of the list says the same, and Describe adds it.
    """
    ordered = sorted(enumerate(given), key=lambda pair: (pair[1].get("Order") or pair[0] + 1, pair[0]))
    return [action(item) for _position, item in ordered]


def action(given: t.Mapping[str, t.Any]) -> Dict:
    if given["Type"] == "forward":
        return {"Type": "forward", "ForwardConfig": forward(given)}
    cleaned: Dict = {"Type": given["Type"]}
    for member, value in given.items():
        if member not in ("Type", "Order") and isinstance(value, t.Mapping):
            defaults = DEFAULTS.get(member, {})
            cleaned[member] = {key: item for key, item in value.items() if item is not None and defaults.get(key) != item}
    return cleaned


def forward(given: t.Mapping[str, t.Any]) -> Dict:
    """Describe gives ``TargetGroupArn`` and ``ForwardConfig`` that say the same; one target group may be given without a config."""
    config = given.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or [{key: given[key] for key in ("TargetGroupArn", "TargetGroupName") if given.get(key)}]
    weighted = [{"TargetGroupName": _name(group), "Weight": 1 if group.get("Weight") is None else int(group["Weight"])} for group in groups]
    shown: Dict = {"TargetGroups": sorted(weighted, key=lambda group: group["TargetGroupName"])}
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    if stickiness.get("Enabled"):
        shown["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": stickiness.get("DurationSeconds")}
    return shown


def _name(group: t.Mapping[str, t.Any]) -> str:
    return str(group.get("TargetGroupName") or group_name(group["TargetGroupArn"]))


def group_names(given: t.Iterable[t.Mapping[str, t.Any]]) -> set[str]:
    """The target groups that (normalised) actions forward to."""
    return {group["TargetGroupName"] for item in given if item["Type"] == "forward" for group in item["ForwardConfig"]["TargetGroups"]}


def comparable(given: t.Iterable[Dict]) -> list[Dict]:
    """Without what Describe never returns: the client secret of a sign-in action, and the wish to keep the one that is stored."""
    hidden = ("ClientSecret", "UseExistingClientSecret")
    return [
        {member: {key: item for key, item in value.items() if key not in hidden} if isinstance(value, dict) else value for member, value in item.items()}
        for item in given
    ]


def conditions(given: t.Iterable[t.Mapping[str, t.Any]]) -> list[Dict]:
    """Conditions in a stable order (all must match, so theirs means nothing), values sorted."""
    return sorted((condition(item) for item in given), key=lambda item: json.dumps(item, sort_keys=True))


def condition(given: t.Mapping[str, t.Any]) -> Dict:
    field = given["Field"]
    configs = {key: _condition_config(value) for key, value in given.items() if key not in ("Field", "Values", "RegexValues") and value}
    if not configs and field in CONDITION_CONFIG:
        configs = {CONDITION_CONFIG[field]: _condition_config({key: given.get(key) for key in ("Values", "RegexValues")})}
    return {"Field": field, **configs}


def _condition_config(value: t.Mapping[str, t.Any]) -> Dict:
    """Values are alternatives: their order means nothing."""
    given = {key: item for key, item in value.items() if item not in (None, [], "")}
    return {key: sorted(item, key=lambda one: json.dumps(one, sort_keys=True)) if isinstance(item, list) else item for key, item in given.items()}


def transforms(given: t.Iterable[t.Mapping[str, t.Any]] | None) -> list[Dict]:
    cleaned = [{key: value for key, value in item.items() if value} for item in given or []]
    return sorted(cleaned, key=lambda item: json.dumps(item, sort_keys=True))


def mutual_authentication(given: t.Mapping[str, t.Any] | None) -> Dict:
    """Without the read-only status and without what is off by default. [B MutualAuthenticationAttributes]"""
    kept = {key: value for key, value in (given or MUTUAL_OFF).items() if key != "TrustStoreAssociationStatus" and value not in (None, False)}
    if kept.get("AdvertiseTrustStoreCaNames") == "off":
        del kept["AdvertiseTrustStoreCaNames"]
    return MUTUAL_OFF if kept.get("Mode") == "off" else kept


def attributes(given: t.Any) -> dict[str, str]:
    """``[{Key, Value}]`` of Describe, or the plan's mapping, as text to text."""
    pairs = given.items() if isinstance(given, t.Mapping) else ((item["Key"], item.get("Value")) for item in given or [])
    return {str(key): _text(value) for key, value in pairs if value is not None}


def _text(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
