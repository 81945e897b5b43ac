"""Every fault the lab can make is named by `verify`, first of all causes; a healthy target is never accused.

A handful by default. CUTOVER_FAULTS=all (``make faults``): every fault alone, a dozen pairs and twenty healthy runs; ``singles``, ``pairs``, ``healthy`` or
names of cases, separated by commas: these. What was measured so is kept in tests/e2e/diagnosis.md.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import typing as t
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.faults import NAMES, ONE_SHOT

from . import diagnosis
from .diagnosis import SINGLES, Case, Table, Target, Verdict
from .harness import Lab

CHOICE = os.environ.get("CUTOVER_FAULTS", "")
RESULTS = Path(__file__).with_name("diagnosis.md")
# One for each part that can be at fault: a group, a start, a container, an answer, a listener.
HANDFUL = "sg-rule 6379,secret,php-fpm-allowed,listener-rule,old-conf + certificate"
CASES = diagnosis.selection(CHOICE or HANDFUL)
ALL_HEALTHY = bool({"all", "healthy"} & set(CHOICE.split(",")))
HEALTHY_RUNS = 20 if ALL_HEALTHY else 0 if CHOICE else 4
BY_PLAYBOOK = ("matcher", "certificate") if CHOICE == "all" else ("certificate",)


@pytest.fixture(scope="module")
def target(lab: Lab, reports: Path) -> Target:
    lab.play("prepare").ok()
    return Target(lab, json.loads((reports / "shop" / "plan.json").read_text()))


@pytest.fixture(scope="module")
def reports(lab: Lab) -> Path:
    return lab.reports


@pytest.fixture(scope="module")
def table() -> Table:
    return Table.read(RESULTS)


@pytest.fixture
def keep(table: Table, capsys: pytest.CaptureFixture[str]) -> t.Callable[[str], None]:
    """Tell a row as soon as it is measured, and keep it when it was asked for."""

    def keep(row: str) -> None:
        with capsys.disabled():
            print(f"\n{row}", end="", flush=True)
        if CHOICE:
            RESULTS.write_text(table.text())

    return keep


def test_a_healthy_target_is_never_accused_while_the_processors_are_busy(target: Target, table: Table, keep: t.Callable[[str], None]) -> None:
    """Nor while its tasks are being replaced: from the first look to the last, nothing is certain but that it will be well."""
    found = [target.verify(diagnosis.RECOVERY)]
    keep(table.add_healthy("at rest", found[0]))
    with busy_processors():
        for number in range(1, HEALTHY_RUNS + 1):
            if number % 2:
                target.stop_all("new ones, please")
            found.append(target.verify(diagnosis.RECOVERY))
            keep(table.add_healthy(f"{number}, {'new tasks' if number % 2 else 'the same tasks'}", found[-1]))
    assert [(each.verdict, each.causes) for each in found] == [("healthy", [])] * len(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_fault_is_named(target: Target, table: Table, keep: t.Callable[[str], None], case: Case) -> None:
    found = diagnosis.measure(target, case)
    keep(table.add(case, found))
    assert found.verdict == "unhealthy"
    assert found.top in case.causes, _told(found)
    assert all(cause["evidence"] and cause["fix"] and cause["check_by_hand"] for cause in found.causes)


def test_no_fault_of_the_lab_is_left_out() -> None:
    assert {name for name, _port in diagnosis.SINGLE} == set(NAMES) - set(ONE_SHOT)


@pytest.mark.parametrize("name", BY_PLAYBOOK)
def test_the_playbook_names_it_too(lab: Lab, target: Target, name: str) -> None:
    case = next(case for case in SINGLES if case.id == name)
    target.break_it(case)
    try:
        run = lab.play("verify").failed()
    finally:
        assert target.mend().verdict == "healthy"
    assert run.mutating == []
    assert case.causes[0] in run.output


def _told(found: Verdict) -> str:
    return "\n".join(f"{cause['id']} ({cause['confidence']}): {cause['evidence']}" for cause in found.causes) or json.dumps(found.checks, indent=1)


@contextmanager
def busy_processors() -> t.Iterator[None]:
    """One busy loop for each processor."""
    context = multiprocessing.get_context("spawn")
    loops = [context.Process(target=_spin, daemon=True) for _cpu in range(os.cpu_count() or 1)]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


def _spin() -> None:
    while True:
        pass
