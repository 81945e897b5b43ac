"""One user of the shop: logs in once, then looks at /me and sometimes orders, and knows what the answers must be."""

from __future__ import annotations

import json
import random
import re
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import aiohttp
from yarl import URL

from lab.load.journal import Journal, Request, side_of
from lab.load.network import Connector

ORDERS = 0.05  # share of requests that order something
TIMEOUT = aiohttp.ClientTimeout(total=30)
EXCERPT = 300
JSON = {"Accept": "application/json"}
LOST = (401, 419)  # not logged in; CSRF token of no session
_TOKEN = re.compile(r'name="_token" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """How a request went, and its body."""

    entry: Request
    body: str

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; an empty one when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class User:
    """A cookie jar, a connection, and the session counter as last seen."""

    def __init__(self, number: int, name: str, url: str, connector: Connector, keep_alive: bool, journal: Journal) -> None:
        self.busy = False
        self._number = number
        self._name = name
        self._url = url
        self._connector = connector
        self._keep_alive = keep_alive
        self._journal = journal
        self._random = random.Random(number)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(quote_cookie=False), timeout=TIMEOUT)
        self._logged_in = False
        self._counter = 0
        self._unknown = 0  # requests since the last counter whose answer did not arrive: they may have been counted, or not

    async def act(self) -> None:
        """Do what this user does next. Never raises: what goes wrong is in the journal."""
        self.busy = True
        try:
            if not self._logged_in:
                await self._login()
            elif self._random.random() < ORDERS:
                await self._order()
            else:
                await self._look()
        finally:
            self.busy = False

    async def close(self) -> None:
        await self._session.close()

    async def _login(self) -> None:
        self._session.cookie_jar.clear()
        form = await self._request("GET", "/login")
        token = _TOKEN.search(form.body)
        self._record(form, None if token else "no CSRF token in the form")
        if not (form.entry.ok and token):
            return
        answer = await self._request("POST", "/login", data={"_token": token[1], "user": self._name}, headers=JSON)
        if self._record(answer, None if answer.json.get("user") == self._name else "not logged in"):
            self._logged_in, self._counter, self._unknown = True, 0, 0
            self._journal.counts.sessions += 1

    async def _look(self) -> None:
        answer = await self._request("GET", "/me", headers=JSON)
        if not answer.entry.ok:
            self._unknown += 1
            self._record(answer, None)
            return
        counter = answer.json.get("counter")
        wrong = wrong_counter(self._counter, self._unknown, counter)
        self._record(answer, wrong)
        if not isinstance(counter, int):
            return
        if counter <= self._counter:
            self._lose_session()
        elif wrong:
            self._journal.counts.counter_errors += 1
        self._counter, self._unknown = counter, 0

    async def _order(self) -> None:
        answer = await self._request("POST", "/orders", headers={**JSON, "X-XSRF-TOKEN": self._csrf_token()})
        if self._record(answer, None if isinstance(answer.json.get("order"), int) else "no order in the answer"):
            self._journal.counts.jobs_sent += 1

    def _csrf_token(self) -> str:
        cookie = self._session.cookie_jar.filter_cookies(URL(self._url)).get("XSRF-TOKEN")
        return unquote(cookie.value) if cookie else ""

    def _lose_session(self) -> None:
        self._journal.counts.sessions_lost += 1
        self._logged_in = False

    def _record(self, answer: Answer, wrong: str | None) -> bool:
        """Write the request down with what was wrong with its content, and see whether the session is gone. True when all was well."""
        entry = answer.entry
        if entry.ok and wrong:
            entry = replace(entry, ok=False, error=wrong, excerpt=answer.body[:EXCERPT])
        self._journal.request(entry)
        if self._logged_in and entry.status in LOST:
            self._lose_session()
        return entry.ok

    async def _request(self, method: str, path: str, **options: Any) -> Answer:
        """One request, sent once: aiohttp itself sends a GET again when a kept connection turns out to be closed, as browsers do."""
        started, clock = time.time(), time.perf_counter()
        status, served_by, body, error = None, None, "", None
        self._connector.address = None
        try:
            async with self._session.request(method, self._url + path, allow_redirects=False, **options) as response:
                status, served_by = response.status, response.headers.get("X-Served-By")
                body = await response.text(errors="replace")
        except (TimeoutError, aiohttp.ClientError, OSError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        if error is None and status != 200:
            error = f"status {status}"
        return Answer(
            Request(
                t=round(started, 3),
                user=self._number,
                method=method,
                path=path,
                status=status,
                ms=round((time.perf_counter() - clock) * 1000, 1),
                served_by=served_by,
                side=side_of(served_by),
                address=self._connector.address,
                keep_alive=self._keep_alive,
                ok=error is None,
                error=error,
                excerpt=body[:EXCERPT] if error else None,
            ),
            body,
        )


def wrong_counter(last: int, unknown: int, counter: object) -> str | None:
    """The counter goes up by exactly one for each request; ``unknown`` requests in between may have counted too. None when it is right."""
    if not isinstance(counter, int):
        return "no counter in the answer"
    if last < counter <= last + 1 + unknown:
        return None
    return f"counter {counter} after {last}" + (f" and {unknown} requests without an answer" if unknown else "")
