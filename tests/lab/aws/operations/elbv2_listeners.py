"""Listeners and rules: actions and conditions in the full form that AWS returns, listener attributes, SNI certificates, rule order."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random

from lab.aws.errors import AwsError
from lab.aws.operations.elbv2_load_balancers import action_targets, find, paged, pairs, relink
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

RESPONSE_HEADERS = (
    *("strict_transport_security", "access_control_allow_origin", "access_control_allow_methods", "access_control_allow_headers"),
    *("access_control_allow_credentials", "access_control_expose_headers", "access_control_max_age", "content_security_policy"),
    *("x_content_type_options", "x_frame_options"),
)
# ListenerAttribute in botocore's model: the keys of HTTP and HTTPS listeners and their defaults.
HTTP_ATTRIBUTES = {"routing.http.response.server.enabled": "true"} | {f"routing.http.response.{name}.header_value": "" for name in RESPONSE_HEADERS}
HTTPS_ATTRIBUTES = HTTP_ATTRIBUTES | {
    f"routing.http.request.x_amzn_{name.lower().replace('-', '_')}.header_name": f"X-Amzn-{name}"
    for name in (
        *("Mtls-Clientcert-Serial-Number", "Mtls-Clientcert-Issuer", "Mtls-Clientcert-Subject", "Mtls-Clientcert-Validity"),
        *("Mtls-Clientcert-Leaf", "Mtls-Clientcert", "Tls-Version", "Tls-Cipher-Suite"),
    )
}
DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
REDIRECT = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
CONDITION_CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}
NO_MUTUAL_AUTHENTICATION = {"Mode": "off"}


def find_listener(aws: AwsServer, arn: str) -> Any:
    for balancer in aws.backend("elbv2").load_balancers.values():
        if arn in balancer.listeners:
            return balancer.listeners[arn]
    raise AwsError("ListenerNotFound", f"One or more listeners not found: '{arn}'")


def find_rule(aws: AwsServer, arn: str) -> tuple[Any, Any]:
    """(listener, rule)."""
    for balancer in aws.backend("elbv2").load_balancers.values():
        for listener in balancer.listeners.values():
            for rule in listener.rules.values():
                if rule.arn == arn:
                    return listener, rule
    raise AwsError("RuleNotFound", f"One or more rules not found: '{arn}'")


def full_action(given: dict[str, Any]) -> dict[str, Any]:
    """An action as AWS returns it: a forward to one group has both forms, a redirect all its members."""
    action = copy.deepcopy(given)
    if action["Type"] == "forward":
        groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
        sticky = {"Enabled": False, **((action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {})}
        action["ForwardConfig"] = {"TargetGroups": [{"Weight": 1, **group} for group in groups], "TargetGroupStickinessConfig": sticky}
        if len(groups) == 1:
            action["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    if action["Type"] == "redirect":
        action["RedirectConfig"] = {**REDIRECT, **action["RedirectConfig"]}
    return action


def full_condition(given: dict[str, Any]) -> dict[str, Any]:
    """A condition as AWS returns it: host and path patterns in the legacy form, too."""
    condition = copy.deepcopy(given)
    config = CONDITION_CONFIGS.get(condition["Field"])
    if config:
        values = (condition.get(config) or {}).get("Values") or condition.get("Values") or []
        condition |= {config: {**(condition.get(config) or {}), "Values": values}, "Values": values}
    return condition


def listener_document(listener: Any) -> dict[str, Any]:
    shown = {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer_arn,
        "Port": int(listener.port),
        "Protocol": listener.protocol,
        "DefaultActions": [full_action(action.data) for action in listener.default_actions],
    }
    if listener.protocol == "HTTPS":
        certificates = [{"CertificateArn": arn} for arn in listener.certificates[:1]]
        shown |= {"Certificates": certificates, "SslPolicy": listener.ssl_policy, "MutualAuthentication": listener.mutual_authentication}
    return shown


def rule_document(rule: Any) -> dict[str, Any]:
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": [full_condition(item) for item in rule.conditions],
        "Actions": [full_action(action.data) for action in rule.actions],
        "IsDefault": rule.is_default,
        "Transforms": getattr(rule, "transforms", []),
    }


@operation("elbv2", "CreateListener")
def create_listener(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    arn = aws.ask_moto(call)["Listeners"][0]["ListenerArn"]
    listener = find_listener(aws, arn)
    listener.ssl_policy = (call.parameters.get("SslPolicy") or DEFAULT_POLICY) if listener.protocol == "HTTPS" else None
    listener.attributes = dict(HTTPS_ATTRIBUTES if listener.protocol == "HTTPS" else HTTP_ATTRIBUTES)
    listener.mutual_authentication = call.parameters.get("MutualAuthentication") or NO_MUTUAL_AUTHENTICATION
    default = listener._default_rule[0]
    default.arn = f"{arn.replace(':listener/', ':listener-rule/')}/{mock_random.get_random_hex(16)}"
    relink(aws)
    return {"Listeners": [listener_document(listener)]}


@operation("elbv2", "ModifyListener")
def modify_listener(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    listener = find_listener(aws, call.parameters["ListenerArn"])
    others = listener.certificates[1:]
    was_https = listener.protocol == "HTTPS"
    aws.ask_moto(call)
    if call.parameters.get("Certificates"):
        default = call.parameters["Certificates"][0]["CertificateArn"]
        listener.certificates = [default, *(arn for arn in others if arn != default)]
    if listener.protocol == "HTTPS" and not was_https:
        listener.ssl_policy = call.parameters.get("SslPolicy") or DEFAULT_POLICY
        listener.attributes = {**HTTPS_ATTRIBUTES, **listener.attributes}
    if call.parameters.get("MutualAuthentication"):
        listener.mutual_authentication = call.parameters["MutualAuthentication"]
    relink(aws)
    return {"Listeners": [listener_document(listener)]}


@operation("elbv2", "DeleteListener")
def delete_listener(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    aws.ask_moto(call)
    relink(aws)
    return {}


@operation("elbv2", "DescribeListeners")
def describe_listeners(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    if wanted.get("ListenerArns"):
        found = [find_listener(aws, arn) for arn in wanted["ListenerArns"]]
    elif wanted.get("LoadBalancerArn"):
        found = list(find(aws, wanted["LoadBalancerArn"]).listeners.values())
    else:
        raise AwsError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    shown, marker = paged(found, wanted)
    return {"Listeners": [listener_document(item) for item in shown], "NextMarker": marker}


@operation("elbv2", "DescribeListenerAttributes")
def describe_listener_attributes(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    return {"Attributes": pairs(find_listener(aws, call.parameters["ListenerArn"]).attributes)}


@operation("elbv2", "ModifyListenerAttributes")
def modify_listener_attributes(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    listener = find_listener(aws, call.parameters["ListenerArn"])
    given = {item["Key"]: item.get("Value") or "" for item in call.parameters["Attributes"]}
    unknown = sorted(set(given) - set(listener.attributes))
    if unknown:
        raise AwsError("ValidationError", f"Listener attribute key '{unknown[0]}' is not recognized")
    listener.attributes |= given
    return {"Attributes": pairs(listener.attributes)}


@operation("elbv2", "DescribeListenerCertificates")
def describe_certificates(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    certificates = find_listener(aws, call.parameters["ListenerArn"]).certificates
    return {"Certificates": [{"CertificateArn": arn, "IsDefault": index == 0} for index, arn in enumerate(certificates)]}


@operation("elbv2", "CreateRule")
def create_rule(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    arn = aws.ask_moto(call)["Rules"][0]["RuleArn"]
    _, rule = find_rule(aws, arn)
    rule.transforms = call.parameters.get("Transforms") or []
    relink(aws)
    return {"Rules": [rule_document(rule)]}


@operation("elbv2", "ModifyRule")
def modify_rule(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    aws.ask_moto(call)
    _, rule = find_rule(aws, call.parameters["RuleArn"])
    if call.parameters.get("Transforms") is not None:
        rule.transforms = call.parameters["Transforms"]
    relink(aws)
    return {"Rules": [rule_document(rule)]}


@operation("elbv2", "DeleteRule")
def delete_rule(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    find_rule(aws, call.parameters["RuleArn"])
    aws.ask_moto(call)
    relink(aws)
    return {}


@operation("elbv2", "DescribeRules")
def describe_rules(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """By priority, the default rule last."""
    wanted = call.parameters
    if wanted.get("ListenerArn"):
        rules = list(find_listener(aws, wanted["ListenerArn"]).rules.values())
    else:
        rules = [find_rule(aws, arn)[1] for arn in wanted.get("RuleArns", [])]
    shown, marker = paged(sorted(rules, key=lambda rule: (rule.is_default, 0 if rule.is_default else int(rule.priority))), wanted)
    return {"Rules": [rule_document(rule) for rule in shown], "NextMarker": marker}


def groups_in(actions: list[dict[str, Any]] | None) -> list[str]:
    """ARNs of the target groups that a call's actions forward to."""
    return [arn for action in actions or [] for arn in action_targets(action)]


@operation("elbv2", "SetRulePriorities")
def set_priorities(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """All at once, so that two rules can change places."""
    changed = []
    for item in call.parameters["RulePriorities"]:
        _, rule = find_rule(aws, item["RuleArn"])
        rule.priority = int(item["Priority"])
        changed.append(rule)
    return {"Rules": [rule_document(rule) for rule in changed]}
