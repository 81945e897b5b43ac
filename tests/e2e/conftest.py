"""One lab for each module of tests, started when it is first needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import host
from lab.settings import Settings

from .harness import Lab

NAME, PORT = os.environ.get("CUTOVER_LAB", "e2e"), int(os.environ.get("CUTOVER_LAB_PORT", "4900"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Loudly skipped where the lab cannot run: not root, not Linux, a package missing."""
    try:
        host.preflight()
    except host.HostError as error:
        for item in items:
            if "tests/e2e" in str(item.path):
                item.add_marker(pytest.mark.skip(reason=f"the lab cannot run here: {error}"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(Settings(name=NAME, base_port=PORT), tmp_path_factory.mktemp("reports"))
    made.command("up")
    yield made
    made.command("down")


@pytest.fixture
def reports(lab: Lab) -> Path:
    return lab.reports
