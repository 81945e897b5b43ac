"""Conditions of listener rules as HAProxy ACLs. Values of one condition are alternatives; all conditions of a rule must hold.

AWS's wildcards are ``*`` (any characters) and ``?`` (exactly one). Hosts, headers and query strings are compared without case, paths with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from lab.balancer.model import Condition
from lab.balancer.quoting import literal


def acl_lines(prefix: str, conditions: Sequence[Condition]) -> tuple[list[str], list[str]]:
    """(names of the ACLs, all of which must hold; the lines that define them)."""
    names, lines = [], []
    for number, condition in enumerate(conditions):
        name = f"{prefix}_{number}"
        names.append(name)
        lines += [f"acl {name} {test}" for test in _tests(condition)]
    return names, lines


def _tests(condition: Condition) -> list[str]:
    field = condition["Field"]
    if field not in _FIELDS:
        raise ValueError(f"condition {field!r} is not one an Application Load Balancer has ({', '.join(sorted(_FIELDS))})")
    name, test = _FIELDS[field]
    config = condition.get(name) or {}
    return test(dict(config), config.get("Values") or condition.get("Values") or [])


def _host(config: dict[str, Any], values: Sequence[str]) -> list[str]:
    return _match("req.hdr(host),field(1,:)", values, config, "-i ")


def _path(config: dict[str, Any], values: Sequence[str]) -> list[str]:
    return _match("path", values, config)


def _header(config: dict[str, Any], values: Sequence[str]) -> list[str]:
    return _match(f"req.fhdr({config['HttpHeaderName']})", values, config, "-i ")


def _method(_: dict[str, Any], values: Sequence[str]) -> list[str]:
    return [f"method {' '.join(literal(value) for value in values)}"]


def _source(_: dict[str, Any], values: Sequence[str]) -> list[str]:
    return [f"src {' '.join(values)}"]


def _query(_: dict[str, Any], values: Sequence[dict[str, str]]) -> list[str]:
    """A pair matches one parameter of the query string; without a key, any parameter of that value."""
    patterns = []
    for pair in values:
        key = f"{pattern(pair['Key'], '[^&=]')}=" if pair.get("Key") else "([^&=]*=)?"
        patterns.append(f"(^|&){key}{pattern(pair['Value'], '[^&]')}(&|$)")
    return [f"query -m reg -i {literal(found)}" for found in patterns]


_FIELDS: dict[str, tuple[str, Callable[[dict[str, Any], Sequence[Any]], list[str]]]] = {
    "host-header": ("HostHeaderConfig", _host),
    "path-pattern": ("PathPatternConfig", _path),
    "http-header": ("HttpHeaderConfig", _header),
    "http-request-method": ("HttpRequestMethodConfig", _method),
    "query-string": ("QueryStringConfig", _query),
    "source-ip": ("SourceIpConfig", _source),
}


def _match(sample: str, values: Sequence[str], config: dict[str, Any], flags: str = "") -> list[str]:
    """Patterns with wildcards, and the regular expressions AWS takes beside them since 2025 (RegexValues)."""
    expressions = [f"^{pattern(value)}$" for value in values] + list(config.get("RegexValues") or ())
    return [f"{sample} -m reg {flags}{literal(expression)}" for expression in expressions]


def pattern(text: str, one: str = ".") -> str:
    """A wildcard pattern as a regular expression; ``one`` matches a single character of the subject."""
    translate = {"*": f"{one}*", "?": one}
    return "".join(translate.get(character) or re.escape(character) for character in text)
