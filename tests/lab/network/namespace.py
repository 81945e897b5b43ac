"""The lab's VPC: a routed network of namespaces, one for each elastic network interface.

Every interface is a namespace whose eth0 has /32 addresses and whose only neighbour is the router (namespace ``<lab>-vpc``, 169.254.1.1 on each of its
ends): no bridge, no spoofing, one place to filter. Nothing here has an uplink, so lab traffic cannot leave the machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lab.network.process import CommandError, end, run
from lab.settings import CLIENT, GATEWAY, OPERATOR, RESOLVER, Settings

NAMESPACES = Path("/run/netns")
RESOLVER_FILES = Path("/etc/netns")  # where `ip netns exec` looks for a namespace's own resolv.conf
CLONE_NEWNET = 0x40000000

T = TypeVar("T")


@dataclass(frozen=True)
class Namespace:
    """A network namespace made by ``ip netns``: ``<lab>-<role>``."""

    name: str
    addresses: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return NAMESPACES / self.name

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command, run inside this namespace (right for podman: mounts stay the host's)."""
        return ["nsenter", f"--net={self.path}", *argv]

    def resolving_command(self, argv: Sequence[str]) -> list[str]:
        """The command, run inside this namespace with the VPC's resolver in /etc/resolv.conf (curl, ansible; never podman). Operator and client only."""
        return ["ip", "netns", "exec", self.name, *argv]

    def call(self, function: Callable[[], T]) -> T:
        """The function's result, computed inside this namespace: what it opens there (sockets, /proc/sys/net) stays there."""
        return _call_inside(self.path, function)

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket that lives in this namespace, for a process that does not."""
        return self.call(lambda: socket.socket(family, kind))

    def forward(self) -> None:
        """Let this namespace pass packets on: the router, and instances with a bridge of their own."""
        self.call(lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))


def _call_inside(namespace: Path, function: Callable[[], T]) -> T:
    """A namespace belongs to a thread, so a thread of its own goes there and ends afterwards."""
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            _enter(namespace)
            results.append(function())
        except BaseException as error:  # handed to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=work, name=f"in {namespace.name}")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _enter(namespace: Path) -> None:
    """setns(2) for this thread; os.setns arrives only with Python 3.12."""
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _LIBC.setns(descriptor, CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))
    finally:
        os.close(descriptor)


_LIBC = ctypes.CDLL(None, use_errno=True)


class Network:
    """``Network(settings)``; names passed to attach and detach are roles (an ENI id), namespaces are called ``<lab>-<role>``."""

    def __init__(self, settings: Settings) -> None:
        check_name(settings.name)
        self._settings = settings
        self._lock = threading.Lock()
        self.router = Namespace(settings.namespace("vpc"), (RESOLVER,))
        self.operator = Namespace(settings.namespace("op"), (OPERATOR,))
        self.client = Namespace(settings.namespace("cli"), (CLIENT,))

    def up(self) -> None:
        """Make the router (with the resolver's address), the operator's and the client's namespace. Removes what an earlier lab of this name left."""
        self.down()
        run(["ip", "netns", "add", self.router.name])
        # An address nobody has does not answer, as in a VPC; without the last route the router would say "unreachable".
        _batch(["link set lo up", f"addr add {RESOLVER}/32 dev lo", "route add blackhole default"], self.router.name)
        self.router.forward()
        for role, namespace in (("op", self.operator), ("cli", self.client)):
            self.attach(role, namespace.addresses)
            folder = RESOLVER_FILES / namespace.name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")

    def down(self) -> None:
        """Remove every namespace of this lab, known or left behind."""
        remove_all(self._settings)

    def attach(self, name: str, addresses: Sequence[str]) -> Namespace:
        """An elastic network interface: a namespace whose eth0 has these addresses, routed by the VPC. Returns the existing one when it is there."""
        namespace = Namespace(self._settings.namespace(name), tuple(addresses))
        with self._lock:
            if namespace.path.exists():
                return namespace
            try:
                self._plug(namespace)
            except CommandError:
                self._unplug(namespace)
                raise
        return namespace

    def _plug(self, namespace: Namespace) -> None:
        link = link_name(namespace.name)
        _batch([f"netns add {namespace.name}", f"link add {link} netns {self.router.name} type veth peer name eth0 netns {namespace.name}"])
        _batch([f"addr add {GATEWAY}/32 dev {link}", f"link set {link} up"], self.router.name)
        inside = ["link set lo up", *(f"addr add {address}/32 dev eth0" for address in namespace.addresses), "link set eth0 up"]
        source = f" src {namespace.addresses[0]}" if namespace.addresses else ""
        _batch([*inside, f"route add {GATEWAY} dev eth0 scope link", f"route add default via {GATEWAY} dev eth0{source}"], namespace.name)
        _batch(_routes(namespace, link), self.router.name)

    def detach(self, name: str) -> None:
        """Remove the interface; nothing happens when it is gone already."""
        with self._lock:
            self._unplug(Namespace(self._settings.namespace(name)))

    def _unplug(self, namespace: Namespace) -> None:
        """The router's end goes first: the kernel frees a deleted namespace later, and its name must be free at once."""
        with contextlib.suppress(CommandError):
            _batch([f"link del {link_name(namespace.name)}"], self.router.name)
        if namespace.path.exists():
            run(["ip", "netns", "del", namespace.name])

    def set_link(self, namespace: Namespace, *, up: bool) -> None:
        """Fault: unplug (or plug in again) an interface at the router's side."""
        link = link_name(namespace.name)
        if up:
            _batch([f"link set {link} up", *_routes(namespace, link)], self.router.name)
        else:
            _batch([f"link set {link} down"], self.router.name)

    def namespaces(self) -> list[str]:
        """Names of this lab's namespaces that exist on this machine."""
        return _named(self._settings)


def check_name(name: str) -> None:
    """A lab's namespaces are found by "<name>-", so no lab's name may be the beginning of another's up to a hyphen."""
    if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
        raise ValueError(f"CUTOVER_LAB is {name!r}; it should be 1 to 12 lower-case letters and digits, beginning with a letter")


def link_name(namespace: str) -> str:
    """The router's end of an interface; Linux allows 15 characters."""
    return "v" + hashlib.sha256(namespace.encode()).hexdigest()[:13]


def _routes(namespace: Namespace, link: str) -> list[str]:
    return [f"route replace {address}/32 dev {link}" for address in namespace.addresses]


def _batch(lines: Sequence[str], namespace: str | None = None) -> None:
    """Many ip commands in one process: an interface is ready in milliseconds."""
    run(["ip", *(["-n", namespace] if namespace else []), "-b", "-"], "".join(f"{line}\n" for line in lines))


def _named(settings: Settings) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return sorted(name for name in os.listdir(NAMESPACES) if name.startswith(settings.namespace("")))
    return []


def remove_all(settings: Settings) -> None:
    """Clean up after a killed lab of this name: its namespaces, found by the name's prefix, and the processes inside them."""
    check_name(settings.name)
    names = _named(settings)
    inodes = {os.stat(NAMESPACES / name).st_ino for name in names} - {os.stat("/proc/self/ns/net").st_ino}
    if inodes:
        end(lambda pid: _network_of(pid) in inodes)
    for name in names:
        with contextlib.suppress(CommandError):  # a name whose mount is gone (reboot) is only a file
            run(["ip", "netns", "del", name])
        (NAMESPACES / name).unlink(missing_ok=True)
    if RESOLVER_FILES.is_dir():
        for folder in RESOLVER_FILES.glob(settings.namespace("*")):
            shutil.rmtree(folder)


def _network_of(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    return None
