"""Files whose tests start labs take minutes, one worker each: those that take longest go first, so that no worker is left alone with one at the end."""

from __future__ import annotations

import pytest

LONGEST = (
    "test_kills.py",
    "test_verify.py",
    "test_abandon.py",
    "test_molecule.py",
    "test_kills_there_and_back.py",
    "test_there_and_back.py",
    "test_scheduler.py",
    "test_parts.py",
    "test_stock_modules.py",
    "test_diagnosis.py",
    "test_lab.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))
