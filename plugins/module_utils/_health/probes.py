# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Probes are data: ordered steps with expectations, cookies kept, values captured from one answer for the next.

A probe runs against every address of the load balancer. Steps marked ``on`` the other side go to the other side's load balancer, with the same
cookies and values: so a session that was opened there is continued here.
"""

from __future__ import annotations

import json
import re
import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from .clock import Clock
from .http import Answer, ProbeError, Route, request
from .model import WEB, Json, Snapshot, StepResult
from .predicates import verified

STEP_TIMEOUT = 15.0
MOST_REDIRECTS = 10
READ_ONLY = ("GET", "HEAD", "OPTIONS")
ANY_BUT_ERROR = "<500"


@dataclass
class Session:
    """What a browser would carry from step to step."""

    cookies: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    sides: set[str] = field(default_factory=set)

    def keep_cookies(self, answer: Answer) -> None:
        for line in answer.all("Set-Cookie"):
            pair, *attributes = line.split(";")
            name, _equals, value = pair.strip().partition("=")
            ended = any(re.fullmatch(r"\s*max-age\s*=\s*(0|-\d+)\s*", attribute, re.IGNORECASE) for attribute in attributes)
            if ended:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def fill(self, value: t.Any) -> t.Any:
        """``{name}`` -> what was captured under that name. Other braces (JSON) stay."""
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda match: self.values.get(match[1], match[0]), value)
        if isinstance(value, t.Mapping):
            return {key: self.fill(entry) for key, entry in value.items()}
        return [self.fill(entry) for entry in value] if isinstance(value, list) else value


# --- what is asked

PROBE_KEYS = ("name", "steps")
STEP_KEYS = ("name", "method", "path", "headers", "form", "json", "body", "follow", "timeout", "on", "expect", "capture")
EXPECT_KEYS = ("status", "header", "body_contains", "json")
CAPTURE_KEYS = ("header", "cookie", "regex", "json")


def misspelt(items: t.Iterable[Json]) -> str | None:
    """The first thing that is no probe, in one line. A key nobody reads would be an expectation nobody checks."""
    for number, item in enumerate(items):
        where = f"fargate_probes[{number}]"
        if "steps" not in item:
            problem = _misspelt_step(where, item)
        else:
            steps = (_misspelt_step(f"{where}.steps[{place}]", step) for place, step in enumerate(item["steps"] or []))
            problem = _unknown(where, item, PROBE_KEYS) or next((found for found in steps if found), None)
        if problem:
            return problem
    return None


def _misspelt_step(where: str, step: t.Any) -> str | None:
    if not isinstance(step, t.Mapping):
        return f"{where} is {step!r}. It should be a step with path, expect ..."
    if step.get("on") not in (None, "source", "target"):
        return f"{where}.on is {step['on']!r}. It should be source or target."
    captures = (_unknown(f"{where}.capture.{name}", how, CAPTURE_KEYS) for name, how in (step.get("capture") or {}).items())
    return (
        _unknown(where, step, STEP_KEYS)
        or _unknown(f"{where}.expect", step.get("expect") or {}, EXPECT_KEYS)
        or next((found for found in captures if found), None)
    )


def _unknown(where: str, given: t.Mapping[str, t.Any], known: t.Sequence[str]) -> str | None:
    extra = sorted(set(given) - set(known))
    return f"{where} has the unknown key {extra[0]}. It should be one of: {', '.join(known)}." if extra else None


def as_probes(items: t.Iterable[Json]) -> list[Json]:
    """``{name, steps}`` is a probe; steps written without one form a probe together."""
    probes: list[Json] = []
    loose: list[Json] = []
    for item in items:
        if "steps" in item:
            probes.append({"name": item.get("name", "probe"), "steps": list(item["steps"])})
        else:
            loose.append(item)
    return [*([{"name": "probes", "steps": loose}] if loose else []), *probes]


def default_probes(snapshot: Snapshot) -> list[Json]:
    """The front page and each health path answer, and not with an error of the server."""
    arns = {arn for signal in snapshot.services if signal.kind == WEB for arn in signal.target_group_arns}
    groups = [snapshot.target_groups[arn] for arn in sorted(arns) if arn in snapshot.target_groups]
    paths = ["/", *(str(group["HealthCheckPath"]) for group in groups if group.get("HealthCheckPath"))]
    return [{"name": f"GET {path}", "steps": [{"path": path}]} for path in dict.fromkeys(paths)]


def is_read_only(probe: Json) -> bool:
    return all(method_of(step) in READ_ONLY for step in probe["steps"])


def method_of(step: Json) -> str:
    return str(step.get("method") or ("POST" if {"form", "json", "body"} & {key for key, value in step.items() if value is not None} else "GET")).upper()


def main_listener(listeners: t.Sequence[Json]) -> Json | None:
    """Where people arrive: HTTPS before HTTP, the usual port before others."""
    usable = [listener for listener in listeners if listener.get("Protocol") in ("HTTPS", "HTTP")]
    return min(usable, key=lambda listener: (listener["Protocol"] != "HTTPS", listener["Port"] not in (443, 80), listener["Port"]), default=None)


# --- one step


def body_of(step: Json, session: Session) -> tuple[bytes | None, dict[str, str]]:
    if step.get("form") is not None:
        return urlencode(session.fill(step["form"])).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if step.get("json") is not None:
        return json.dumps(session.fill(step["json"])).encode(), {"Content-Type": "application/json", "Accept": "application/json"}
    return (str(session.fill(step["body"])).encode(), {}) if step.get("body") is not None else (None, {})


def send(step: Json, route: Route, session: Session) -> Answer:
    """The step's request; with ``follow`` also the redirects that stay on the host, as a browser does (GET after a POST)."""
    body, headers = body_of(step, session)
    method, path = method_of(step), str(session.fill(step.get("path", "/")))
    headers = {**headers, **{key: str(value) for key, value in (session.fill(step.get("headers") or {})).items()}}
    for _hop in range(MOST_REDIRECTS + 1):
        answer = request(route, method, path, {**headers, **_cookie_header(session)}, body, float(step.get("timeout") or STEP_TIMEOUT))
        session.keep_cookies(answer)
        location = answer.header("Location")
        if not (step.get("follow") and 300 <= answer.status < 400 and location):
            return answer
        onward = urlsplit(urljoin(route.origin + path, location))
        if onward.hostname != route.host:
            return answer
        method, body, path = "GET", None, (onward.path or "/") + (f"?{onward.query}" if onward.query else "")
    raise ProbeError("redirect_loop", f"more than {MOST_REDIRECTS} redirects, the last to {location}")


def _cookie_header(session: Session) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in session.cookies.items())} if session.cookies else {}


def status_matches(status: int, wanted: t.Any) -> bool:
    """200, "200,302", "200-399", "2xx", "<500", or a list of these."""
    if isinstance(wanted, list):
        return any(status_matches(status, entry) for entry in wanted)
    return any(_one_status(status, part.strip()) for part in str(wanted).split(","))


def _one_status(status: int, part: str) -> bool:
    if part.startswith("<"):
        return status < int(part[1:])
    if re.fullmatch(r"\d-?xx", part, re.IGNORECASE):
        return status // 100 == int(part[0])
    low, _dash, high = part.partition("-")
    return low.isdigit() and int(low) <= status <= int(high or low)


def unmet(answer: Answer, expect: Json, session: Session) -> tuple[str, str]:
    """(problem, what was expected instead), or ('', '')."""
    wanted = expect.get("status", ANY_BUT_ERROR)
    if not status_matches(answer.status, wanted):
        return "status", f"expected status {wanted}"
    for name, text in (expect.get("header") or {}).items():
        if str(session.fill(text)) not in answer.header(name):
            return "expect", f"expected header {name} to contain {text!r}, got {answer.header(name)!r}"
    contains = expect.get("body_contains") or []
    for text in [contains] if isinstance(contains, str) else contains:
        if str(session.fill(text)) not in answer.text:
            return "expect", f"expected the body to contain {text!r}"
    for path, value in (expect.get("json") or {}).items():
        found = from_json(answer, path)
        if found != session.fill(value):
            return "expect", f"expected JSON {path} to be {value!r}, got {found!r}"
    return "", ""


def from_json(answer: Answer, path: str) -> t.Any:
    """``data.0.id`` -> the value there, None when it is not there."""
    try:
        value = json.loads(answer.text)
    except ValueError:
        return None
    for part in str(path).split("."):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return None
    return value


def captured(answer: Answer, how: Json, session: Session) -> str | None:
    """Cookies are URL-decoded: frameworks expect XSRF cookies back that way in a header."""
    if "header" in how:
        return answer.header(str(how["header"])) or None
    if "cookie" in how:
        value = session.cookies.get(str(how["cookie"]))
        return None if value is None else unquote(value)
    if "json" in how:
        found = from_json(answer, str(how["json"]))
        return None if found is None else str(found)
    match = re.search(str(how.get("regex", "(?!)")), answer.text)
    return (match[1] if match.re.groups else match[0]) if match else None


@dataclass(frozen=True)
class Sides:
    """The way to each side: ours by one address, the other by its first."""

    here: str
    routes: t.Mapping[str, Route]


def run_step(probe: str, step: Json, sides: Sides, session: Session, now: t.Callable[[], float]) -> StepResult:
    side = str(step.get("on") or sides.here)
    route, started = sides.routes.get(side), now()
    title = str(step.get("name") or f"{method_of(step)} {step.get('path', '/')}")
    crossed = bool(session.sides - {side})
    session.sides.add(side)
    address = sides.routes[sides.here].address
    if route is None:
        return StepResult(probe, title, address, "other_side", f"needs the load balancer of the {side}, which is not known", started)
    foreign = side != sides.here and not crossed
    url = route.origin + str(step.get("path", "/"))
    try:
        answer = send(step, route, session)
    except ProbeError as error:
        return StepResult(probe, title, address, "other_side" if side != sides.here else error.problem, error.text, started, url=url, crossed=crossed)
    problem, text = _judge(step, answer, session)
    said = f"{title} {answer.status}" if not problem else _describe(answer, text, side if side != sides.here else "")
    return StepResult(
        probe,
        title,
        address,
        "other_side" if problem and foreign else problem,
        said,
        started,
        url=url,
        status=answer.status,
        server=answer.header("Server"),
        crossed=crossed,
    )


def _judge(step: Json, answer: Answer, session: Session) -> tuple[str, str]:
    problem, text = unmet(answer, step.get("expect") or {}, session)
    if problem:
        return problem, text
    for name, how in (step.get("capture") or {}).items():
        value = captured(answer, how, session)
        if value is None:
            return "capture", f"{name} was not found ({', '.join(f'{key} {entry}' for key, entry in how.items())})"
        session.values[name] = value
    return "", ""


def _describe(answer: Answer, text: str, side: str) -> str:
    where = f" from the {side}" if side else ""
    location = f", to {answer.header('Location')}" if answer.header("Location") else ""
    body = " ".join(re.sub(r"<[^>]*>", " ", answer.text[:4000]).split())[:160]
    return f"got {answer.status}{where}{location}, {text}" + (f"; body: {body}" if body else "")


def run_probe(probe: Json, sides: Sides, now: t.Callable[[], float]) -> list[StepResult]:
    """Steps in order, up to the first that fails."""
    session, results = Session(), []
    for step in probe["steps"]:
        results.append(run_step(str(probe["name"]), step, sides, session, now))
        if not results[-1].ok:
            break
    return results


# --- checks that are not written as steps


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


# --- all of them


def needs_other_side(probe: Json, side: str) -> bool:
    """Where the other side is not to be asked (before a scale-in its silence is measured) or is gone, such a probe has nothing to say."""
    return any(step.get("on") not in (None, side) for step in probe["steps"])


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
