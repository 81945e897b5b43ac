"""What is asked of a load balancer, against real servers; and all of it: AWS's answers, a proxy, TLS."""

from __future__ import annotations

import http.server
import ipaddress
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health import addresses, probes
from ansible_collections.cutover.fargate.plugins.module_utils._health.clock import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import Failure, Service, Snapshot
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
    assert addresses.resolve("lb.example.test", by_proxy=True) == ["lb.example.test"]
    assert all(ipaddress.ip_address(address).is_loopback for address in addresses.resolve("localhost", by_proxy=False))


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
    assert "  asked at 10.20.0.10" in said
    assert "    [OK] probes: GET /health?deep=1 200" in said


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


# --- what is left out, and what is not repeated


SESSION = {"name": "session", "steps": [{"path": "/login", "on": "source"}, {"path": "/me"}]}
OWN = {"name": "own", "steps": [{"path": "/me", "on": "target"}]}
ORDER = {"name": "order", "steps": [{"path": "/order", "form": {"x": 1}}]}
ITEMS = [SESSION, OWN, {"parity": ["/"]}, ORDER]


def asked(pki: Path, seen: Snapshot, read_only: bool = False, **more: t.Any) -> list[str]:
    prober = probes.Prober(params(pki, probes=ITEMS, **more), Clock(), read_only)
    return [probe["name"] for probe in prober.probes(seen)]


def test_without_the_other_side_its_probes_are_left_out_and_that_is_said(pki: Path) -> None:
    """Before a scale-in the old side's silence is measured, after it nobody is there, after a teardown not even its load balancer."""
    seen = Snapshot(side="target", other_load_balancer={"DNSName": "old"}, other_targets=True)
    assert asked(pki, seen, compare_load_balancer="shop") == ["session", "own", "parity with the other side", "order"]
    assert seen.left_out == []
    assert asked(pki, seen, compare_load_balancer=None) == ["own", "order"]
    assert seen.left_out == ["session, parity with the other side: not asked, since the source is left alone here"]
    for changes, reason in (({"other_targets": False}, "the source has no targets"), ({"other_load_balancer": None}, "the source has no load balancer")):
        alone = replace(seen, **changes)
        assert asked(pki, alone, compare_load_balancer="shop") == ["own", "order"]
        assert all(text.endswith(reason) for text in alone.left_out)


def test_what_could_not_be_read_of_the_other_side_leaves_nothing_out(pki: Path) -> None:
    seen = Snapshot(side="target", failures=[Failure("other_load_balancer", "ThrottlingException")])
    assert "session" in asked(pki, seen, compare_load_balancer="shop")


def test_check_mode_says_what_it_did_not_ask(pki: Path) -> None:
    seen = Snapshot(side="target", other_load_balancer={"DNSName": "old"}, other_targets=True)
    assert asked(pki, seen, read_only=True, compare_load_balancer="shop") == ["session", "own", "parity with the other side"]
    assert seen.left_out == ["order: not asked, since check mode asks only what reads"]


def test_where_nothing_is_left_to_ask_the_usual_is_asked(pki: Path) -> None:
    """Target groups may be content with a page that the application does not make: a rollback must not trust them alone."""
    seen = Snapshot(side="source")
    prober = probes.Prober(params(pki, probes=[{"parity": ["/"]}]), Clock())
    assert [probe["name"] for probe in prober.probes(seen)] == ["GET /"]
    assert seen.left_out == ["parity with the other side: not asked, since the target is left alone here"]


@pytest.mark.parametrize("name", ["redirect", "redirect to HTTPS", "bare name"])
def test_a_probe_named_like_one_of_ours_is_asked(serve: t.Any, pki: Path, name: str) -> None:
    server = serve(balancer(), tls=pki / "good.pem")
    plain = serve(to_https(server))
    probes.Prober(params(pki, probes=[{"name": name, "steps": [{"path": "/mine"}]}]), Clock())(snapshot(server, plain.port))
    assert ("GET", "/mine") in [entry[:2] for entry in server.asked]


class Till(t.NamedTuple):
    """A shop that takes orders; what it answers to whom may be changed."""

    asked: list[str]
    statuses: dict[str, int]

    def __call__(self, req: http.server.BaseHTTPRequestHandler, _body: str) -> None:
        self.asked.append(f"{req.command} {req.path}")
        say(req, self.statuses.get(req.path, 200))


def till(serve: t.Any, pki: Path, now: list[float], pause: float = 0.0, **statuses: int) -> tuple[Till, probes.Prober, Snapshot]:
    shop = Till([], {f"/{path}": status for path, status in statuses.items()})
    server = serve(shop, tls=pki / "good.pem")
    seen = snapshot(server, 1)
    seen.listeners = seen.listeners[:1]
    items = [ORDER, {"name": "again", "steps": [{"path": "/again", "form": {}}]}, {"name": "look", "steps": [{"path": "/look"}]}]
    return shop, probes.Prober(params(pki, probes=items, poll_seconds=pause), Clock(lambda: now[0], lambda: now[0])), seen


def test_an_order_that_passed_is_not_placed_again_while_another_probe_fails(serve: t.Any, pki: Path) -> None:
    shop, prober, seen = till(serve, pki, [0.0], again=500)
    for _look in range(3):
        prober(seen)
    assert [shop.asked.count(what) for what in ("POST /order", "POST /again", "GET /look")] == [1, 3, 3]


def test_an_order_is_not_placed_again_because_addresses_come_and_go(serve: t.Any, pki: Path) -> None:
    """One look in which DescribeNetworkInterfaces was refused: then the name is resolved, to the same addresses or others."""
    shop, prober, seen = till(serve, pki, [0.0], look=500)
    shop.statuses.clear()
    shop.statuses["/again"] = 500
    for addresses_seen in (["127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["127.0.0.1"]):
        seen.addresses = addresses_seen
        prober(seen)
    assert shop.asked.count("POST /order") == 1


def test_no_order_is_placed_where_something_else_is_wrong(serve: t.Any, pki: Path) -> None:
    """A page that only reads fails, or a service is not steady: that is told, and the order waits."""
    shop, prober, seen = till(serve, pki, [0.0], look=500)
    assert [result.probe for result in prober(seen)] == ["look", "bare name"]
    assert seen.left_out[-1] == "order, again: not asked, since they write and not everything else is in order"
    shop.statuses.clear()
    seen.steady = False
    assert [result.probe for result in prober(seen)] == ["look", "bare name"]
    assert not [what for what in shop.asked if what.startswith("POST")]
    seen.steady = True
    assert {result.probe for result in prober(seen)} == {"order", "again", "look", "bare name"}


def test_an_order_that_fails_is_tried_again_after_pauses_that_double(serve: t.Any, pki: Path) -> None:
    now = [0.0]
    shop, prober, seen = till(serve, pki, now, 5.0, order=500)
    placed = []
    for second in range(0, 400, 5):
        now[0] = float(second)
        before = shop.asked.count("POST /order")
        assert not all(result.ok for result in prober(seen))
        placed += [second] * (shop.asked.count("POST /order") - before)
    assert placed == [0, 10, 30, 70, 150, 270, 390]
    shop.statuses.clear()
    now[0] = 510.0
    assert all(result.ok for result in prober(seen))


def test_the_redirect_must_lead_to_the_same_name(serve: t.Any, pki: Path) -> None:
    server = serve(balancer(), tls=pki / "good.pem")
    plain = serve(lambda req, _body: say(req, 301, "", Location="https://elsewhere.example.test/"))
    results = probes.Prober(params(pki), Clock())(snapshot(server, plain.port))
    assert next(result.problem for result in results if result.probe == "redirect to HTTPS") == "expect"


def test_a_listener_may_redirect_to_another_name() -> None:
    listeners = [
        {"Protocol": "HTTPS", "Port": 443},
        {"Protocol": "HTTP", "Port": 80, "DefaultActions": [{"RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "Host": "www.#{host}", "StatusCode": "HTTP_302"}}]},
    ]
    found = probes.redirect_probe(listeners, FQDN)
    assert found is not None
    assert found[0]["steps"][0]["expect"] == {"status": 302, "header": {"Location": f"https://www.{FQDN}"}}


def test_the_sets_run_against_a_balancer(serve: t.Any, pki: Path) -> None:
    """``http`` asks front page and health path, the redirect and the bare name come by themselves."""
    server = serve(balancer(404), tls=pki / "good.pem")
    plain = serve(to_https(server))
    results = probes.Prober(params(pki, probes=[{"set": "http"}]), Clock())(snapshot(server, plain.port))
    assert {result.probe: result.problem for result in results} == {"GET /": "", "GET /health": "", "redirect to HTTPS": "", "bare name": ""}


def test_what_differs_from_the_source_from_end_to_end(serve: t.Any, pki: Path) -> None:
    server, old = (serve(lambda req, _body, text=text: say(req, 200, text), tls=pki / "good.pem") for text in ("new", "old"))
    seen = snapshot(server, 1, old)
    seen.listeners, seen.other_targets = seen.listeners[:1], True
    results = probes.Prober(params(pki, probes=[{"parity": ["/"]}], compare_load_balancer="shop"), Clock())(seen)
    assert [(result.probe, result.problem) for result in results] == [("parity with the other side", "differs"), ("bare name", "")]
