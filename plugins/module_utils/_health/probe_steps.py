# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One probe's steps: what is sent, what is expected, what is carried from answer to answer, as a browser would."""

from __future__ import annotations

import json
import re
import secrets
import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from .clock import Clock
from .http import Answer, ProbeError, Route, request
from .model import Json, StepResult
from .probe_data import method_of

STEP_TIMEOUT = 15.0
MOST_REDIRECTS = 10
ANY_BUT_ERROR = "<500"
# Between two tries of a step that may take a while (``within``).
REPEAT_SECONDS = 0.5


@dataclass
class Session:
    """What a browser would carry from step to step. ``{unique}`` is another text in each run of a probe."""

    cookies: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=lambda: {"unique": secrets.token_hex(4)})
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
    for pattern in _listed(expect.get("cookie")):
        if not any(re.fullmatch(pattern, name) for name in session.cookies):
            return "expect", f"expected a cookie named {pattern!r}, got {', '.join(sorted(session.cookies)) or 'none'}"
    for text in _listed(expect.get("body_contains")):
        if str(session.fill(text)) not in answer.text:
            return "expect", f"expected the body to contain {text!r}"
    for path, value in (expect.get("json") or {}).items():
        found, filled = from_json(answer, path), session.fill(value)
        # What was captured is text, also where it was a number.
        if found != filled and not (filled != value and str(found) == filled):
            return "expect", f"expected JSON {path} to be {value!r}, got {found!r}"
    return "", ""


def _listed(value: t.Any) -> list[str]:
    """One text or several."""
    if not value:
        return []
    return [str(entry) for entry in value] if isinstance(value, list) else [str(value)]


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


def run_step(probe: str, step: Json, sides: Sides, session: Session, now: t.Callable[[], float], clock: Clock) -> StepResult:
    side = str(step.get("on") or sides.here)
    route, started = sides.routes.get(side), now()
    title = str(step.get("name") or f"{method_of(step)} {step.get('path', '/')}") + (f" on the {side}" if step.get("on") else "")
    crossed = bool(session.sides - {side})
    session.sides.add(side)
    address = sides.routes[sides.here].address
    if route is None:
        return StepResult(probe, title, address, "other_side", f"needs the load balancer of the {side}, which is not known", started)
    foreign = side != sides.here and not crossed
    url = route.origin + str(step.get("path", "/"))
    try:
        answer, problem, text = _try(step, route, session, clock)
    except ProbeError as error:
        return StepResult(probe, title, address, "other_side" if side != sides.here else error.problem, error.text, started, url=url, crossed=crossed)
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


def _try(step: Json, route: Route, session: Session, clock: Clock) -> tuple[Answer, str, str]:
    """Once; with ``within`` until it is as expected, for at most so many seconds."""
    end = clock.elapsed() + float(step.get("within") or 0.0)
    while True:
        answer = send(step, route, session)
        problem, text = _judge(step, answer, session)
        left = end - clock.elapsed()
        if not problem or left <= 0:
            return answer, problem, text + (f" within {float(step['within']):g} s" if problem and step.get("within") else "")
        clock.sleep(min(REPEAT_SECONDS, left))


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


def run_probe(probe: Json, sides: Sides, now: t.Callable[[], float], clock: Clock | None = None) -> list[StepResult]:
    """Steps in order, up to the first that fails."""
    session, results = Session(), []
    for step in probe["steps"]:
        results.append(run_step(str(probe["name"]), step, sides, session, now, clock or Clock()))
        if not results[-1].ok:
            break
    return results
