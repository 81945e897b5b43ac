"""User data of an instance."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from lab.reconcile.capacity import architecture, cluster_of


def instance(user_data: Any) -> Any:
    return SimpleNamespace(user_data=user_data)


@pytest.mark.parametrize("text", ["#!/bin/sh\necho ECS_CLUSTER=shop >> /etc/ecs/ecs.config\n", "ECS_CLUSTER='shop'", 'x\nECS_CLUSTER="shop"\n'])
def test_the_cluster_is_in_the_user_data(text: str) -> None:
    assert cluster_of(instance(text)) == "shop"
    assert cluster_of(instance(base64.b64encode(text.encode()).decode())) == "shop"


def test_without_it_the_agent_joins_the_default_cluster() -> None:
    assert cluster_of(instance(None)) == "default"


def test_graviton_is_arm() -> None:
    assert (architecture("m7g.large"), architecture("t3.medium")) == ("arm64", "x86_64")
