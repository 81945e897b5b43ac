# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How a task gets out to AWS: its subnet's default route, or a VPC endpoint for each service it talks to. True, False, or None when unknown."""

from __future__ import annotations

import re
import typing as t

from .model import Json, Network
from .reach import admitted, let_out
from .reach_acl import End, blocks, blocks_end

HTTPS = 443
ANYWHERE = "0.0.0.0/0"
Answer = t.Tuple[bool | None, str]


class Task(t.NamedTuple):
    """Where a task is, or will be: ``addresses`` are its own, or while there are none the blocks of its subnets."""

    subnet: str
    groups: t.Sequence[str]
    addresses: t.Sequence[str] = ()
    public_ip: bool = False


def way_out(network: Network, task: Task, needs: t.Iterable[str]) -> Answer:
    """Can the task reach every service it ``needs`` (named as VPC endpoints are: ecr.api, s3, logs ...)? Gives the verdict and the fact it rests on.

    One that is certainly out of reach decides, whatever is unknown about the others.
    """
    outside = _outside(network, task)
    answers = {need: _path(network, task, need, outside) for need in sorted(set(needs))}
    blocked = {need: why for need, (open_way, why) in answers.items() if open_way is False}
    if blocked:
        by_reason = {why: [need for need, other in blocked.items() if other == why] for why in blocked.values()}
        return False, f"{task.subnet}: " + "; ".join(f"{why}: no way to {', '.join(names)}" for why, names in by_reason.items())
    return next((answer for answer in answers.values() if answer[0] is None), (True, outside[1] if not answers else next(iter(answers.values()))[1]))


def _path(network: Network, task: Task, need: str, outside: Answer) -> Answer:
    """An interface endpoint with private DNS takes the service's name over, and a gateway endpoint its route: then that way must be open, NAT or not."""
    if network.endpoints is None:
        return (True, outside[1]) if outside[0] else (None, "the VPC endpoints could not be read")
    mine = [endpoint for endpoint in network.endpoints if endpoint.get("VpcId") == _vpc(network, task.subnet) and _service(endpoint) == need]
    gateways = [endpoint for endpoint in mine if endpoint.get("VpcEndpointType") == "Gateway"]
    interfaces = [endpoint for endpoint in mine if endpoint not in gateways and endpoint.get("PrivateDnsEnabled", True)]
    taken_over = [_interface(network, task, endpoint) for endpoint in interfaces] + [_gateway(network, task, endpoint) for endpoint in gateways]
    ways = [answer for answer in taken_over if answer is not None]
    if ways:
        return next((answer for wanted in (True, None) for answer in ways if answer[0] is wanted), ways[0])
    if outside[0] is False and mine:
        why = "is not in the subnet's route table" if gateways else "has private DNS switched off"
        return False, f"{outside[1]}, and the endpoint {mine[0].get('VpcEndpointId')} {why}"
    return outside


def _outside(network: Network, task: Task) -> Answer:
    """Through a NAT gateway (or another default route), or an internet gateway with a public address."""
    route = default_route(network, task.subnet)
    if route is None:
        return None, f"the route table of {task.subnet} could not be read"
    if route == "none":
        return False, "there is no default route"
    if route == "igw" and not task.public_ip:
        return False, "the default route is an internet gateway, but the tasks have no public address"
    if let_out(network, task.groups, HTTPS, (), (ANYWHERE,)) is False:
        return False, f"the groups {', '.join(task.groups)} let nothing out on TCP {HTTPS}"
    stopped = blocks_end(network, task.subnet, ANYWHERE, HTTPS, as_client=True)
    return (False, stopped) if stopped else (True, f"{task.subnet} has a default route ({route})")


def _interface(network: Network, task: Task, endpoint: Json) -> Answer | None:
    """None: an endpoint that is being made or has failed takes nothing over."""
    if str(endpoint.get("State", "available")).lower() != "available":
        return None
    name, groups = f"the endpoint {endpoint.get('VpcEndpointId')} ({_service(endpoint)})", [str(group["GroupId"]) for group in endpoint.get("Groups", [])]
    ends = [End(subnet, str(network.subnets.get(subnet, {}).get("CidrBlock") or ANYWHERE)) for subnet in endpoint.get("SubnetIds", [])]
    inward = admitted(network, groups, HTTPS, task.groups, task.addresses)
    if inward is False:
        return False, f"{name} does not admit {', '.join(task.groups)}: its groups are {', '.join(groups)}"
    outward = let_out(network, task.groups, HTTPS, groups, [end.address for end in ends] or [ANYWHERE])
    if outward is False:
        return False, f"the groups {', '.join(task.groups)} let nothing out to {name} on TCP {HTTPS}"
    me = End(task.subnet, next(iter(task.addresses), ANYWHERE))
    stopped = [blocks(network, me, end, HTTPS) for end in ends]
    if stopped and all(stopped):
        return False, str(stopped[0])
    return (True if inward and outward else None), f"{task.subnet} reaches {name}"


def _gateway(network: Network, task: Task, endpoint: Json) -> Answer | None:
    """Only where the subnet's route table names it. Its prefix list is not read: egress to any prefix list counts as unknown, so as not closed."""
    table, name = route_table(network, task.subnet) or {}, f"the endpoint {endpoint.get('VpcEndpointId')} ({_service(endpoint)})"
    if table.get("RouteTableId") not in endpoint.get("RouteTableIds", []):
        return None
    outward = let_out(network, task.groups, HTTPS, (), (ANYWHERE,))
    if outward is False:
        return False, f"the groups {', '.join(task.groups)} let nothing out to {name} on TCP {HTTPS}"
    return outward, f"{task.subnet} reaches {name}"


def _service(endpoint: Json) -> str:
    """ecr.api of com.amazonaws.eu-west-1.ecr.api; '' for somebody's own endpoint service."""
    found = re.match(r"(?:cn\.)?com\.amazonaws\.[a-z0-9-]+\.(.+)$", str(endpoint.get("ServiceName", "")))
    return found[1] if found else ""


def default_route(network: Network, subnet: str) -> str | None:
    """'igw', 'nat', 'other' or 'none': where the subnet sends what leaves the VPC. None when its route table is not known."""
    table = route_table(network, subnet)
    if table is None:
        return None
    for route in table.get("Routes", []):
        if route.get("DestinationCidrBlock") == ANYWHERE and route.get("State", "active") == "active":
            if str(route.get("GatewayId", "")).startswith("igw-"):
                return "igw"
            return "nat" if route.get("NatGatewayId") else "other"
    return "none"


def route_table(network: Network, subnet: str) -> Json | None:
    """A subnet without an association of its own uses the main table of its VPC."""
    main = None
    for table in network.route_tables:
        for link in table.get("Associations", []):
            if link.get("SubnetId") == subnet:
                return table
            if link.get("Main") and table.get("VpcId") == _vpc(network, subnet):
                main = table
    return main


def _vpc(network: Network, subnet: str) -> str | None:
    return network.subnets.get(subnet, {}).get("VpcId")
