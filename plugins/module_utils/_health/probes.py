# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Probes are data: ordered steps with expectations, cookies kept, values captured from one answer for the next.

A probe runs against every address of the load balancer. Steps marked ``on`` the other side go to the other side's load balancer, with the same
cookies and values: so a session that was opened there is continued here.
"""

from __future__ import annotations

import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .clock import Clock
from .http import ProbeError, Route, request
from .model import WEB, Json, Snapshot, StepResult
from .predicates import verified
from .probe_data import as_probes, is_read_only, needs_other_side
from .probe_steps import STEP_TIMEOUT, Sides, run_probe


def default_probes(snapshot: Snapshot) -> list[Json]:
    """The front page and each health path answer, and not with an error of the server."""
    arns = {arn for signal in snapshot.services if signal.kind == WEB for arn in signal.target_group_arns}
    groups = [snapshot.target_groups[arn] for arn in sorted(arns) if arn in snapshot.target_groups]
    paths = ["/", *(str(group["HealthCheckPath"]) for group in groups if group.get("HealthCheckPath"))]
    return [{"name": f"GET {path}", "steps": [{"path": path}]} for path in dict.fromkeys(paths)]


def main_listener(listeners: t.Sequence[Json]) -> Json | None:
    """Where people arrive: HTTPS before HTTP, the usual port before others."""
    usable = [listener for listener in listeners if listener.get("Protocol") in ("HTTPS", "HTTP")]
    return min(usable, key=lambda listener: (listener["Protocol"] != "HTTPS", listener["Port"] not in (443, 80), listener["Port"]), default=None)


def redirect_probe(listeners: t.Sequence[Json]) -> tuple[Json, int] | None:
    """The HTTP listener that redirects to HTTPS, with the answer its action promises."""
    ports = {str(listener["Port"]) for listener in listeners if listener.get("Protocol") == "HTTPS"}
    for listener in listeners:
        for action in listener.get("DefaultActions", []):
            config = action.get("RedirectConfig") or {}
            port = config.get("Port", "#{port}")
            if listener.get("Protocol") == "HTTP" and config.get("Protocol") == "HTTPS" and port in ports:
                status = int(str(config.get("StatusCode", "HTTP_301")).rsplit("_", maxsplit=1)[-1])
                step = {"name": "GET / by HTTP", "path": "/", "expect": {"status": status, "header": {"Location": "https://"}}}
                return {"name": "redirect to HTTPS", "steps": [step]}, int(listener["Port"])
    return None


def bare_name(here: Route, other: Route | None, now: t.Callable[[], float]) -> StepResult:
    """By the load balancer's own name: the same status as the other side's gives by its own. While the other side does not work, any answer will do."""
    started, name = now(), "bare name"
    try:
        mine = request(here, "GET", "/", {}, None, STEP_TIMEOUT)
    except ProbeError as error:
        return StepResult(name, f"GET {here.origin}/", here.address, error.problem, error.text, started, url=here.origin + "/")
    theirs = _status(other)
    problem = "parity" if theirs is not None and theirs < 500 and theirs != mine.status else ""
    text = f"GET {here.origin}/ {mine.status}" + (f", the other side answers {theirs}" if theirs is not None else "")
    return StepResult(name, f"GET {here.origin}/", here.address, problem, text, started, here.origin + "/", mine.status, mine.header("Server"))


def _status(route: Route | None) -> int | None:
    try:
        return request(route, "GET", "/", {}, None, STEP_TIMEOUT).status if route else None
    except ProbeError:
        return None


class Prober:
    """Runs the probes for a snapshot. What passed for the same targets and addresses is not asked again: a probe may place an order."""

    def __init__(self, params: Json, clock: Clock, read_only: bool = False) -> None:
        self.params = params
        self.clock = clock
        self.read_only = read_only
        self._passed: tuple[t.Any, list[StepResult]] | None = None

    def __call__(self, snapshot: Snapshot) -> list[StepResult]:
        subject = (verified(snapshot), tuple(snapshot.addresses))
        if self._passed and self._passed[0] == subject:
            return self._passed[1]
        results = self._run(snapshot)
        if results and all(result.ok for result in results):
            self._passed = (subject, results)
        return results

    def _run(self, snapshot: Snapshot) -> list[StepResult]:
        listener = main_listener(snapshot.listeners)
        if listener is None:
            return [
                StepResult("probes", "listener", snapshot.load_balancer_name or "", "status", "the load balancer has no HTTP or HTTPS listener", snapshot.at)
            ]
        jobs = [job for address in self.addresses(snapshot) for job in self._jobs(snapshot, listener, address)]
        with ThreadPoolExecutor(max_workers=8) as pool:
            return [result for results in pool.map(lambda job: job(), jobs) for result in results]

    def _jobs(self, snapshot: Snapshot, listener: Json, address: str) -> list[t.Callable[[], list[StepResult]]]:
        here, now = self.route(listener, address), lambda: snapshot.at
        other = self._other(snapshot)
        sides = Sides(snapshot.side, {snapshot.side: here, **({_opposite(snapshot.side): other} if other else {})})
        jobs: list[t.Callable[[], list[StepResult]]] = [_job(probe, sides, now) for probe in self.probes(snapshot)]
        redirect = redirect_probe(snapshot.listeners)
        if redirect:
            probe, port = redirect
            jobs.append(_job(probe, Sides(snapshot.side, {snapshot.side: self.route({"Protocol": "HTTP", "Port": port}, address)}), now))
        name = (snapshot.load_balancer or {}).get("DNSName")
        if name and address == next(iter(self.addresses(snapshot)), None):
            bare = self.route(listener, address, host=str(name))
            theirs = (snapshot.other_load_balancer or {}).get("DNSName")
            there = (
                self.route(main_listener(snapshot.other_listeners) or listener, snapshot.other_addresses[0], host=str(theirs))
                if theirs and snapshot.other_addresses
                else None
            )
            jobs.append(lambda: [bare_name(bare, there, now)])
        return jobs

    def probes(self, snapshot: Snapshot) -> list[Json]:
        probes = as_probes(self.params.get("probes") or []) or default_probes(snapshot)
        if not self.params.get("compare_load_balancer"):
            probes = [probe for probe in probes if not needs_other_side(probe, snapshot.side)]
        return [probe for probe in probes if is_read_only(probe) or not self.read_only]

    def addresses(self, snapshot: Snapshot) -> list[str]:
        return snapshot.addresses or resolve(str((snapshot.load_balancer or {}).get("DNSName", "")), bool(self.params.get("probe_proxy")))

    def _other(self, snapshot: Snapshot) -> Route | None:
        listener = main_listener(snapshot.other_listeners)
        return self.route(listener, snapshot.other_addresses[0]) if listener and snapshot.other_addresses else None

    def route(self, listener: Json, address: str, host: str | None = None) -> Route:
        """The bare name is no name of the certificate, so it is asked without verification."""
        return Route(
            address=address,
            port=int(listener["Port"]),
            tls=listener["Protocol"] == "HTTPS",
            host=host or str(self.params["fqdn"]),
            ca=self.params.get("probe_ca"),
            verify=host is None,
            proxy=self.params.get("probe_proxy"),
        )


def _job(probe: Json, sides: Sides, now: t.Callable[[], float]) -> t.Callable[[], list[StepResult]]:
    return lambda: run_probe(probe, sides, now)


def _opposite(side: str) -> str:
    return "source" if side == "target" else "target"


def resolve(name: str, by_proxy: bool) -> list[str]:
    """The addresses of a DNS name; a proxy resolves it itself."""
    if by_proxy or not name:
        return [name] if name else []
    try:
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)})
    except OSError:
        return [name]
