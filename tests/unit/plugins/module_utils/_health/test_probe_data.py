"""What may be written as a probe, and what is refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health import probe_data
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import run as verify
from unit.plugins.module_utils._health.web import FQDN


def test_steps_without_a_probe_form_one() -> None:
    assert probe_data.as_probes([{"path": "/a"}, {"name": "x", "steps": [{"path": "/c"}]}, {"path": "/b"}]) == [
        {"name": "probes", "steps": [{"path": "/a"}, {"path": "/b"}]},
        {"name": "x", "steps": [{"path": "/c"}]},
    ]


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([{"path": "/", "status": 200}], "fargate_probes[0] has the unknown key status"),
        ([{"name": "p", "steps": [{"path": "/"}, {"path": "/", "expect": {"code": 200}}]}], "fargate_probes[0].steps[1].expect has the unknown key code"),
        ([{"path": "/", "capture": {"csrf": {"xpath": "//input"}}}], "fargate_probes[0].capture.csrf has the unknown key xpath"),
        ([{"path": "/"}, {"path": "/", "on": "old"}], "fargate_probes[1].on is 'old'"),
        ([{"name": "p", "steps": ["/"]}], "fargate_probes[0].steps[0] is '/'"),
        ([{"name": "p", "steps": [], "retries": 3}], "fargate_probes[0] has the unknown key retries"),
        ([{"name": "p", "steps": {"path": "/", "form": {"password": "hunter2"}}}], "fargate_probes[0].steps is a mapping. It should be a list of steps."),
        ([{"name": "p", "steps": [["/", {"password": "hunter2"}]]}], "fargate_probes[0].steps[0] is a list. It should be a step"),
        ([{"name": "p", "steps": None}], "fargate_probes[0].steps is None"),
        ([{"path": "/", "expect": 200}], "fargate_probes[0].expect is 200. It should be a mapping with: status"),
        ([{"path": "/", "capture": {"a": {"regex": "("}}}], "fargate_probes[0].capture.a.regex is '('"),
        ([{"path": "/order", "form": {}, "within": 5}], "fargate_probes[0].within is 5, but the step is a POST"),
        ([{"parity": "/"}], "fargate_probes[0].parity is '/'. It should be a list of paths"),
        ([{"parity": []}], "fargate_probes[0].parity is []"),
        ([{"parity": ["/"], "maks": ["x"]}], "fargate_probes[0] has the unknown key maks"),
        ([{"parity": ["/"], "mask": ["x", "("]}], "fargate_probes[0].mask[1] is '('. It should be a regular expression"),
        ([{"parity": ["/"], "differences": "ignore"}], "fargate_probes[0].differences is 'ignore'. It should be fail or warn."),
        ([{"set": "rails"}], "fargate_probes[0].set is 'rails'. It should be one of: http, laravel."),
        ([{"set": "laravel", "paths": ["/"]}], "fargate_probes[0] has the unknown key paths"),
        ([{"set": "http", "paths": "/"}], "fargate_probes[0].paths is '/'"),
        ([{"set": "laravel", "login": {"email": "hunter2"}}], "fargate_probes[0].login should be a mapping with form"),
        ([{"set": "laravel", "login": {"form": {}, "hoem": "/"}}], "fargate_probes[0].login has the unknown key hoem"),
        ([{"set": "laravel", "queue": ["/a", {"path": "/b", "expekt": {}}]}], "fargate_probes[0].queue[1] has the unknown key expekt"),
    ],
)
def test_a_misspelt_probe_is_refused_before_anything_is_read(aws: t.Any, items: list[t.Any], said: str) -> None:
    clients = aws()
    with pytest.raises(CutoverError) as caught:
        verify({"side": "target", "fqdn": FQDN, "cluster": "c", "services": [], "probes": items}, clients, False)
    assert caught.value.message.startswith(said)
    assert caught.value.message.endswith("Nothing was read or changed.")
    assert "\n" not in caught.value.message
    assert "hunter2" not in caught.value.message
    assert clients.calls == []


STEPS = [
    {"path": "/login", "capture": {"csrf": {"regex": 'value="([^"]+)"'}, "xsrf": {"cookie": "XSRF-TOKEN"}}},
    {"path": "/login", "form": {"_token": "{csrf}"}, "on": "source", "expect": {"status": 302, "header": {"Location": "/"}, "cookie": "session"}},
    {"path": "/jobs", "within": 10, "expect": {"json": {"done": "{sent}"}}},
]


@pytest.mark.parametrize(
    "item",
    [
        *STEPS,
        {"name": "p", "steps": STEPS},
        {"parity": ["/"]},
        {"name": "faces", "parity": ["/", "/login"], "headers": ["Content-Type"], "mask": [r"build \d+"], "differences": "warn"},
        {"set": "http"},
        {"set": "http", "paths": ["/about"], "status": 200},
        {"set": "laravel", "login": {"form": {"email": "a@b.c", "password": "x"}, "home": "/me"}, "database": "/write", "queue": [STEPS[1], STEPS[2]]},
    ],
    ids=str,
)
def test_well_formed_probes_are_accepted(item: dict[str, t.Any]) -> None:
    assert probe_data.misspelt([item]) is None


def test_what_needs_the_other_side_and_what_writes() -> None:
    parity, crossing, own = {"name": "f", "parity": ["/"]}, {"name": "s", "steps": [STEPS[1]]}, {"name": "o", "steps": [STEPS[0]]}
    assert [probe_data.needs_other_side(probe, "target") for probe in (parity, crossing, own)] == [True, True, False]
    assert [probe_data.needs_other_side(probe, "source") for probe in (parity, crossing, own)] == [True, False, False]
    assert [probe_data.is_read_only(probe) for probe in (parity, crossing, own)] == [True, False, True]


def test_probes_of_one_name_are_told_apart() -> None:
    items = [{"name": "x", "steps": []}, {"parity": ["/a"]}, {"parity": ["/b"]}, {"name": "x", "steps": []}]
    assert [probe["name"] for probe in probe_data.as_probes(items)] == ["x", "parity with the other side", "parity with the other side (2)", "x (2)"]
    items = [{"name": name, "steps": []} for name in ("a", "a", "a (2)")]
    assert len({probe["name"] for probe in probe_data.as_probes(items)}) == 3
