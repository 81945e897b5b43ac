"""Ready-made sets: what they become, and what the Laravel set says of a shop with Laravel's sessions, whose keys or stores may differ."""

from __future__ import annotations

import http.server
import itertools
import typing as t
from urllib.parse import parse_qs

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health import probe_data, probe_steps
from ansible_collections.cutover.fargate.plugins.module_utils._health.http import Answer, Route
from ansible_collections.cutover.fargate.plugins.module_utils._health.probe_sets import CSRF
from unit.plugins.module_utils._health.web import FQDN, Server

LOGIN = {"form": {"user": "probe", "password": "$hunter2"}, "home": "/me", "shows": "Hello probe"}


def expand(*items: dict[str, t.Any], health_paths: t.Sequence[str] = ("/health",)) -> dict[str, list[dict[str, t.Any]]]:
    return {probe["name"]: probe["steps"] for probe in probe_data.as_probes(list(items), health_paths)}


def test_plain_http() -> None:
    assert expand({"set": "http"}) == {"GET /": [{"path": "/", "expect": {"status": "200-399"}}], "GET /health": [{"path": "/health"}]}
    assert list(expand({"set": "http", "paths": ["/about", "/health"], "status": 200})) == ["GET /about", "GET /health"]
    assert expand({"set": "http", "paths": ["/about"], "status": 200})["GET /about"] == [{"path": "/about", "expect": {"status": 200}}]


def test_laravel_reads_only_unless_a_form_is_given() -> None:
    probes = probe_data.as_probes([{"set": "laravel"}])
    assert [probe["name"] for probe in probes] == ["the front page opens a session", "a session of the source continues on the target and back"]
    assert all(probe_data.is_read_only(probe) for probe in probes)
    assert list(expand({"set": "laravel", "token_page": None})) == ["the front page opens a session"]


def test_own_steps_run_in_a_session() -> None:
    order = {"path": "/orders", "form": {"item": 1}, "headers": {"Accept": "application/json"}}
    found = expand({"set": "laravel", "login": LOGIN, "database": "/write", "queue": [order, {"path": "/jobs", "within": 5}]})
    assert [step["path"] for step in found["database write"]] == ["/login", "/login", "/me", "/write"]
    assert found["database write"][-1] == {"path": "/write", "expect": {"status": "2xx"}, "headers": {"X-XSRF-TOKEN": "{xsrf}"}}
    assert found["queue job"][3] == {**order, "headers": {"X-XSRF-TOKEN": "{xsrf}", "Accept": "application/json"}}
    assert [step["path"] for step in expand({"set": "laravel", "redis": "/counter"})["Redis session"]] == ["/login", "/counter"]
    assert [step["path"] for step in expand({"set": "laravel", "redis": "/counter", "token_page": None})["Redis session"]] == ["/counter"]


def test_values_of_the_inventory_are_no_parameters() -> None:
    """A password may begin with a dollar sign."""
    form = expand({"set": "laravel", "login": LOGIN})["login"][1]["form"]
    assert form == {"_token": "{csrf}", "user": "probe", "password": "$hunter2"}


# --- against a shop with Laravel's sessions


class Laravel:
    """``store``: sessions by id, maybe shared. ``key``: what cookies are encrypted with: of another key they are as good as none."""

    numbers = itertools.count(1)

    def __init__(self, store: dict[str, dict[str, str]], key: str = "k1", cookie: str = "shop_session", xsrf: bool = True) -> None:
        self.store, self.key, self.cookie, self.xsrf = store, key, cookie, xsrf

    def __call__(self, req: http.server.BaseHTTPRequestHandler, body: str) -> None:
        sent = dict(pair.split("=", 1) for pair in req.headers.get("Cookie", "").split("; ") if "=" in pair)
        key, _dash, name = sent.get(self.cookie, "").partition("-")
        session = self.store.get(name) if key == self.key else None
        if session is None:
            number = next(self.numbers)
            name, session = f"s{number}", {"token": f"token{number}"}
            self.store[name] = session
        cookies = [f"{self.cookie}={self.key}-{name}; path=/; httponly", *([f"XSRF-TOKEN={self.key}%3D{next(self.numbers)}; path=/"] if self.xsrf else [])]
        status, text, location = self.answer(req, body, session)
        req.send_response(status)
        for cookie in cookies:
            req.send_header("Set-Cookie", cookie)
        if location:
            req.send_header("Location", location)
        req.send_header("Content-Length", str(len(text)))
        req.end_headers()
        req.wfile.write(text.encode())

    def answer(self, req: http.server.BaseHTTPRequestHandler, body: str, session: dict[str, str]) -> tuple[int, str, str]:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        trusted = form.get("_token") == session["token"] or req.headers.get("X-XSRF-TOKEN", "").startswith(f"{self.key}=")
        if req.command == "POST" and not trusted:
            return 419, "Page Expired", ""
        if req.path == "/login" and req.command == "POST":
            # As Laravel does: another token after the login; a wrong password is a redirect too.
            if form.get("password") == "$hunter2":
                session.update(user=form["user"], token=session["token"] + "x")
            return 302, "", "/home" if "user" in session else "/login"
        if req.path in ("/me", "/orders", "/jobs"):
            return (200, f"Hello {session['user']}", "") if "user" in session else (302, "", "/login")
        return 200, f'<form><input type="hidden" name="_token" value="{session["token"]}" autocomplete="off"></form>', ""


def run(serve: t.Any, source: Laravel, target: Laravel, **item: t.Any) -> dict[str, tuple[str, str]]:
    """Probe -> (problem of its last step, step)."""
    routes = {name: Route("127.0.0.1", t.cast("Server", serve(shop)).port, False, FQDN) for name, shop in (("source", source), ("target", target))}
    found = {}
    for probe in probe_data.as_probes([{"set": "laravel", **item}]):
        results = probe_steps.run_probe(probe, probe_steps.Sides("target", routes), lambda: 7.0)
        last = results[-1]
        found[str(probe["name"])] = ("session lost" if last.problem and last.crossed else last.problem, last.step)
    return found


SESSION, LOGGED_IN = "a session of the source continues on the target and back", "a login on the source continues on the target and back"


def test_the_same_key_and_store(serve: t.Any) -> None:
    store: dict[str, dict[str, str]] = {}
    found = run(serve, Laravel(store), Laravel(store), login=LOGIN, queue=[{"path": "/orders", "form": {"item": 1}}, "/jobs"], database="/me")
    assert {name: problem for name, (problem, _step) in found.items()} == dict.fromkeys(found, "")
    assert list(found) == ["the front page opens a session", SESSION, LOGGED_IN, "login", "database write", "queue job"]


@pytest.mark.parametrize("other", ["key", "store", "cookie"])
def test_another_key_another_store_another_cookie(serve: t.Any, other: str) -> None:
    store: dict[str, dict[str, str]] = {}
    target = {"key": Laravel(store, key="k2"), "store": Laravel({}), "cookie": Laravel(store, cookie="other_session")}[other]
    found = run(serve, Laravel(store), target, login=LOGIN)
    assert found[SESSION] == ("session lost", "GET /login on the target")
    assert found[LOGGED_IN] == ("session lost", "GET /me on the target")
    assert found["login"] == ("", "GET /me")


def test_no_token_cookie_on_the_front_page(serve: t.Any) -> None:
    store: dict[str, dict[str, str]] = {}
    found = run(serve, Laravel(store), Laravel(store, xsrf=False), token_page=None)
    assert found["the front page opens a session"] == ("expect", "GET /")
    found = run(serve, Laravel(store), Laravel(store, cookie="sid"), token_page=None)
    assert found["the front page opens a session"] == ("expect", "GET /")
    assert run(serve, Laravel(store), Laravel(store, cookie="sid"), token_page=None, session_cookie="sid")["the front page opens a session"][0] == ""


def test_a_wrong_password_is_seen_behind_the_redirect(serve: t.Any) -> None:
    store: dict[str, dict[str, str]] = {}
    found = run(serve, Laravel(store), Laravel(store), login={**LOGIN, "form": {"user": "probe", "password": "wrong"}})
    assert found["login"] == ("status", "GET /me")
    assert found[LOGGED_IN] == ("other_side", "GET /me on the source")


def test_a_page_that_shows_no_token(serve: t.Any) -> None:
    store: dict[str, dict[str, str]] = {}
    assert run(serve, Laravel(store), Laravel(store), token_page="/me")[SESSION] == ("other_side", "GET /me on the source")


def test_tokens_in_forms_and_meta_tags() -> None:
    for text in (
        '<input type="hidden" name="_token" value="abc" autocomplete="off">',
        '<meta name="csrf-token" content="abc">',
        "<meta name='csrf-token' content='abc' />",
        "<input name='_token' type='hidden' value='abc'>",
    ):
        assert probe_steps.captured(Answer(200, [], text.encode()), {"regex": CSRF}, probe_steps.Session()) == "abc"
