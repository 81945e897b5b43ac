# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Schedulers change hands: one side's is at zero, and each of its tasks is seen STOPPED, before the other side's gets a task.

Each direction first looks at what is there, so a run that was killed is finished by any other, in the same direction or in the other. At worst nobody runs
the scheduler meanwhile: a job that is late can be made up for, one that was done twice can not.
"""

from __future__ import annotations

import typing as t

from .._aws.apply import Call
from .._aws.errors import CutoverError
from .observe import Observed, Service
from .worker import Worker, desired, suspend

Pair = tuple[Service, Service | None]


def to_target(worker: Worker, before: Observed, stop: t.Callable[[Service], list[Call]]) -> list[str]:
    """``stop`` gives the calls that bring a service of the source to zero and remember its number."""
    pairs = _pairs(before)
    if not pairs:
        return []
    for source, target in pairs:
        _require(source, target, worker)
    changes = worker.make([call for source, _target in pairs for call in stop(source)])
    handed = names(before)
    worker.wait(
        "no scheduler of the source runs",
        lambda seen: not any(each.desired or each.alive for each in seen.services if each.name in handed) and not _ending(seen.targets, handed),
        lambda seen: _alive([*seen.services, *seen.targets], handed),
    )
    changes += worker.make([call for _source, target in pairs if target for call in _start(worker, target)])
    worker.wait(
        "the target's schedulers run",
        lambda seen: all(each.running >= each.desired for each in seen.targets if each.name in handed),
        lambda seen: ", ".join(f"{each.running} of {each.desired} of {each.name}" for each in seen.targets if each.name in handed) + " run",
    )
    return changes


def to_source(worker: Worker, before: Observed) -> list[str]:
    """Only the first half: the source's get their tasks with the next calls, when this returns."""
    handed = names(before)
    ours = {target.name for _source, target in _pairs(before) if target and target.system == worker.params["system"]}
    changes = worker.make([call for target in before.targets if target.name in ours for call in _stop(target)])
    if handed:
        worker.wait(
            "no scheduler of the target runs",
            lambda seen: not any(each.desired or each.alive for each in seen.targets if each.name in ours) and not _ending(seen.services, handed),
            lambda seen: _alive([*seen.targets, *seen.services], handed),
        )
    return changes


def names(observed: Observed) -> set[str]:
    """Services of the source that :func:`to_target` brings to zero."""
    return {source.name for source, _target in _pairs(observed)}


def numbers(params: t.Mapping[str, t.Any], observed: Observed) -> dict[str, int]:
    """The target's schedulers by name, with the number that each gets."""
    counts = {each["name"]: int(each["desired_count"]) for each in params["schedulers"]}
    return {each.name: counts[each.name] for each in observed.targets}


def _pairs(observed: Observed) -> list[Pair]:
    """Those that the source has a number of: one that never ran there has nothing to hand over."""
    targets = {each.name: each for each in observed.targets}
    return [(each, targets.get(each.name)) for each in observed.services if each.hands_over and (each.remembered or each.desired)]


def _require(source: Service, target: Service | None, worker: Worker) -> None:
    system = worker.params["system"]
    if target is None or target.system != system:
        what = "does not exist" if target is None else f"carries no tag cutover:system={system}"
        raise CutoverError(
            f"The scheduler {source.name} can't be handed over: the service of that name in the target's cluster {what}. "
            "It should be the one that prepare makes. Run prepare, then scale_in again. Nothing was changed."
        )


def _start(worker: Worker, target: Service) -> list[Call]:
    """Scaling is freed first: a kill in between leaves a service that may run, since the source's does not."""
    count = next(int(each["desired_count"]) for each in worker.params["schedulers"] if each["name"] == target.name)
    if target.desired or not count:
        return []
    resume = [suspend(target.cluster, target.name, False)] if target.scalable and target.suspended else []
    return [*resume, _told(desired(target.cluster, target.name, count))]


def _stop(target: Service) -> list[Call]:
    held = [suspend(target.cluster, target.name, True)] if target.scalable and not target.suspended else []
    return [*held, _told(desired(target.cluster, target.name, 0))] if target.desired else held


def _told(call: Call) -> Call:
    """Both sides have a service of that name."""
    return Call(call.text.replace("of service", "of the target's service"), call.service, call.operation, call.params)


def _ending(services: t.Iterable[Service], names: t.Collection[str]) -> bool:
    """Tasks of the side that is about to start: a run that was killed had just stopped them, and ECS would start the next beside them."""
    return any(each.alive for each in services if each.name in names and not each.desired)


def _alive(services: t.Iterable[Service], names: t.Collection[str]) -> str:
    return ", ".join(f"{each.alive} of {each.name} in {each.cluster} not stopped" for each in services if each.name in names and each.alive)
