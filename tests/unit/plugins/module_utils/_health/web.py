"""Real servers on loopback addresses for the HTTP client and the probes: TLS with a CA of the test, SNI, a CONNECT proxy."""

from __future__ import annotations

import datetime
import http.server
import socket
import ssl
import threading
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FQDN = "shop.example.test"
Handler = t.Callable[[http.server.BaseHTTPRequestHandler, str], None]


def certificate(folder: Path, name: str, issuer: t.Any = None, days: int = 1, names: t.Sequence[str] = ()) -> t.Any:
    """A key and a certificate; without an issuer it is a CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_name, issuer_key = (issuer[1].subject, issuer[0]) if issuer else (subject, key)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )  # fmt: skip
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(entry) for entry in names]), critical=False)
    made = builder.sign(issuer_key, hashes.SHA256())
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.crt").write_bytes(pem)
    (folder / f"{name}.pem").write_bytes(pem + secret)
    return key, made


class Server:
    """An HTTP server on a loopback address; notes what it was asked."""

    def __init__(self, handle: Handler, address: str = "127.0.0.1", port: int = 0, tls: Path | None = None) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.sni: list[str | None] = []
        outer = self

        class Requests(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                outer.asked.append((self.command, self.path, dict(self.headers)))
                handle(self, body)

            do_GET = do_POST = do_HEAD = _do  # noqa: N815

            def log_message(self, *args: t.Any) -> None:
                pass

        class Threads(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

        self.server = Threads((address, port), Requests)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            context.sni_callback = lambda _socket, name, _context: self.sni.append(name)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def say(request_: http.server.BaseHTTPRequestHandler, status: int = 200, body: str = "ok", **headers: str) -> None:
    request_.send_response(status)
    for name, value in {"Content-Length": str(len(body.encode())), **{key.replace("_", "-"): value for key, value in headers.items()}}.items():
        request_.send_header(name, value)
    request_.end_headers()
    if request_.command != "HEAD":
        request_.wfile.write(body.encode())


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    ca = certificate(folder, "ca")
    certificate(folder, "good", ca, names=[FQDN])
    certificate(folder, "other", ca, names=["other.example.test"])
    certificate(folder, "expired", ca, days=-1, names=[FQDN])
    certificate(folder, "foreign", certificate(folder, "foreign-ca"), names=[FQDN])
    return folder


@pytest.fixture
def serve() -> t.Iterator[t.Callable[..., Server]]:
    servers: list[Server] = []

    def start(handle: Handler, **options: t.Any) -> Server:
        servers.append(Server(handle, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Proxy:
    """CONNECT only. ``to`` maps the ports asked for to ports here; notes the targets; refuses all when told to."""

    def __init__(self, to: dict[str, int], status: str = "200 OK") -> None:
        self.asked: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(to, status), daemon=True).start()

    def _serve(self, to: dict[str, int], status: str) -> None:
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1024)
            self.asked.append(head.split(b" ")[1].decode())
            client.sendall(f"HTTP/1.1 {status}\r\nProxy: test\r\n\r\n".encode())
            if not status.startswith("200"):
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", to[self.asked[-1].rpartition(":")[2]]))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(4096):
                sink.sendall(data)
        except OSError:
            pass
