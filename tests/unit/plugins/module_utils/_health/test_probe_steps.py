"""Steps against real servers: forms with CSRF tokens, cookies, redirects, sessions across both sides, expectations."""

from __future__ import annotations

import http.server
import json
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health import probe_steps
from ansible_collections.cutover.fargate.plugins.module_utils._health.clock import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._health.http import Route
from unit.plugins.module_utils._health.web import FQDN, Server, say


def run(server: Server, *steps: dict[str, t.Any], other: Server | None = None) -> list[t.Any]:
    routes = {"target": Route("127.0.0.1", server.port, False, FQDN)}
    if other:
        routes["source"] = Route("127.0.0.1", other.port, False, FQDN)
    return probe_steps.run_probe({"name": "p", "steps": list(steps)}, probe_steps.Sides("target", routes), lambda: 7.0)


class Shop:
    """Login with CSRF, a session cookie, a counter. ``known`` are the sessions: shared between two shops, or not."""

    def __init__(self, known: set[str]) -> None:
        self.known = known

    def __call__(self, req: http.server.BaseHTTPRequestHandler, body: str) -> None:
        cookie = req.headers.get("Cookie", "")
        if req.path == "/login" and req.command == "GET":
            say(req, body='<form><input name="_token" value="tok-1"></form>', Set_Cookie="XSRF-TOKEN=a%3Db; Path=/")
        elif req.path == "/login":
            good = "_token=tok-1" in body and req.headers.get("X-XSRF-TOKEN") == "a=b"
            self.known.add("s1")
            say(req, 302 if good else 419, "", Location="/home", Set_Cookie="session=s1; HttpOnly")
        elif req.path == "/home":
            say(req, 200 if any(f"session={name}" in cookie for name in self.known) else 401, "welcome probe")
        elif req.path == "/logout":
            say(req, 200, "", Set_Cookie="session=gone; Max-Age=0")
        else:
            say(req, 200, json.dumps({"data": [{"id": 7}], "ok": True}), Content_Type="application/json")


LOGIN = [
    {"path": "/login", "capture": {"csrf": {"regex": 'name="_token" value="([^"]+)"'}, "xsrf": {"cookie": "XSRF-TOKEN"}}},
    {"path": "/login", "form": {"_token": "{csrf}", "user": "probe"}, "headers": {"X-XSRF-TOKEN": "{xsrf}"}, "expect": {"status": 302, "header": {"Location": "/home"}}},
    {"path": "/home", "expect": {"status": 200, "body_contains": ["welcome", "probe"]}},
]


def test_a_login_with_csrf_and_cookies(serve: t.Any) -> None:
    server = serve(Shop(set()))
    results = run(server, *LOGIN)
    assert [result.problem for result in results] == ["", "", ""]
    assert [entry[:2] for entry in server.asked] == [("GET", "/login"), ("POST", "/login"), ("GET", "/home")]
    assert results[2].text == "GET /home 200"


def test_redirects_are_followed_when_asked(serve: t.Any) -> None:
    server = serve(Shop(set()))
    results = run(server, LOGIN[0], {**LOGIN[1], "follow": True, "expect": {"status": 200, "body_contains": "welcome"}})
    assert [result.problem for result in results] == ["", ""]
    assert server.asked[-1][:2] == ("GET", "/home")


def test_a_cookie_that_ended_is_not_sent(serve: t.Any) -> None:
    results = run(serve(Shop(set())), *LOGIN, {"path": "/logout"}, {"path": "/home", "expect": {"status": 401}})
    assert [result.ok for result in results] == [True] * 5


def test_a_session_of_the_source_continues_on_the_target(serve: t.Any) -> None:
    shared: set[str] = set()
    source, target = serve(Shop(shared)), serve(Shop(shared))
    results = run(target, *({**step, "on": "source"} for step in LOGIN[:2]), {**LOGIN[2], "on": "target"}, {**LOGIN[2], "on": "source"}, other=source)
    assert [result.problem for result in results] == [""] * 4
    assert [entry[1] for entry in target.asked] == ["/home"]


def test_a_session_that_is_lost_on_the_way_is_told_as_such(serve: t.Any) -> None:
    source, target = serve(Shop(set())), serve(Shop(set()))
    results = run(target, *({**step, "on": "source"} for step in LOGIN[:2]), {**LOGIN[2], "on": "target"}, other=source)
    assert (results[-1].problem, results[-1].status, results[-1].crossed) == ("status", 401, True)


def test_a_failure_of_the_other_side_is_not_ours(serve: t.Any) -> None:
    target = serve(Shop(set()))
    broken = serve(lambda req, _body: say(req, 500))
    assert run(target, {"path": "/", "on": "source"}, other=broken)[0].problem == "other_side"
    assert run(target, {"path": "/", "on": "source"})[0].problem == "other_side"


def test_a_probe_stops_at_the_first_failure(serve: t.Any) -> None:
    server = serve(lambda req, _body: say(req, 500, "<html><b>Whoops</b>, looks like</html>"))
    results = run(server, {"path": "/a"}, {"path": "/b"})
    assert [result.problem for result in results] == ["status"]
    assert results[0].text == "got 500, expected status <500; body: Whoops , looks like"


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ({"status": 200, "json": {"data.0.id": 7, "ok": True}}, ""),
        ({"json": {"data.0.id": 8}}, "expect"),
        ({"json": {"data.5.id": 7}}, "expect"),
        ({"header": {"content-type": "json"}}, ""),
        ({"header": {"content-type": "html"}}, "expect"),
        ({"body_contains": "nothing"}, "expect"),
        ({"status": 201}, "status"),
        ({"cookie": "other"}, "expect"),
    ],
)
def test_expectations(serve: t.Any, expect: dict[str, t.Any], problem: str) -> None:
    assert run(serve(Shop(set())), {"path": "/api", "expect": expect})[0].problem == problem


def test_a_value_that_is_not_there_cannot_be_captured(serve: t.Any) -> None:
    result = run(serve(Shop(set())), {"path": "/api", "capture": {"id": {"json": "data.9.id"}}})[0]
    assert (result.problem, result.text.startswith("got 200, id was not found")) == ("capture", True)


@pytest.mark.parametrize(
    ("status", "wanted", "matches"),
    [(200, 200, True), (204, "200-299", True), (302, "2xx,302", True), (500, "<500", False), (499, "<500", True), (404, [200, "4xx"], True), (404, "", False)],
)
def test_status_notations(status: int, wanted: t.Any, matches: bool) -> None:
    assert probe_steps.status_matches(status, wanted) is matches


def test_loops_end(serve: t.Any) -> None:
    server = serve(lambda req, _body: say(req, 302, "", Location="/again"))
    assert run(server, {"path": "/", "follow": True})[0].problem == "redirect_loop"


def test_only_captured_names_are_filled() -> None:
    session = probe_steps.Session(values={"id": "7"})
    assert session.fill({"a": ["{id}", "{other}", '{"json": 1}']}) == {"a": ["7", "{other}", '{"json": 1}']}


def test_a_cookie_may_be_expected_by_a_pattern(serve: t.Any) -> None:
    steps = [{**LOGIN[0], "expect": {"cookie": ["XSRF.*"]}}, {**LOGIN[1], "expect": {"cookie": ["XSRF-TOKEN", "sess(ion)?"]}}]
    assert [result.problem for result in run(serve(Shop(set())), *steps)] == ["", ""]
    assert run(serve(Shop(set())), {"path": "/login", "expect": {"cookie": "XSRF"}})[0].text.startswith("got 200, expected a cookie named 'XSRF', got XSRF-TOKEN")


class Queue:
    """A job that is done when it was asked for a third time; sent and done by user."""

    def __init__(self) -> None:
        self.users: list[str] = []
        self.looks = 0

    def __call__(self, req: http.server.BaseHTTPRequestHandler, body: str) -> None:
        if req.command == "POST":
            self.users.append(body.removeprefix("user="))
        else:
            self.looks += 1
        say(req, 200, json.dumps({"sent": 1, "done": int(self.looks >= 4)}))


QUEUE = [
    {"path": "/order", "form": {"user": "probe-{unique}"}},
    {"path": "/jobs", "capture": {"sent": {"json": "sent"}}},
    {"path": "/jobs", "within": 20, "expect": {"json": {"done": "{sent}"}}},
]


def clocked(server: Server, now: list[float], *steps: dict[str, t.Any]) -> list[t.Any]:
    def sleep(seconds: float) -> None:
        now[0] += seconds

    routes = {"target": Route("127.0.0.1", server.port, False, FQDN)}
    return probe_steps.run_probe({"name": "p", "steps": list(steps)}, probe_steps.Sides("target", routes), lambda: 7.0, Clock(lambda: now[0], lambda: now[0], sleep))


def test_a_job_may_take_a_while(serve: t.Any) -> None:
    """What is captured as a number is compared as one; each run has a user of its own."""
    queue, now = Queue(), [0.0]
    server = serve(queue)
    assert [result.problem for result in clocked(server, now, *QUEUE)] == ["", "", ""]
    assert (queue.looks, now[0]) == (4, 1.0)
    clocked(server, now, *QUEUE)
    assert len(set(queue.users)) == 2


def test_a_job_that_is_never_done(serve: t.Any) -> None:
    now = [0.0]
    result = clocked(serve(lambda req, _body: say(req, 200, '{"done": 0}')), now, {"path": "/jobs", "within": 3, "expect": {"json": {"done": 1}}})[-1]
    assert (result.problem, now[0]) == ("expect", 3.0)
    assert result.text.startswith("got 200, expected JSON done to be 1, got 0 within 3 s")
