"""The HTTP client and the probe engine against a real server: TLS with a CA of the test, SNI, Host, redirects, cookies, a CONNECT proxy."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import socket
import ssl
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health import probe_data, probe_steps, probes
from ansible_collections.cutover.fargate.plugins.module_utils._health.clock import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._health.http import Answer, ProbeError, Route, request
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import Service, Snapshot
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import run as verify
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

        self.server = http.server.ThreadingHTTPServer((address, port), Requests)
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


def ask(route: Route, timeout: float = 5) -> Answer:
    return request(route, "GET", "/x?y=1", {}, None, timeout)


def test_sni_host_and_trust(serve: t.Any, pki: Path) -> None:
    server = serve(lambda req, _body: say(req, body="hello"), tls=pki / "good.pem")
    answer = ask(Route("127.0.0.1", server.port, True, FQDN, ca=str(pki / "ca.crt")))
    assert (answer.status, answer.text) == (200, "hello")
    assert server.sni == [FQDN]
    assert server.asked[0][1] == "/x?y=1"
    assert server.asked[0][2]["Host"] == f"{FQDN}:{server.port}"


def test_the_usual_port_is_not_in_host() -> None:
    assert Route("192.0.2.1", 443, True, FQDN).origin == f"https://{FQDN}"
    assert Route("192.0.2.1", 80, False, FQDN).origin == f"http://{FQDN}"


@pytest.mark.parametrize(("which", "problem"), [("other", "tls_name"), ("expired", "tls_expired"), ("foreign", "tls_trust")])
def test_certificates_that_do_not_hold(serve: t.Any, pki: Path, which: str, problem: str) -> None:
    server = serve(lambda req, _body: say(req), tls=pki / f"{which}.pem")
    with pytest.raises(ProbeError) as caught:
        ask(Route("127.0.0.1", server.port, True, FQDN, ca=str(pki / "ca.crt")))
    assert caught.value.problem == problem


def test_without_a_ca_the_systems_store_decides(serve: t.Any, pki: Path) -> None:
    server = serve(lambda req, _body: say(req), tls=pki / "good.pem")
    with pytest.raises(ProbeError) as caught:
        ask(Route("127.0.0.1", server.port, True, FQDN))
    assert caught.value.problem == "tls_trust"
    assert ask(Route("127.0.0.1", server.port, True, "bare.example.test", verify=False)).status == 200


def test_a_ca_file_that_is_none(pki: Path, serve: t.Any) -> None:
    server = serve(lambda req, _body: say(req), tls=pki / "good.pem")
    with pytest.raises(ProbeError) as caught:
        ask(Route("127.0.0.1", server.port, True, FQDN, ca=str(pki / "none.crt")))
    assert "none.crt" in caught.value.text


def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_no_connection_no_answer_broken_answer(serve: t.Any) -> None:
    with pytest.raises(ProbeError) as caught:
        ask(Route("127.0.0.1", unused_port(), False, FQDN))
    assert caught.value.problem == "connect"
    hanging = threading.Event()
    slow = serve(lambda _req, _body: hanging.wait(5) and None)
    with pytest.raises(ProbeError) as caught:
        ask(Route("127.0.0.1", slow.port, False, FQDN), timeout=0.2)
    hanging.set()
    assert caught.value.problem == "timeout"
    broken = serve(lambda req, _body: req.connection.close())
    with pytest.raises(ProbeError) as caught:
        ask(Route("127.0.0.1", broken.port, False, FQDN))
    assert caught.value.problem == "protocol"


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


def test_through_a_proxy(serve: t.Any, pki: Path) -> None:
    server = serve(lambda req, _body: say(req), tls=pki / "good.pem")
    proxy = Proxy({"443": server.port})
    route = Route("10.20.0.10", 443, True, FQDN, ca=str(pki / "ca.crt"), proxy=f"http://127.0.0.1:{proxy.port}")
    assert ask(route).status == 200
    assert proxy.asked == ["10.20.0.10:443"]
    assert server.sni == [FQDN]


def test_a_proxy_that_refuses_or_is_gone() -> None:
    proxy = Proxy({}, "502 Bad Gateway")
    with pytest.raises(ProbeError) as caught:
        ask(Route("10.20.0.10", 80, False, FQDN, proxy=f"http://127.0.0.1:{proxy.port}"))
    assert (caught.value.problem, "502" in caught.value.text) == ("connect", True)
    with pytest.raises(ProbeError) as caught:
        ask(Route("10.20.0.10", 80, False, FQDN, proxy=f"http://127.0.0.1:{unused_port()}"))
    assert caught.value.problem == "proxy"


# --- steps


def run(server: Server, *steps: dict[str, t.Any], other: Server | None = None) -> list[t.Any]:
    routes = {"target": Route("127.0.0.1", server.port, False, FQDN)}
    if other:
        routes["source"] = Route("127.0.0.1", other.port, False, FQDN)
    return probe_steps.run_probe({"name": "p", "steps": list(steps)}, probe_steps.Sides("target", routes), lambda: 7.0)


class Shop:
    """Login with CSRF, a session cookie, a counter. ``known`` are the sessions: shared between two shops, or not."""

    def __init__(self, known: set[str]) -> None:
        self.known = known

    def __call__(self, req: http.server.BaseHTTPRequestHandler, body: str) -> None:
        cookie = req.headers.get("Cookie", "")
        if req.path == "/login" and req.command == "GET":
            say(req, body='<form><input name="_token" value="tok-1"></form>', Set_Cookie="XSRF-TOKEN=a%3Db; Path=/")
        elif req.path == "/login":
            good = "_token=tok-1" in body and req.headers.get("X-XSRF-TOKEN") == "a=b"
            self.known.add("s1")
            say(req, 302 if good else 419, "", Location="/home", Set_Cookie="session=s1; HttpOnly")
        elif req.path == "/home":
            say(req, 200 if any(f"session={name}" in cookie for name in self.known) else 401, "welcome probe")
        elif req.path == "/logout":
            say(req, 200, "", Set_Cookie="session=gone; Max-Age=0")
        else:
            say(req, 200, json.dumps({"data": [{"id": 7}], "ok": True}), Content_Type="application/json")


LOGIN = [
    {"path": "/login", "capture": {"csrf": {"regex": 'name="_token" value="([^"]+)"'}, "xsrf": {"cookie": "XSRF-TOKEN"}}},
    {"path": "/login", "form": {"_token": "{csrf}", "user": "probe"}, "headers": {"X-XSRF-TOKEN": "{xsrf}"}, "expect": {"status": 302, "header": {"Location": "/home"}}},
    {"path": "/home", "expect": {"status": 200, "body_contains": ["welcome", "probe"]}},
]


def test_a_login_with_csrf_and_cookies(serve: t.Any) -> None:
    server = serve(Shop(set()))
    results = run(server, *LOGIN)
    assert [result.problem for result in results] == ["", "", ""]
    assert [entry[:2] for entry in server.asked] == [("GET", "/login"), ("POST", "/login"), ("GET", "/home")]
    assert results[2].text == "GET /home 200"


def test_redirects_are_followed_when_asked(serve: t.Any) -> None:
    server = serve(Shop(set()))
    results = run(server, LOGIN[0], {**LOGIN[1], "follow": True, "expect": {"status": 200, "body_contains": "welcome"}})
    assert [result.problem for result in results] == ["", ""]
    assert server.asked[-1][:2] == ("GET", "/home")


def test_a_cookie_that_ended_is_not_sent(serve: t.Any) -> None:
    results = run(serve(Shop(set())), *LOGIN, {"path": "/logout"}, {"path": "/home", "expect": {"status": 401}})
    assert [result.ok for result in results] == [True] * 5


def test_a_session_of_the_source_continues_on_the_target(serve: t.Any) -> None:
    shared: set[str] = set()
    source, target = serve(Shop(shared)), serve(Shop(shared))
    results = run(target, *({**step, "on": "source"} for step in LOGIN[:2]), {**LOGIN[2], "on": "target"}, {**LOGIN[2], "on": "source"}, other=source)
    assert [result.problem for result in results] == [""] * 4
    assert [entry[1] for entry in target.asked] == ["/home"]


def test_a_session_that_is_lost_on_the_way_is_told_as_such(serve: t.Any) -> None:
    source, target = serve(Shop(set())), serve(Shop(set()))
    results = run(target, *({**step, "on": "source"} for step in LOGIN[:2]), {**LOGIN[2], "on": "target"}, other=source)
    assert (results[-1].problem, results[-1].status, results[-1].crossed) == ("status", 401, True)


def test_a_failure_of_the_other_side_is_not_ours(serve: t.Any) -> None:
    target = serve(Shop(set()))
    broken = serve(lambda req, _body: say(req, 500))
    assert run(target, {"path": "/", "on": "source"}, other=broken)[0].problem == "other_side"
    assert run(target, {"path": "/", "on": "source"})[0].problem == "other_side"


def test_a_probe_stops_at_the_first_failure(serve: t.Any) -> None:
    server = serve(lambda req, _body: say(req, 500, "<html><b>Whoops</b>, looks like</html>"))
    results = run(server, {"path": "/a"}, {"path": "/b"})
    assert [result.problem for result in results] == ["status"]
    assert results[0].text == "got 500, expected status <500; body: Whoops , looks like"


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ({"status": 200, "json": {"data.0.id": 7, "ok": True}}, ""),
        ({"json": {"data.0.id": 8}}, "expect"),
        ({"json": {"data.5.id": 7}}, "expect"),
        ({"header": {"content-type": "json"}}, ""),
        ({"header": {"content-type": "html"}}, "expect"),
        ({"body_contains": "nothing"}, "expect"),
        ({"status": 201}, "status"),
    ],
)
def test_expectations(serve: t.Any, expect: dict[str, t.Any], problem: str) -> None:
    assert run(serve(Shop(set())), {"path": "/api", "expect": expect})[0].problem == problem


def test_a_value_that_is_not_there_cannot_be_captured(serve: t.Any) -> None:
    result = run(serve(Shop(set())), {"path": "/api", "capture": {"id": {"json": "data.9.id"}}})[0]
    assert (result.problem, result.text.startswith("got 200, id was not found")) == ("capture", True)


@pytest.mark.parametrize(
    ("status", "wanted", "matches"),
    [(200, 200, True), (204, "200-299", True), (302, "2xx,302", True), (500, "<500", False), (499, "<500", True), (404, [200, "4xx"], True), (404, "", False)],
)
def test_status_notations(status: int, wanted: t.Any, matches: bool) -> None:
    assert probe_steps.status_matches(status, wanted) is matches


def test_loops_end(serve: t.Any) -> None:
    server = serve(lambda req, _body: say(req, 302, "", Location="/again"))
    assert run(server, {"path": "/", "follow": True})[0].problem == "redirect_loop"


def test_only_captured_names_are_filled() -> None:
    session = probe_steps.Session(values={"id": "7"})
    assert session.fill({"a": ["{id}", "{other}", '{"json": 1}']}) == {"a": ["7", "{other}", '{"json": 1}']}


# --- the whole prober


def snapshot(server: Server, http_port: int, other: Server | None = None) -> Snapshot:
    listeners = [
        {"Protocol": "HTTPS", "Port": server.port, "DefaultActions": [{"Type": "forward", "TargetGroupArn": "tg"}]},
        {"Protocol": "HTTP", "Port": http_port, "DefaultActions": [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": str(server.port), "StatusCode": "HTTP_301"}}]},
    ]
    found = Snapshot(
        side="target", fqdn=FQDN, load_balancer_name="lb", load_balancer={"LoadBalancerArn": "lb", "DNSName": "lb.example.test"}, listeners=listeners, addresses=["127.0.0.1"],
        target_groups={"tg": {"TargetGroupArn": "tg", "HealthCheckPath": "/health", "TargetHealth": []}},
        services=[Service("web", service={"loadBalancers": [{"targetGroupArn": "tg"}]})],
    )  # fmt: skip
    if other:
        found.other_load_balancer, found.other_addresses = {"DNSName": "old.example.test"}, ["127.0.0.1"]
        found.other_listeners = [{"Protocol": "HTTPS", "Port": other.port, "DefaultActions": []}]
    return found


def balancer(status: int = 200) -> Handler:
    """An ALB: by another name than the FQDN it answers something else."""

    def handle(req: http.server.BaseHTTPRequestHandler, _body: str) -> None:
        say(req, 200 if req.headers["Host"].startswith(FQDN) else status, Server="awselb/2.0")

    return handle


def params(pki: Path, **more: t.Any) -> dict[str, t.Any]:
    return {"fqdn": FQDN, "probe_ca": str(pki / "ca.crt"), "probes": [], **more}


def to_https(server: Server) -> Handler:
    return lambda req, _body: say(req, 301, "", Location=f"https://{FQDN}:{server.port}/")


def test_everything_that_is_asked_by_default(serve: t.Any, pki: Path) -> None:
    server, old = serve(balancer(404), tls=pki / "good.pem"), serve(balancer(404), tls=pki / "good.pem")
    plain = serve(to_https(server))
    results = probes.Prober(params(pki), Clock())(snapshot(server, plain.port, old))
    assert {result.probe: result.problem for result in results} == {"GET /": "", "GET /health": "", "redirect to HTTPS": "", "bare name": ""}
    assert {entry[2]["Host"] for entry in old.asked} == {f"old.example.test:{old.port}"}


def test_the_bare_names_must_agree_unless_the_other_side_is_down(serve: t.Any, pki: Path) -> None:
    server = serve(balancer(404), tls=pki / "good.pem")
    plain = serve(to_https(server))
    for status, problem in ((200, "parity"), (503, "")):
        old = serve(balancer(status), tls=pki / "good.pem")
        results = probes.Prober(params(pki), Clock())(snapshot(server, plain.port, old))
        assert next(result.problem for result in results if result.probe == "bare name") == problem


def test_a_redirect_that_is_missing(serve: t.Any, pki: Path) -> None:
    server = serve(balancer(), tls=pki / "good.pem")
    plain = serve(lambda req, _body: say(req))
    results = probes.Prober(params(pki), Clock())(snapshot(server, plain.port))
    assert next(result.problem for result in results if result.probe == "redirect to HTTPS") == "status"


def test_what_passed_is_not_asked_again_until_the_targets_change(serve: t.Any, pki: Path) -> None:
    server = serve(balancer(), tls=pki / "good.pem")
    plain = serve(to_https(server))
    prober, seen = probes.Prober(params(pki, probes=[{"path": "/order", "form": {"x": 1}}]), Clock()), snapshot(server, plain.port)
    prober(seen)
    prober(seen)
    assert [entry[:2] for entry in server.asked].count(("POST", "/order")) == 1
    seen.target_groups["tg"]["TargetHealth"] = [{"Target": {"Id": "10.0.0.1", "Port": 80}, "TargetHealth": {"State": "healthy"}}]
    prober(seen)
    assert [entry[:2] for entry in server.asked].count(("POST", "/order")) == 2


def test_check_mode_asks_only_what_reads(serve: t.Any, pki: Path) -> None:
    server = serve(balancer(), tls=pki / "good.pem")
    plain = serve(to_https(server))
    given = [{"name": "order", "steps": [{"path": "/order", "form": {"x": 1}}]}, {"name": "look", "steps": [{"path": "/look"}]}]
    probes.Prober(params(pki, probes=given), Clock(), read_only=True)(snapshot(server, plain.port))
    assert {entry[:2] for entry in server.asked} == {("GET", "/look"), ("GET", "/")}


def test_steps_without_a_probe_form_one() -> None:
    assert probe_data.as_probes([{"path": "/a"}, {"name": "x", "steps": [{"path": "/c"}]}, {"path": "/b"}]) == [
        {"name": "probes", "steps": [{"path": "/a"}, {"path": "/b"}]},
        {"name": "x", "steps": [{"path": "/c"}]},
    ]


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([{"path": "/", "status": 200}], "fargate_probes[0] has the unknown key status"),
        ([{"name": "p", "steps": [{"path": "/"}, {"path": "/", "expect": {"code": 200}}]}], "fargate_probes[0].steps[1].expect has the unknown key code"),
        ([{"path": "/", "capture": {"csrf": {"xpath": "//input"}}}], "fargate_probes[0].capture.csrf has the unknown key xpath"),
        ([{"path": "/"}, {"path": "/", "on": "old"}], "fargate_probes[1].on is 'old'"),
        ([{"name": "p", "steps": ["/"]}], "fargate_probes[0].steps[0] is '/'"),
        ([{"name": "p", "steps": [], "retries": 3}], "fargate_probes[0] has the unknown key retries"),
    ],
)
def test_a_misspelt_probe_is_refused_before_anything_is_read(aws: t.Any, items: list[t.Any], said: str) -> None:
    clients = aws()
    with pytest.raises(CutoverError) as caught:
        verify({"side": "target", "fqdn": FQDN, "cluster": "c", "services": [], "probes": items}, clients, False)
    assert caught.value.message.startswith(said)
    assert clients.calls == []


def test_well_formed_probes_are_accepted() -> None:
    assert probe_data.misspelt([*LOGIN, {"name": "p", "steps": LOGIN}]) is None


def test_a_name_behind_a_proxy_is_left_to_the_proxy() -> None:
    assert probes.resolve("lb.example.test", by_proxy=True) == ["lb.example.test"]
    assert all(ipaddress.ip_address(address).is_loopback for address in probes.resolve("localhost", by_proxy=False))


# --- all of it: AWS's answers, a proxy, TLS


def whole(pki: Path, serve: t.Any, aws: t.Any, handle: Handler, changes: dict[str, t.Any] | None = None, **answers: t.Any) -> tuple[t.Any, list[str], t.Callable[[], t.Any]]:
    shop = serve(handle, tls=pki / "good.pem")
    plain = serve(lambda req, _body: say(req, 301, "", Location=f"https://{FQDN}/"))
    proxy = Proxy({"443": shop.port, "80": plain.port})
    said: list[str] = []
    now = [1000060.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    given = {
        "side": "target", "fqdn": FQDN, "load_balancer": "shop-fargate", "cluster": "shop-fargate", "timeout": 60.0, "settle_seconds": 10.0, "poll_seconds": 5.0,
        "services": [{"name": "shop-web", "kind": "web", "family": "shop-web-fargate", "container_name": "nginx", "container_port": 80}],
        "probes": [{"path": "/health?deep=1", "expect": {"status": 200}}], "probe_ca": str(pki / "ca.crt"), "probe_proxy": f"http://127.0.0.1:{proxy.port}",
    }  # fmt: skip
    clients = aws(changes, **answers)
    return proxy, said, lambda: verify(given, clients, False, said.append, Clock(lambda: now[0], lambda: now[0], sleep))


def test_a_healthy_system_from_end_to_end(serve: t.Any, pki: Path, aws: t.Any) -> None:
    proxy, said, work = whole(pki, serve, aws, lambda req, _body: say(req))
    result = work()
    assert result["verdict"] == "healthy"
    assert result["verified"]["target_groups"] == {"tg-web": ["10.20.1.11:80", "10.20.1.12:80"]}
    assert set(proxy.asked) == {"10.20.0.10:443", "10.20.0.10:80"}
    assert any("[OK] probes at 10.20.0.10: GET /health?deep=1 200" in line for line in said)


def test_a_missing_database_rule_from_end_to_end(serve: t.Any, pki: Path, aws: t.Any) -> None:
    """Targets are healthy, the deep probe is not; the log and the group say why. The endpoint is not in the environment, so nothing else could."""
    changes = {
        "network/security_groups/sg-rds/IpPermissions/0/UserIdGroupPairs": [{"GroupId": "sg-instances"}],
        "services/0/newest/containerDefinitions/1/environment": [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}],
    }
    line = "[2026-11-22 12:00:00] production.ERROR: SQLSTATE[HY000] [2002] Connection timed out (password hunter2hunter2)"

    def log(logStreamNames: list[str], **_more: t.Any) -> t.Any:  # noqa: N803
        return {"events": [{"eventId": "1", "timestamp": 1000061000, "message": line}] if logStreamNames == ["php/php-fpm/t1"] else []}

    _proxy, said, work = whole(pki, serve, aws, lambda req, _body: say(req, 500, "Whoops"), changes, filter_log_events=log)
    with pytest.raises(CutoverError) as caught:
        work()
    details = caught.value.details
    top = details["causes"][0]
    assert (details["verdict"], top["id"], top["confidence"], details["seconds"]) == ("unhealthy", "DB_TIMEOUT", "certain", 10.0)
    assert [entry["source"].split(" ")[0] for entry in top["evidence"]] == ["log", "probe", "security"]
    assert "sg-rds of shop-db does not admit sg-task of shop-web on TCP 3306" in top["evidence"][2]["text"]
    assert top["check_by_hand"] == "aws ec2 describe-security-groups --region eu-west-1 --group-ids sg-rds"
    assert "hunter2hunter2" not in repr(details) + caught.value.message + "".join(said)
