"""An Application Load Balancer: one HAProxy in the load balancer's own network namespace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lab.balancer.model import BalancerConfig, Health, Request, TargetKey
from lab.network.namespace import Namespace
from lab.settings import Settings

__all__ = ["Balancer", "BalancerError", "remove_all"]


class BalancerError(RuntimeError):
    """HAProxy refused a configuration or did not start."""


class Balancer:
    """``Balancer(settings, namespace, name, addresses, on_request)``; ``on_request`` is called once for each access-log line, in a thread of the balancer."""

    def __init__(
        self, settings: Settings, namespace: Namespace, name: str, addresses: Sequence[str], on_request: Callable[[Request], None] | None = None
    ) -> None:
        raise NotImplementedError

    def configure(self, config: BalancerConfig) -> None:
        """Make this configuration real; starts HAProxy at the first listener, stops it at none. Call it as often as you like: no difference, no action.

        Targets come and go by the runtime API (a target missing from its group starts draining here, for the group's deregistration delay; the caller
        only leaves it out). Everything else is a seamless reload. Raises BalancerError and keeps the running configuration when HAProxy refuses the new one.
        """
        raise NotImplementedError

    def health(self) -> Mapping[TargetKey, Health]:
        """AWS's state of every registered and draining target; groups no listener forwards to are "unused"."""
        raise NotImplementedError

    def stop(self) -> None:
        """End HAProxy and remove its files."""
        raise NotImplementedError


def remove_all(settings: Settings) -> None:
    """Clean up after a killed lab of this name: end its HAProxy processes and remove their files."""
    raise NotImplementedError
