"""What is asked of a load balancer, against real servers; and all of it: AWS's answers, a proxy, TLS."""

from __future__ import annotations

import http.server
import ipaddress
import typing as t
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health import probes
from ansible_collections.cutover.fargate.plugins.module_utils._health.clock import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import Service, Snapshot
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import run as verify
from unit.plugins.module_utils._health.web import FQDN, Handler, Proxy, Server, say


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
