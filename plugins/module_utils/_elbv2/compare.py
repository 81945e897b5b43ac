# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What is wanted against what exists -> the calls that make it so. Pure.

The order is that of fargate-rules.md 10: load balancer, target groups, listeners with certificates and attributes, rules; the web ACL and the deletion
protection (:func:`finish`) when the load balancer is active. Nothing is ever removed, and no target is touched.
"""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import Call, Ref, covers
from .._aws.errors import CutoverError
from . import shapes
from .plan import DELETION_PROTECTION
from .read import holders, rule_ref

Dict = t.Dict[str, t.Any]

LOAD_BALANCER_FIXED = ("type", "scheme", "vpc_id")
TARGET_GROUP_FIXED = ("protocol", "protocol_version", "port", "vpc_id", "target_type", "ip_address_type")
"""What can't be changed once it exists. fargate-rules.md 9, 10"""

WAF_NOT_YET = (("WAFUnavailableEntityException", ""),)
""""AWS WAF couldn't retrieve a resource that you specified": WAF sees a new load balancer a little later."""


def refuse(wanted: Dict, current: Dict) -> None:
    """Stop before the first write when something of that name is not ours, or is ours and can't become what is wanted."""
    owner = wanted["tags"].get(tagging.SYSTEM)
    if "name" in current:
        _refuse_one(f"load balancer {wanted['name']}", owner, LOAD_BALANCER_FIXED, wanted, current)
    for name, group in wanted["target_groups"].items():
        if name in current["target_groups"]:
            _refuse_one(f"target group {name}", owner, TARGET_GROUP_FIXED, group, current["target_groups"][name])


def _refuse_one(what: str, owner: str | None, fixed: tuple[str, ...], wanted: Dict, current: Dict) -> None:
    if owner is not None and current["tags"].get(tagging.SYSTEM) != owner:
        raise CutoverError(
            f"The {what} exists without the tag {tagging.SYSTEM}={owner}, so it is not ours to change. Choose another name for the target, delete it, "
            "or tag it if it is this system's. Nothing was changed."
        )
    for member in fixed:
        if wanted[member] is not None and current[member] is not None and wanted[member] != current[member]:
            raise CutoverError(
                f"The {what} has {member} {current[member]}; it should be {wanted[member]}, and AWS can't change that. "
                "Delete it if it takes no traffic, or choose another name for the target. Nothing was changed."
            )


def compare(wanted: Dict, current: Dict) -> list[Call]:
    """Everything but the finish."""
    calls = [*_load_balancer(wanted, current)]
    for name, group in wanted["target_groups"].items():
        calls += _target_group(name, group, current["target_groups"].get(name))
    for port, listener in wanted["listeners"].items():
        calls += _listener(wanted["name"], port, listener, current["listeners"].get(port))
    return [*calls, *_tags(wanted, current)]


def finish(wanted: Dict, current: Dict) -> list[Call]:
    """What comes last: the web ACL (needs an active load balancer), then the deletion protection (so that a half-built clone can be deleted)."""
    arn = Ref("load_balancer", wanted["name"])
    calls = []
    if wanted["web_acl_arn"] and wanted["web_acl_arn"] != current.get("web_acl_arn"):
        params = {"WebACLArn": wanted["web_acl_arn"], "ResourceArn": arn}
        text = f"associate web ACL {wanted['web_acl_arn']} with load balancer {wanted['name']}"
        calls.append(Call(text, "wafv2", "associate_web_acl", params, again=WAF_NOT_YET))
    if wanted["deletion_protection"] and current.get("attributes", {}).get(DELETION_PROTECTION) != "true":
        calls.append(_modify_attributes("load_balancer", f"load balancer {wanted['name']}", "LoadBalancerArn", arn, {DELETION_PROTECTION: "true"}))
    return calls


def extra(wanted: Dict, current: Dict) -> list[str]:
    """What is there and not in the plan. It stays; a person should know."""
    found = [f"listener {port} is not in the plan" for port in current["listeners"] if port not in wanted["listeners"]]
    for port, listener in current["listeners"].items():
        planned = wanted["listeners"].get(port)
        if planned is None:
            continue
        found += [f"rule {priority} of listener {port} is not in the plan" for priority in listener["rules"] if priority not in planned["rules"]]
        known = {planned["certificate_arn"], *planned["sni_certificate_arns"]}
        found += [f"certificate {arn} of listener {port} is not in the plan" for arn in listener["sni_certificate_arns"] if arn not in known]
    return found


def _load_balancer(wanted: Dict, current: Dict) -> t.Iterator[Call]:
    name, what = wanted["name"], f"load balancer {wanted['name']}"
    arn = Ref("load_balancer", name)
    if "name" not in current:
        yield Call(
            f"create {what}",
            "elbv2",
            "create_load_balancer",
            _given(
                Name=name,
                Type="application",
                Scheme=wanted["scheme"],
                IpAddressType=wanted["ip_address_type"],
                Subnets=wanted["subnets"],
                SecurityGroups=wanted["security_groups"],
                Tags=tagging.to_list(wanted["tags"]),
            ),
            gives={arn: ("LoadBalancers", 0, "LoadBalancerArn")},
        )
    else:
        yield from _network(wanted, current, arn)
    yield from _attributes("load_balancer", what, "LoadBalancerArn", arn, wanted, current)


def _network(wanted: Dict, current: Dict, arn: Ref) -> t.Iterator[Call]:
    settable = (
        ("subnets", "set_subnets", "Subnets"),
        ("security_groups", "set_security_groups", "SecurityGroups"),
        ("ip_address_type", "set_ip_address_type", "IpAddressType"),
    )
    for member, operation, parameter in settable:
        if wanted[member] and wanted[member] != current[member]:
            yield Call(f"set {member} of load balancer {wanted['name']}", "elbv2", operation, {"LoadBalancerArn": arn, parameter: wanted[member]})


def _target_group(name: str, wanted: Dict, current: Dict | None) -> t.Iterator[Call]:
    arn = Ref("target_group", name)
    if current is None:
        yield Call(
            f"create target group {name}",
            "elbv2",
            "create_target_group",
            _given(
                Name=name,
                Protocol=wanted["protocol"],
                ProtocolVersion=wanted["protocol_version"],
                Port=wanted["port"],
                VpcId=wanted["vpc_id"],
                TargetType=wanted["target_type"],
                IpAddressType=wanted["ip_address_type"],
                Tags=tagging.to_list(wanted["tags"]),
                **wanted["health_check"],
            ),
            gives={arn: ("TargetGroups", 0, "TargetGroupArn")},
        )
    else:
        different = {key: value for key, value in wanted["health_check"].items() if not covers(current["health_check"].get(key), value)}
        if different:
            yield Call(f"set {_names(different)} of target group {name}", "elbv2", "modify_target_group", {"TargetGroupArn": arn, **different})
    yield from _attributes("target_group", f"target group {name}", "TargetGroupArn", arn, wanted, current)


def _listener(load_balancer: str, port: int, wanted: Dict, current: Dict | None) -> t.Iterator[Call]:
    what, arn = f"listener {port} of load balancer {load_balancer}", Ref("listener", str(port))
    if current is None:
        params = {"LoadBalancerArn": Ref("load_balancer", load_balancer), "Port": port, "Protocol": wanted["protocol"], **_listener_members(wanted, wanted)}
        gives: t.Mapping[Ref, tuple[str | int, ...]] = {arn: ("Listeners", 0, "ListenerArn")}
        yield Call(f"create {what}", "elbv2", "create_listener", _given(**params, Tags=tagging.to_list(wanted["tags"])), gives=gives)
    else:
        yield from _modify_listener(what, arn, wanted, current)
    missing = [certificate for certificate in wanted["sni_certificate_arns"] if certificate not in (current or {}).get("sni_certificate_arns", [])]
    for certificate in missing:  # one each: AWS takes one certificate a call [B AddListenerCertificatesInput.Certificates]
        params = {"ListenerArn": arn, "Certificates": [{"CertificateArn": certificate}]}
        yield Call(f"add certificate {certificate} to {what}", "elbv2", "add_listener_certificates", params)
    yield from _attributes("listener", what, "ListenerArn", arn, wanted, current)
    for priority, rule in wanted["rules"].items():
        yield from _rule(port, priority, rule, (current or {"rules": {}})["rules"].get(priority))


def _modify_listener(what: str, arn: Ref, wanted: Dict, current: Dict) -> t.Iterator[Call]:
    members = ("ssl_policy", "certificate_arn", "alpn_policy", "mutual_authentication", "default_actions")
    different = {key for key in members if wanted[key] is not None and _differs(key, wanted[key], current[key])}
    params = _listener_members({key: wanted[key] if key in different else None for key in members}, wanted)
    if wanted["protocol"] != current["protocol"]:  # the certificate and the policy belong to the protocol, so they go together
        params = {"Protocol": wanted["protocol"], **_listener_members(wanted, wanted)}
        different.add("protocol")
    if different:
        yield Call(f"set {_names(different)} of {what}", "elbv2", "modify_listener", {"ListenerArn": arn, **_kept_secrets(params)})


def _differs(member: str, wanted: t.Any, current: t.Any) -> bool:
    if member == "default_actions":
        return shapes.comparable(wanted) != shapes.comparable(current)
    return bool(wanted != current)


def _listener_members(chosen: Dict, listener: Dict) -> Dict:
    """CreateListener's and ModifyListener's arguments for the members that are chosen."""
    encrypted = listener["protocol"] in ("HTTPS", "TLS")
    return _given(
        SslPolicy=chosen["ssl_policy"] if encrypted else None,
        Certificates=[{"CertificateArn": chosen["certificate_arn"]}] if encrypted and chosen["certificate_arn"] else None,
        AlpnPolicy=chosen["alpn_policy"],
        MutualAuthentication=chosen["mutual_authentication"] if encrypted else None,
        DefaultActions=_with_arns(chosen["default_actions"]) if chosen["default_actions"] else None,
    )


def _rule(port: int, priority: int, wanted: Dict, current: Dict | None) -> t.Iterator[Call]:
    what = f"rule {priority} of listener {port}"
    if current is None:
        params = {
            "ListenerArn": Ref("listener", str(port)),
            "Priority": priority,
            "Conditions": wanted["conditions"],
            "Actions": _with_arns(wanted["actions"]),
            "Transforms": wanted["transforms"],
            "Tags": tagging.to_list(wanted["tags"]),
        }
        yield Call(f"create {what}", "elbv2", "create_rule", _given(**params), gives={rule_ref(port, priority): ("Rules", 0, "RuleArn")})
        return
    params = _given(
        Conditions=wanted["conditions"] if wanted["conditions"] != current["conditions"] else None,
        Actions=_with_arns(wanted["actions"]) if _differs("default_actions", wanted["actions"], current["actions"]) else None,
    )
    if wanted["transforms"] != current["transforms"]:
        params.update({"Transforms": wanted["transforms"]} if wanted["transforms"] else {"ResetTransforms": True})
    if params:
        yield Call(f"set {_names(params)} of {what}", "elbv2", "modify_rule", {"RuleArn": rule_ref(port, priority), **_kept_secrets(params)})


def _with_arns(actions: t.Iterable[Dict]) -> list[Dict]:
    """Target groups by ARN instead of name; several actions in the order of the list."""
    changed = []
    for position, action in enumerate(actions, start=1):
        if action["Type"] == "forward":
            config = action["ForwardConfig"]
            groups = [{"TargetGroupArn": Ref("target_group", group["TargetGroupName"]), "Weight": group["Weight"]} for group in config["TargetGroups"]]
            action = {**action, "ForwardConfig": {**config, "TargetGroups": groups}}  # noqa: PLW2901
        changed.append({**action, "Order": position})
    return changed


def _kept_secrets(params: Dict) -> Dict:
    """A sign-in action that is changed keeps its stored secret unless the plan brings one. [B AuthenticateOidcActionConfig.UseExistingClientSecret]"""
    for action in params.get("DefaultActions") or params.get("Actions") or []:
        config = action.get("AuthenticateOidcConfig")
        if config is not None and not config.get("ClientSecret"):
            action["AuthenticateOidcConfig"] = {**config, "UseExistingClientSecret": True}
    return params


def _attributes(kind: str, what: str, parameter: str, arn: Ref, wanted: Dict, current: Dict | None) -> t.Iterator[Call]:
    present = (current or {}).get("attributes", {})
    different = {key: value for key, value in wanted["attributes"].items() if present.get(key) != value}
    if different:
        yield _modify_attributes(kind, what, parameter, arn, different)


def _modify_attributes(kind: str, what: str, parameter: str, arn: Ref, attributes: t.Mapping[str, str]) -> Call:
    """All in one call: AWS checks those that belong together (a log's bucket, prefix and switch) with each other."""
    return Call(f"set {_names(attributes)} of {what}", "elbv2", f"modify_{kind}_attributes", {parameter: arn, "Attributes": tagging.to_list(attributes)})


def _tags(wanted: Dict, current: Dict) -> t.Iterator[Call]:
    """What exists gets the tags it lacks; what was just created has them."""
    present = {ref: holder["tags"] for ref, holder in holders(wanted["name"], current) if "tags" in holder}
    for ref, holder in holders(wanted["name"], wanted):
        lacking = tagging.missing(holder["tags"], present[ref]) if ref in present else {}
        if lacking:
            text = f"tag {ref.kind.replace('_', ' ')} {ref.name} with {_names(lacking)}"
            yield Call(text, "elbv2", "add_tags", {"ResourceArns": [ref], "Tags": tagging.to_list(lacking)})


def _names(members: t.Iterable[str]) -> str:
    return ", ".join(sorted(members))


def _given(**params: t.Any) -> Dict:
    return {key: value for key, value in params.items() if value not in (None, [], {})}
