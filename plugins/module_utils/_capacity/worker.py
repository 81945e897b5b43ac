# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What both directions share: making calls and waiting for their effect; and the calls that both make."""

from __future__ import annotations

import typing as t

from .._aws.apply import Call, Clock, apply
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import Progress
from .observe import SUSPENDED_STATE, Observed, observe, resource_id

Params = t.Mapping[str, t.Any]


class Worker:
    def __init__(self, params: Params, clients: Clients, check_mode: bool, progress: Progress, clock: Clock) -> None:
        self.params, self.clients, self.check_mode, self.progress, self.clock = params, clients, check_mode, progress, clock

    def make(self, calls: list[Call]) -> list[str]:
        changes = apply(calls, self.clients, {}, self.check_mode, self.clock)
        for change in changes:
            self.progress(("would " if self.check_mode else "") + change)
        return changes

    def wait(self, what: str, reached: t.Callable[[Observed], bool], now: t.Callable[[Observed], str]) -> None:
        """Look until it is so; tell each change of what is seen."""
        if self.check_mode:
            return
        deadline, shown = self.clock.now() + self.params["wait_timeout"], ""
        while True:
            observed = observe(self.params, self.clients)
            if reached(observed):
                return
            if now(observed) != shown:
                shown = now(observed)
                self.progress(f"waiting until {what}: {shown}")
            if self.clock.now() >= deadline:
                raise CutoverError(f"Waited {self.params['wait_timeout']:g} s until {what}; it is {shown}. Nothing more was changed. Run again to go on.")
            self.clock.sleep(self.params["poll_seconds"])


def desired(cluster: str, name: str, count: int) -> Call:
    return Call(f"set the desired count of service {name} to {count}", "ecs", "update_service", {"cluster": cluster, "service": name, "desiredCount": count})


def suspend(cluster: str, name: str, suspended: bool) -> Call:
    params = {
        "ServiceNamespace": "ecs",
        "ResourceId": resource_id(cluster, name),
        "ScalableDimension": "ecs:service:DesiredCount",
        "SuspendedState": dict.fromkeys(SUSPENDED_STATE, suspended),
    }
    return Call(f"{'suspend' if suspended else 'resume'} scaling of service {name}", "application-autoscaling", "register_scalable_target", params)
