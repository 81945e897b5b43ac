# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One HTTP request to one address of a load balancer, with SNI and Host of the FQDN: http.client over a socket of our own."""

from __future__ import annotations

import http.client
import socket
import ssl
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# A page is judged by its first part; an endless answer must not fill the memory.
MOST_BYTES = 1024 * 1024


class ProbeError(Exception):
    """No answer. ``problem`` is one of connect, proxy, timeout, tls_name, tls_trust, tls_expired, tls, protocol."""

    def __init__(self, problem: str, text: str) -> None:
        super().__init__(text)
        self.problem = problem
        self.text = text


@dataclass(frozen=True)
class Route:
    """Where the connection goes and whom it asks for."""

    address: str
    port: int
    tls: bool
    host: str
    ca: str | None = None
    verify: bool = True
    proxy: str | None = None

    @property
    def origin(self) -> str:
        """What a browser would show."""
        scheme, usual = ("https", 443) if self.tls else ("http", 80)
        return f"{scheme}://{self.host}" + ("" if self.port == usual else f":{self.port}")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


def request(route: Route, method: str, path: str, headers: t.Mapping[str, str], body: bytes | None, timeout: float) -> Answer:
    """Connect, ask once, close. Redirects are answers like others."""
    sock = connect(route, timeout)
    connection = http.client.HTTPConnection(route.host, timeout=timeout)
    connection.sock = sock
    host = route.origin.split("//", 1)[1]
    try:
        connection.request(
            method, path, body=body, headers={"Host": host, "User-Agent": "cutover-fargate-verify", "Accept": "*/*", "Connection": "close", **headers}
        )
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read(MOST_BYTES))
    except TimeoutError as error:
        raise ProbeError("timeout", f"no answer within {timeout:g} s") from error
    except (http.client.HTTPException, OSError) as error:
        raise ProbeError("protocol", f"the answer broke off: {error!r}") from error
    finally:
        connection.close()


def connect(route: Route, timeout: float) -> socket.socket:
    context = tls_context(route) if route.tls else None
    sock = _socket(route, timeout)
    if context is None:
        return sock
    try:
        return context.wrap_socket(sock, server_hostname=route.host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise ProbeError(*_certificate_problem(error, route, timeout)) from error
    except TimeoutError as error:
        sock.close()
        raise ProbeError("timeout", f"no TLS handshake within {timeout:g} s") from error
    except (ssl.SSLError, OSError) as error:
        sock.close()
        raise ProbeError("tls", f"the TLS handshake failed: {error}") from error


def tls_context(route: Route) -> ssl.SSLContext:
    """The system's store, or only the given issuer. Unverified is for the bare name, which no certificate covers."""
    try:
        context = ssl.create_default_context(cafile=route.ca)
    except (OSError, ssl.SSLError) as error:
        raise ProbeError("tls_trust", f"{route.ca} could not be read as PEM: {error}") from error
    if not route.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


# OpenSSL's verify codes: https://docs.openssl.org/3.0/man1/openssl-verification-options/
NAME_MISMATCH, EXPIRED = (62, 64), (9, 10)


def _certificate_problem(error: ssl.SSLCertVerificationError, route: Route, timeout: float) -> tuple[str, str]:
    if error.verify_code in NAME_MISMATCH:
        names = certificate_names(route, timeout)
        return "tls_name", f"the certificate is for {', '.join(names)}, not for {route.host}" if names else error.verify_message
    return "tls_expired" if error.verify_code in EXPIRED else "tls_trust", error.verify_message


def certificate_names(route: Route, timeout: float) -> list[str]:
    """The names that a trusted certificate is for; nothing is asked over this connection."""
    context = tls_context(route)
    context.check_hostname = False
    try:
        with _socket(route, timeout) as sock, context.wrap_socket(sock, server_hostname=route.host) as secured:
            names = (secured.getpeercert() or {}).get("subjectAltName", ())
    except (ProbeError, OSError):
        return []
    return [str(name[1]) for name in names if len(name) == 2]


def _socket(route: Route, timeout: float) -> socket.socket:
    return _through_proxy(route, timeout) if route.proxy else _directly(route, timeout)


def _directly(route: Route, timeout: float) -> socket.socket:
    try:
        return socket.create_connection((route.address, route.port), timeout=timeout)
    except OSError as error:
        raise ProbeError("connect", f"no connection to {route.address}:{route.port}: {error}") from error


def _through_proxy(route: Route, timeout: float) -> socket.socket:
    """HTTP CONNECT: https://www.rfc-editor.org/rfc/rfc9110#CONNECT"""
    proxy = urlsplit(str(route.proxy))
    target = f"[{route.address}]:{route.port}" if ":" in route.address else f"{route.address}:{route.port}"
    try:
        sock = socket.create_connection((proxy.hostname or "", proxy.port or 3128), timeout=timeout)
    except OSError as error:
        raise ProbeError("proxy", f"no connection to the proxy {proxy.hostname}:{proxy.port}: {error}") from error
    try:
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("ascii"))
        status = _read_head(sock).split(b"\r\n", 1)[0].decode("latin-1")
    except OSError as error:
        sock.close()
        raise ProbeError("proxy", f"the proxy did not answer for {target}: {error}") from error
    if status.split(" ")[1:2] != ["200"]:
        sock.close()
        raise ProbeError("connect", f"the proxy could not connect to {target}: {status or 'no answer'}")
    return sock


def _read_head(sock: socket.socket) -> bytes:
    """Up to the empty line, byte by byte: what follows belongs to the TLS handshake."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < 8192:
        byte = sock.recv(1)
        if not byte:
            break
        head += byte
    return head
