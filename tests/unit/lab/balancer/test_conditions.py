"""Conditions of listener rules."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lab.balancer.conditions import acl_lines, pattern


@pytest.mark.parametrize(
    ("wildcard", "matches", "differs"),
    [
        ("/img/*", "/img/a/b.png", "/image/a"),
        ("shop.example.test", "shop.example.test", "shopxexample.test"),
        ("*.example.test", "a.example.test", "example.test"),
        ("v?", "v1", "v12"),
        ("a+b", "a+b", "aab"),
    ],
)
def test_wildcards(wildcard: str, matches: str, differs: str) -> None:
    assert re.fullmatch(pattern(wildcard), matches)
    assert not re.fullmatch(pattern(wildcard), differs)


def lines(*conditions: dict[str, Any]) -> list[str]:
    return acl_lines("rule_1", conditions)[1]


def test_values_of_one_condition_are_alternatives_and_conditions_are_named_apart() -> None:
    names, found = acl_lines(
        "rule_1", [{"Field": "path-pattern", "Values": ["/a", "/b"]}, {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.test"]}}]
    )
    assert names == ["rule_1_0", "rule_1_1"]
    assert found == [
        "acl rule_1_0 path -m reg '^/a$'",
        "acl rule_1_0 path -m reg '^/b$'",
        "acl rule_1_1 req.hdr(host),field(1,:) -m reg -i '^.*\\.test$'",
    ]


def test_header_method_and_source() -> None:
    assert lines({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["y*"]}}) == ["acl rule_1_0 req.fhdr(X-A) -m reg -i '^y.*$'"]
    assert lines({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "HEAD"]}}) == ["acl rule_1_0 method 'GET' 'HEAD'"]
    assert lines({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8", "192.0.2.1/32"]}}) == ["acl rule_1_0 src 10.0.0.0/8 192.0.2.1/32"]


@pytest.mark.parametrize(
    ("pair", "query", "matches"),
    [
        ({"Key": "v", "Value": "1"}, "a=b&v=1", True),
        ({"Key": "v", "Value": "1"}, "av=1", False),
        ({"Key": "v", "Value": "1*"}, "v=1&w=2", True),
        ({"Key": "v", "Value": "1*2"}, "v=1&w=2", False),
        ({"Value": "beta"}, "x=beta", True),
        ({"Value": "beta"}, "beta", True),
        ({"Value": "beta"}, "x=betas", False),
    ],
)
def test_query_string(pair: dict[str, str], query: str, matches: bool) -> None:
    (line,) = lines({"Field": "query-string", "QueryStringConfig": {"Values": [pair]}})
    expression = re.search(r"-i '(.*)'$", line)
    assert expression
    assert bool(re.search(expression[1], query, re.IGNORECASE)) is matches


def test_a_quote_in_a_pattern_cannot_leave_its_word() -> None:
    assert lines({"Field": "path-pattern", "Values": ["/it's"]}) == ["acl rule_1_0 path -m reg '^/it'\\''s$'"]


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ValueError, match="cookie"):
        acl_lines("rule_1", [{"Field": "cookie", "Values": ["a"]}])
