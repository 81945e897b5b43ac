"""An Application Load Balancer: one HAProxy in the load balancer's own network namespace.

Its state lives here, not in HAProxy: the file is always rendered from all current targets and their health, so a reload (listeners, rules, certificates,
attributes) changes nothing for the traffic. Targets come and go through HAProxy's command socket. A thread turns check results into AWS's target states.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lab.balancer import accesslog
from lab.balancer.config import (
    OPEN,
    STATUS_LINES,
    Files,
    Server,
    backend_name,
    error_page,
    frontend_name,
    render,
    server_lines,
    stop_limit,
    used_groups,
)
from lab.balancer.health import DRAINING, UNUSED, Check, Phase, Registration, parse_statistics
from lab.balancer.master import BalancerError, Master
from lab.balancer.model import (
    Action,
    BalancerConfig,
    Condition,
    Health,
    HealthCheck,
    Listener,
    Request,
    Rule,
    Stickiness,
    Target,
    TargetGroup,
    TargetKey,
)
from lab.network.namespace import Namespace
from lab.network.process import command_line, end
from lab.settings import Settings

__all__ = [
    "Action",
    "Balancer",
    "BalancerConfig",
    "BalancerError",
    "Condition",
    "Health",
    "HealthCheck",
    "Listener",
    "Request",
    "Rule",
    "Stickiness",
    "Target",
    "TargetGroup",
    "TargetKey",
    "remove_all",
]

LOGGER = logging.getLogger(__name__)
WATCH_INTERVAL = 0.1
RECEIVE_BUFFER = 8 << 20  # access-log lines wait here while the lab's process is busy
NOTICES = 1000


class Balancer:
    """``Balancer(settings, namespace, name, addresses, on_request)``; ``on_request`` is called once for each access-log line, in a thread of the balancer."""

    def __init__(
        self, settings: Settings, namespace: Namespace, name: str, addresses: Sequence[str], on_request: Callable[[Request], None] | None = None
    ) -> None:
        self._files = Files(_folder(settings) / name)
        self._addresses = tuple(addresses)
        self._on_request = on_request
        self._master = Master(namespace, self._files)
        self._lock = threading.RLock()
        self._config = BalancerConfig()
        self._structure = ""
        self._registrations: list[Registration] = []
        self._numbers = iter(range(1, 1 << 62))
        self._names: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self._servers: dict[str, TargetKey] = {}
        self._unused: set[str] = set()
        self._stopping = threading.Event()
        self.notices: deque[tuple[float, str]] = deque(maxlen=NOTICES)
        self._prepare()

    def _prepare(self) -> None:
        shutil.rmtree(self._files.folder, ignore_errors=True)
        self._files.folder.mkdir(parents=True)
        for status in STATUS_LINES:
            self._files.error(status).write_text(error_page(status), newline="")
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for option in (socket.SO_RCVBUF, 33):  # 33: SO_RCVBUFFORCE, beyond the system's limit where allowed
            with contextlib.suppress(PermissionError):
                self._log.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER)
        self._log.bind(str(self._files.log))
        self._threads = [threading.Thread(target=work, name=f"balancer {self._files.folder.name}", daemon=True) for work in (self._watch, self._read_log)]
        for thread in self._threads:
            thread.start()

    # Configuration

    def configure(self, config: BalancerConfig) -> None:
        """Make this configuration real; starts HAProxy at the first listener, stops it at none. Call it as often as you like: no difference, no action.

        Targets come and go by the runtime API (a target missing from its group starts draining here, for the group's deregistration delay; the caller
        only leaves it out). Everything else is a seamless reload. Raises BalancerError and keeps the running configuration when HAProxy refuses the new one.
        """
        with self._lock:
            structure = render(config, self._addresses, {}, self._files) + _fingerprint(config)
            if not config.listeners:
                self._idle(config)
            elif structure != self._structure or not self._master.running:
                self._replace(config, structure)
            elif config != self._config:
                self._config = config
                self._exchange_targets()
                self._write()

    def _idle(self, config: BalancerConfig) -> None:
        self._master.stop()
        self._config, self._structure, self._registrations = config, "", []

    def _replace(self, config: BalancerConfig, structure: str) -> None:
        """Check first: a refused configuration must leave the running one alone."""
        trial = self._files.folder / "trial.cfg"
        trial.write_text(render(config, self._addresses, {}, self._files))
        self._master.check(trial)
        self._name_things(config)
        self._config = config
        self._exchange_targets(live=False)
        self._write()
        if self._master.running:
            self._master.reload()
        else:
            self._master.start()
        self._structure = structure
        self._command(command for registration in self._registrations for command in registration.begin())

    def _name_things(self, config: BalancerConfig) -> None:
        """HAProxy's names of listeners and groups, and the configuration's; old ones stay for requests still running."""
        listeners, groups = self._names
        listeners.update({frontend_name(listener): listener.key for listener in config.listeners})
        groups.update({backend_name(group.key): group.key for group in config.target_groups})

    def _write(self) -> None:
        servers: dict[str, list[Server]] = {}
        for registration in self._registrations:
            if registration.phase is not Phase.DRAINING:
                servers.setdefault(registration.key.group, []).append(registration.line)
        self._files.configuration.write_text(render(self._config, self._addresses, servers, self._files))

    # Targets

    def _exchange_targets(self, live: bool = True) -> None:
        """Register what is new, drain what is missing. Not ``live``: a reload follows, and the file says it all."""
        used = used_groups(self._config)
        groups = {group.key: group for group in self._config.target_groups if group.key in used}
        wanted = {TargetKey(key, target.id, target.port): target for key, group in groups.items() for target in group.targets}
        self._registrations = [registration for registration in self._registrations if registration.key.group in groups]
        active = {registration.key: registration for registration in self._registrations if registration.phase is not Phase.DRAINING}
        for key, registration in active.items():
            if wanted.get(key) != registration.target:
                commands = registration.drain(time.monotonic(), groups[key.group].deregistration_delay)
                self._command(commands if live else ())
        for key, target in wanted.items():
            if key not in active or active[key].target != target:
                self._register(groups[key.group], key, target, live)

    def _register(self, group: TargetGroup, key: TargetKey, target: Target, live: bool) -> None:
        name = f"{target.id}_{target.port}_{next(self._numbers)}"
        registration = Registration(key, target, f"{backend_name(key.group)}/{name}", time.monotonic())
        self._registrations.append(registration)
        self._servers[registration.server] = self._servers[registration.server + OPEN] = key
        if live:
            backend = backend_name(key.group)
            self._command([f"add server {backend}/{line.removesuffix(' disabled')}" for line in server_lines(group, registration.line)])
            self._command(registration.begin())

    def _command(self, commands: Iterator[str] | Sequence[str]) -> None:
        for command in commands:
            answer = self._master.command(command).strip()
            if answer and answer != "New server registered.":
                LOGGER.warning("%s: %s: %s", self._files.folder.name, command, answer)

    # Health

    def health(self) -> Mapping[TargetKey, Health]:
        """AWS's state of every registered and draining target; groups no listener forwards to are "unused"."""
        with self._lock:
            found = {TargetKey(group.key, target.id, target.port): UNUSED for group in self._config.target_groups for target in group.targets}
            for draining in (True, False):  # a target that came back while it drained counts as what it is now
                found.update({entry.key: entry.health for entry in self._registrations if (entry.health is DRAINING) is draining})
        return found

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_INTERVAL):
            with self._lock:
                try:
                    self._tick()
                except (OSError, BalancerError):
                    LOGGER.exception("%s: not watched this time", self._files.folder.name)

    def _tick(self) -> None:
        if not self._config.listeners or self._stopping.is_set():
            return
        if not self._master.running:  # somebody ended HAProxy; AWS would replace the node
            self._replace(self._config, self._structure)
        rules = {group.key: group.health_check for group in self._config.target_groups}
        checks = parse_statistics(self._master.command("show stat -1 4 -1"))
        for registration in self._registrations:
            if check := checks.get(registration.server):
                self._command(registration.observe(check, time.monotonic(), rules[registration.key.group]))
        self._finish_drains(checks)

    def _finish_drains(self, checks: Mapping[str, Check]) -> None:
        """A drain ends after its delay, and not before its last request and every older worker: after a reload one may still send it a request."""
        now = time.monotonic()
        due = [entry for entry in self._registrations if entry.phase is Phase.DRAINING and now >= entry.deadline and not _busy(entry, checks)]
        patience = now - stop_limit(self._config)
        if due and self._master.old_workers() and any(entry.deadline > patience for entry in due):
            return
        for entry in due:
            self._registrations.remove(entry)
            self._unused |= {entry.server, entry.server + OPEN}
        self._unused = {server for server in self._unused if server in checks and not self._deleted(server)}

    def _deleted(self, server: str) -> bool:
        """HAProxy deletes a server only when it has closed its idle connections, some seconds after the last request."""
        answer = self._master.command(f"del server {server}")
        return "Server deleted" in answer or "No such server" in answer

    # Access log

    def _read_log(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):
                line = self._log.recv(1 << 16).decode(errors="replace").rstrip("\n\0")
                if line:
                    self._handle(line)

    def _handle(self, line: str) -> None:
        now = time.time()
        request = accesslog.parse(line, now, *self._names, self._servers)
        if request is None:
            self.notices.append((now, line))
        elif self._on_request:
            try:
                self._on_request(request)
            except Exception:
                LOGGER.exception("on_request of %s", self._files.folder.name)

    def stop(self) -> None:
        """End HAProxy and remove its files."""
        self._stopping.set()
        with self._lock:
            self._master.stop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waker, contextlib.suppress(OSError):
            waker.sendto(b"\n", str(self._files.log))
        for thread in self._threads:
            thread.join()
        self._log.close()
        shutil.rmtree(self._files.folder, ignore_errors=True)


def _busy(entry: Registration, checks: Mapping[str, Check]) -> bool:
    return any(checks[server].sessions for server in (entry.server, entry.server + OPEN) if server in checks)


def _fingerprint(config: BalancerConfig) -> str:
    """A certificate renewed in place is a change too."""
    files = [Path(certificate) for listener in config.listeners for certificate in listener.certificates]
    if missing := [file for file in files if not file.is_file()]:
        raise BalancerError(f"no certificate file {missing[0]}; the configuration before stays")
    return "".join(f"# {file} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files)


def _folder(settings: Settings) -> Path:
    return settings.run_dir / "alb"


def remove_all(settings: Settings) -> None:
    """Clean up after a killed lab of this name: end its HAProxy processes and remove their files."""
    beginning = f"{_folder(settings)}/"

    def ours(pid: int) -> bool:
        words = command_line(pid)
        return bool(words) and Path(words[0]).name == "haproxy" and any(word.startswith(beginning) for word in words)

    end(ours, grace=1)
    shutil.rmtree(_folder(settings), ignore_errors=True)
