# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What exists of a load balancer and what belongs to it, in the shape of the plan: names and numbers are keys, ids stand beside."""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import Ids, Ref
from .._aws.clients import Clients
from . import shapes
from .common import find_load_balancer, find_target_group

Dict = t.Dict[str, t.Any]

HEALTH_CHECK = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)


def read(clients: Clients, wanted: Dict) -> tuple[Dict, Ids]:
    """``{}`` stands for what does not exist."""
    ids: Ids = {}
    load_balancer = _load_balancer(clients, wanted, ids)
    target_groups = {name: _target_group(clients, name, ids) for name in wanted["target_groups"]}
    listeners = _listeners(clients, wanted, ids) if load_balancer else {}
    current = {**load_balancer, "target_groups": {name: group for name, group in target_groups.items() if group}, "listeners": listeners}
    _add_tags(clients, wanted["name"], current, ids)
    return current, ids


def _load_balancer(clients: Clients, wanted: Dict, ids: Ids) -> Dict:
    found = find_load_balancer(clients, wanted["name"])
    if found is None:
        return {}
    arn = ids[Ref("load_balancer", wanted["name"])] = found["LoadBalancerArn"]
    described = clients("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {
        "name": found["LoadBalancerName"],
        "type": found.get("Type", "application"),
        "scheme": found.get("Scheme"),
        "vpc_id": found.get("VpcId"),
        "ip_address_type": found.get("IpAddressType"),
        "subnets": sorted(zone["SubnetId"] for zone in found.get("AvailabilityZones", [])),
        "security_groups": sorted(found.get("SecurityGroups") or []),
        "attributes": shapes.attributes(described),
        "web_acl_arn": _web_acl(clients, arn) if wanted["web_acl_arn"] else None,
    }


def _web_acl(clients: Clients, arn: str) -> str | None:
    answer = clients("wafv2").get_web_acl_for_resource(ResourceArn=arn)
    return (answer.get("WebACL") or {}).get("ARN")


def _target_group(clients: Clients, name: str, ids: Ids) -> Dict:
    found = find_target_group(clients, name)
    if found is None:
        return {}
    arn = ids[Ref("target_group", name)] = found["TargetGroupArn"]
    return {
        "protocol": found.get("Protocol"),
        "protocol_version": found.get("ProtocolVersion"),
        "port": found.get("Port"),
        "vpc_id": found.get("VpcId"),
        "target_type": found.get("TargetType"),
        "ip_address_type": found.get("IpAddressType"),
        "health_check": {key: found[key] for key in HEALTH_CHECK if found.get(key) is not None},
        "attributes": shapes.attributes(clients("elbv2").describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]),
    }


def _listeners(clients: Clients, wanted: Dict, ids: Ids) -> dict[int, Dict]:
    arn = ids[Ref("load_balancer", wanted["name"])]
    pages = clients("elbv2").get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
    return {item["Port"]: _listener(clients, item, ids) for page in pages for item in page["Listeners"]}


def _listener(clients: Clients, found: t.Mapping[str, t.Any], ids: Ids) -> Dict:
    arn = ids[Ref("listener", str(found["Port"]))] = found["ListenerArn"]
    return {
        "protocol": found["Protocol"],
        "ssl_policy": found.get("SslPolicy"),
        "certificate_arn": _default_certificate(found),
        "sni_certificate_arns": _sni_certificates(clients, found),
        "alpn_policy": found.get("AlpnPolicy") or None,
        "mutual_authentication": shapes.mutual_authentication(found.get("MutualAuthentication")),
        "attributes": shapes.attributes(clients("elbv2").describe_listener_attributes(ListenerArn=arn)["Attributes"]),
        "default_actions": shapes.actions(found["DefaultActions"]),
        "rules": _rules(clients, found, ids),
    }


def _default_certificate(listener: t.Mapping[str, t.Any]) -> str | None:
    return next((item["CertificateArn"] for item in listener.get("Certificates") or []), None)


def _sni_certificates(clients: Clients, listener: t.Mapping[str, t.Any]) -> list[str]:
    if listener["Protocol"] not in ("HTTPS", "TLS"):
        return []
    pages = clients("elbv2").get_paginator("describe_listener_certificates").paginate(ListenerArn=listener["ListenerArn"])
    more = {item["CertificateArn"] for page in pages for item in page["Certificates"] if not item.get("IsDefault")}
    return sorted(more - {_default_certificate(listener)})


def _rules(clients: Clients, listener: t.Mapping[str, t.Any], ids: Ids) -> dict[int, Dict]:
    """By priority. The default rule is the listener's default actions."""
    rules: dict[int, Dict] = {}
    for page in clients("elbv2").get_paginator("describe_rules").paginate(ListenerArn=listener["ListenerArn"]):
        for rule in page["Rules"]:
            if rule["Priority"] != "default":
                priority = int(rule["Priority"])
                ids[rule_ref(listener["Port"], priority)] = rule["RuleArn"]
                rules[priority] = {
                    "conditions": shapes.conditions(rule["Conditions"]),
                    "actions": shapes.actions(rule["Actions"]),
                    "transforms": shapes.transforms(rule.get("Transforms")),
                }
    return rules


def rule_ref(port: int, priority: int) -> Ref:
    return Ref("rule", f"{port}/{priority}")


def _add_tags(clients: Clients, name: str, current: Dict, ids: Ids) -> None:
    """Tags of everything, twenty resources a call. [B DescribeTagsInput.ResourceArns]"""
    arns = sorted(ids.values())
    tags: dict[str, dict[str, str]] = {}
    for start in range(0, len(arns), 20):
        described = clients("elbv2").describe_tags(ResourceArns=arns[start : start + 20])["TagDescriptions"]
        tags.update({item["ResourceArn"]: tagging.to_dict(item["Tags"]) for item in described})
    for ref, holder in holders(name, current):
        if ref in ids:
            holder["tags"] = tags.get(ids[ref], {})


def holders(name: str, state: Dict) -> t.Iterator[tuple[Ref, Dict]]:
    """Every part of the tree that has an id and tags of its own."""
    yield Ref("load_balancer", name), state
    for group, value in state["target_groups"].items():
        yield Ref("target_group", group), value
    for port, listener in state["listeners"].items():
        yield Ref("listener", str(port)), listener
        for priority, rule in listener["rules"].items():
            yield rule_ref(port, priority), rule
