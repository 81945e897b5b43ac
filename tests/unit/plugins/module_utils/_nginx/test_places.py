"""Every place where a conf can name a container, and what cannot be decided there: one positive and one harmless case per rule."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._nginx import findings
from ansible_collections.cutover.fargate.plugins.module_utils._nginx.rewrite import EnvironmentEdit, Rewrite, rewrite

PEERS = {"php-fpm": "127.0.0.1", "api": "127.0.0.1"}


def done(data: str | dict[str, str], **options: t.Any) -> Rewrite:
    files = data if isinstance(data, dict) else {"a.conf": data}
    return rewrite({path: text.encode() for path, text in files.items()}, PEERS, **options)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("tunnel_pass api:80;", id="tunnel_pass"),
        pytest.param("mail { auth_http api:9000/auth; }", id="auth_http without a scheme"),
        pytest.param("mail { auth_http http://api/auth; }", id="auth_http"),
        pytest.param("stream { server { listen 1; proxy_pass api:5432; } }", id="stream"),
        pytest.param("stream { upstream api { server api:5432; } server { listen 1; proxy_pass api; } }".replace("server api", "server  api"), id="stream upstream"),
        pytest.param("upstream php-fpm { server php-fpm; } server { listen 1; location / { fastcgi_pass php-fpm; } }", id="an upstream's server without a port"),
        pytest.param("resolver 10.0.0.2 api:5353 valid=30s;", id="resolver"),
        pytest.param("set_real_ip_from api;", id="set_real_ip_from"),
        pytest.param("error_log syslog:server=api:5140,tag=x info;", id="syslog"),
        pytest.param("access_log syslog:facility=local7,server=api combined;", id="syslog, not first"),
        pytest.param("proxy_pass $scheme://api:81$request_uri;", id="the scheme of the request"),
        pytest.param("proxy_pass http://api?x=1;", id="only arguments"),
        pytest.param("proxy_pass HTTP://API:81;", id="capitals"),
        pytest.param("geo $b { default api:81; 10.0.0.0/8 other.example.com:81; } proxy_pass http://$b;", id="geo"),
        pytest.param("split_clients $uri $b { 50% api:81; * other.example.com:81; } proxy_pass http://$b;", id="split_clients"),
        pytest.param("map $uri $b { hostnames; volatile; default api; } proxy_pass http://$b;", id="a map's options, a value without a port"),
        pytest.param("set $B http://api:81; proxy_pass ${b}/x;", id="variables have no case, and may be in braces"),
        pytest.param("fastcgi_pass php-fpm:$port;", id="a variable port"),
    ],
)
def test_the_host_changes_in_every_address(before: str) -> None:
    result = done(before)
    (edit,) = result.edits
    assert edit.before.lower() in PEERS
    assert result.changed == {"a.conf": (before[: edit.start] + "127.0.0.1" + before[edit.end :]).encode()}
    assert not [each for each in result.findings if each.severity == "BLOCKER"]


FINDINGS: dict[str, list[tuple[str, str]]] = {
    # id: (text in which it is found, text in which it is not)
    "NGX-UNDECIDABLE": [
        ("fastcgi_pass php-$version:9000;", "fastcgi_pass php-fpm:9000;"),
        ("fastcgi_pass ${PHP:-php-fpm}:9000;", "fastcgi_pass php-fpm:9000;"),
        ('fastcgi_pass "{{ php_host }}:9000";', "fastcgi_pass php-fpm:9000;"),
        ("fastcgi_pass __PHP__:9000;", "fastcgi_pass php__fpm.example.com:9000;"),
    ],
    "NGX-HOST-VARIABLE": [("set $v php-fpm; fastcgi_pass $v:9000;", "set $v php-fpm:9000; fastcgi_pass $v;")],
    "NGX-VARIABLE": [("fastcgi_pass $v:9000;", "set $v x.example.com; fastcgi_pass $v;"), ("fastcgi_pass $v;", "map $uri $v { default a.b:1; } fastcgi_pass $v;")],
    "NGX-PORT-CLASH": [
        ("fastcgi_pass php-fpm:9000; proxy_pass http://api:9000;", "fastcgi_pass php-fpm:9000; proxy_pass http://api:9001;"),
        ("upstream a { server php-fpm; server api; }", "upstream a { server php-fpm; server php-fpm; }"),
        ("proxy_pass http://php-fpm; proxy_pass http://api:80;", "proxy_pass http://php-fpm; proxy_pass https://api;"),
    ],
    "NGX-LISTEN-CLASH": [
        ("server { location / { proxy_pass http://api; } }", "server { listen 8080; location / { proxy_pass http://api; } }"),
        ("server { listen [::]:81 default_server; } proxy_pass http://api:81;", "server { listen 82; } proxy_pass http://api:81;"),
    ],
    "NGX-NO-PORT": [
        ("fastcgi_pass php-fpm;", "upstream php-fpm { server x.example.com:1; } fastcgi_pass php-fpm;"),
        ("stream { server { listen 1; proxy_pass api; } }", "stream { server { listen 1; proxy_pass api:2; } }"),
        ("upstream api { server a.b; } stream { server { listen 1; proxy_pass api; } }", "upstream api { server a.b; } proxy_pass http://api;"),
    ],
    "NGX-UPSTREAM-PORT": [("upstream Api { server a.b; } proxy_pass http://api:80;", "upstream Api { server api:90; } proxy_pass http://api;")],
    "NGX-SCHEME": [("fastcgi_pass tcp://php-fpm:9000;", "grpc_pass grpcs://php-fpm:9000;")],
    "NGX-RESOLVER": [
        ("resolver 127.0.0.11 valid=10s;", "resolver 169.254.169.253;"),
        ("resolver 127.0.0.11:53;", "resolver 127.0.0.110;"),
        ("resolver 172.17.0.1;", "resolver 172.170.0.1;"),
        ("resolver 10.20.0.2 172.18.0.1 ipv6=off;", "resolver 172.18.0.2;"),
    ],
    "NGX-DOCKER-RANGE": [
        ("allow 172.17.0.0/16;", "allow 172.31.0.0/16;"),
        ("set_real_ip_from 172.18.0.1;", "set_real_ip_from 172.170.0.1;"),
        ("deny 172.20.1.1;", "deny all;"),
    ],
    "NGX-DOCKER-ADDRESS": [("fastcgi_pass 172.17.0.1:9000;", "fastcgi_pass 127.0.0.1:9000;")],
    "NGX-ADDRESS": [("upstream u { server 10.0.3.7:9000; }", "upstream u { server 8.8.8.8:9000; }"), ("proxy_pass http://192.168.1.1;", "proxy_pass http://localhost;")],
    "NGX-UNKNOWN-HOST": [("fastcgi_pass app:9000;", "fastcgi_pass app.example.com:9000;"), ("proxy_pass http://u;", "upstream u { server a.b; } proxy_pass http://u;")],
    "NGX-SOCKET": [("fastcgi_pass unix:/run/php.sock;", "fastcgi_pass php-fpm:9000;"), ("proxy_pass http://UNIX:/a:/b;", "proxy_pass http://api/unix:;")],
    "NGX-LUA": [
        ('content_by_lua_block { connect("php-fpm", 9000) }', 'content_by_lua_block { connect("php-fpm.example.com", 9000) }'),
        ("content_by_lua 'local u = \"http://api:80/\"';", "content_by_lua 'local api = 1';"),
    ],
    "NGX-MENTION": [("health_check uri=http://api:80/;", "proxy_set_header X api;"), ("return 302 http://api/x;", "server_name api;")],
    "NGX-COMMENT": [("# fastcgi_pass php-fpm:9000;\n", "# fastcgi_pass other:9000;\n"), ("#server api:80;\n", "# see api:80\n")],
    "NGX-TEMPLATE": [("{% if a %} user b; {% endif %}", 'log_format x "{{}}";'), ("server { {{ getenv x }} }", "server { return 200 {; }".replace("{;", "a;"))],
    "NGX-BOM": [("\ufeffuser a;", "user a; # \ufeff")],
    "NGX-SYNTAX": [("user a", "user a;"), ("server {", "server { }")],
}


@pytest.mark.parametrize(("identity", "text"), [(identity, case[0]) for identity, cases in FINDINGS.items() for case in cases])
def test_what_a_person_must_know_is_told(identity: str, text: str) -> None:
    found = [each for each in done(text).findings if each.id == identity]
    assert len(found) == 1
    assert found[0].line > 0
    assert found[0].column > 0


@pytest.mark.parametrize(("identity", "text"), [(identity, case[1]) for identity, cases in FINDINGS.items() for case in cases])
def test_and_only_with_a_reason(identity: str, text: str) -> None:
    assert identity not in [each.id for each in done(text).findings]


def test_every_kind_of_finding_has_its_cases() -> None:
    elsewhere = {"NGX-EXPOSE-CLASH", "NGX-ENVIRONMENT", "NGX-ENVIRONMENT-VALUE", "NGX-ENVIRONMENT-KEPT", "NGX-PLACEHOLDER", "NGX-LINK"}
    assert {each for each in findings.KINDS if each.startswith("NGX")} == set(FINDINGS) | elsewhere


@pytest.mark.parametrize("text", ["fastcgi_pass php-fpm;", "fastcgi_pass tcp://php-fpm:9000;", "upstream api { server a.b; } proxy_pass http://api:80;", "fastcgi_pass php-$v:9000;"])
def test_what_cannot_be_decided_is_left(text: str) -> None:
    assert done(text).changed == {}


def test_a_file_that_cannot_be_read_is_a_blocker_only_when_a_peer_is_in_it() -> None:
    assert [each.severity for each in done("fastcgi_pass php-fpm:9000").findings] == ["BLOCKER"]
    assert [each.severity for each in done("fastcgi_pass php-fpm2:9000").findings] == ["WARN"]


def test_two_names_of_one_container_do_not_clash() -> None:
    assert not done("fastcgi_pass php-fpm:9000; fastcgi_pass api:9000;", containers={"api": "php-fpm"}).findings


def test_a_variable_that_holds_only_hosts_is_followed_on_the_users_word() -> None:
    text = "set $v php-fpm; map $uri $w { default $v; /x api; } fastcgi_pass $v:9000; proxy_pass http://$w:81;"
    assert done(text).changed == {}
    result = done(text, host_variables=["$v", "W"])
    assert [edit.before for edit in result.edits] == ["php-fpm", "api"]
    assert result.findings == []


TEMPLATE = "default.conf.template"


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        pytest.param("fastcgi_pass ${H}:9000;", {"H": "php-fpm"}, {"H": "127.0.0.1"}, id="the host"),
        pytest.param("fastcgi_pass $H:$P;", {"H": "PHP-FPM", "P": "9000"}, {"H": "127.0.0.1"}, id="host and port"),
        pytest.param("fastcgi_pass ${U};", {"U": "php-fpm:9000"}, {"U": "127.0.0.1:9000"}, id="all of it in one"),
        pytest.param("proxy_pass ${U};", {"U": "http://api:81/x"}, {"U": "http://127.0.0.1:81/x"}, id="a URL"),
        pytest.param("proxy_pass ${U}; fastcgi_pass ${H}:1;", {"U": "http://api:81", "H": "php-fpm"}, {"H": "127.0.0.1", "U": "http://127.0.0.1:81"}, id="two"),
        pytest.param("upstream u { server ${H}:${P} max_fails=2; }", {"H": "api", "P": "1"}, {"H": "127.0.0.1"}, id="an upstream's server"),
        pytest.param("set $b ${H}:9000; fastcgi_pass $b;", {"H": "api"}, {"H": "127.0.0.1"}, id="through a variable of the conf"),
        pytest.param("fastcgi_pass ${H}:9000;", {"H": "php.example.com"}, {}, id="another host"),
        pytest.param("fastcgi_pass ${H}:9000;", {"H": "127.0.0.1"}, {}, id="changed already"),
        pytest.param("fastcgi_pass unix:${S};", {"S": "/run/x"}, {}, id="a socket"),
    ],
)
def test_placeholders_are_followed_to_the_environment(text: str, environment: dict[str, str], expected: dict[str, str]) -> None:
    result = done({TEMPLATE: text}, environment=environment)
    assert {edit.name: edit.after for edit in result.environment} == expected
    assert result.changed == {}
    assert not [each for each in result.findings if each.severity == "BLOCKER"]
    again = done({TEMPLATE: text}, environment={**environment, **expected})
    assert again.environment == []


def test_the_place_that_uses_the_variable_is_told() -> None:
    result = done({TEMPLATE: "\n  fastcgi_pass ${H}:9000;"}, environment={"H": "php-fpm"})
    assert result.environment == [EnvironmentEdit("H", "php-fpm", "127.0.0.1", "php-fpm", TEMPLATE, 2, 16)]
    assert [(each.id, each.severity, each.line, each.column) for each in result.findings] == [("NGX-ENVIRONMENT", "ACTION", 2, 16)]


def test_a_literal_beside_a_placeholder_is_edited_in_the_template() -> None:
    assert done({TEMPLATE: "fastcgi_pass php-fpm:${P};"}, environment={"P": "9000"}).changed == {TEMPLATE: b"fastcgi_pass 127.0.0.1:${P};"}


@pytest.mark.parametrize(
    ("text", "environment", "identity"),
    [
        ("fastcgi_pass ${H}:9000;", {}, "NGX-PLACEHOLDER"),
        ("fastcgi_pass ${H};", {"OTHER": "x"}, "NGX-PLACEHOLDER"),
        ("fastcgi_pass php${H}:9000;", {"H": "-fpm"}, "NGX-UNDECIDABLE"),
        ("fastcgi_pass ${H};", {"H": "php-fpm:9000; root /"}, "NGX-ENVIRONMENT-VALUE"),
    ],
)
def test_placeholders_that_cannot_be_followed_stop_the_rewrite(text: str, environment: dict[str, str], identity: str) -> None:
    assert [(each.id, each.severity) for each in done({TEMPLATE: text}, environment=environment).findings] == [(identity, "BLOCKER")]


def test_an_unknown_environment_leaves_it_to_a_person() -> None:
    assert [(each.id, each.severity) for each in done({TEMPLATE: "fastcgi_pass ${H}:9000;"}).findings] == [("NGX-VARIABLE", "ACTION")]


def test_outside_of_templates_the_confs_own_variables_win() -> None:
    text = "set $H api:1; fastcgi_pass $H;"
    assert done(text, environment={"H": "php-fpm:1"}).environment == []
    assert done(text, environment={"H": "php-fpm:1"}).changed == {"a.conf": b"set $H 127.0.0.1:1; fastcgi_pass $H;"}
    # What a template sets is replaced before nginx reads it.
    assert [edit.name for edit in done({TEMPLATE: text}, environment={"H": "php-fpm:1"}).environment] == ["H"]


def test_upstreams_values_and_streams_are_followed_over_includes() -> None:
    files = {
        "etc/nginx/nginx.conf": "http { map $host $b { include maps/backends; } include conf.d/*.conf; } stream { include streams/*; }",
        "etc/nginx/maps/backends": "shop.example.com api:81; default php-fpm:82;",
        "etc/nginx/conf.d/site.conf": "upstream php { include servers.inc; } server { listen 1; location / { proxy_pass http://$b; } }",
        "etc/nginx/servers.inc": "server php-fpm:9000 backup;",
        "etc/nginx/streams/db": "upstream api { server api:5432; } server { listen 2; proxy_pass api; }",
    }
    result = done(files)
    assert sorted((edit.path, edit.before) for edit in result.edits) == [
        ("etc/nginx/maps/backends", "api"),
        ("etc/nginx/maps/backends", "php-fpm"),
        ("etc/nginx/servers.inc", "php-fpm"),
        ("etc/nginx/streams/db", "api"),
    ]
    assert result.findings == []


def test_an_edit_names_the_pass_that_uses_it() -> None:
    (edit,) = done("set $b api:81;\n location / { proxy_pass http://$b; }").edits
    assert (edit.line, edit.column, edit.directive, edit.via) == (1, 8, "set", "proxy_pass")


def test_a_new_host_that_is_itself_a_peer_is_never_replaced_again() -> None:
    peers = {"a": "b", "b": "127.0.0.1"}
    once = rewrite({"x": b"fastcgi_pass a:1;"}, peers).changed["x"]
    assert once == b"fastcgi_pass b:1;"
    assert rewrite({"x": once}, peers).changed == {}
