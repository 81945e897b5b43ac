"""The lab's VPC: a routed network of namespaces, one for each elastic network interface."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.settings import Settings


@dataclass(frozen=True)
class Namespace:
    """A network namespace made by ``ip netns``: ``<lab>-<role>``."""

    name: str
    addresses: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return Path("/run/netns") / self.name

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command, run inside this namespace (right for podman: mounts stay the host's)."""
        raise NotImplementedError

    def resolving_command(self, argv: Sequence[str]) -> list[str]:
        """The command, run inside this namespace with the VPC's resolver in /etc/resolv.conf (curl, ansible; never podman). Operator and client only."""
        raise NotImplementedError

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket that lives in this namespace, for a process that does not."""
        raise NotImplementedError


class Network:
    """``Network(settings)``; names passed to attach and detach are roles (an ENI id), namespaces are called ``<lab>-<role>``."""

    def __init__(self, settings: Settings) -> None:
        raise NotImplementedError

    def up(self) -> None:
        """Make the router (with the resolver's address), the operator's and the client's namespace."""
        raise NotImplementedError

    def down(self) -> None:
        """Remove every namespace of this lab, known or left behind."""
        raise NotImplementedError

    @property
    def router(self) -> Namespace:
        raise NotImplementedError

    @property
    def operator(self) -> Namespace:
        raise NotImplementedError

    @property
    def client(self) -> Namespace:
        raise NotImplementedError

    def attach(self, name: str, addresses: Sequence[str]) -> Namespace:
        """An elastic network interface: a namespace whose eth0 has these addresses, routed by the VPC. Returns the existing one when it is there."""
        raise NotImplementedError

    def detach(self, name: str) -> None:
        """Remove the interface; nothing happens when it is gone already."""
        raise NotImplementedError

    def set_link(self, name: str, *, up: bool) -> None:
        """Fault: unplug (or plug in again) an interface at the router's side."""
        raise NotImplementedError

    def namespaces(self) -> list[str]:
        """Names of this lab's namespaces that exist on this machine."""
        raise NotImplementedError


def remove_all(settings: Settings) -> None:
    """Clean up after a killed lab of this name: namespaces found by the name's prefix."""
    raise NotImplementedError
