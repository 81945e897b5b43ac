"""The lab's one long-lived process: API, registry, network, DNS, reconcilers, proxies. Parent of everything it starts; ``lab up`` starts it detached."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lab import proxy, state, status
from lab.aws.server import AwsServer
from lab.balancer.model import Request
from lab.containers.engine import reap_orphans
from lab.faults import NAMES, Fault, Faults
from lab.network.dns import DnsServer
from lab.network.namespace import Network
from lab.reconcile.balancers import LoadBalancers
from lab.reconcile.capacity import Capacity
from lab.reconcile.firewall import SecurityGroups
from lab.reconcile.logs import Logs
from lab.reconcile.loop import Loop, Reconciler
from lab.reconcile.metrics import Metrics
from lab.reconcile.names import Names
from lab.reconcile.services import Services
from lab.reconcile.stores import DataStores
from lab.reconcile.tasks import Tasks
from lab.reconcile.world import World
from lab.registry import Registry
from lab.settings import FQDN, RESOLVER, Settings
from lab.source import ca_file, create

log = logging.getLogger("lab")
PR_SET_CHILD_SUBREAPER = 36
STOP_TASKS = 25.0


class Lab:
    """Everything, wired. ``start`` returns when the lab works; the source system comes up afterwards (``ready``)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.step = "starting"
        self.ready_after: float | None = None
        self._began = time.monotonic()
        self.aws = AwsServer(settings)
        self.faults = Faults(self.aws, settings)
        self.registry = Registry(settings)
        self.network = Network(settings)
        self.world = World(settings, self.aws, self.network, self.faults)
        self.metrics = Metrics(self.world)
        self.names = Names(self.world)
        self.capacity = Capacity(self.world)
        self.stores = DataStores(self.world)
        self.balancers = LoadBalancers(self.world, self._request)
        self.logs = Logs(self.world)
        self.tasks = Tasks(self.world, self.capacity, self.logs)
        self.services = Services(self.world, self.tasks)
        self.dns = DnsServer(self.network.router, RESOLVER, self.names.answer)
        self.door = proxy.Door(self.network.operator, self.names.resolve)
        reconcilers: list[Reconciler] = [self.faults, SecurityGroups(self.world), self.names, self.capacity, self.stores, self.balancers, self.tasks, self.services]
        self.loop = Loop([*reconcilers, self.logs, self.metrics, _Housekeeping(settings, self.network)], self.world.stopping)
        self._proxies = [proxy.connect_proxy(settings.proxy_port, self.door), proxy.shop_proxy(settings.shop_port, self.door, ca_file(settings))]

    def start(self) -> None:
        for step, action in (
            ("network", self.network.up),
            ("registry", self.registry.start),
            ("prefetch", self.stores.prefetch),
            ("AWS API", self.aws.start),
            ("DNS", self.dns.start),
            ("reconcilers", self.loop.start),
            ("proxies", self._start_proxies),
        ):
            self.step = f"starting: {step}"
            action()
            log.info("%s: up after %.1f s", step, time.monotonic() - self._began)
        self.aws.on_change(lambda _call: self.loop.wake())
        self._routes()

    def build(self) -> None:
        """Create the source system and wait until it serves. Runs in a thread: the daemon answers meanwhile."""
        try:
            self.step = "creating the source system"
            create(self.settings, self.aws, self._say)
            self.step = f"waiting for https://{FQDN}/health?deep=1"
            while not self.world.stopping.is_set():
                answered = self._probe()
                if answered == "200":
                    self.ready_after = time.monotonic() - self._began
                    self.step = "ready"
                    log.info("the source system serves after %.1f s", self.ready_after)
                    return
                self.step = f"waiting for https://{FQDN}/health?deep=1 ({answered})"
                time.sleep(0.15)
        except Exception as error:
            self.step = f"failed: {str(error).partition(chr(10))[0]}"
            log.exception("the source system was not built")

    def stop(self) -> None:
        """In reverse order; each part may fail without keeping the others from stopping."""
        self.step = "stopping"
        self.world.stopping.set()
        self.loop.join(10)
        for name, action in (
            ("proxies", self._stop_proxies),
            ("tasks", lambda: self.tasks.stop_all(STOP_TASKS)),
            ("load balancers", self.balancers.stop),
            ("instances", self.capacity.stop),
            ("Fargate", self.tasks.destroy),
            ("data stores", self.stores.stop),
            ("DNS", self.dns.stop),
            ("AWS API", self.aws.stop),
            ("registry", self.registry.stop),
            ("network", self.network.down),
        ):
            began = time.monotonic()
            _attempt(name, action)
            log.info("%s: down in %.1f s", name, time.monotonic() - began)

    def _start_proxies(self) -> None:
        for service in self._proxies:
            service.start()

    def _stop_proxies(self) -> None:
        for service in self._proxies:
            service.stop()

    def _request(self, load_balancer_arn: str, request: Request) -> None:
        self.metrics.on_request(load_balancer_arn, request)

    def _say(self, text: str) -> None:
        self.step = text
        log.info("%s", text)

    def _probe(self) -> str:
        try:
            code, _headers, _body = self.door.get(f"https://{FQDN}/health?deep=1", ca_file(self.settings), timeout=5)
        except OSError as error:
            return str(error)
        return str(code)

    # -- control

    def _routes(self) -> None:
        self.aws.route("/_lab/ready", lambda *_request: {"ready": self.ready_after is not None, "step": self.step, "seconds": self.ready_after})
        self.aws.route("/_lab/status", lambda *_request: status.collect(self))
        self.aws.route("/_lab/data-faults", self._control_faults)

    def _control_faults(self, method: str, query: dict[str, str], body: dict[str, Any]) -> Any:
        if method == "DELETE":
            ended = [fault for fault in self.faults.active() if query.get("name") in (None, fault.name)]
            names = self.faults.off(query.get("name"))
            return {"ended": names, "restarted": [task for fault in ended for task in self._restart(fault)] if "restart" in query else []}
        if method == "POST":
            if body.get("name") == "instance":
                return {"terminated": self.faults.terminate_instance()}
            restart = bool(body.pop("restart", False))
            fault = Fault(**body)
            self.faults.on(fault)
            return {"on": asdict(fault), "restarted": self._restart(fault) if restart else []}
        return {"faults": self.faults.listed(), "known": NAMES}

    def _restart(self, fault: Fault) -> list[str]:
        with self.world.state():
            runs = [run for run in self.tasks.runs.values() if not run.leaving and fault.matches(run.task, run.place.fargate)]
        for run in runs:
            run.request_stop("UserInitiated", f"Task stopped by fault {fault.name}")
        return [run.task.id for run in runs]


class _Housekeeping:
    """Reaps what containers leave behind, keeps the state file true."""

    name = "housekeeping"
    PERIOD = 2.0

    def __init__(self, settings: Settings, network: Network) -> None:
        self._settings = settings
        self._network = network
        self._due = 0.0
        self._saved: state.State | None = None

    def tick(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self.PERIOD
        reap_orphans()
        current = state.State(self._settings.name, self._settings.base_port, own_process())
        current.processes = state.descendants(os.getpid())
        current.namespaces = self._network.namespaces()
        if current != self._saved:
            state.save(self._settings, current)
            self._saved = current


def own_process() -> state.Process:
    return state.Process("daemon", os.getpid(), state.start_time(os.getpid()) or 0)


def main(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Output goes where ``lab up`` pointed it: <run_dir>/daemon.log."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    os.environ[state.MARK] = settings.name
    faulthandler.register(signal.SIGUSR1)  # kill -USR1: where every thread is, in the log
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    state.save(settings, state.State(settings.name, settings.base_port, own_process()))
    finished = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_arguments: finished.set())
    lab = Lab(settings)
    try:
        lab.start()
    except Exception:
        log.exception("the lab did not start")
        lab.stop()
        return 1
    threading.Thread(target=lab.build, name="lab-build", daemon=True).start()
    while not finished.wait(1.0):
        continue
    lab.stop()
    return 0


def _attempt(name: str, action: Callable[[], Any]) -> None:
    try:
        action()
    except Exception:
        log.exception("%s did not stop cleanly", name)
