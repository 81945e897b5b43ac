# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Application Load Balancers: found by DNS name, name or ARN, read with all that hangs on them."""

from __future__ import annotations

import typing as t

from .._aws import tags
from .._aws.errors import CutoverError
from .hostnames import balancer, bare, kind
from .read import Reader, Shape, chunks, each, together
from .zones import Ending

NOT_FOUND = "LoadBalancerNotFound"


class NowhereError(CutoverError):
    """A record leads to a load balancer that the account does not have."""


def by_ending(read: Reader, fqdn: str, ending: Ending) -> Shape:
    """The load balancer that a record of the FQDN leads to; one clear line when it is anything else."""
    if ending.host is None:
        raise CutoverError(f"fargate_fqdn {fqdn} is {ending.record_set['Type']} {', '.join(ending.addresses)}{_wanted()}")
    named = balancer(ending.host)
    how = "an alias of" if "AliasTarget" in ending.record_set else "a CNAME to"
    if named is None:
        raise CutoverError(f"fargate_fqdn {fqdn} is {how} {ending.host}, {kind(ending.host)}{_wanted()}")
    if named.region != read.clients.region:
        raise CutoverError(
            f"fargate_region is {read.clients.region}, but {fqdn} is {how} {ending.host}, a load balancer in {named.region}. "
            f"fargate_region should be {named.region}. Nothing was written."
        )
    found = _by_dns_name(read, named.name, ending.host)
    if found is None:
        classic = _classic(read, ending.host)
        if classic:
            raise CutoverError(f"fargate_fqdn {fqdn} is {how} {ending.host}, {classic}{_wanted()}")
        what = f"but account {read.clients.account_id()} has no load balancer of that DNS name in {named.region}"
        raise NowhereError(f"fargate_fqdn {fqdn} is {how} {ending.host}, {what}{_wanted()}")
    if found["Type"] != "application":
        raise CutoverError(f"fargate_fqdn {fqdn} is {how} {ending.host}, the {found['Type']} load balancer {found['LoadBalancerName']}{_wanted()}")
    return found


def by_name(read: Reader, name: str) -> Shape | None:
    return _described(read, Names=[name])


def by_arn(read: Reader, arn: str) -> Shape | None:
    return _described(read, LoadBalancerArns=[arn])


def tags_of(read: Reader, arns: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """Tags of load balancers, listeners, rules and target groups by ARN; 20 at a time."""
    parts = each(lambda part: read.one("elbv2", "describe_tags", ResourceArns=list(part))["TagDescriptions"], chunks(list(arns), 20))
    return {item["ResourceArn"]: tags.to_dict(item.get("Tags")) for part in parts for item in part}


def read_tree(read: Reader, load_balancer: Shape, path: str) -> Shape:
    """``load_balancer`` of a side: the load balancer with attributes, tags, WAF ACL, listeners and their rules."""
    arn = load_balancer["LoadBalancerArn"]
    answers = together(
        attributes=lambda: read.one("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=arn)["Attributes"],
        acl=lambda: _web_acl(read, arn, f"{path}.load_balancer.WebAclArn"),
        listeners=lambda: each(lambda listener: _listener(read, listener), read.all("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn)),
    )
    listeners = sorted(answers["listeners"], key=lambda listener: listener.get("Port", 0))
    rules = [rule for listener in listeners for rule in listener["Rules"]]
    found = tags_of(read, [arn, *(item["ListenerArn"] for item in listeners), *(rule["RuleArn"] for rule in rules)])
    for item, key in [*((item, "ListenerArn") for item in listeners), *((rule, "RuleArn") for rule in rules)]:
        item["Tags"] = found.get(item[key], {})
    if not listeners:
        read.problem("load-balancer-without-listener", f"{path}.load_balancer.Listeners", f"Load balancer {load_balancer['LoadBalancerName']} has no listener.")
    return {
        **load_balancer,
        "Attributes": attributes(answers["attributes"]),
        "Tags": found.get(arn, {}),
        "WebAclArn": answers["acl"],
        "Listeners": listeners,
    }


def read_target_groups(read: Reader, arn: str) -> list[Shape]:
    """``target_groups`` of a side: every target group that a listener or rule of the load balancer names. One without any is an error to AWS."""
    groups = read.existing([], lambda: read.all("elbv2", "describe_target_groups", "TargetGroups", LoadBalancerArn=arn), ["TargetGroupNotFound"])
    found = tags_of(read, [group["TargetGroupArn"] for group in groups])
    return each(lambda group: {**group, **_target_group(read, group["TargetGroupArn"]), "Tags": found.get(group["TargetGroupArn"], {})}, groups)


def attributes(pairs: t.Iterable[t.Mapping[str, str]]) -> dict[str, str]:
    """``[{Key, Value}]`` -> ``{key: value}``."""
    return {pair["Key"]: pair.get("Value", "") for pair in pairs}


def forwarded(actions: t.Iterable[Shape]) -> list[str]:
    """ARNs of the target groups that actions forward to."""
    arns: list[str] = []
    for action in actions:
        arns += [action["TargetGroupArn"]] if action.get("TargetGroupArn") else []
        arns += [group["TargetGroupArn"] for group in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    return list(dict.fromkeys(arns))


def _target_group(read: Reader, arn: str) -> Shape:
    return together(
        Attributes=lambda: attributes(read.one("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)["Attributes"]),
        TargetHealth=lambda: read.one("elbv2", "describe_target_health", TargetGroupArn=arn)["TargetHealthDescriptions"],
    )


def _listener(read: Reader, listener: Shape) -> Shape:
    arn = listener["ListenerArn"]
    secure = listener.get("Protocol") in ("HTTPS", "TLS")
    answers = together(
        attributes=lambda: read.one("elbv2", "describe_listener_attributes", ListenerArn=arn)["Attributes"],
        certificates=lambda: read.all("elbv2", "describe_listener_certificates", "Certificates", ListenerArn=arn) if secure else [],
        rules=lambda: read.all("elbv2", "describe_rules", "Rules", ListenerArn=arn),
    )
    default = {certificate["CertificateArn"] for certificate in listener.get("Certificates", [])[:1]}  # the one that the listener was made with
    sni = [item["CertificateArn"] for item in answers["certificates"] if not item.get("IsDefault") and item["CertificateArn"] not in default]
    return {**listener, "Attributes": attributes(answers["attributes"]), "SniCertificates": sorted(sni), "Rules": answers["rules"]}


def _web_acl(read: Reader, arn: str, path: str) -> str | None:
    answer = read.optional(path, {}, lambda: read.one("wafv2", "get_web_acl_for_resource", ResourceArn=arn), absent=["WAFNonexistentItemException"])
    return (answer.get("WebACL") or {}).get("ARN")


def _described(read: Reader, **which: t.Any) -> Shape | None:
    """None when it does not exist."""
    found = read.existing([], lambda: read.one("elbv2", "describe_load_balancers", **which)["LoadBalancers"], [NOT_FOUND])
    return found[0] if found else None


def _by_dns_name(read: Reader, name: str, host: str) -> Shape | None:
    """By the name in the DNS name. Route 53 keeps that in lower case and names of load balancers are case-sensitive, so a miss needs the whole list."""
    found = by_name(read, name)
    if found and bare(found["DNSName"]) == bare(host):
        return found
    everything = read.once("load_balancers", lambda: read.all("elbv2", "describe_load_balancers", "LoadBalancers"))
    return next((item for item in everything if bare(item["DNSName"]) == bare(host)), None)


def _classic(read: Reader, host: str) -> str | None:
    """Classic load balancers have DNS names like application ones."""
    everything = read.optional("load_balancer", [], lambda: read.all("elb", "describe_load_balancers", "LoadBalancerDescriptions"))
    name = next((item["LoadBalancerName"] for item in everything if bare(item["DNSName"]) == bare(host)), None)
    return f"the classic load balancer {name}" if name else None


def _wanted() -> str:
    return ". It should be an alias of the system's Application Load Balancer. Nothing was written."
