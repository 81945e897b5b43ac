from __future__ import annotations

import re

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import names
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(min_size=1, max_size=300)


def test_names_follow_from_the_system() -> None:
    assert names.compute("shop") == {
        "cluster": "shop-fargate",
        "load_balancer": "shop-fargate",
        "security_group": "shop-fargate",
        "execution_role": "ecsTaskExecutionRole",
    }


def test_the_inventory_wins() -> None:
    assert names.compute("shop", {"cluster": "big", "load_balancer": ""})["cluster"] == "big"
    assert names.compute("shop", {"cluster": "big", "load_balancer": ""})["load_balancer"] == "shop-fargate"


@given(TEXT)
def test_names_of_load_balancers_are_valid(source: str) -> None:
    name = names.elb_name(source)
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name)
    assert not name.startswith("internal-")
    assert name == names.elb_name(source)


@given(TEXT)
def test_other_names_are_valid(source: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", names.family(source))
    assert re.fullmatch(r"[A-Za-z0-9_/.#-]{1,512}", names.log_group(source))
    assert re.fullmatch(r"[a-z0-9._/-]{1,256}", names.repository(source))
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", names.image_tag(source))
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", names.compute(source)["cluster"])


@given(TEXT, TEXT)
def test_two_sources_never_share_a_name(one: str, other: str) -> None:
    assert (names.elb_name(one) == names.elb_name(other)) == (one == other)


@pytest.mark.parametrize(("tag", "digest", "expected"), [("1.4.2", None, "1.4.2-fargate"), (None, None, "latest-fargate"), ("1", "sha256:0123456789abcdef", "0123456789ab-fargate")])
def test_image_tags(tag: str | None, digest: str | None, expected: str) -> None:
    assert names.image_tag(tag, digest) == expected
