"""Results with secrets are registered but not shown; reasons and masked diffs are."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.cutover.fargate.plugins.action.fargate_plan import ActionModule as Plan
from ansible_collections.cutover.fargate.plugins.action.show import ActionModule as Show
from ansible_collections.cutover.fargate.plugins.plugin_utils._quiet import QuietAction


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(Display, "display", lambda _self, text, **_options: said.append(text))
    monkeypatch.setattr(ActionBase, "run", lambda _self, _tmp, _task_vars: {})
    return said


def action(kind: type[t.Any], diff: bool = False, **args: t.Any) -> t.Any:
    made = kind.__new__(kind)
    made._task = SimpleNamespace(diff=diff, check_mode=False, args=args)
    return made


def quiet(result: dict[str, t.Any], failure: str | None = None) -> type[QuietAction]:
    return type("Quiet", (QuietAction,), {"produce": staticmethod(lambda params, check_mode: (dict(result), failure))})


def test_a_success_is_hidden_but_kept(shown: list[str]) -> None:
    assert action(quiet({"plan": {"APP_KEY": "x"}})).run() == {"plan": {"APP_KEY": "x"}, "_ansible_no_log": True}
    assert shown == []


def test_a_failure_is_readable(shown: list[str]) -> None:
    assert action(quiet({}, "fargate_fqdn is ...")).run() == {"failed": True, "msg": "fargate_fqdn is ..."}
    assert shown == []


@pytest.mark.parametrize(("diff", "lines"), [(True, 1), (False, 0)])
def test_the_diff_is_shown_in_diff_mode(shown: list[str], diff: bool, lines: int) -> None:
    action(quiet({"diff": {"before": {"cpu": None}, "after": {"cpu": "256"}}}), diff).run()
    assert len(shown) == lines
    assert all('+    "cpu": "256"' in text for text in shown)


def test_an_application_with_the_operators_own_key_keeps_it(shown: list[str]) -> None:
    """A module's result would have the value replaced wherever it stands."""
    system = {"fqdn": "shop.example.test", "region": "eu-west-1", "source": None, "target": None, "note": "operators-own-key"}
    result = action(Plan, system=system, intent={"fqdn": "shop.example.test", "region": "eu-west-1"}).run()
    assert "VALUE_SPECIFIED" not in str(result)
    assert result["plan"]["fqdn"] == "shop.example.test"
    assert shown == []


def test_lines_are_shown_as_they_are(shown: list[str]) -> None:
    assert action(Show, lines=["a: 'b'", ""]).run() == {"changed": False}
    assert shown == ["\n  a: 'b'\n\n"]


def test_lines_are_required(shown: list[str]) -> None:
    assert action(Show).run()["failed"]
    assert shown == []
