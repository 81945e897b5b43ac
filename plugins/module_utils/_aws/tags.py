# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""AWS has three spellings of a list of tags; here they are one dict."""

from __future__ import annotations

import typing as t

SYSTEM = "cutover:system"
SOURCE_LOAD_BALANCER = "cutover:source-load-balancer"
CUTOVER_AT = "cutover:cutover-at"
CLIENT_KEEP_ALIVE = "cutover:client-keep-alive"
DESIRED_COUNT = "cutover:desired-count"
CAPACITY = "cutover:capacity"


def to_dict(tags: t.Iterable[t.Mapping[str, str]] | None) -> dict[str, str]:
    """``[{Key, Value}]`` or ``[{key, value}]`` -> ``{key: value}``."""
    return {tag["Key"] if "Key" in tag else tag["key"]: tag["Value"] if "Value" in tag else tag["value"] for tag in tags or []}


def to_list(tags: t.Mapping[str, str], lower: bool = False) -> list[dict[str, str]]:
    """``{key: value}`` -> ``[{Key, Value}]``; ``lower`` gives ECS's ``[{key, value}]``. Sorted, so that a second run sends the same."""
    key, value = ("key", "value") if lower else ("Key", "Value")
    return [{key: name, value: str(tags[name])} for name in sorted(tags)]


def missing(wanted: t.Mapping[str, str], present: t.Mapping[str, str]) -> dict[str, str]:
    """The tags to write so that every wanted one is there. Other tags are left alone."""
    return {name: str(value) for name, value in wanted.items() if present.get(name) != str(value)}
