# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The loop: look, judge, tell what changed, until healthy, until a cause is certain, or until time is up."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from .._aws.errors import CutoverError
from . import checks, report
from .clock import Clock, ticks
from .collect import Collector
from .diagnose import diagnose
from .mask import mask, mask_text, secrets_of
from .model import CERTAIN, ESSENTIAL, POSSIBLE, SOURCE, STORES, Cause, Failure, Json, Outcome, Snapshot, StepResult
from .patterns import TRANSIENT_IDS
from .predicates import goes_round, seconds_to_settle, verified
from .probe_data import misspelt
from .probes import Prober

Look = t.Callable[[bool], Snapshot]
Probe = t.Callable[[Snapshot], t.List[StepResult]]
Progress = t.Callable[[str], None]

TIMEOUT, SETTLE, POLL = 900.0, 20.0, 2.5
SHORTEST_PAUSE = 0.25
# Probes that fail alike for this many settling windows, while all else is well, are not waited for any longer.
STUCK = 3

ARGUMENT_SPEC: dict[str, t.Any] = {
    "side": {"type": "str", "choices": ["target", "source"], "default": "target"},
    "fqdn": {"type": "str", "required": True},
    "load_balancer": {"type": "str"},
    "compare_load_balancer": {"type": "str"},
    "cluster": {"type": "str", "required": True},
    "services": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": ["web", "worker"], "default": "web"},
            "family": {"type": "str"},
            "desired_count": {"type": "int"},
            "container_name": {"type": "str"},
            "container_port": {"type": "int"},
        },
    },
    "probes": {"type": "list", "elements": "dict", "default": []},
    "probe_proxy": {"type": "str"},
    "probe_ca": {"type": "path"},
    "timeout": {"type": "float", "default": TIMEOUT},
    "settle_seconds": {"type": "float", "default": SETTLE},
    "poll_seconds": {"type": "float", "default": POLL},
}

# Where the time goes: AWS's answers, the probes' answers, and what was waited for.
PARTS = ("reading", "asking", "rollout", "targets", "settling", "other")

# Causes about this machine's way to the system say nothing about the system.
ABOUT_US = ("PROBE_UNREACHABLE", "PROBE_PROXY")


def quiet(_line: str) -> None:
    """Progress for nobody."""


def run(params: t.Mapping[str, t.Any], clients: t.Any, check_mode: bool, progress: Progress = quiet, clock: Clock | None = None) -> Json:
    """Verify one side. Reads only; fails (CutoverError) unless healthy, with the same keys as on success."""
    clock = clock or Clock()
    given = dict(params)
    problem = misspelt(given.get("probes") or [])
    if problem:
        raise CutoverError(f"{problem} Nothing was read or changed.")
    collector = Collector(given, clients, clock)
    return Verifier(given, collector.look, Prober(given, clock, read_only=check_mode), clock, progress).run(check_mode)


class Verifier:
    """One verification. ``look`` and ``probe`` are its senses, ``clock`` its time."""

    def __init__(self, params: Json, look: Look, probe: Probe, clock: Clock, progress: Progress = quiet) -> None:
        self.params, self.look, self.probe, self.clock, self.progress = params, look, probe, clock, progress
        self.timeout = _seconds(params, "timeout", TIMEOUT)
        self.settle = _seconds(params, "settle_seconds", SETTLE)
        self.poll = _seconds(params, "poll_seconds", POLL)
        self._tries: dict[str, int] = {}
        self._said: dict[str, str] = {}
        self._certain_since: dict[str, tuple[float, int]] = {}
        self._refused: str | None = None
        self._steady = False
        self._stuck_on = ("", 0.0)
        self._seen: tuple[Snapshot, list[Outcome]] = (Snapshot(), [])
        # Where the time went so far, and what is being waited for since when.
        self._spent = dict.fromkeys(PARTS, 0.0)
        self._last: dict[str, float] = {}
        self._waiting: tuple[str, float] | None = None

    def run(self, check_mode: bool) -> Json:
        details, elapsed, begin = False, 0.0, self.clock.elapsed()
        snapshot = Snapshot()
        outcomes: list[Outcome] = []
        causes: list[Cause] = []
        for _tick in ticks(self.clock, self.timeout, self._pause):
            self._resume()
            with self._time("reading"):
                snapshot = self.look(details)
            elapsed = self.clock.elapsed() - begin
            if check_mode and _not_there_yet(snapshot):
                return self._result(report.NOT_THERE_YET, elapsed, snapshot, [], [])
            outcomes = self._judge(snapshot)
            elapsed = self.clock.elapsed() - begin
            self._tell(snapshot, outcomes, elapsed)
            if all(outcome.ok for outcome in outcomes):
                return self._result(report.HEALTHY, elapsed, snapshot, outcomes, [])
            self._seen = (snapshot, [outcome for outcome in outcomes if not outcome.ok])
            causes = diagnose(snapshot, outcomes)
            if self._enough(snapshot, causes, elapsed):
                break
            details = True
        raise self._failure(elapsed, snapshot, outcomes, causes)

    def _judge(self, snapshot: Snapshot) -> list[Outcome]:
        outcomes = checks.judge(snapshot, self.settle)
        asked = checks.ready_for_probes(snapshot, outcomes)
        snapshot.steady = all(outcome.ok for outcome in outcomes if outcome.name != "tasks")
        if asked:
            with self._time("asking"):
                snapshot.probes = self.probe(snapshot)
        self._steady = all(outcome.ok for outcome in outcomes)
        return [*outcomes, *checks.probe_outcomes(snapshot, asked), *checks.unread_stores(snapshot, self._sections())]

    def _sections(self) -> tuple[str, ...]:
        """Sections without which there is no verdict. The check of databases and caches may be left to own probes, which can use them."""
        return ESSENTIAL if self.params.get("probes") or self.params.get("side") == SOURCE else (*ESSENTIAL, *STORES)

    def _pause(self) -> float:
        """Until the next look: the poll interval, at least as long as the last look took (many services, many calls: AWS's limits are the account's), but
        no longer than what is certainly still missing of the settling window."""
        snapshot, missing = self._seen
        self._waiting = (_waits_for(missing), self.clock.elapsed())
        pause = max(self.poll, self._last["reading"])
        left = seconds_to_settle(snapshot, self.settle) if all(outcome.name == "tasks" for outcome in missing) else None
        return pause if left is None else max(SHORTEST_PAUSE, min(pause, left))

    def _resume(self) -> None:
        if self._waiting:
            part, since = self._waiting
            self._spent[part] += self.clock.elapsed() - since

    @contextmanager
    def _time(self, part: str) -> t.Iterator[None]:
        began = self.clock.elapsed()
        yield
        self._last[part] = self.clock.elapsed() - began
        self._spent[part] += self._last[part]

    def _tell(self, snapshot: Snapshot, outcomes: list[Outcome], elapsed: float) -> None:
        """Each change of state once. What is in order from the start is left to the tree at the end."""
        for outcome in outcomes:
            name = _name(outcome)
            self._tries[name] = self._tries.get(name, 0) + 1
            state = f"{report.MARKS[outcome.ok]} {name}: {outcome.last}"
            news = self._said.get(name) != state and not (outcome.ok and name not in self._said)
            self._said[name] = state
            if news:
                self.progress(mask_text(report.short(f"{elapsed:5.1f} s  {state}"), secrets_of(snapshot)))

    def _enough(self, snapshot: Snapshot, causes: list[Cause], elapsed: float) -> bool:
        """A certain cause ends the wait once two polls in a row have seen it; one that a start-up can show in passing must last the settling window too."""
        certain = {cause.id: cause for cause in causes if cause.confidence == CERTAIN}
        before = self._certain_since
        self._certain_since = {name: (before[name][0], before[name][1] + 1) if name in before else (elapsed, 1) for name in certain}
        lasting = any(polls >= 2 and (certain[name].settled or elapsed - since >= self.settle) for name, (since, polls) in self._certain_since.items())
        stuck = self._stuck(causes, elapsed)
        decided = self._gave_up(snapshot) or self._in_vain(snapshot, causes) or stuck
        return lasting or self._refused_twice(snapshot) or (decided and bool(causes) and elapsed >= self.settle)

    def _refused_twice(self, snapshot: Snapshot) -> bool:
        """AWS denies an essential call: no wait will change that."""
        denied = next((failure.text for failure in snapshot.failures if failure.permanent and failure.section in self._sections()), None)
        again, self._refused = denied is not None and denied == self._refused, denied
        return again

    def _gave_up(self, snapshot: Snapshot) -> bool:
        """The circuit breaker has ended the deployment: no task will be started any more."""
        return any(signal.primary.get("rolloutState") == "FAILED" for signal in snapshot.services)

    def _in_vain(self, snapshot: Snapshot, causes: list[Cause]) -> bool:
        """ECS replaced a failed task and the new one failed too, for something that does not pass by itself: a third round would show nothing new."""
        lasting = bool(causes) and causes[0].confidence != POSSIBLE and causes[0].id not in TRANSIENT_IDS
        return lasting and any(goes_round(snapshot, signal) for signal in snapshot.services)

    def _stuck(self, causes: list[Cause], elapsed: float) -> bool:
        """Everything but the probes is in order, and they have failed for the same cause all along: no start is awaited any more."""
        cause = causes[0].id if self._steady and causes and causes[0].confidence != POSSIBLE else ""
        if cause != self._stuck_on[0]:
            self._stuck_on = (cause, elapsed)
        return bool(cause) and elapsed - self._stuck_on[1] >= STUCK * self.settle

    # --- the end

    def _failure(self, elapsed: float, snapshot: Snapshot, outcomes: list[Outcome], causes: list[Cause]) -> CutoverError:
        verdict = self._verdict(snapshot, outcomes, causes)
        result = self._result(verdict, elapsed, snapshot, outcomes, causes)
        text = report.message(snapshot.side, snapshot.fqdn, verdict, result["causes"], result["checks"], self._missing(snapshot))
        return CutoverError(mask(text, secrets_of(snapshot)), **result)

    def _verdict(self, snapshot: Snapshot, outcomes: list[Outcome], causes: list[Cause]) -> str:
        """A check that failed for sure makes it unhealthy. When calls were refused too, it takes a cause that was seen: more time might have helped."""
        wrong = any(outcome.ok is False for outcome in outcomes)
        about_us = bool(causes) and causes[0].id in ABOUT_US
        blind = snapshot.failed(*ESSENTIAL) and all(cause.confidence == POSSIBLE for cause in causes)
        return report.UNHEALTHY if wrong and not about_us and not blind else report.UNDETERMINED

    def _missing(self, snapshot: Snapshot) -> list[str]:
        """What was refused and without which there is no verdict."""
        needed = self._sections()
        return _notes(failure for failure in snapshot.failures if failure.section in needed or (failure.section in STORES and not failure.permanent))

    def _result(self, verdict: str, elapsed: float, snapshot: Snapshot, outcomes: list[Outcome], causes: list[Cause]) -> Json:
        healthy = verdict == report.HEALTHY
        found = [
            {"name": _name(outcome), "group": outcome.group, "ok": outcome.ok, "tries": self._tries.get(_name(outcome), 0), "last": report.short(outcome.last)}
            for outcome in outcomes
        ]
        told = [report.cause_dict(cause) for cause in causes]
        head = report.headline(snapshot.side, snapshot.fqdn, verdict, elapsed, self._spent)
        result: Json = {
            "verdict": verdict,
            "checks": found,
            "causes": told,
            "verified": verified(snapshot) if healthy else {},
            "seconds": round(elapsed, 1),
            "spent": {part: round(seconds, 1) for part, seconds in self._spent.items()},
            "lines": report.lines(head, found, told, [*_notes(snapshot.failures), *(f"{text}." for text in snapshot.left_out)]),
        }
        masked: Json = mask(result, secrets_of(snapshot))
        for line in masked["lines"]:
            self.progress(line)
        # The proof is compared with AWS's ids at the switch, and the verdict is ours: a secret that is a common word must not change them.
        return {"changed": False, **masked, "verdict": verdict, "verified": result["verified"]}


def _seconds(params: t.Mapping[str, t.Any], name: str, default: float) -> float:
    return float(default if params.get(name) is None else params[name])


def _waits_for(missing: t.Sequence[Outcome]) -> str:
    """The first thing in the way of the others: without tasks no targets, without targets no answer."""
    names = {outcome.name.split(" ")[0] for outcome in missing if outcome.ok is not True}
    return next((part for name, part in (("rollout", "rollout"), ("targets", "targets"), ("tasks", "settling")) if name in names), "other")


def _name(outcome: Outcome) -> str:
    return f"{outcome.group}: {outcome.name}" if outcome.group else outcome.name


def _notes(failures: t.Iterable[Failure]) -> list[str]:
    """What was refused."""
    return list(dict.fromkeys(f"{failure.text}." for failure in failures))


def _not_there_yet(snapshot: Snapshot) -> bool:
    """Nothing of it failed to be read, and some of it does not exist."""
    if any(failure.section in ESSENTIAL for failure in snapshot.failures):
        return False
    balancer_missing = bool(snapshot.load_balancer_name) and snapshot.load_balancer is None
    return (
        snapshot.cluster_missing
        or balancer_missing
        or any(signal.service is None or signal.service.get("status") == "INACTIVE" for signal in snapshot.services)
    )
