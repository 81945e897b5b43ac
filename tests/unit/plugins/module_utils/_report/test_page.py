from __future__ import annotations

import typing as t
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._report import diagram, page
from ansible_collections.cutover.fargate.plugins.module_utils._translate.secrets import is_secret_name
from unit.plugins.module_utils._translate import systems

VOID = {"meta"}


class Reader(HTMLParser):
    """Fails where a tag is closed that is not open, or something from elsewhere would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, t.Any]]) -> None:
        assert tag not in ("script", "img", "link", "iframe", "object")
        assert not {name for name, _value in attrs} & {"src", "style", "onclick"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(case: str) -> tuple[dict[str, t.Any], dict[str, t.Any], str]:
    system = systems.system(case)
    plan = systems.plan(system, **systems.intent(case))
    return system, plan, page.render(system, plan)


def read(text: str) -> str:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader.text


@pytest.mark.parametrize("case", systems.CASES)
def test_every_system_has_a_whole_page_with_every_finding(case: str) -> None:
    _system, plan, text = rendered(case)
    seen = read(text)
    assert "url(" not in text
    for finding in plan["findings"]:
        assert finding["id"] in seen
        assert finding["why"] in seen
        assert finding["path"] in seen


@pytest.mark.parametrize("case", systems.CASES)
def test_no_secret_is_on_the_page(case: str) -> None:
    system, plan, text = rendered(case)
    source = [service["TaskDefinition"] for service in (system["source"] or {}).get("services", []) if service.get("TaskDefinition")]
    definitions = [*source, *plan["task_definitions"]]
    pairs = [pair for item in definitions for each in item["containerDefinitions"] for pair in each.get("environment") or []]
    values = {pair["value"] for pair in pairs if is_secret_name(pair["name"])}
    secrets = {value for value in values if len(value) > 5 and not value.startswith("127.0.0.1")}  # a translated address is told in its finding
    assert secrets or case == "torn_down"
    assert [secret for secret in secrets if secret in text] == []


def test_text_of_the_system_is_never_markup() -> None:
    system = systems.system()
    name = "<script>alert(1)</script>"
    systems.definition(system)["family"] = name
    text = page.render(system, systems.plan(system))
    assert name not in text
    assert name in read(text)


def test_the_verdict_counts_what_is_in_the_way() -> None:
    assert "4 in the way" in read(rendered("agents_and_daemons")[2])
    assert "shop to Fargate ready" in read(rendered("shop")[2])
    assert "waived" in read(rendered("shared_load_balancer_waived")[2])


@pytest.mark.parametrize("case", systems.CASES)
def test_no_two_boxes_of_the_picture_overlap(case: str) -> None:
    system, plan, _text = rendered(case)
    for boxes in (diagram.source_boxes(system, plan), diagram.target_boxes(plan)):
        for left, right in pairwise(boxes):
            assert left.x + left.width < right.x
    data = diagram.data_boxes(system, 400)
    for above, below in pairwise(data):
        assert above.y + above.height < below.y


def test_traffic_is_drawn_where_it_flows() -> None:
    for case, serving in (("shop", "source"), ("cut_over", "target")):
        system, plan, _text = rendered(case)
        svg = diagram.draw(system, plan)
        lanes = svg.split('class="lane"')
        assert [("flow now" in lane) for lane in lanes[1:]] == [serving == "source", serving == "target"]


def test_a_source_that_is_gone_is_left_out() -> None:
    assert "Source: ECS on EC2" not in read(rendered("torn_down")[2])
