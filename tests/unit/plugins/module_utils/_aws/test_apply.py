"""The one place that makes mutating calls."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.apply import CONSISTENCY_SECONDS, Call, Clock, Ref, apply, covers, overlay, report, resolve
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from botocore.exceptions import ClientError

BALANCER = Ref("load_balancer", "shop")


class Service:
    """Answers calls from a list; an exception in it is raised."""

    def __init__(self, *answers: t.Any) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, dict[str, t.Any]]] = []

    def __call__(self, _service: str) -> t.Any:
        return self

    def __getattr__(self, operation: str) -> t.Callable[..., t.Any]:
        def call(**params: t.Any) -> t.Any:
            self.calls.append((operation, params))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(sleep=self._sleep, now=lambda: self.now)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateThing")


def make(service: Service, *calls: Call, check_mode: bool = False, ids: dict[Ref, str] | None = None, time: Time | None = None) -> list[str]:
    return apply(calls, t.cast(t.Any, service), {} if ids is None else ids, check_mode, (time or Time()).clock)


CREATE = Call("create shop", "elbv2", "create", {"Name": "shop"}, gives={BALANCER: ("LoadBalancers", 0, "Arn")})
USE = Call("use shop", "elbv2", "use", {"Arn": BALANCER, "Deep": [{"Arn": BALANCER}]})


def test_an_id_of_one_call_reaches_the_next() -> None:
    service = Service({"LoadBalancers": [{"Arn": "arn:1"}]}, {})
    ids: dict[Ref, str] = {}
    assert make(service, CREATE, USE, ids=ids) == ["create shop", "use shop"]
    assert service.calls[1] == ("use", {"Arn": "arn:1", "Deep": [{"Arn": "arn:1"}]})
    assert ids == {BALANCER: "arn:1"}


def test_check_mode_makes_no_call() -> None:
    service = Service()
    assert make(service, CREATE, USE, check_mode=True) == ["create shop", "use shop"]
    assert service.calls == []
    assert resolve(USE.params, {}) == {"Arn": "(known after apply)", "Deep": [{"Arn": "(known after apply)"}]}


def test_somebody_was_faster() -> None:
    call = Call("create shop", "elbv2", "create", {}, gives={BALANCER: ("Arn",)}, done={"Duplicate": lambda _clients: {"Arn": "arn:theirs"}})
    ids: dict[Ref, str] = {}
    assert make(Service(refused("Duplicate")), call, ids=ids) == []
    assert ids == {BALANCER: "arn:theirs"}


def test_a_refusal_that_passes_is_tried_again_with_growing_pauses() -> None:
    time = Time()
    call = Call("use it", "ecs", "use", {}, again=(("Invalid", "linked role"),))
    service = Service(refused("Invalid", "Unable to assume the service linked role."), refused("Invalid", "linked role"), {})
    assert make(service, call, time=time) == ["use it"]
    assert time.now == 3.0


def test_the_same_code_with_another_message_is_final() -> None:
    call = Call("use it", "ecs", "use", {}, again=(("Invalid", "linked role"),))
    with pytest.raises(CutoverError):
        make(Service(refused("Invalid", "something else")), call)


def test_trying_again_has_an_end() -> None:
    time = Time()
    call = Call("use it", "ecs", "use", {}, again=(("Invalid", ""),))
    with pytest.raises(CutoverError, match=r"Could not use it\. AWS refused CreateThing: Invalid: no\. Nothing was changed before that\."):
        make(Service(*[refused("Invalid")] * 100), call, time=time)
    assert CONSISTENCY_SECONDS <= time.now <= CONSISTENCY_SECONDS + 10


def test_a_failure_tells_what_was_done_before() -> None:
    with pytest.raises(CutoverError, match=r"Could not use shop\. .* Done before that: create shop\.") as failure:
        make(Service({"LoadBalancers": [{"Arn": "arn:1"}]}, refused("AccessDenied")), CREATE, USE)
    assert failure.value.details == {"changed": True, "changes": ["create shop"]}


def test_overlay_keeps_what_is_not_named() -> None:
    current = {"a": {"x": 1, "y": 2}, "b": [1], "c": 3}
    assert overlay(current, {"a": {"y": 5}, "b": [2], "c": None}) == {"a": {"x": 1, "y": 5}, "b": [2], "c": 3}


@pytest.mark.parametrize(
    ("wanted", "expected"), [({}, True), ({"a": {"x": 1}}, True), ({"a": {"x": 2}}, False), ({"z": 1}, False), ({"a": None}, True), ({"b": [1, 2]}, False)]
)
def test_covers_compares_only_what_is_named(wanted: dict[str, t.Any], expected: bool) -> None:
    assert covers({"a": {"x": 1, "y": 2}, "b": [1]}, wanted) is expected


def test_report_has_the_same_keys_everywhere() -> None:
    assert report([], {}, {"a": 1}, extra=1) == {"changed": False, "changes": [], "diff": {"before": {}, "after": {"a": 1}}, "extra": 1}
