# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How long clients may keep a connection to a load balancer open.

A client with an open connection never asks DNS again, so it stays on the load balancer that traffic is leaving, for up to an hour by default.
``client_keep_alive.seconds``: 60 to 604800, default 3600.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
"""

from __future__ import annotations

import typing as t

from .._aws import tags as aws_tags
from .._aws.apply import Call, apply, report
from .._aws.clients import Clients
from .common import find_load_balancer

ATTRIBUTE = "client_keep_alive.seconds"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "load_balancer": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["lowered", "restored"], "default": "lowered"},
    "seconds": {"type": "int", "default": 60},
}



def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool) -> dict[str, t.Any]:
    """Lower the value and remember it in a tag, or restore what the tag remembers. Without a load balancer there is nothing to do."""
    load_balancer = find_load_balancer(clients, params["load_balancer"])
    if load_balancer is None:
        return report([], {}, {})
    arn = load_balancer["LoadBalancerArn"]
    attributes = {each["Key"]: each["Value"] for each in clients("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    remembered = aws_tags.to_dict(clients("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]).get(aws_tags.CLIENT_KEEP_ALIVE)
    present = attributes.get(ATTRIBUTE, "3600")
    if params["state"] == "lowered":
        wanted, calls = lower(params["load_balancer"], arn, present, remembered, str(params["seconds"]))
    else:
        wanted, calls = restore(params["load_balancer"], arn, present, remembered)
    changes = apply(calls, clients, {}, check_mode)
    return report(changes, {ATTRIBUTE: present}, {ATTRIBUTE: wanted})


def lower(name: str, arn: str, present: str, remembered: str | None, seconds: str) -> tuple[str, list[Call]]:
    """Remember first, then change: killed in between, the value that was is still known."""
    if int(present) <= int(seconds):
        return present, []
    calls = []
    if remembered is None:
        tags = aws_tags.to_list({aws_tags.CLIENT_KEEP_ALIVE: present})
        calls.append(Call(f"remember {ATTRIBUTE} = {present} of load balancer {name}", "elbv2", "add_tags", {"ResourceArns": [arn], "Tags": tags}))
    calls.append(_modify(name, arn, present, seconds))
    return seconds, calls


def restore(name: str, arn: str, present: str, remembered: str | None) -> tuple[str, list[Call]]:
    """Change first, then forget."""
    if remembered is None:
        return present, []
    calls = [] if present == remembered else [_modify(name, arn, present, remembered)]
    params = {"ResourceArns": [arn], "TagKeys": [aws_tags.CLIENT_KEEP_ALIVE]}
    calls.append(Call(f"forget the remembered {ATTRIBUTE} of load balancer {name}", "elbv2", "remove_tags", params))
    return remembered, calls


def _modify(name: str, arn: str, present: str, wanted: str) -> Call:
    params = {"LoadBalancerArn": arn, "Attributes": [{"Key": ATTRIBUTE, "Value": wanted}]}
    return Call(f"change {ATTRIBUTE} of load balancer {name} from {present} to {wanted}", "elbv2", "modify_load_balancer_attributes", params)
