"""Who can reach whom, computed: groups, network ACLs both ways, routes and endpoints."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health import reach, reach_acl, reach_out
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import Network
from ansible_collections.cutover.fargate.plugins.module_utils._health.reach_acl import End
from ansible_collections.cutover.fargate.plugins.module_utils._health.reach_out import Task
from hypothesis import given, settings
from hypothesis import strategies as st

Rule = t.Dict[str, t.Any]
TCP: Rule = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306}
OUT: Rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
HTTPS: Rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def groups(**rules: list[Rule]) -> Network:
    return Network(security_groups={name: {"GroupId": name, "IpPermissions": entries, "IpPermissionsEgress": entries} for name, entries in rules.items()})


@pytest.mark.parametrize(
    ("rules", "answer"),
    [
        ([{**TCP, "UserIdGroupPairs": [{"GroupId": "peer"}]}], True),
        ([{**TCP, "UserIdGroupPairs": [{"GroupId": "other"}]}], False),
        ([{**TCP, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]}], True),
        ([{**TCP, "IpRanges": [{"CidrIp": "10.99.0.0/16"}]}], False),
        ([{**TCP, "PrefixListIds": [{"PrefixListId": "pl-1"}]}], None),
        ([{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "peer"}]}], True),
        ([{"IpProtocol": "udp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": [{"GroupId": "peer"}]}], False),
        ([{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": "peer"}]}], False),
        ([{**TCP, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}], False),
        ([], False),
    ],
)
def test_admitted(rules: list[Rule], answer: bool | None) -> None:
    assert reach.admitted(groups(db=rules), ["db"], 3306, ["peer"], ["10.20.1.5"]) is answer


def test_groups_add_up_and_an_unread_one_is_unknown() -> None:
    network = groups(a=[], b=[{**TCP, "UserIdGroupPairs": [{"GroupId": "peer"}]}])
    assert reach.admitted(network, ["a", "b"], 3306, ["peer"]) is True
    assert reach.admitted(network, ["a", "unread"], 3306, ["peer"]) is None
    assert reach.admitted(network, [], 3306, ["peer"]) is None


# --- network ACLs


def entry(number: int, egress: bool, action: str, cidr: str = "0.0.0.0/0", low: int = 0, high: int = 65535) -> Rule:
    return {"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "6", "CidrBlock": cidr, "PortRange": {"From": low, "To": high}}


def acl(*entries: Rule, subnet: str = "s") -> Network:
    return Network(network_acls=[{"Associations": [{"SubnetId": subnet}], "Entries": list(entries)}])


def test_the_lowest_acl_rule_wins_and_no_match_is_a_denial() -> None:
    network = acl(entry(200, False, "allow", low=80, high=80), entry(100, False, "deny", "10.0.0.0/8", 80, 80))
    assert reach_acl.lets_through(network, "s", "10.1.1.1", 80, egress=False) is False
    assert reach_acl.lets_through(network, "s", "192.0.2.1", 80, egress=False) is True
    assert reach_acl.lets_through(network, "s", "192.0.2.1", 81, egress=False) is False
    assert reach_acl.lets_through(network, "unknown", "192.0.2.1", 80, egress=False) is None


def test_a_denial_of_a_part_of_a_block_is_no_denial_of_it() -> None:
    network = acl(entry(100, False, "deny", "10.20.0.16/28"), entry(200, False, "allow"))
    assert reach_acl.lets_through(network, "s", "10.20.0.0/24", 80, egress=False) is True
    assert reach_acl.lets_through(network, "s", "10.20.0.17", 80, egress=False) is False


CLIENT, SERVER = End("c", "10.0.0.9"), End("s", "10.0.1.9")
ALL = (entry(100, True, "allow"), entry(100, False, "allow"))


@pytest.mark.parametrize(
    ("subnet", "closed", "said"),
    [
        ("c", entry(1, True, "deny", low=80, high=80), "the network ACL of c stops TCP 80 to 10.0.1.9"),
        ("c", entry(1, False, "deny", low=1024), "the network ACL of c stops the answers from 10.0.1.9 (ephemeral ports)"),
        ("s", entry(1, False, "deny", low=80, high=80), "the network ACL of s stops TCP 80 from 10.0.0.9"),
        ("s", entry(1, True, "deny", low=1024), "the network ACL of s stops the answers to 10.0.0.9 (ephemeral ports)"),
        ("s", entry(1, False, "deny", low=443, high=443), None),
        ("s", entry(1, False, "deny", low=1024), None),
        ("c", entry(1, True, "deny", "10.0.2.0/24"), None),
    ],
)
def test_both_ends_and_both_ways(subnet: str, closed: Rule, said: str | None) -> None:
    network = acl(*ALL, closed, subnet=subnet)
    network.network_acls += acl(*ALL, subnet="s" if subnet == "c" else "c").network_acls
    assert reach_acl.blocks(network, CLIENT, SERVER, 80) == said


def test_within_one_subnet_no_acl_applies() -> None:
    assert reach_acl.blocks(acl(), End("s", "10.0.1.8"), SERVER, 80) is None


# --- the way out

NEEDS = ["ecr.api", "ecr.dkr", "s3", "logs"]


def endpoint(name: str, **more: t.Any) -> Rule:
    kind = {"VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-s"]} if name == "s3" else {"Groups": [{"GroupId": "sg-endpoint"}], "SubnetIds": ["e"]}
    return {"VpcEndpointId": f"vpce-{name}", "VpcId": "v", "ServiceName": f"com.amazonaws.eu-west-1.{name}", "State": "available", **kind, **more}


def vpc(route: dict[str, str] | None, endpoints: list[Rule] | None, egress: list[Rule] | None = None, admit: list[Rule] | None = None) -> Network:
    network = groups(g=[OUT] if egress is None else egress, **{"sg-endpoint": [{**HTTPS, "UserIdGroupPairs": [{"GroupId": "g"}]}] if admit is None else admit})
    network.subnets = {"s": {"SubnetId": "s", "VpcId": "v", "CidrBlock": "10.0.1.0/24"}, "e": {"SubnetId": "e", "VpcId": "v", "CidrBlock": "10.0.9.0/24"}}
    routes = [{"DestinationCidrBlock": "0.0.0.0/0", **route}] if route else []
    network.route_tables = [
        {"RouteTableId": "rtb-main", "VpcId": "v", "Associations": [{"Main": True}], "Routes": []},
        {"RouteTableId": "rtb-s", "VpcId": "v", "Associations": [{"SubnetId": "s"}], "Routes": routes},
    ]
    network.endpoints = endpoints
    return network


def out(network: Network, public: bool = False, needs: t.Iterable[str] = tuple(NEEDS)) -> tuple[bool | None, str]:
    return reach_out.way_out(network, Task("s", ["g"], ["10.0.1.5"], public), needs)


IGW, NAT = {"GatewayId": "igw-1"}, {"NatGatewayId": "nat-1"}
EVERY = [endpoint(name) for name in NEEDS]


@pytest.mark.parametrize(
    ("route", "public", "endpoints", "answer", "said"),
    [
        (IGW, True, [], True, "s has a default route (igw)"),
        (IGW, False, [], False, "no public address: no way to ecr.api, ecr.dkr, logs, s3"),
        (NAT, False, [], True, "s has a default route (nat)"),
        ({"TransitGatewayId": "tgw-1"}, False, [], True, "s has a default route (other)"),
        (None, True, [], False, "there is no default route"),
        (None, False, EVERY, True, "s reaches the endpoint vpce-ecr.api (ecr.api)"),
        (None, False, [endpoint(name) for name in ("ecr.api", "ecr.dkr", "logs")], False, "no default route: no way to s3"),
        (None, False, [endpoint(name) for name in ("ecr.dkr", "s3", "logs")], False, "no way to ecr.api"),
        ({**NAT, "State": "blackhole"}, False, [], False, "there is no default route"),
        (None, False, [*EVERY[:2], endpoint("s3", RouteTableIds=["rtb-main"]), EVERY[3]], False, "vpce-s3 is not in the subnet's route table: no way to s3"),
        (None, False, [*EVERY[:3], endpoint("logs", PrivateDnsEnabled=False)], False, "vpce-logs has private DNS switched off: no way to logs"),
        (None, False, [*EVERY[:3], endpoint("logs", State="pending")], False, "no way to logs"),
        (None, False, [*EVERY[:3], endpoint("logs", VpcId="elsewhere")], False, "no way to logs"),
        (NAT, False, [endpoint("logs", PrivateDnsEnabled=False), endpoint("s3", RouteTableIds=[])], True, "default route (nat)"),
        (IGW, True, None, True, "s has a default route (igw)"),
        (None, False, None, None, "the VPC endpoints could not be read"),
    ],
)
def test_way_out(route: dict[str, str] | None, public: bool, endpoints: list[Rule] | None, answer: bool | None, said: str) -> None:
    found = out(vpc(route, endpoints), public)
    assert found[0] is answer, found
    assert said in found[1]


def test_an_endpoint_that_does_not_admit_the_tasks_stops_them_although_there_is_a_nat_gateway() -> None:
    """Private DNS takes the name over; the packets never see the NAT gateway."""
    assert out(vpc(NAT, EVERY, admit=[])) == (
        False,
        "s: the endpoint vpce-ecr.api (ecr.api) does not admit g: its groups are sg-endpoint: no way to ecr.api; "
        "the endpoint vpce-ecr.dkr (ecr.dkr) does not admit g: its groups are sg-endpoint: no way to ecr.dkr; "
        "the endpoint vpce-logs (logs) does not admit g: its groups are sg-endpoint: no way to logs",
    )
    assert out(vpc(NAT, EVERY, admit=[{**HTTPS, "IpRanges": [{"CidrIp": "10.0.1.0/24"}]}]))[0] is True


@pytest.mark.parametrize(
    ("egress", "answer"),
    [
        ([], False),
        ([{**HTTPS, "UserIdGroupPairs": [{"GroupId": "sg-endpoint"}]}], False),
        ([{**HTTPS, "UserIdGroupPairs": [{"GroupId": "sg-endpoint"}]}, {**HTTPS, "PrefixListIds": [{"PrefixListId": "pl-s3"}]}], None),
        ([{**HTTPS, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}], True),
    ],
)
def test_the_tasks_egress_to_endpoints(egress: list[Rule], answer: bool | None) -> None:
    """S3 has no group: its addresses are those of its prefix list."""
    assert out(vpc(None, EVERY, egress))[0] is answer


def test_an_unread_endpoint_group_is_unknown() -> None:
    network = vpc(None, EVERY)
    del network.security_groups["sg-endpoint"]
    assert out(network)[0] is None


def test_network_acls_stop_the_way_out_too() -> None:
    network = vpc(NAT, [])
    network.network_acls = acl(entry(100, True, "allow", low=443, high=443), entry(100, False, "allow", low=443, high=443)).network_acls
    assert out(network) == (False, "s: the network ACL of s stops the answers from 0.0.0.0/0 (ephemeral ports): no way to ecr.api, ecr.dkr, logs, s3")
    network.network_acls = acl(*ALL, entry(1, True, "deny", "192.0.2.0/24")).network_acls
    assert out(network)[0] is True
    behind = vpc(None, EVERY)
    behind.network_acls = acl(subnet="e").network_acls
    assert "the network ACL of e stops TCP 443 from 10.0.1.5" in out(behind)[1]


def test_the_way_out_is_unknown_without_routes() -> None:
    assert out(groups(g=[OUT]))[0] is None


# --- databases and caches


@pytest.mark.parametrize(
    ("ingress", "egress", "answer"),
    [
        ([{**TCP, "UserIdGroupPairs": [{"GroupId": "g"}]}], [OUT], True),
        ([{**TCP, "UserIdGroupPairs": [{"GroupId": "old"}]}], [OUT], False),
        ([{**TCP, "UserIdGroupPairs": [{"GroupId": "g"}]}], [HTTPS], False),
        ([{**TCP, "UserIdGroupPairs": [{"GroupId": "g"}]}], [{**TCP, "UserIdGroupPairs": [{"GroupId": "db"}]}], True),
        ([{**TCP, "PrefixListIds": [{"PrefixListId": "pl"}]}], [OUT], None),
    ],
)
def test_stores(ingress: list[Rule], egress: list[Rule], answer: bool | None) -> None:
    network = groups(db=ingress, g=egress)
    assert reach.store_admits(network, {"id": "db", "groups": ["db"], "port": 3306}, ["g"], ["10.0.1.5"]) is answer
    assert reach.store_admits(network, {"id": "db", "groups": [], "port": 3306}, ["g"], ["10.0.1.5"]) is None


# --- a rule that allows more never closes anything

CIDRS = st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "10.0.1.0/24", "10.0.1.5/32", "10.0.9.0/24", "192.0.2.0/24", "::/0"])
PORTS = st.sampled_from([(0, 65535), (443, 443), (80, 80), (1024, 65535), (3306, 3306)])


@st.composite
def rules(draw: t.Callable[..., t.Any]) -> Rule:
    low, high = draw(PORTS)
    rule: Rule = {"IpProtocol": draw(st.sampled_from(["tcp", "-1", "udp"])), "FromPort": low, "ToPort": high}
    what = draw(st.sampled_from(["cidr", "group", "prefix"]))
    if what == "cidr":
        cidr = draw(CIDRS)
        return {**rule, **({"Ipv6Ranges": [{"CidrIpv6": cidr}]} if ":" in cidr else {"IpRanges": [{"CidrIp": cidr}]})}
    if what == "group":
        return {**rule, "UserIdGroupPairs": [{"GroupId": draw(st.sampled_from(["g", "sg-endpoint", "other"]))}]}
    return {**rule, "PrefixListIds": [{"PrefixListId": "pl-1"}]}


@st.composite
def acl_entries(draw: t.Callable[..., t.Any], action: str | None = None) -> Rule:
    low, high = draw(PORTS)
    chosen = action or draw(st.sampled_from(["allow", "deny"]))
    return entry(draw(st.integers(1, 99)), draw(st.booleans()), chosen, draw(CIDRS.filter(lambda cidr: ":" not in cidr)), low, high)


@st.composite
def networks(draw: t.Callable[..., t.Any]) -> Network:
    network = vpc(draw(st.sampled_from([IGW, NAT, None])), draw(st.lists(st.sampled_from(EVERY), unique_by=lambda item: item["VpcEndpointId"])))
    for group in network.security_groups.values():
        group["IpPermissions"], group["IpPermissionsEgress"] = draw(st.lists(rules(), max_size=3)), draw(st.lists(rules(), max_size=3))
    for subnet in ("s", "e"):
        network.network_acls += acl(*draw(st.lists(acl_entries(), max_size=4, unique_by=lambda item: (item["RuleNumber"], item["Egress"]))), subnet=subnet).network_acls
    return network


def reachable(network: Network) -> list[bool | None]:
    blocked = [reach_acl.blocks(network, *ends, 443) for ends in ((End("s", "10.0.1.5"), End("e", "10.0.9.7")), (End("e", "10.0.9.0/24"), End("s", "10.0.1.5")))]
    return [
        reach.admitted(network, ["sg-endpoint"], 443, ["g"], ["10.0.1.5"]),
        reach.let_out(network, ["g"], 443, ["sg-endpoint"], ["10.0.9.0/24"]),
        reach.store_admits(network, {"id": "db", "groups": ["sg-endpoint"], "port": 3306}, ["g"], ["10.0.1.5"]),
        *(stopped is None for stopped in blocked),
        out(network)[0],
        out(network, public=True)[0],
    ]


@settings(max_examples=30, derandomize=True, deadline=None)
@given(network=networks(), group=st.sampled_from(["g", "sg-endpoint"]), side=st.sampled_from(["IpPermissions", "IpPermissionsEgress"]), rule=rules())
def test_adding_a_group_rule_never_closes_a_way(network: Network, group: str, side: str, rule: Rule) -> None:
    wider = copy.deepcopy(network)
    wider.security_groups[group][side].append(rule)
    assert all(after or after is before or before is False for before, after in zip(reachable(network), reachable(wider), strict=True))


@settings(max_examples=30, derandomize=True, deadline=None)
@given(network=networks(), number=st.integers(0, 1), added=acl_entries("allow"))
def test_adding_an_acl_rule_that_allows_never_closes_a_way(network: Network, number: int, added: Rule) -> None:
    wider = copy.deepcopy(network)
    wider.network_acls[number]["Entries"].append({**added, "RuleNumber": 0})
    assert all(after or after is before or before is False for before, after in zip(reachable(network), reachable(wider), strict=True))
