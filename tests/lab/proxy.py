"""Ways from the host's loopback into the lab's network: an HTTP proxy for probes, and the shop for a browser.

Both ask the lab's own DNS answers for every connection, and open their sockets inside the operator's namespace: what they see is what a machine in the
VPC would see.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import re
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab.network.namespace import Namespace
from lab.settings import FQDN

Resolve = Callable[[str], list[str]]
TIMEOUT = 30.0
LONGEST_HEAD = 64 * 1024
HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding", "upgrade"}


class UnreachableError(OSError):
    """No address, or none that answers."""


class Door:
    """Connections from a namespace, names resolved by the lab."""

    def __init__(self, namespace: Namespace, resolve: Resolve) -> None:
        self._namespace = namespace
        self._resolve = resolve

    def connect(self, host: str, port: int, timeout: float = TIMEOUT) -> socket.socket:
        """The first address of a name that accepts. Raises UnreachableError."""
        failure = "unknown name"
        for address in self._addresses(host):
            connection = self._namespace.socket()
            connection.settimeout(timeout)
            try:
                connection.connect((address, port))
            except OSError as error:
                connection.close()
                failure = f"{address}:{port} {error}"
                continue
            return connection
        raise UnreachableError(f"{host}: {failure}")

    def get(self, url: str, trusted: Path, timeout: float = TIMEOUT) -> tuple[int, dict[str, str], bytes]:
        """One GET by name over HTTPS, as a client would do it: (status, headers in lower case, body)."""
        connection = self.https(urlsplit(url).hostname or "", trusted, timeout)
        try:
            parts = urlsplit(url)
            connection.request("GET", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}")
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def https(self, host: str, trusted: Path, timeout: float = TIMEOUT) -> http.client.HTTPSConnection:
        """An HTTPS connection to port 443 of a name, the lab's CA trusted."""
        connection = http.client.HTTPSConnection(host, timeout=timeout)
        context = ssl.create_default_context(cafile=str(trusted))
        connection.sock = context.wrap_socket(self.connect(host, 443, timeout), server_hostname=host)
        return connection

    def _addresses(self, host: str) -> Iterable[str]:
        with contextlib.suppress(OSError):
            socket.inet_aton(host)
            return [host]
        return self._resolve(host)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


class _Service:
    """A threaded server on one loopback port."""

    def __init__(self, port: int, handler: Callable[..., Any]) -> None:
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name=f"port {port}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def connect_proxy(port: int, door: Door) -> _Service:
    """``CONNECT host:port`` and absolute-form requests (``GET http://host/``), into the lab."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head, rest = _read_head(self.request)
            if not head:
                return
            try:
                server, first = _open(door, head)
            except (OSError, ValueError) as error:
                body = f"{error}\n".encode()
                self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                return
            with server:
                if first is None:
                    self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _relay(self.request, server, (first or b"") + rest)

    return _Service(port, Handler)


def _open(door: Door, head: bytes) -> tuple[socket.socket, bytes | None]:
    """The connection that a request asks for, and what to send first (None for CONNECT)."""
    line, _newline, fields = head.partition(b"\r\n")
    method, target, version = line.decode("latin-1").split(" ", 2)
    if method == "CONNECT":
        host, _colon, port = target.rpartition(":")
        return door.connect(host.strip("[]"), int(port)), None
    parts = urlsplit(target)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"this proxy takes CONNECT host:port and http:// addresses, not {method} {target}")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    kept = [field for field in fields.split(b"\r\n") if not field.lower().startswith((b"proxy-", b"connection:"))]
    first = b"\r\n".join([f"{method} {path} {version}".encode("latin-1"), b"Connection: close", *kept])
    return door.connect(parts.hostname, parts.port or 80), first


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """Everything up to the empty line (kept), and what came after it."""
    connection.settimeout(TIMEOUT)
    data = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in data and len(data) < LONGEST_HEAD:
            chunk = connection.recv(4096)
            if not chunk:
                break
            data += chunk
    head, mark, rest = data.partition(b"\r\n\r\n")
    return (head + mark, rest) if mark else (b"", b"")


def _relay(client: socket.socket, server: socket.socket, first: bytes) -> None:
    """Both directions until both ends have closed."""
    peers = {client: server, server: client}
    reading = {client, server}
    for connection in reading:
        connection.settimeout(None)
    with contextlib.suppress(OSError):
        if first:
            server.sendall(first)
        while reading:
            ready, _write, _error = select.select(list(reading), [], [], 300)
            if not ready:
                return
            for connection in ready:
                data = connection.recv(65536)
                if data:
                    peers[connection].sendall(data)
                else:
                    reading.discard(connection)
                    peers[connection].shutdown(socket.SHUT_WR)


def shop_proxy(port: int, door: Door, trusted: Path) -> _Service:
    """http://127.0.0.1:<port>/ is https://<FQDN>/ at the FQDN's answer of that moment; redirects, links and cookies are made to fit."""
    base = f"http://127.0.0.1:{port}"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            try:
                connection = door.https(FQDN, trusted)
                connection.request(self.command, self.path, self._body(), _request_headers(self.headers.items(), base))
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._reply(502, [("Content-Type", "text/plain; charset=utf-8")], f"The shop does not answer: {error}\n".encode())
                return
            connection.close()
            if answer.getheader("Content-Type", "").startswith("text/html"):
                body = body.replace(f"https://{FQDN}".encode(), base.encode())
            self._reply(answer.status, _answer_headers(answer.getheaders(), base), body)

        def _body(self) -> bytes | None:
            length = int(self.headers.get("Content-Length") or 0)
            return self.rfile.read(length) if length else None

        def _reply(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _forward  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """The load balancer has the access log."""

    return _Service(port, Handler)


def _request_headers(headers: Iterable[tuple[str, str]], base: str) -> dict[str, str]:
    kept = {name: value.replace(base, f"https://{FQDN}") for name, value in headers if name.lower() not in {*HOP_BY_HOP, "host", "accept-encoding", "content-length"}}
    return {**kept, "Host": FQDN}


def _answer_headers(headers: Iterable[tuple[str, str]], base: str) -> list[tuple[str, str]]:
    """Links back to the proxy; cookies that a browser keeps over plain HTTP."""
    changed = []
    for name, value in headers:
        if name.lower() in {*HOP_BY_HOP, "content-length"}:
            continue
        if name.lower() == "set-cookie":
            value = re.sub(r";\s*(secure|domain=[^;]*)(?=;|$)", "", value, flags=re.IGNORECASE)  # noqa: PLW2901
        changed.append((name, value.replace(f"https://{FQDN}", base) if name.lower() == "location" else value))
    return changed
