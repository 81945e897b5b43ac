"""The open loop, from the first request to the last look at the queue."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from lab.load import generator as generators
from lab.load import user as users
from lab.load.__main__ import parse
from lab.load.generator import Generator, Options
from lab.load.network import TtlResolver

from .conftest import FakeShop


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is this machine: DNS has its own tests."""

    async def ask(self: TtlResolver, host: str) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(TtlResolver, "_ask", ask)


def load(shop: FakeShop, out: Path, stop_after: float | None = None, **options: Any) -> dict[str, Any]:
    async def main() -> None:
        async with shop.serving():
            generator = Generator(Options(fqdn="shop.example.test", resolver="127.0.0.1", out=out, port=shop.port, **options))
            if stop_after:
                asyncio.get_running_loop().call_later(stop_after, generator.stop)
            await generator.run()

    asyncio.run(main())
    return json.loads((out / "summary.json").read_text())


def test_a_short_run_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "ORDERS", 0.3)
    summary = load(FakeShop(), tmp_path, users=5, rate=100, duration=1.0)
    assert (summary["state"], summary["failed"], summary["sessions_lost"]) == ("finished", 0, 0)
    assert summary["sessions"] == 5
    # On a busy machine a user may still wait when its turn comes.
    assert summary["requests"] + summary["skipped"] == 100 + 5, "each slot one request, and a login is two"
    assert summary["jobs_done"] == summary["jobs_sent"] > 0


def test_a_user_who_still_waits_skips_the_turn(tmp_path: Path) -> None:
    shop = FakeShop()
    shop.delay = 0.3
    summary = load(shop, tmp_path, users=1, rate=20, duration=0.5)
    assert summary["failed"] == 0
    assert summary["skipped"] >= 5


def test_stop_finishes_what_is_open(tmp_path: Path) -> None:
    shop = FakeShop()
    shop.delay = 0.3
    summary = load(shop, tmp_path, stop_after=0.2, users=4, rate=20)
    assert (summary["state"], summary["failed"], summary["sessions"]) == ("finished", 0, 4)


def test_jobs_that_are_never_done_are_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "ORDERS", 1.0)
    monkeypatch.setattr(generators, "DRAIN_TIMEOUT", 0.2)
    shop = FakeShop()
    shop.done = -1000
    summary = load(shop, tmp_path, users=2, rate=20, duration=0.5)
    assert summary["jobs_done"] < summary["jobs_sent"]


def test_https_needs_the_ca_and_http_does_not() -> None:
    assert parse(["--out", "x", "--ca", "ca.pem"]).url == "https://shop.example.test"
    assert parse(["--out", "x", "--fqdn", "a.test", "--port", "8080"]).url == "http://a.test:8080"
