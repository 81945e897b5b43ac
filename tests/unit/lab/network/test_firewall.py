"""Security groups as an nftables ruleset."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from lab.network.firewall import MEMORY, Rule, merge, parse_flows, render

MEMBERS = {"sg-web": ["10.20.1.11", "10.20.1.12"], "sg-db": ["10.20.3.10"]}
RULES = [
    Rule("sg-web", "egress", "-1", None, None, "0.0.0.0/0"),
    Rule("sg-db", "ingress", "tcp", 3306, 3306, "sg-web"),
    Rule("sg-db", "ingress", "tcp", 32768, 65535, "10.20.0.0/16"),
    Rule("sg-db", "ingress", "icmp", -1, -1, "10.20.9.1/32"),
]
OPEN = ["10.20.9.1", "10.20.9.9"]


def chain(text: str, name: str) -> list[str]:
    """Statements of one chain."""
    found = re.search(rf"chain {name} \{{\n((?:    .*\n)*)  \}}", text)
    assert found, f"no chain {name}"
    return [line.strip() for line in found[1].splitlines()]


def test_a_group_as_peer_is_its_set_of_addresses() -> None:
    assert "ip saddr @sg_web tcp dport 3306 accept" in chain(render(MEMBERS, RULES, OPEN), "ingress_sg_db")


def test_a_range_of_ports_and_a_network_as_peer() -> None:
    assert "ip saddr 10.20.0.0/16 tcp dport 32768-65535 accept" in chain(render(MEMBERS, RULES, OPEN), "ingress_sg_db")


def test_icmp_of_any_type() -> None:
    assert "ip saddr 10.20.9.1/32 meta l4proto icmp accept" in chain(render(MEMBERS, RULES, OPEN), "ingress_sg_db")


def test_all_traffic_to_anywhere_is_one_accept() -> None:
    assert chain(render(MEMBERS, RULES, OPEN), "egress_sg_web") == ["meta nfproto ipv4 accept"]


def test_egress_rules_do_not_admit_and_ingress_rules_do_not_let_out() -> None:
    text = render(MEMBERS, [Rule("sg-db", "egress", "tcp", 80, 80, "sg-web")], OPEN)
    assert chain(text, "ingress_sg_db") == []
    assert chain(text, "egress_sg_db") == ["ip daddr @sg_web tcp dport 80 accept"]


def test_whatever_no_rule_names_is_dropped_on_both_sides() -> None:
    text = render(MEMBERS, RULES, OPEN)
    for direction in ("egress", "ingress"):
        lines = chain(text, direction)
        assert "policy drop" in lines[0]
        assert lines[1] == "ct state established,related accept"
        assert lines[-1].endswith("drop")


def test_an_address_in_two_groups_meets_the_rules_of_both() -> None:
    text = render({"sg-a": ["10.20.1.11"], "sg-b": ["10.20.1.11"]}, [], OPEN)
    assert {"ip daddr @sg_a jump ingress_sg_a", "ip daddr @sg_b jump ingress_sg_b"} <= set(chain(text, "ingress"))


def test_a_peer_the_lab_has_no_addresses_for_admits_nobody() -> None:
    for peer in ("::/0", "pl-12345678"):
        assert chain(render(MEMBERS, [Rule("sg-db", "ingress", "-1", None, None, peer)], OPEN), "ingress_sg_db") == []


def test_a_peer_group_without_members_still_has_a_set() -> None:
    assert "set sg_empty {" in render(MEMBERS, [Rule("sg-db", "ingress", "tcp", 1, 1, "sg-empty")], OPEN)


@given(st.permutations(RULES), st.permutations(OPEN), st.permutations(list(MEMBERS)))
def test_order_does_not_matter(rules: list[Rule], addresses: list[str], groups: list[str]) -> None:
    members = {group: MEMBERS[group][::-1] for group in groups}
    assert render(members, rules, addresses) == render(MEMBERS, RULES, OPEN)


def test_flows_are_read_with_the_time_they_were_last_seen() -> None:
    element = {"val": {"concat": ["10.20.1.11", "10.20.3.10", 6, 3306]}, "expires": 580, "counter": {"packets": 4, "bytes": 240}}
    listed = {"nftables": [{"metainfo": {}}, {"set": {"name": "sg_web", "elem": ["10.20.1.11"]}}, {"set": {"name": "refused_ingress", "elem": [{"elem": element}]}}]}
    assert parse_flows(listed, now=1000.0) == {("ingress", "10.20.1.11", "10.20.3.10", "tcp", 3306): (1000.0 - MEMORY + 580, 4)}


def test_counts_of_two_rulesets_add_up_and_old_flows_are_forgotten() -> None:
    flow, stale = ("ingress", "a", "b", "tcp", 80), ("egress", "a", "b", "tcp", 81)
    assert merge({flow: (50.0, 2), stale: (10.0, 9)}, {flow: (90.0, 3)}, horizon=40.0) == {flow: (90.0, 5)}
