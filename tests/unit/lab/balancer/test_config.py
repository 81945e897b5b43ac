"""HAProxy's configuration of a load balancer; where HAProxy is installed, it reads the result too."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lab.balancer.config import OPEN, STATUS_LINES, Files, Server, backend_name, error_page, render, server_lines, used_groups
from lab.balancer.model import BalancerConfig, HealthCheck, Listener, Rule, Stickiness, Target, TargetGroup
from lab.balancer.quoting import literal, quoted

BLUE, GREEN, IDLE = (f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/1" for name in ("blue", "green", "idle"))
TARGET = Target("10.20.1.11", "10.20.1.11", 80)
REDIRECT = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"},
}
NOT_FOUND = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "not\n\"here\" 100% $HOME it's"}}


def forward(**weights: int) -> dict[str, Any]:
    arns = {"blue": BLUE, "green": GREEN}
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arns[name], "Weight": weight} for name, weight in weights.items()]}}


def configuration(*rules: Rule, default: dict[str, Any] | None = None, **attributes: Any) -> BalancerConfig:
    listener = Listener("arn:listener", 80, rules=rules, default_actions=[default or forward(blue=1)])
    return BalancerConfig([listener], [TargetGroup(BLUE), TargetGroup(GREEN), TargetGroup(IDLE)], **attributes)


def rule(priority: int, action: dict[str, Any], path: str = "/a") -> Rule:
    return Rule(priority, [{"Field": "path-pattern", "Values": [path]}], [action])


@pytest.fixture
def files(tmp_path: Path) -> Files:
    for status in STATUS_LINES:
        Files(tmp_path).error(status).write_text(error_page(status), newline="")
    return Files(tmp_path)


def text(config: BalancerConfig, servers: dict[str, list[Server]] | None = None) -> str:
    return render(config, ["10.20.0.10", "10.20.0.20"], servers or {}, Files(Path("/run/x")))


def lines(config: BalancerConfig) -> list[str]:
    return [line.strip() for line in text(config).splitlines()]


def test_every_address_is_bound() -> None:
    assert {"bind 10.20.0.10:80", "bind 10.20.0.20:80"} <= set(lines(configuration()))


def test_rules_are_tried_in_the_order_of_priority_and_the_first_wins() -> None:
    found = [line for line in lines(configuration(rule(20, NOT_FOUND), rule(3, REDIRECT))) if "set-var(txn.rule)" in line]
    assert found == [
        "http-request set-var(txn.rule) str(3) if !{ var(txn.rule) -m found } rule_3_0",
        "http-request set-var(txn.rule) str(20) if !{ var(txn.rule) -m found } rule_20_0",
        "http-request set-var(txn.rule) str(default) if !{ var(txn.rule) -m found }",
    ]


def test_a_redirect_keeps_the_query_only_when_there_is_one() -> None:
    found = [line for line in lines(configuration(default=REDIRECT)) if "Location" in line]
    assert found == [
        'http-request return status 301 hdr Server awselb/2.0 hdr Location "https://%[req.hdr(host),field(1,:)]:443/%[path,regsub(^/,)]?%[query]"'
        " if { var(txn.rule) -m str default } { query -m len gt 0 }",
        'http-request return status 301 hdr Server awselb/2.0 hdr Location "https://%[req.hdr(host),field(1,:)]:443/%[path,regsub(^/,)]"'
        " if { var(txn.rule) -m str default }",
    ]


def test_a_redirect_without_details_stays_on_the_listener() -> None:
    assert any('"http://%[req.hdr(host),field(1,:)]:80/new"' in line for line in lines(configuration(default={"Type": "redirect", "RedirectConfig": {"Path": "/new", "StatusCode": "HTTP_302"}})))


def test_weights_are_shares_of_a_roll() -> None:
    found = [line for line in lines(configuration(default=forward(blue=90, green=10))) if "txn.roll" in line]
    assert found[0] == "http-request set-var(txn.roll) rand(100) if { var(txn.rule) -m str default }"
    assert f"str({backend_name(BLUE)})" in found[1]
    assert "lt 90 }" in found[1]
    assert f"str({backend_name(GREEN)})" in found[2]
    assert "lt 100 }" in found[2]


def test_a_group_of_weight_zero_gets_nothing() -> None:
    assert not [line for line in lines(configuration(default=forward(blue=1, green=0))) if f"str({backend_name(GREEN)})" in line]


def test_weights_of_zero_only_answer_503() -> None:
    assert [line for line in lines(configuration(default=forward(blue=0, green=0))) if line.startswith("http-request return status 503") and "default" in line]


def test_only_groups_some_listener_forwards_to_are_used() -> None:
    config = configuration(rule(1, forward(green=1)))
    assert used_groups(config) == {BLUE, GREEN}
    assert backend_name(IDLE) not in text(config)


def test_the_keep_alive_limit_closes_on_the_next_response() -> None:
    assert "http-after-response set-header Connection close if { date(0,ms),sub(sess.born) -m int ge 3000 }" in lines(configuration(client_keep_alive=3))


def test_targets_are_not_part_of_what_only_a_reload_changes() -> None:
    config = configuration()
    other = dataclasses.replace(config, target_groups=[TargetGroup(BLUE, [TARGET]), *config.target_groups[1:]])
    assert text(config) == text(other)


def test_a_target_is_a_checked_server_and_an_unchecked_one_for_the_day_all_are_down() -> None:
    group = TargetGroup(BLUE, health_check=HealthCheck(interval=1.5, healthy=3, unhealthy=2, port=8080))
    assert server_lines(group, Server("t_80_1", TARGET)) == [
        "t_80_1 10.20.1.11:80 check inter 1500 rise 3 fall 2 port 8080 disabled",
        f"t_80_1{OPEN} 10.20.1.11:80 backup disabled",
    ]
    assert server_lines(group, Server("t_80_1", TARGET, usable=True, open=True))[0].endswith("port 8080")


def test_health_checks_look_like_the_load_balancers() -> None:
    group = TargetGroup(BLUE, health_check=HealthCheck(path="/health?deep=1", timeout=0.5, matcher="200,301-302"))
    config = dataclasses.replace(configuration(), target_groups=[group])
    assert {
        "timeout check 500ms",
        "http-check send meth GET uri '/health?deep=1' ver HTTP/1.1 hdr Host %[bc_dst]:%[bc_dst_port] hdr User-Agent ELB-HealthChecker/2.0",
        "http-check expect status 200,301-302",
    } <= set(lines(config))


def test_an_action_the_lab_cannot_do_is_named() -> None:
    with pytest.raises(ValueError, match="authenticate-oidc"):
        text(configuration(default={"Type": "authenticate-oidc"}))


def test_error_pages_carry_the_load_balancers_name() -> None:
    head, _, body = error_page(502).partition("\r\n\r\n")
    assert "Server: awselb/2.0" in head
    assert f"Content-Length: {len(body)}" in head


def test_quoting() -> None:
    assert literal("a'b") == "'a'\\''b'"
    assert quoted('a"b\\$c\n') == '"a\\"b\\\\\\$c\\n"'


@pytest.mark.skipif(not shutil.which("haproxy"), reason="HAProxy is not installed")
@pytest.mark.parametrize("xff_mode", ["append", "preserve", "remove"])
@pytest.mark.parametrize("stickiness", [None, Stickiness(), Stickiness("app_cookie", 60, "PHPSESSID")])
def test_haproxy_reads_it(files: Files, xff_mode: str, stickiness: Stickiness | None) -> None:
    sticky = forward(blue=1, green=3)
    sticky["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    config = configuration(rule(1, REDIRECT), rule(2, NOT_FOUND, "/it's #1"), rule(3, sticky), default=forward(blue=0, green=0), xff_mode=xff_mode)
    groups = [dataclasses.replace(group, stickiness=stickiness, protocol=protocol) for group, protocol in zip(config.target_groups, ("HTTP", "HTTPS", "HTTP"), strict=True)]
    config = dataclasses.replace(config, target_groups=groups)
    files.configuration.write_text(render(config, ["127.0.0.1"], {BLUE: [Server("a_80_1", TARGET)], GREEN: [Server("b_80_2", TARGET, usable=True)]}, files))
    done = subprocess.run(["haproxy", "-c", "-f", str(files.configuration)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
