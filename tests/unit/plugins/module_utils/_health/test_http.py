"""The HTTP client against real servers: TLS, SNI, Host, a CONNECT proxy, and every way to get no answer."""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health.http import Answer, ProbeError, Route, request
from unit.plugins.module_utils._health.web import FQDN, Proxy, say, unused_port


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


def test_a_certificate_of_another_name_says_for_which(serve: t.Any, pki: Path) -> None:
    server = serve(lambda req, _body: say(req), tls=pki / "other.pem")
    with pytest.raises(ProbeError) as caught:
        ask(Route("127.0.0.1", server.port, True, FQDN, ca=str(pki / "ca.crt")))
    assert caught.value.text == f"the certificate is for other.example.test, not for {FQDN}"


def test_an_ipv6_address(serve: t.Any, pki: Path) -> None:
    server = serve(lambda req, _body: say(req), address="::1", tls=pki / "good.pem")
    assert ask(Route("::1", server.port, True, FQDN, ca=str(pki / "ca.crt"))).status == 200
    assert server.sni == [FQDN]
    proxy = Proxy({"443": serve(lambda req, _body: say(req)).port})
    assert ask(Route("2001:db8::5", 443, False, FQDN, proxy=f"http://127.0.0.1:{proxy.port}")).status == 200
    assert proxy.asked == ["[2001:db8::5]:443"]


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
