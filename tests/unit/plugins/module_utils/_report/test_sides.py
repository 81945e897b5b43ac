from __future__ import annotations

import html
import re
import typing as t

import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._report import sides
from hypothesis import given, settings
from hypothesis import strategies as st

KEYS = st.text("abcXYZ_-", min_size=1, max_size=6).filter(lambda key: key.strip("-_") != "")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9999) | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
LINES = st.lists(st.sampled_from(["a: 1", "a: 2", "b: 1", "c:", "  - x", "  - y", "<b>&"]), max_size=40)
CELL = re.compile(r"<code[^>]*>(.*?)</code>")


def columns(page: str) -> tuple[list[str], list[str]]:
    """What a reader sees in both columns, empty cells left out."""
    cells = [html.unescape(re.sub(r"</?mark>", "", cell)) for cell in CELL.findall(page)]
    return [cell for cell in cells[::2] if cell], [cell for cell in cells[1::2] if cell]


@given(VALUES)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_lines_are_yaml_of_the_value(value: t.Any) -> None:
    assert yaml.safe_load("\n".join(sides.lines(value))) == value


@given(LINES, LINES)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_each_column_is_its_side_whole_and_in_order(before: list[str], after: list[str]) -> None:
    assert columns(sides.table(before, after)) == (before, after)


def test_a_changed_value_is_marked_and_stands_beside_its_counterpart() -> None:
    page = sides.table(["cpu: 1", 'image: "nginx:1"'], ['image: "nginx:2"', "memory: 5"])
    assert '<code class="gone">image: &quot;nginx:<mark>1</mark>&quot;</code><code class="come">image: &quot;nginx:<mark>2</mark>&quot;</code>' in page
    assert '<code class="gone">cpu: 1</code><code></code>' in page
    assert '<code></code><code class="come">memory: 5</code>' in page


def test_many_equal_lines_are_folded_and_a_few_are_not() -> None:
    same = [f"k{number}: 1" for number in range(20)]
    assert "<summary>18 equal lines</summary>" in sides.table([*same, "z: 1"], [*same, "z: 2"])
    assert "equal lines" not in sides.table([*same[:3], "z: 1"], [*same[:3], "z: 2"])
