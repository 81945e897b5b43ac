# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Target groups: type ``ip`` instead of ``instance``, so always new ones. fargate-rules.md 9"""

from __future__ import annotations

import typing as t

from . import names
from .context import Context, Json, carried_tags
from .findings import Finding, found

HEALTH_CHECK = (
    "HealthCheckProtocol",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)
KNOWN = frozenset(
    {
        *HEALTH_CHECK,
        "TargetGroupArn",
        "TargetGroupName",
        "Protocol",
        "ProtocolVersion",
        "Port",
        "VpcId",
        "HealthCheckPort",
        "HealthCheckEnabled",
        "LoadBalancerArns",
        "TargetType",
        "IpAddressType",
        "Attributes",
        "Tags",
        "TargetHealth",
    }
)
NOT_FOR_IP_ALB = ("lambda.", "preserve_client_ip.", "proxy_protocol_v2.", "deregistration_delay.connection_termination.", "target_health_state.")


def owners(context: Context) -> dict[str, tuple[Json, Json]]:
    """Target group ARN -> the service that registers in it and that service's ``loadBalancers`` entry."""
    result: dict[str, tuple[Json, Json]] = {}
    for service in context.source_services:
        for balancer in service.get("loadBalancers") or []:
            if balancer.get("targetGroupArn"):
                result.setdefault(str(balancer["targetGroupArn"]), (service, balancer))
    return result


def name_of(source: Json, context: Context) -> str:
    name = str(source.get("TargetGroupName") or "")
    return context.renamed("target_groups", name) or names.target_group(name)


def mapping(context: Context) -> dict[str, str]:
    """Source ARN -> target name, for the groups that a service of the system owns."""
    owned = owners(context)
    return {
        str(group["TargetGroupArn"]): name_of(group, context) for group in context.source.get("target_groups") or [] if group.get("TargetGroupArn") in owned
    }


def clone(context: Context) -> tuple[list[Json], list[Finding]]:
    """One new group for each of the system's, in the order of their names. Targets are never copied: ECS registers its tasks."""
    owned = owners(context)
    plan: list[Json] = []
    findings: list[Finding] = []
    for source in sorted(context.source.get("target_groups") or [], key=lambda group: str(group.get("TargetGroupName"))):
        if source.get("TargetGroupArn") in owned:
            service, balancer = owned[source["TargetGroupArn"]]
            entry, more = _clone(source, service, balancer, context)
            plan.append(entry)
            findings += more
    return plan, findings


def _clone(source: Json, service: Json, balancer: Json, context: Context) -> tuple[Json, list[Finding]]:
    path = f"target_groups[{source.get('TargetGroupName')}]"
    tags, findings = carried_tags(source.get("Tags"), context, path)
    check, more = health_check(source, service, balancer, path)
    kept, dropped = attributes(source.get("Attributes") or {})
    if source.get("TargetType") == "instance":
        findings.append(found("FG-TARGET-TYPE", f"{path}.TargetType", "instance", "ip"))
    findings += [found("FG-UNTRANSLATED", f"{path}.{key}", source[key]) for key in sorted(set(source) - KNOWN) if source[key]]
    findings += [found("FG-TG-ATTRIBUTE", f"{path}.Attributes[{key}]", value) for key, value in dropped.items()]
    entry = {
        "name": name_of(source, context),
        "source_arn": source.get("TargetGroupArn"),
        "protocol": source.get("Protocol"),
        "protocol_version": source.get("ProtocolVersion"),
        "port": balancer.get("containerPort") or source.get("Port"),
        "vpc_id": source.get("VpcId"),
        "target_type": "ip",
        "ip_address_type": source.get("IpAddressType") or "ipv4",
        "health_check": check,
        "attributes": kept,
        "tags": tags,
    }
    return entry, [*findings, *more]


def health_check(source: Json, service: Json, balancer: Json, path: str) -> tuple[Json, list[Finding]]:
    """As it was; a fixed port was one of the instance and becomes the container's. fargate-rules.md 9 HealthCheckPort"""
    check = {key: source[key] for key in HEALTH_CHECK if source.get(key) is not None}
    port = str(source.get("HealthCheckPort") or "traffic-port")
    chosen, findings = port, []
    if port != "traffic-port" and source.get("TargetType") == "instance":
        mapped = container_port(service, port)
        chosen = str(mapped) if mapped and mapped != balancer.get("containerPort") else "traffic-port"
        findings.append(found("FG-HEALTH-PORT" if mapped else "FG-HEALTH-PORT-UNKNOWN", f"{path}.HealthCheckPort", port, chosen))
    return {**check, "HealthCheckPort": chosen, "HealthCheckEnabled": True}, findings


def container_port(service: Json, host_port: str) -> int | None:
    """The container port behind a fixed port of the instance."""
    for container in (service.get("TaskDefinition") or {}).get("containerDefinitions") or []:
        for mapping_ in container.get("portMappings") or []:
            if str(mapping_.get("hostPort")) == host_port:
                return t.cast("int | None", mapping_.get("containerPort"))
    return None


def attributes(source: t.Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Every attribute that is legal for ``ip`` behind an ALB: (kept, dropped although set). fargate-rules.md 9 attr ..."""
    kind = source.get("stickiness.type")
    kept: dict[str, str] = {}
    dropped: dict[str, str] = {}
    for key, value in sorted(source.items()):
        foreign_cookie = key.startswith(("stickiness.lb_cookie.", "stickiness.app_cookie.")) and not key.startswith(f"stickiness.{kind}.")
        anomaly = key == "load_balancing.algorithm.anomaly_mitigation" and source.get("load_balancing.algorithm.type") != "weighted_random"
        if key.startswith(NOT_FOR_IP_ALB):
            if str(value).lower() not in ("", "false", "off"):
                dropped[key] = value
        elif not foreign_cookie and not anomaly and value not in ("", None):
            kept[key] = str(value)
    return kept, dropped
