"""A user knows what every answer must be, and says what was wrong: nothing is repaired silently."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from lab.load import user as users
from lab.load.journal import Journal
from lab.load.network import Connector
from lab.load.user import User, wrong_counter

from .conftest import FakeShop

Script = Callable[[User, FakeShop], Awaitable[None]]


class Loopback(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:  # noqa: ARG002
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None: ...


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., tuple[Journal, list[dict[str, Any]]]]:
    """Let a user follow a script against the fake shop; gives the counts and the lines written."""

    def run(script: Script, keep_alive: bool = True) -> tuple[Journal, list[dict[str, Any]]]:
        async def main() -> Journal:
            shop = FakeShop()
            async with shop.serving():
                journal = Journal(tmp_path)
                user = User(1, "alice", f"http://shop.example.test:{shop.port}", Connector(Loopback(), True, keep_alive), keep_alive, journal)
                await script(user, shop)
                await user.close()
                journal.close()
                return journal

        journal = asyncio.run(main())
        return journal, [json.loads(line) for line in (tmp_path / "requests.jsonl").read_text().splitlines()]

    return run


async def acts(user: User, number: int) -> None:
    for _ in range(number):
        await user.act()


@pytest.mark.parametrize(
    ("last", "unknown", "counter", "right"), [(4, 0, 5, True), (4, 0, 6, False), (4, 0, 4, False), (4, 0, 1, False), (4, 1, 6, True), (4, 1, 7, False), (4, 0, None, False)]
)
def test_counter_rule(last: int, unknown: int, counter: int | None, right: bool) -> None:
    assert (wrong_counter(last, unknown, counter) is None) is right


def test_logs_in_once_and_then_counts(play: Any) -> None:
    async def script(user: User, shop: FakeShop) -> None:
        await acts(user, 8)

    journal, lines = play(script)
    assert all(line["ok"] for line in lines)
    assert [line["path"] for line in lines[:3]] == ["/login", "/login", "/me"]
    assert (journal.counts.sessions, journal.counts.sessions_lost) == (1, 0)
    assert (lines[-1]["side"], lines[-1]["served_by"], lines[-1]["address"]) == ("target", "AWS_ECS_FARGATE 1234", "127.0.0.1")


@pytest.mark.parametrize(("keep_alive", "connections"), [(True, 1), (False, 7)])
def test_keeps_its_connection_or_not(play: Any, keep_alive: bool, connections: int) -> None:
    shops = []

    async def script(user: User, shop: FakeShop) -> None:
        shops.append(shop)
        await acts(user, 6)

    play(script, keep_alive)
    assert len(shops[0].connections) == connections


def test_orders_carry_the_csrf_token_and_are_counted(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "ORDERS", 1.0)

    async def script(user: User, shop: FakeShop) -> None:
        await acts(user, 4)
        assert shop.orders == 3

    journal, lines = play(script)
    assert journal.counts.jobs_sent == 3
    assert all(line["ok"] for line in lines)


def test_lost_session_is_a_failure_counted_once_and_followed_by_a_login(play: Any) -> None:
    async def script(user: User, shop: FakeShop) -> None:
        await acts(user, 3)
        shop.counters.clear()
        await acts(user, 3)

    journal, lines = play(script)
    assert (journal.counts.sessions, journal.counts.sessions_lost) == (2, 1)
    assert [line["error"] for line in lines if not line["ok"]] == ["status 401"]


def test_session_whose_counter_began_anew_is_lost(play: Any) -> None:
    async def script(user: User, shop: FakeShop) -> None:
        await acts(user, 4)
        shop.counters["alice"] = 0
        await acts(user, 1)

    journal, lines = play(script)
    assert journal.counts.sessions_lost == 1
    assert lines[-1]["error"] == "counter 1 after 3"


def test_request_counted_twice_is_a_failure(play: Any) -> None:
    async def script(user: User, shop: FakeShop) -> None:
        await acts(user, 3)
        shop.count_twice = True
        await acts(user, 1)

    journal, lines = play(script)
    assert (journal.counts.counter_errors, journal.counts.sessions_lost) == (1, 0)
    assert lines[-1]["error"] == "counter 4 after 2"


def test_error_answer_is_a_failure_with_its_beginning_and_loses_no_session(play: Any) -> None:
    async def script(user: User, shop: FakeShop) -> None:
        await acts(user, 3)
        shop.fail_with = 502
        await acts(user, 1)
        shop.fail_with = None
        await acts(user, 1)

    journal, lines = play(script)
    assert [(line["status"], line["error"], line["excerpt"]) for line in lines if not line["ok"]] == [(502, "status 502", "<h1>broken</h1>")]
    assert (journal.counts.sessions_lost, journal.counts.counter_errors) == (0, 0)


def test_refused_connection_is_a_failure_and_no_exception(play: Any) -> None:
    async def script(user: User, shop: FakeShop) -> None:
        user._url = "http://shop.example.test:1"
        await acts(user, 2)

    journal, lines = play(script)
    assert [line["status"] for line in lines] == [None, None]
    assert "ClientConnectorError" in lines[0]["error"]
    assert journal.counts.sessions == 0
