# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Probes are data: ordered steps with expectations, cookies kept, values captured from one answer for the next.

A probe runs against every address of the load balancer. Steps marked ``on`` the other side go to the other side's load balancer, with the same
cookies and values: so a session that was opened there is continued here.
"""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from .addresses import resolve
from .clock import Clock
from .http import ProbeError, Route, request
from .model import WEB, Json, Snapshot, StepResult
from .parity import compare
from .predicates import verified
from .probe_data import BARE_NAME, REDIRECT, as_probes, is_read_only, needs_other_side
from .probe_steps import STEP_TIMEOUT, Sides, run_probe

# Address and name.
Key = t.Tuple[str, str]
LONGEST_PAUSE = 120.0


class Job(t.NamedTuple):
    """A probe at one address."""

    name: str
    ask: t.Callable[[], list[StepResult]]
    writes: bool = False


def default_probes(health_paths: t.Iterable[str]) -> list[Json]:
    """The front page and each health path answer, and not with an error of the server."""
    return [{"name": f"GET {path}", "steps": [{"path": path}]} for path in dict.fromkeys(["/", *health_paths])]


def health_paths(snapshot: Snapshot) -> list[str]:
    """Of the target groups of the web services."""
    arns = {arn for signal in snapshot.services if signal.kind == WEB for arn in signal.target_group_arns}
    groups = [snapshot.target_groups[arn] for arn in sorted(arns) if arn in snapshot.target_groups]
    return [str(group["HealthCheckPath"]) for group in groups if group.get("HealthCheckPath")]


def main_listener(listeners: t.Sequence[Json]) -> Json | None:
    """Where people arrive: HTTPS before HTTP, the usual port before others."""
    usable = [listener for listener in listeners if listener.get("Protocol") in ("HTTPS", "HTTP")]
    return min(usable, key=lambda listener: (listener["Protocol"] != "HTTPS", listener["Port"] not in (443, 80), listener["Port"]), default=None)


def redirect_probe(listeners: t.Sequence[Json], fqdn: str) -> tuple[Json, int] | None:
    """The HTTP listener that redirects to HTTPS, with the answer its action promises."""
    ports = {str(listener["Port"]) for listener in listeners if listener.get("Protocol") == "HTTPS"}
    for listener in listeners:
        for action in listener.get("DefaultActions", []):
            config = action.get("RedirectConfig") or {}
            port = config.get("Port", "#{port}")
            if listener.get("Protocol") == "HTTP" and config.get("Protocol") == "HTTPS" and port in ports:
                status = int(str(config.get("StatusCode", "HTTP_301")).rsplit("_", maxsplit=1)[-1])
                host = str(config.get("Host") or "#{host}").replace("#{host}", fqdn)
                step = {"name": "GET / by HTTP", "path": "/", "expect": {"status": status, "header": {"Location": f"https://{host}"}}}
                return {"name": REDIRECT, "steps": [step]}, int(listener["Port"])
    return None


def bare_name(here: Route, other: Route | None, now: t.Callable[[], float]) -> StepResult:
    """By the load balancer's own name: the same status as the other side's gives by its own. While the other side does not work, any answer will do."""
    started, name = now(), BARE_NAME
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
    """Runs the probes for a snapshot. Once all have passed for the same targets and addresses, nothing is asked again.

    A probe that writes may place an order. So it waits until everything that reads is in order; passed, it is not repeated even while others fail; failed,
    it is after pauses that double.
    """

    def __init__(self, params: Json, clock: Clock, read_only: bool = False) -> None:
        self.params = params
        self.clock = clock
        self.read_only = read_only
        self._subject: t.Any = None
        self._kept: dict[Key, list[StepResult]] = {}
        # Of what failed and writes: until when it rests, and for how long.
        self._pauses: dict[Key, tuple[float, float]] = {}

    def __call__(self, snapshot: Snapshot) -> list[StepResult]:
        subject = verified(snapshot)  # each address is in the keys
        if subject != self._subject:
            self._subject, self._kept, self._pauses = subject, {}, {}
        listener = main_listener(snapshot.listeners)
        if listener is None:
            text = "the load balancer has no HTTP or HTTPS listener"
            return [StepResult("probes", "listener", snapshot.load_balancer_name or "", "status", text, snapshot.at)]
        jobs = {(address, job.name): job for address in self.addresses(snapshot) for job in self._jobs(snapshot, listener, address)}
        kept = {key: results for key, results in self._kept.items() if key in jobs and not self._due(key)}
        reading = self._ask({key: job for key, job in jobs.items() if key not in kept and not job.writes})
        writers = {key: job for key, job in jobs.items() if key not in kept and job.writes}
        in_order = snapshot.steady and all(result.ok for results in reading.values() for result in results)
        if writers and not in_order:
            waiting = ", ".join(dict.fromkeys(job.name for job in writers.values()))
            snapshot.left_out.append(f"{waiting}: not asked, since they write and not everything else is in order")
        asked = {**reading, **(self._ask(writers) if in_order else {})}
        found = {key: asked.get(key) or kept[key] for key in jobs if key in asked or key in kept}
        self._keep(jobs, found, asked)
        return [result for results in found.values() for result in results]

    def _ask(self, jobs: t.Mapping[Key, Job]) -> dict[Key, list[StepResult]]:
        with ThreadPoolExecutor(max_workers=8) as pool:
            return dict(zip(jobs, pool.map(lambda job: job.ask(), jobs.values()), strict=True))

    def _keep(self, jobs: t.Mapping[Key, Job], found: t.Mapping[Key, list[StepResult]], asked: t.Collection[Key]) -> None:
        failed = {key for key in jobs if key not in found or not all(result.ok for result in found[key])}
        for key in failed & set(asked):
            if not jobs[key].writes:
                continue
            pause = min(2 * self._pauses[key][1], LONGEST_PAUSE) if key in self._pauses else 2 * float(self.params.get("poll_seconds") or 0.0)
            self._pauses[key] = (self.clock.elapsed() + pause, pause)
        self._kept = {key: results for key, results in found.items() if not failed or jobs[key].writes}

    def _due(self, key: Key) -> bool:
        """A failed one whose pause is over."""
        return not all(result.ok for result in self._kept[key]) and self.clock.elapsed() >= self._pauses[key][0]

    def _jobs(self, snapshot: Snapshot, listener: Json, address: str) -> list[Job]:
        here, now = self.route(listener, address), lambda: snapshot.at
        other = self._other(snapshot)
        sides = Sides(snapshot.side, {snapshot.side: here, **({_opposite(snapshot.side): other} if other else {})})
        jobs = [self._job(str(probe["name"]), probe, sides, now) for probe in self.probes(snapshot)]
        redirect = redirect_probe(snapshot.listeners, str(self.params["fqdn"]))
        if redirect:
            probe, port = redirect
            plain = Sides(snapshot.side, {snapshot.side: self.route({"Protocol": "HTTP", "Port": port}, address)})
            jobs.append(self._job(REDIRECT, probe, plain, now))
        name = (snapshot.load_balancer or {}).get("DNSName")
        if name and address == next(iter(self.addresses(snapshot)), None):
            bare, there = self.route(listener, address, host=str(name)), self._other_bare(snapshot, listener)
            jobs.append(Job(BARE_NAME, lambda: [bare_name(bare, there, now)]))
        return jobs

    def _job(self, name: str, probe: Json, sides: Sides, now: t.Callable[[], float]) -> Job:
        if "parity" in probe:
            return Job(name, lambda: compare(probe, sides, now))
        return Job(name, lambda: run_probe(probe, sides, now, self.clock), writes=not is_read_only(probe))

    def probes(self, snapshot: Snapshot) -> list[Json]:
        """Without those that have nothing to say here; which and why stands in ``left_out``."""
        paths = health_paths(snapshot)
        wanted = as_probes(self.params.get("probes") or [], paths) or default_probes(paths)
        reasons = [(probe, self._reason_against(probe, snapshot)) for probe in wanted]
        snapshot.left_out = [
            f"{', '.join(str(probe['name']) for probe, given in reasons if given == reason)}: not asked, since {reason}"
            for reason in dict.fromkeys(reason for _probe, reason in reasons if reason)
        ]
        # Something must be asked: target groups may be content with what the application did not answer.
        return [probe for probe, reason in reasons if not reason] or default_probes(paths)

    def _reason_against(self, probe: Json, snapshot: Snapshot) -> str:
        other = _opposite(snapshot.side)
        if needs_other_side(probe, snapshot.side):
            if not self.params.get("compare_load_balancer"):
                return f"the {other} is left alone here"
            if snapshot.other_load_balancer is None and not snapshot.failed("other_load_balancer"):
                return f"the {other} has no load balancer"
            if snapshot.other_targets is False:
                return f"the {other} has no targets"
        return "check mode asks only what reads" if self.read_only and not is_read_only(probe) else ""

    def addresses(self, snapshot: Snapshot) -> list[str]:
        return snapshot.addresses or resolve(str((snapshot.load_balancer or {}).get("DNSName", "")), bool(self.params.get("probe_proxy")))

    def _other(self, snapshot: Snapshot) -> Route | None:
        listener = main_listener(snapshot.other_listeners)
        return self.route(listener, snapshot.other_addresses[0]) if listener and snapshot.other_addresses else None

    def _other_bare(self, snapshot: Snapshot, listener: Json) -> Route | None:
        name = (snapshot.other_load_balancer or {}).get("DNSName")
        if not name or not snapshot.other_addresses:
            return None
        return self.route(main_listener(snapshot.other_listeners) or listener, snapshot.other_addresses[0], host=str(name))

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


def _opposite(side: str) -> str:
    return "source" if side == "target" else "target"
