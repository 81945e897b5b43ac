"""The list of what is deleted, and the manifest that outlives a killed run."""

from __future__ import annotations

import re

from ansible_collections.cutover.fargate.plugins.module_utils._teardown import delete, items, proof
from ansible_collections.cutover.fargate.plugins.module_utils._teardown.items import Item
from hypothesis import given
from hypothesis import strategies as st

IDS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789:/-_.", min_size=1, max_size=140)
KINDS = st.sampled_from([kind for kind in items.ORDER if kind not in ("alarm", "ingress_rule")])


@given(st.lists(st.tuples(KINDS, IDS), max_size=20, unique=True))
def test_the_manifest_gives_back_what_was_put_in(pairs: list[tuple[str, str]]) -> None:
    tags = items.to_manifest(Item(kind, identity, identity) for kind, identity in pairs)
    assert {(item.kind, item.id) for item in items.from_manifest(tags)} == set(pairs)
    assert all(len(value) <= 256 and re.fullmatch(r"[\w\s+\-=.:/@]*", value) for value in tags.values())


def test_a_rule_that_admits_two_groups_is_two_items() -> None:
    entry = {
        "kind": "ingress_rule",
        "id": "sg-rds",
        "name": "rds",
        "detail": {"protocol": "tcp", "from_port": 3306, "to_port": 3306, "source_group_ids": ["sg-1", "sg-2"]},
    }
    found = items.from_plan([entry])
    assert [item.id for item in found] == ["sg-rds/tcp/3306/3306/sg-1", "sg-rds/tcp/3306/3306/sg-2"]
    assert items.from_manifest(items.to_manifest(found)) == found


def test_items_are_merged_in_deletion_order() -> None:
    one, other = Item("task_definition", "web", "web"), Item("service", "arn", "web")
    assert items.merge([one], [other, one]) == [other, one]


def test_every_kind_can_be_looked_at_and_deleted() -> None:
    assert set(items.ORDER) == set(proof.LOOKS) == set(delete.DELETES)
