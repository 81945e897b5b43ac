"""One lab for each module of tests, started when it is first needed. Modules run side by side (xdist), each worker with labs of its own name and ports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import host
from lab.settings import Settings

from .harness import Lab

NAME, PORT, PORTS = "e2e", 4900, 10


def lab_settings() -> Settings:
    """``e2e`` at 4900; the second worker has ``e2e1`` at 4910. CUTOVER_LAB and CUTOVER_LAB_PORT choose another name and first port."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    name, port = os.environ.get("CUTOVER_LAB", NAME), int(os.environ.get("CUTOVER_LAB_PORT", PORT))
    return Settings(name=f"{name}{worker or ''}", base_port=port + PORTS * worker)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Loudly skipped where the lab cannot run: not root, not Linux, a package missing."""
    try:
        host.preflight()
    except host.HostError as error:
        for item in items:
            if "tests/e2e" in str(item.path):
                item.add_marker(pytest.mark.skip(reason=f"the lab cannot run here: {error}"))


@pytest.fixture(scope="module")
def unstarted(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(lab_settings(), tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def lab(unstarted: Lab) -> Iterator[Lab]:
    unstarted.command("up")
    yield unstarted
    unstarted.command("down")


@pytest.fixture
def reports(lab: Lab) -> Path:
    return lab.reports
