"""What stands between a client and a registry: a TCP proxy that hangs up, an HTTP proxy, and an HTTP front that answers in the registry's place."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import ssl
import threading
from collections.abc import Callable

Answer = Callable[[str, str], tuple[int, dict[str, str], bytes] | None]


class CuttingProxy:
    """Passes bytes on; after ``after`` bytes in one direction ("up" to the registry, "down" from it) it runs ``then`` and drops the connection. Once for each number."""

    def __init__(self, port: int, direction: str, after: list[int], then: Callable[[], None] = lambda: None) -> None:
        self._upstream = port
        self._direction = direction
        self._after = list(after)
        self._then = then
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.port = int(self._listener.getsockname()[1])
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.cuts = 0

    def __enter__(self) -> CuttingProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connect(client)
            except OSError:
                client.close()
                continue
            for direction, source, target in (("up", client, server), ("down", server, client)):
                threading.Thread(target=self._pass, args=(direction, source, target), daemon=True).start()

    def _connect(self, client: socket.socket) -> socket.socket:  # noqa: ARG002
        return socket.create_connection(("127.0.0.1", self._upstream))

    def _pass(self, direction: str, source: socket.socket, target: socket.socket) -> None:
        passed = 0
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
                passed += len(data)
                with self._lock:
                    cut = direction == self._direction and bool(self._after) and passed >= self._after[0]
                    if cut:
                        self._after.pop(0)
                if cut:
                    self._then()
                    self.cuts += 1
                    break
        except OSError:
            pass
        for each in (source, target):
            # Shutting down wakes the thread of the other direction, which close() alone would leave waiting.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


class HttpProxy(CuttingProxy):
    """A proxy for HTTPS as offices have it: CONNECT, here with a password (RFC 9110 9.3.6)."""

    def __init__(self) -> None:
        super().__init__(0, "up", [])
        self.asked: list[str] = []

    def _connect(self, client: socket.socket) -> socket.socket:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.asked.append(head.decode())
        host, _, port = head.split()[1].decode().rpartition(":")
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        return server


class Front:
    """An HTTP server that answers itself where ``answer(method, path)`` gives (status, headers, body), and asks the registry otherwise."""

    def __init__(self, port: int, answer: Answer = lambda method, path: None, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                front.seen.append((self.command, self.path, dict(self.headers)))
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, data = answer(self.command, self.path) or self._ask(body)
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", headers.get("Content-Length", str(len(data))) if self.command == "HEAD" else str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_any  # noqa: N815

            def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request(self.command, self.path, body, {**dict(self.headers), "Host": front.host})
                response = connection.getresponse()
                return response.status, dict(response.getheaders()), response.read()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Front:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
