# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What may be deleted. An item is named by its kind and one id, from which everything else follows.

The manifest is the list as tags on the target's load balancer, written before the first deletion: with the cluster gone nobody could tell any more
which Auto Scaling group was its. A tag value has at most 256 characters of letters, digits, spaces and ``+ - = . _ : / @``.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-tags.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

MANIFEST = "cutover:teardown-"
LONGEST_VALUE = 256
# Deletion order: what uses something goes before what is used.
ORDER = (
    "alarm",
    "service",
    "cluster",
    "capacity_provider",
    "auto_scaling_group",
    "launch_template",
    "launch_configuration",
    "load_balancer",
    "target_group",
    "ingress_rule",
    "security_group",
    "task_definition",
    "repository",
    "log_group",
)
# Alarms go first and are found by their dimensions until then; their names may hold any character.
NOT_IN_MANIFEST = ("alarm",)


@dataclass(frozen=True)
class Item:
    """``name`` is for people. An ingress rule's id is group/protocol/from/to/source group."""

    kind: str
    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.name}"


def from_plan(entries: t.Iterable[t.Mapping[str, t.Any]]) -> list[Item]:
    """The plan's list. A rule that admits several groups is one item for each of them."""
    items = []
    for entry in entries:
        if entry["kind"] != "ingress_rule":
            items.append(Item(entry["kind"], str(entry["id"]), str(entry["name"])))
            continue
        rule = entry["detail"]
        for source in rule["source_group_ids"]:
            key = f"{entry['id']}/{rule['protocol']}/{rule['from_port']}/{rule['to_port']}/{source}"
            items.append(Item("ingress_rule", key, _rule_name(key)))
    return items


def _rule_name(key: str) -> str:
    group, protocol, first, last, source = key.split("/")
    ports = "all ports" if protocol == "-1" else first if first == last else f"{first}-{last}"
    return f"of {group} that admits {source} ({protocol} {ports})"


def from_manifest(tags: t.Mapping[str, str]) -> list[Item]:
    """The list that an earlier run wrote down."""
    items = []
    for key in sorted(tags):
        if key.startswith(MANIFEST):
            for word in tags[key].split():
                kind, _, identity = word.partition("=")
                items.append(Item(kind, identity, _rule_name(identity) if kind == "ingress_rule" else identity.rpartition("/")[2] or identity))
    return items


def to_manifest(items: t.Iterable[Item]) -> dict[str, str]:
    """Tags that hold the list, as few as possible."""
    values: list[str] = []
    for item in items:
        if item.kind in NOT_IN_MANIFEST:
            continue
        word = f"{item.kind}={item.id}"
        if values and len(values[-1]) + 1 + len(word) <= LONGEST_VALUE:
            values[-1] += " " + word
        else:
            values.append(word)
    return {f"{MANIFEST}{number:02d}": value for number, value in enumerate(values)}


def merge(*lists: t.Iterable[Item]) -> list[Item]:
    """All items once, in deletion order."""
    found: dict[tuple[str, str], Item] = {}
    for items in lists:
        for item in items:
            found.setdefault((item.kind, item.id), item)
    return sorted(found.values(), key=lambda item: ORDER.index(item.kind))
