"""A shop of a few lines that keeps the load generator's promises, or breaks them on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler


class FakeShop:
    """Sessions, counters and orders in memory. The switches are what the tests turn."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.orders = 0
        self.done = 0
        self.delay = 0.0
        self.fail_with: int | None = None
        self.count_twice = False
        self.connections: set[object] = set()
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeShop]:
        app = web.Application(middlewares=[self.middleware])
        app.add_routes([web.get("/login", self.form), web.post("/login", self.login), web.get("/me", self.me)])
        app.add_routes([web.post("/orders", self.order), web.get("/orders/stats", self.stats)])
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.connections.add(request.transport)
        await asyncio.sleep(self.delay)
        if self.fail_with and request.path != "/orders/stats":
            return web.Response(status=self.fail_with, text="<h1>broken</h1>")
        response = await handler(request)
        response.headers["X-Served-By"] = "AWS_ECS_FARGATE 1234"
        return response

    async def form(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.Response(text='<input type="hidden" name="_token" value="secret">')

    async def login(self, request: web.Request) -> web.Response:
        fields = await request.post()
        assert fields["_token"] == "secret"
        self.counters[str(fields["user"])] = 0
        response = web.json_response({"user": fields["user"]})
        response.set_cookie("session", str(fields["user"]))
        response.set_cookie("XSRF-TOKEN", "a%3D%3D")
        return response

    async def me(self, request: web.Request) -> web.Response:
        user = request.cookies.get("session", "")
        if user not in self.counters:
            return web.json_response({"message": "Unauthenticated."}, status=401)
        self.counters[user] += 2 if self.count_twice else 1
        return web.json_response({"user": user, "counter": self.counters[user]})

    async def order(self, request: web.Request) -> web.Response:
        if request.headers["X-XSRF-TOKEN"] != "a==" or request.cookies.get("session", "") not in self.counters:
            return web.Response(status=419)
        self.orders += 1
        return web.json_response({"order": self.orders})

    async def stats(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self.done = min(self.orders, self.done + 20)
        return web.json_response({"sent": self.orders, "done": self.done, "twice": 0})
