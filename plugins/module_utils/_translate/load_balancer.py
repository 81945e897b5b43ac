# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The ALB of the target: everything of the old one, except its name, its targets and what must not be copied. fargate-rules.md 10"""

from __future__ import annotations

import copy
import typing as t

from . import target_group
from .context import CLIENT_KEEP_ALIVE_TAG, SOURCE_CLUSTER_TAG, SOURCE_LOAD_BALANCER_TAG, Context, Json, as_int, carried_tags
from .findings import Finding, found

PATH = "load_balancer"
WEB_ACL = "source.load_balancer.WebAclArn"
"""Where discovery says that the web ACL must not be read."""
KNOWN = frozenset(
    {
        "LoadBalancerArn",
        "DNSName",
        "CanonicalHostedZoneId",
        "CreatedTime",
        "LoadBalancerName",
        "Scheme",
        "VpcId",
        "State",
        "Type",
        "AvailabilityZones",
        "SecurityGroups",
        "IpAddressType",
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
        "EnablePrefixForIpv6SourceNat",
        "Attributes",
        "Tags",
        "WebAclArn",
        "Listeners",
    }
)
KNOWN_LISTENER = frozenset(
    {
        "ListenerArn",
        "LoadBalancerArn",
        "Port",
        "Protocol",
        "Certificates",
        "SslPolicy",
        "DefaultActions",
        "AlpnPolicy",
        "MutualAuthentication",
        "Attributes",
        "Tags",
        "SniCertificates",
        "Rules",
    }
)
KNOWN_RULE = frozenset({"RuleArn", "Priority", "Conditions", "Actions", "IsDefault", "Transforms", "Tags"})

DELETION_PROTECTION = "deletion_protection.enabled"
KEEP_ALIVE = "client_keep_alive.seconds"
# Always true on an ALB, or only of a Network Load Balancer.
NOT_COPIED = frozenset({"load_balancing.cross_zone.enabled", "dns_record.client_routing_policy", "secondary_ips.auto_assigned.per_subnet", DELETION_PROTECTION})
UNAVAILABLE = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain"}}


def clone(context: Context) -> tuple[Json | None, list[Finding]]:
    """The whole tree, or None when there is nothing to clone: no source, or one whose services a teardown has deleted already."""
    source = context.source_load_balancer
    if not source or not context.source_services:
        return None, list(_listening(source)) if source else []
    groups, group_findings = target_group.clone(context)
    listeners, findings = _listeners(source, context)
    cluster = str((context.source.get("cluster") or {}).get("clusterName") or "")
    tags, tag_findings = carried_tags(
        source.get("Tags"),
        context,
        PATH,
        **{SOURCE_LOAD_BALANCER_TAG: str(source.get("LoadBalancerArn")), **({SOURCE_CLUSTER_TAG: cluster} if cluster else {})},
    )
    plan = {
        "name": context.names["load_balancer"],
        "scheme": source.get("Scheme"),
        "ip_address_type": source.get("IpAddressType") or "ipv4",
        "subnets": [str(zone["SubnetId"]) for zone in source.get("AvailabilityZones") or [] if zone.get("SubnetId")],
        "security_groups": list(source.get("SecurityGroups") or []),
        "attributes": attributes(source),
        "web_acl_arn": source.get("WebAclArn"),
        "deletion_protection": str((source.get("Attributes") or {}).get(DELETION_PROTECTION)).lower() == "true",
        "target_groups": groups,
        "listeners": listeners,
        "tags": tags,
    }
    return plan, [*_whole(source), *tag_findings, *group_findings, *findings]


def attributes(source: Json) -> dict[str, str]:
    """Every attribute but the protection (set at the end) and NLB's; ``client_keep_alive`` as it was before we lowered it. fargate-rules.md 10 attr ..."""
    kept = {key: str(value) for key, value in sorted((source.get("Attributes") or {}).items()) if key not in NOT_COPIED and value not in ("", None)}
    remembered = (source.get("Tags") or {}).get(CLIENT_KEEP_ALIVE_TAG)
    if remembered:
        kept[KEEP_ALIVE] = str(remembered)
    return kept


def _whole(source: Json) -> t.Iterator[Finding]:
    """Findings about the load balancer itself. fargate-rules.md 10 Type, CustomerOwnedIpv4Pool, tags"""
    if source.get("Type") not in (None, "application"):
        yield found("FG-ALB-TYPE", f"{PATH}.Type", source.get("Type"))
    for key in sorted(set(source) - KNOWN):
        if source[key]:
            yield found("FG-UNTRANSLATED", f"{PATH}.{key}", source[key])
    foreign = sorted(key for key in source.get("Tags") or {} if key.startswith(("kubernetes.io/", "elasticbeanstalk:", "elbv2.k8s.aws/", "ingress.k8s.aws/")))
    if foreign:
        yield found("FG-FOREIGN-OWNER", f"{PATH}.Tags", ", ".join(foreign))
    yield from _listening(source)


def web_acl(context: Context) -> t.Iterator[Finding]:
    """What the source's keeps out the new load balancer must keep out too, so not knowing is no better than losing it. fargate-rules.md 10 WAF web ACL"""
    arn = context.source_load_balancer.get("WebAclArn")
    if arn:
        yield found("FG-WAF", f"{PATH}.WebAclArn", arn, arn)
    for problem in context.system.get("problems") or []:
        if problem.get("path") == WEB_ACL:
            yield found("FG-WAF-UNREAD", WEB_ACL, problem.get("message"))


def _listening(source: Json) -> t.Iterator[Finding]:
    """Without a listener nothing leads to target groups and services either. fargate-rules.md 10 Listeners"""
    if not source.get("Listeners"):
        yield found("FG-NO-LISTENER", f"{PATH}.Listeners")


def _listeners(source: Json, context: Context) -> tuple[list[Json], list[Finding]]:
    listeners, findings = [], []
    for listener in sorted(source.get("Listeners") or [], key=lambda item: item.get("Port") or 0):
        entry, more = _listener(listener, context)
        listeners.append(entry)
        findings += more
    return listeners, findings


def _listener(source: Json, context: Context) -> tuple[Json, list[Finding]]:
    """Protocol, port, TLS policy, certificates, mutual TLS, attributes, rules. fargate-rules.md 10 Listeners, SNI certificates, Listener attributes"""
    path = f"{PATH}.listeners[{source.get('Port')}]"
    tags, findings = carried_tags(source.get("Tags"), context, path)
    default, more = actions(source.get("DefaultActions") or [], context, f"{path}.DefaultActions")
    findings += more
    rules, more = _rules(source, context, path)
    findings += more
    findings += [found("FG-UNTRANSLATED", f"{path}.{key}", source[key]) for key in sorted(set(source) - KNOWN_LISTENER) if source[key]]
    mutual = {key: value for key, value in (source.get("MutualAuthentication") or {}).items() if key != "TrustStoreAssociationStatus"}
    certificates = [item for item in source.get("Certificates") or [] if item.get("CertificateArn")]
    entry = {
        "port": source.get("Port"),
        "protocol": source.get("Protocol"),
        "ssl_policy": source.get("SslPolicy"),
        "certificate_arn": certificates[0]["CertificateArn"] if certificates else None,
        "sni_certificate_arns": list(source.get("SniCertificates") or []),
        "alpn_policy": list(source.get("AlpnPolicy") or []) or None,
        "mutual_authentication": mutual or None,
        "attributes": {key: str(value) for key, value in sorted((source.get("Attributes") or {}).items()) if value not in ("", None)},
        "default_actions": default or [copy.deepcopy(UNAVAILABLE)],
        "rules": rules,
        "tags": tags,
    }
    return entry, findings


def _rules(listener: Json, context: Context, path: str) -> tuple[list[Json], list[Finding]]:
    """Every rule but the default one, which the listener's default actions are. fargate-rules.md 10 Rules"""
    rules: list[Json] = []
    findings: list[Finding] = []
    numbered = [rule for rule in listener.get("Rules") or [] if not rule.get("IsDefault") and str(rule.get("Priority")) != "default"]
    for rule in sorted(numbered, key=lambda item: as_int(item.get("Priority")) or 0):
        where = f"{path}.rules[{rule.get('Priority')}]"
        done, more = actions(rule.get("Actions") or [], context, f"{where}.Actions")
        findings += more
        findings += [found("FG-UNTRANSLATED", f"{where}.{key}", rule[key]) for key in sorted(set(rule) - KNOWN_RULE) if rule[key]]
        tags, more = carried_tags(rule.get("Tags"), context, where)
        findings += more
        if done is None:
            continue
        rules.append(
            {
                "priority": as_int(rule.get("Priority")) or 0,
                "conditions": [condition(item) for item in rule.get("Conditions") or []],
                "actions": done,
                "transforms": copy.deepcopy(rule.get("Transforms") or []),
                "tags": tags,
            }
        )
    return rules, findings


def condition(source: Json) -> Json:
    """Describe returns ``Values`` *and* ``...Config``: only one may be sent. fargate-rules.md 10 Rules"""
    has_config = any(key.endswith("Config") and value for key, value in source.items())
    kept = {key: value for key, value in source.items() if value not in (None, [], {}) and not (has_config and key in ("Values", "RegexValues"))}
    return copy.deepcopy(kept)


def actions(source: t.Sequence[Json], context: Context, path: str) -> tuple[list[Json] | None, list[Finding]]:
    """Actions with target groups by name; None when one of them can't be cloned: the rule is then left out. fargate-rules.md 10 Action ..."""
    done: list[Json] = []
    findings: list[Finding] = []
    for index, action in enumerate(sorted(source, key=lambda item: item.get("Order") or 0)):
        where = f"{path}[{index}]"
        if action.get("Type") == "forward":
            forwarded, more = forward(action, context, where)
            findings += more
            if forwarded is None:
                return None, findings
            done.append(forwarded)
            continue
        if action.get("Type") == "authenticate-oidc":
            findings.append(found("FG-OIDC-SECRET", where, (action.get("AuthenticateOidcConfig") or {}).get("Issuer")))
        done.append({key: copy.deepcopy(value) for key, value in action.items() if key != "Order" and value not in (None, {})})
    return done, findings


def forward(action: Json, context: Context, path: str) -> tuple[Json | None, list[Finding]]:
    """Every target group must be the system's own: a group hangs on one load balancer only. fargate-rules.md 10 Action forward"""
    config = action.get("ForwardConfig") or {}
    weighted = config.get("TargetGroups") or ([{"TargetGroupArn": action["TargetGroupArn"]}] if action.get("TargetGroupArn") else [])
    mine = target_group.mapping(context)
    foreign = [str(group.get("TargetGroupArn")) for group in weighted if group.get("TargetGroupArn") not in mine]
    if foreign or not weighted:
        return None, [found("FG-ALB-SHARED", path, ", ".join(map(_group_name, foreign)))]
    groups = [
        {"TargetGroupName": mine[str(group["TargetGroupArn"])], "Weight": 1 if group.get("Weight") is None else int(group["Weight"])} for group in weighted
    ]
    stickiness = config.get("TargetGroupStickinessConfig")
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **({"TargetGroupStickinessConfig": dict(stickiness)} if stickiness else {})}}, []


def shared(context: Context) -> list[Finding]:
    """What discovery found of others on the load balancer: their groups, and rules for hosts that aren't this system's. fargate-rules.md 10 Action forward"""
    return [
        found("FG-ALB-SHARED", f"{PATH}.shared[{item.get('name')}]", ", ".join(map(str, item.get("used_by") or [])))
        for item in context.system.get("shared") or []
        if context.source
    ]


def is_shared(context: Context) -> bool:
    """Whether anybody else lives on the source's load balancer: then it is never deleted, and only the FQDN's own records move."""
    if context.system.get("shared"):
        return True
    if not context.source_services:
        return False
    listeners = context.source_load_balancer.get("Listeners") or []
    groups = [actions(listener.get("DefaultActions") or [], context, "") for listener in listeners]
    groups += [actions(rule.get("Actions") or [], context, "") for listener in listeners for rule in listener.get("Rules") or []]
    return any(done is None for done, _findings in groups)


def _group_name(arn: str) -> str:
    parts = arn.split("/")
    return parts[1] if len(parts) > 2 else arn
