"""The lab's AWS API as one object: HTTP server, moto's state, what the data plane observed, faults, request log.

    aws = AwsServer(Settings())
    aws.start()
    ...
    aws.stop()

Who changes moto's objects, or reads more than one of them consistently, holds ``aws.lock``. API calls hold it too, so a reconciler never sees half a
call. Never wait (for a process, a socket) while holding it.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lab.aws import control, registry
from lab.aws.errors import AwsError
from lab.aws.faults import Faults
from lab.aws.gateway import Gateway
from lab.aws.http import Server
from lab.aws.moto_app import Moto
from lab.aws.observed import Observed
from lab.aws.protocol import ApiCall, Environ, decode
from lab.aws.request_log import RequestLog
from lab.settings import ACCOUNT, REGION, Settings

Handler = Callable[[str, dict[str, str], dict[str, Any]], Any]
"""``handler(method, query, body) -> anything JSON``; ValueError, TypeError or KeyError become HTTP 400."""


Recorder = tuple[Callable[[], None], Callable[[Environ, bytes], None]]
"""(before, after) a mutating call; ``after`` only when it succeeded. Both hold the lock."""


# What a call needs beside its own request line, headers and body.
ENVIRON: Environ = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


@dataclass(frozen=True)
class DnsAnswer:
    """TestDNSAnswer: response_code NOERROR|NXDOMAIN|SERVFAIL, record_data one string per record, ttl in seconds."""

    response_code: str
    record_data: tuple[str, ...] = ()
    ttl: int = 60


class AwsServer:
    """AWS on 127.0.0.1. All members are usable before ``start``."""

    def __init__(self, settings: Settings, port: int | None = None) -> None:
        self.settings = settings
        self.account = ACCOUNT
        self.region = REGION
        self.lock = threading.RLock()
        self.observed = Observed()
        self.faults = Faults()
        self.requests = RequestLog()
        self.moto = Moto(self.account, self.region)
        self.routes: dict[str, Handler] = {}
        self.answer_dns: Callable[[str, str, str], DnsAnswer] | None = None
        """``(hosted zone id, record name with trailing dot, type) -> DnsAnswer``: what TestDNSAnswer returns. RECONCILE sets it."""
        self.recorder: Recorder | None = None
        self.current_environ = threading.local()
        self._gateway = Gateway(self)
        self._listeners: list[Callable[[ApiCall], None]] = []
        self._port = settings.api_port if port is None else port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        control.install(self)

    # -- life ---------------------------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """An empty account, served on 127.0.0.1. Raises OSError when the port is taken."""
        registry.load()
        self.reset()
        self._server = Server(self._port, self._gateway)
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="lab-aws", daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """An empty account again; nothing observed."""
        with self.lock:
            self.moto.warm_up()
            self.moto.seed(None)
            self.observed.clear()

    def stop(self) -> None:
        """No more answers; held calls are let go. moto's state stays until the next start."""
        self.faults.clear()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.close_connections()
            self._server.server_close()
            self._thread.join(5)
            self._server = self._thread = None

    @property
    def url(self) -> str:
        """The endpoint URL (``AWS_ENDPOINT_URL``)."""
        return f"http://127.0.0.1:{self._port}"

    # -- for reconcilers ----------------------------------------------------------------------------------------------------------------------

    def backend(self, service: str) -> Any:
        """moto's backend of the lab's account and region: ``backend("ecs").services``. Names are moto's (``elbv2``, ``ec2``, ``logs``)."""
        return self.moto.backend(service)

    def on_change(self, callback: Callable[[ApiCall], None]) -> None:
        """Call back after every mutating call that succeeded, in the request's thread, without the lock: set an event, return at once."""
        self._listeners.append(callback)

    def route(self, path: str, handler: Handler) -> None:
        """Serve ``path`` (``/_lab/...``) beside the API."""
        self.routes[path.rstrip("/")] = handler

    # -- for operations -----------------------------------------------------------------------------------------------------------------------

    def changed(self, call: ApiCall) -> None:
        for listener in self._listeners:
            listener(call)

    def ask_moto(self, call: ApiCall) -> dict[str, Any]:
        """moto's own answer to the call in hand, as a boto3 caller sees it. Raises AwsError."""
        return self.moto.result(call, self.current_environ.value)

    # -- for the recording of the source system -----------------------------------------------------------------------------------------------

    def replay(self, environ: Environ, body: bytes, seed: str) -> tuple[int, str]:
        """A recorded call, applied as if it had come by HTTP, with predictable ids: (status, answer)."""
        environ = {**ENVIRON, **environ, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        call = decode(environ)
        if call is None:
            return 400, "not an API call"
        with self.lock:
            self.moto.seed(seed)
            try:
                answer = self._gateway.answer(call, environ)
            except AwsError as refusal:
                return refusal.status, str(refusal)
        self.changed(call)
        return answer.status, answer.body.decode("utf-8", "replace")

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)
