# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Who can reach whom, computed from security groups, network ACLs and routes. True, False, or None when a rule cannot be resolved here."""

from __future__ import annotations

import ipaddress
import typing as t

from .model import Json, Network

# Answers go back to a port the client's kernel chose; load balancer nodes and Linux use ports within 1024-65535. One in the middle stands for all.
EPHEMERAL_PORT = 49152


def admitted(network: Network, groups: t.Sequence[str], port: int, peers: t.Collection[str], addresses: t.Sequence[str] = ()) -> bool | None:
    """May ``peers`` (groups) or ``addresses`` (IPs or CIDRs) connect to something in ``groups`` on TCP ``port``? Groups add up."""
    return _any_group(network, groups, "IpPermissions", port, peers, addresses)


def let_out(network: Network, groups: t.Sequence[str], port: int, peers: t.Collection[str], addresses: t.Sequence[str] = ()) -> bool | None:
    """May something in ``groups`` connect to ``peers`` or ``addresses`` on TCP ``port``?"""
    return _any_group(network, groups, "IpPermissionsEgress", port, peers, addresses)


def _any_group(network: Network, groups: t.Sequence[str], side: str, port: int, peers: t.Collection[str], addresses: t.Sequence[str]) -> bool | None:
    answers = [_allows(network.security_groups[group].get(side, []), port, peers, addresses) if group in network.security_groups else None for group in groups]
    if any(answers):
        return True
    return None if None in answers or not answers else False


def _allows(rules: t.Iterable[Json], port: int, peers: t.Collection[str], addresses: t.Sequence[str]) -> bool | None:
    unknown = False
    for rule in rules:
        if not _covers(rule, port):
            continue
        if any(pair.get("GroupId") in peers for pair in rule.get("UserIdGroupPairs", [])) or _cidr_matches(rule, addresses):
            return True
        # The entries of a prefix list are not read; an address given as a CIDR rule cannot be compared without the peer's address.
        unknown = unknown or bool(rule.get("PrefixListIds")) or (bool(_cidrs(rule)) and not addresses)
    return None if unknown else False


def _covers(rule: Json, port: int) -> bool:
    protocol = str(rule.get("IpProtocol", "-1"))
    if protocol == "-1":
        return True
    return protocol in ("tcp", "6") and int(rule.get("FromPort", 0)) <= port <= int(rule.get("ToPort", 65535))


def _cidrs(rule: Json) -> list[str]:
    return [entry["CidrIp"] for entry in rule.get("IpRanges", [])] + [entry["CidrIpv6"] for entry in rule.get("Ipv6Ranges", [])]


def _cidr_matches(rule: Json, addresses: t.Sequence[str]) -> bool:
    return any(overlaps(cidr, address) for cidr in _cidrs(rule) for address in addresses)


def overlaps(cidr: str, address: str) -> bool:
    """An overlap counts as admitted: better to miss a cause than to name a wrong one."""
    try:
        left, right = ipaddress.ip_network(cidr, strict=False), ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    return left.version == right.version and left.overlaps(right)


def acl_lets_through(network: Network, subnet: str, address: str, port: int, egress: bool) -> bool | None:
    """Does the subnet's network ACL let TCP ``port`` from (or to) ``address`` through? Lowest rule number wins; no match is a denial."""
    acl = next((acl for acl in network.network_acls if any(link.get("SubnetId") == subnet for link in acl.get("Associations", []))), None)
    if acl is None:
        return None
    entries = sorted((entry for entry in acl.get("Entries", []) if bool(entry.get("Egress")) == egress), key=lambda entry: int(entry["RuleNumber"]))
    for entry in entries:
        if _entry_covers(entry, address, port):
            return bool(entry.get("RuleAction") == "allow")
    return False


def _entry_covers(entry: Json, address: str, port: int) -> bool:
    if str(entry.get("Protocol", "-1")) not in ("-1", "6"):
        return False
    span = entry.get("PortRange")
    if span and str(entry.get("Protocol")) == "6" and not int(span["From"]) <= port <= int(span["To"]):
        return False
    return overlaps(str(entry.get("CidrBlock") or entry.get("Ipv6CidrBlock") or "0.0.0.0/0"), address)


def acl_blocks(network: Network, client_subnets: t.Iterable[str], client: str, server_subnet: str, server: str, port: int) -> str | None:
    """The first subnet whose network ACL stops a connection or its answer, in words; None when none does or it is unknown."""
    for subnet in client_subnets:
        if acl_lets_through(network, subnet, server, port, egress=True) is False:
            return f"the network ACL of {subnet} stops TCP {port} to {server}"
        if acl_lets_through(network, subnet, server, EPHEMERAL_PORT, egress=False) is False:
            return f"the network ACL of {subnet} stops the answers from {server} (ephemeral ports)"
    if acl_lets_through(network, server_subnet, client, port, egress=False) is False:
        return f"the network ACL of {server_subnet} stops TCP {port} from {client}"
    if acl_lets_through(network, server_subnet, client, EPHEMERAL_PORT, egress=True) is False:
        return f"the network ACL of {server_subnet} stops the answers to {client} (ephemeral ports)"
    return None


def default_route(network: Network, subnet: str) -> str | None:
    """'igw', 'nat', 'other' or 'none': where the subnet sends what leaves the VPC. None when its route table is not known."""
    table = _route_table(network, subnet)
    if table is None:
        return None
    for route in table.get("Routes", []):
        if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State", "active") == "active":
            if str(route.get("GatewayId", "")).startswith("igw-"):
                return "igw"
            return "nat" if route.get("NatGatewayId") else "other"
    return "none"


def _route_table(network: Network, subnet: str) -> Json | None:
    """A subnet without an association of its own uses the main table of its VPC."""
    vpc = network.subnets.get(subnet, {}).get("VpcId")
    main = None
    for table in network.route_tables:
        for link in table.get("Associations", []):
            if link.get("SubnetId") == subnet:
                return table
            if link.get("Main") and table.get("VpcId") == vpc:
                main = table
    return main


def way_out(network: Network, subnet: str, groups: t.Sequence[str], public_ip: bool, needs: t.Iterable[str]) -> tuple[bool | None, str]:
    """Can a task in ``subnet`` fetch its image, secrets and write logs? Gives the verdict and the fact it rests on.

    A path is: a public address and an internet gateway, a NAT gateway (or another default route), or an endpoint for every service it ``needs``.
    """
    if let_out(network, groups, 443, (), ("0.0.0.0/0",)) is False and not _endpoint_egress(network, groups):
        return False, f"the groups {', '.join(groups)} let nothing out on TCP 443"
    route = default_route(network, subnet)
    if route is None:
        return None, f"the route table of {subnet} could not be read"
    if route in ("nat", "other") or (route == "igw" and public_ip):
        return True, f"{subnet} has a default route ({route})"
    missing = sorted(set(needs) - _endpoint_services(network, subnet))
    if not missing:
        return True, f"{subnet} reaches AWS through endpoints"
    why = "its default route is an internet gateway, but the tasks have no public address" if route == "igw" else "it has no default route"
    return False, f"{subnet}: {why}, and there is no VPC endpoint for {', '.join(missing)}"


def _endpoint_egress(network: Network, groups: t.Sequence[str]) -> bool:
    """Egress to the endpoints only is enough; prefix lists and groups are taken as such."""
    rules = [rule for group in groups for rule in network.security_groups.get(group, {}).get("IpPermissionsEgress", []) if _covers(rule, 443)]
    return bool(rules)


def _endpoint_services(network: Network, subnet: str) -> set[str]:
    vpc = network.subnets.get(subnet, {}).get("VpcId")
    return {str(endpoint.get("ServiceName", "")).split(".", 3)[-1] for endpoint in network.endpoints if endpoint.get("VpcId") == vpc}


# --- data stores


def store_admits(network: Network, store: Json, groups: t.Sequence[str], addresses: t.Sequence[str]) -> bool | None:
    """Do the groups of a database or cache admit the tasks on its port, and do the tasks' groups let them out?"""
    if not store.get("groups"):
        return None
    inward = admitted(network, store["groups"], int(store["port"]), groups, addresses)
    outward = let_out(network, groups, int(store["port"]), store["groups"], store.get("addresses") or ("0.0.0.0/0",))
    if False in (inward, outward):
        return False
    return True if inward and outward else None
