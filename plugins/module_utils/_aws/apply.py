# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How a difference becomes calls to AWS.

A compare function is pure: it gives a list of :class:`Call`. What is not known yet (the ARN of a load balancer that an earlier call of the same
list creates) stands in the parameters as a :class:`Ref`. :func:`apply` is the only place that makes mutating calls: in order, or not at all in check mode.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .clients import Clients
from .errors import CutoverError, error_code, explain
from .run import KNOWN_AFTER_APPLY, BotoCoreError, ClientError

Params = t.Mapping[str, t.Any]
Answer = t.Mapping[str, t.Any]

CONSISTENCY_SECONDS = 90.0
"""How long a call is repeated while AWS does not see yet what an earlier call made. IAM and the service-linked roles take seconds, rarely a minute."""


@dataclass(frozen=True)
class Clock:
    """Time, given from outside so that tests do not wait. Monotonic: a clock that is set back must not prolong a wait."""

    sleep: t.Callable[[float], None] = time.sleep
    now: t.Callable[[], float] = time.monotonic


CLOCK = Clock()


@dataclass(frozen=True)
class Ref:
    """An id of AWS by our name for it: ``Ref("target_group", "shop-fargate")``."""

    kind: str
    name: str


Ids = t.Dict[Ref, str]


@dataclass(frozen=True)
class Call:
    """One mutating call.

    ``text`` says in plain words what it changes. ``gives`` tells where in the answer an id is found. ``done`` maps an error code that means
    "somebody was faster" to a function that looks up the answer the call would have given. ``again`` lists (code, part of the message) of
    refusals that pass by themselves. ``completed`` waits for what the call only begins, and gives the answer of its end.
    """

    text: str
    service: str
    operation: str
    params: Params
    gives: t.Mapping[Ref, tuple[str | int, ...]] = field(default_factory=dict)
    done: t.Mapping[str, t.Callable[[Clients], Answer]] = field(default_factory=dict)
    again: tuple[tuple[str, str], ...] = ()
    completed: t.Callable[[Clients, Answer], Answer] | None = None


def resolve(value: t.Any, ids: t.Mapping[Ref, str]) -> t.Any:
    """``value`` with every Ref replaced by its id, or by "(known after apply)"."""
    if isinstance(value, Ref):
        return ids.get(value, KNOWN_AFTER_APPLY)
    if isinstance(value, t.Mapping):
        return {key: resolve(item, ids) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(item, ids) for item in value]
    return value


def apply(calls: t.Sequence[Call], clients: Clients, ids: Ids, check_mode: bool, clock: Clock = CLOCK) -> list[str]:
    """Make the calls in order, add the ids they give to ``ids``, and tell what was changed. In check mode: tell what would be."""
    if check_mode:
        return [call.text for call in calls]
    changes: list[str] = []
    for call in calls:
        try:
            answer, changed = _make(call, clients, resolve(call.params, ids), clock)
        except (BotoCoreError, ClientError) as error:
            before = f" Done before that: {'; '.join(changes)}." if changes else " Nothing was changed before that."
            raise CutoverError(f"Could not {call.text}. {explain(error)}.{before}", changed=bool(changes), changes=changes) from error
        for ref, path in call.gives.items():
            ids[ref] = _dig(answer, path)
        if changed:
            changes.append(call.text)
    return changes


def _make(call: Call, clients: Clients, params: Params, clock: Clock) -> tuple[Answer, bool]:
    operation = getattr(clients(call.service), call.operation)
    deadline, pause = clock.now() + CONSISTENCY_SECONDS, 1.0
    while True:
        try:
            answer = operation(**params)
            return (call.completed(clients, answer) if call.completed else answer), True
        except ClientError as error:
            if error_code(error) in call.done:
                return call.done[error_code(error)](clients), False
            if not _passes(call, error) or clock.now() >= deadline:
                raise
        clock.sleep(pause)
        pause = min(pause * 2, 10.0)


def _passes(call: Call, error: Exception) -> bool:
    message = explain(error).lower()
    return any(code == error_code(error) and part.lower() in message for code, part in call.again)


def _dig(answer: t.Any, path: tuple[str | int, ...]) -> str:
    for step in path:
        answer = answer[step]
    return str(answer)


def overlay(current: t.Any, wanted: t.Any) -> t.Any:
    """What will be there afterwards: the wanted members over the current ones, members that the plan does not name (or leaves at null) as they are."""
    if wanted is None:
        return current
    if isinstance(current, t.Mapping) and isinstance(wanted, t.Mapping):
        return {**current, **{key: overlay(current.get(key), value) for key, value in wanted.items()}}
    return wanted


def covers(current: t.Any, wanted: t.Any) -> bool:
    """Whether everything the plan names is there already. AWS adds its defaults to what it was given, so other members do not count."""
    if wanted is None:
        return True
    if isinstance(current, t.Mapping) and isinstance(wanted, t.Mapping):
        return all(covers(current.get(key), value) for key, value in wanted.items())
    return bool(current == wanted)


def report(changes: list[str], before: t.Any, after: t.Any, **facts: t.Any) -> dict[str, t.Any]:
    """The result every module of ours gives: what changed in words, and as a diff."""
    return {"changed": bool(changes), "changes": changes, "diff": {"before": before, "after": after}, **facts}
