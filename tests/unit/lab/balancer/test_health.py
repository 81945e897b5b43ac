"""A target's life."""

from __future__ import annotations

import pytest
from lab.balancer.health import DRAINING, FAILED, HEALTHY, INITIAL, TIMEOUT, Check, Phase, Registration, parse_statistics
from lab.balancer.model import Health, HealthCheck, Target, TargetKey

RULE = HealthCheck(interval=1, unhealthy=2)
PASS = Check(True, "L7OK", "200")
MISMATCH = Check(False, "L7STS", "502")


@pytest.fixture
def target() -> Registration:
    return Registration(TargetKey("arn", "i-1", 80), Target("i-1", "10.20.2.21", 80), "tg_a/i-1_80_1", since=100.0)


def test_a_new_target_waits_for_its_first_check(target: Registration) -> None:
    assert target.health is INITIAL
    assert target.observe(Check(True, "INI", ""), 101.0, RULE) == []
    assert (target.line.usable, target.line.open) == (False, False)


def test_one_passed_check_is_enough(target: Registration) -> None:
    assert target.observe(PASS, 100.2, RULE) == [
        "set server tg_a/i-1_80_1 health up",
        "set server tg_a/i-1_80_1 state ready",
        "set server tg_a/i-1_80_1:open state ready",
    ]
    assert target.health == HEALTHY
    assert (target.line.usable, target.line.open) == (True, True)


def test_a_new_target_that_fails_is_unhealthy_after_the_threshold_and_not_before(target: Registration) -> None:
    assert target.observe(MISMATCH, 101.0, RULE) == []
    assert target.health is INITIAL
    assert target.observe(MISMATCH, 102.0, RULE)[0] == "set server tg_a/i-1_80_1 health down"
    assert target.health == Health("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [502]")
    assert (target.line.usable, target.line.open) == (False, True)


def test_later_the_thresholds_decide(target: Registration) -> None:
    target.observe(PASS, 100.2, RULE)
    target.observe(Check(True, "L7TOUT", ""), 103.0, RULE)  # failed once, still up
    assert target.health == HEALTHY
    target.observe(Check(False, "L7TOUT", ""), 104.0, RULE)
    assert target.health == TIMEOUT
    target.observe(Check(False, "L7OK", "200"), 105.0, RULE)  # passed once, not yet up: the reason stays
    assert target.health == TIMEOUT
    target.observe(PASS, 106.0, RULE)
    assert target.health == HEALTHY


@pytest.mark.parametrize(("status", "expected"), [("L4CON", FAILED), ("L7RSP", FAILED), ("SOCKERR", FAILED), ("L4TOUT", TIMEOUT), ("L6TOUT", TIMEOUT)])
def test_reasons(status: str, expected: Health) -> None:
    assert Check(False, status, "").failure() == expected


def test_draining_sends_nothing_new_and_ignores_checks(target: Registration) -> None:
    target.observe(PASS, 100.2, RULE)
    assert target.drain(200.0, delay=15) == ["set server tg_a/i-1_80_1 state maint", "set server tg_a/i-1_80_1:open state maint"]
    assert (target.phase, target.deadline) == (Phase.DRAINING, 215.0)
    assert target.observe(PASS, 201.0, RULE) == []
    assert target.health is DRAINING


def test_a_fresh_haproxy_is_brought_to_the_same_state(target: Registration) -> None:
    assert target.begin() == ["set server tg_a/i-1_80_1 state drain", "enable health tg_a/i-1_80_1"]
    target.observe(MISMATCH, 103.0, RULE)
    assert target.begin()[0] == "set server tg_a/i-1_80_1 health down"


def test_statistics_without_the_mark_of_a_check_under_way() -> None:
    head = "# pxname,svname,scur,status,check_status,check_code,"
    rows = ["tg_a,x_80_1,2,UP 1/2,* L7OK,200,", "tg_a,x_80_1:open,0,no check,,,", "tg_a,y_80_2,0,DOWN,L4CON,,"]
    assert parse_statistics("\n".join([head, *rows, "", ""])) == {
        "tg_a/x_80_1": Check(True, "L7OK", "200", 2),
        "tg_a/x_80_1:open": Check(False, "", ""),
        "tg_a/y_80_2": Check(False, "L4CON", ""),
    }
