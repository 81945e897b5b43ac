"""HAProxy's configuration for a load balancer, as a pure function.

A request is handled in three steps, because HAProxy runs all ``http-request`` rules before any ``use_backend``: the rules' conditions choose
``txn.rule`` in the order of priority, the rule's action answers or chooses ``txn.group``, and one line at the end forwards.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.balancer.conditions import acl_lines
from lab.balancer.model import Action, BalancerConfig, HealthCheck, Listener, Target, TargetGroup
from lab.balancer.quoting import literal, plain, quoted

SERVER_HEADER = "awselb/2.0"  # marks what the load balancer answers itself
STATUS_LINES = {
    400: "400 Bad Request",
    408: "408 Request Time-out",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}
ALGORITHMS = {"round_robin": "roundrobin", "least_outstanding_requests": "leastconn", "weighted_random": "random"}
OPEN = ":open"  # a target's second server: without checks and only used when every checked one is down (AWS fails open)
DEFAULT_RULE = "default"
ACCESS_LOG = (
    '{"client":"%ci:%cp","frontend":"%f","backend":"%b","server":"%s","status":%ST,"target_ms":%Tr,"total_ms":%Ta,"termination":"%ts",'
    '"method":"%HM","host":"%[var(txn.host),bytes(0,255),json(utf8s)]","path":"%[var(txn.path),bytes(0,1024),json(utf8s)]"}'
)


@dataclass(frozen=True)
class Server:
    """A registered target as a line of a backend. ``usable``: gets traffic; ``open``: gets traffic when no target of the group is usable."""

    name: str
    target: Target
    usable: bool = False
    open: bool = False


@dataclass(frozen=True)
class Files:
    """Where one HAProxy keeps its sockets and error pages."""

    folder: Path

    @property
    def configuration(self) -> Path:
        return self.folder / "haproxy.cfg"

    @property
    def master(self) -> Path:
        return self.folder / "master.sock"

    @property
    def statistics(self) -> Path:
        return self.folder / "stats.sock"

    @property
    def log(self) -> Path:
        return self.folder / "log.sock"

    @property
    def output(self) -> Path:
        return self.folder / "haproxy.log"

    def error(self, status: int) -> Path:
        return self.folder / f"{status}.http"


def backend_name(group: str) -> str:
    """HAProxy's name of a target group: an ARN has characters HAProxy does not take."""
    return "tg_" + hashlib.sha256(group.encode()).hexdigest()[:12]


def frontend_name(listener: Listener) -> str:
    return f"listener_{listener.port}"


def error_page(status: int) -> str:
    """What an ALB answers with when it cannot forward."""
    body = _page(STATUS_LINES[status])
    head = [f"HTTP/1.1 {STATUS_LINES[status]}", f"Server: {SERVER_HEADER}", "Content-Type: text/html", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", body])


def _page(title: str) -> str:
    return f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"


def used_groups(config: BalancerConfig) -> set[str]:
    """Target groups some listener forwards to; AWS calls the targets of others unused."""
    actions = [action for listener in config.listeners for chosen in _all_actions(listener) for action in chosen]
    return {key for action in actions for key in _weights(action)}


def _all_actions(listener: Listener) -> list[Sequence[Action]]:
    return [listener.default_actions, *(rule.actions for rule in listener.rules)]


def render(config: BalancerConfig, addresses: Sequence[str], servers: Mapping[str, Sequence[Server]], files: Files) -> str:
    """The whole file. With no servers given it is the part that only a reload can change."""
    used = used_groups(config)
    lines = [*_global(config, files), *_defaults(config, files)]
    for listener in sorted(config.listeners, key=lambda listener: listener.port):
        lines += _frontend(listener, config, addresses, files)
    for group in sorted(config.target_groups, key=lambda group: group.key):
        if group.key in used:
            lines += _backend(group, config, servers.get(group.key, ()), files)
    return "\n".join([*lines, ""])


def _section(head: str, lines: Iterable[str]) -> list[str]:
    return [head, *(f"  {line}" for line in lines)]


def milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _global(config: BalancerConfig, files: Files) -> list[str]:
    return _section(
        "global",
        [
            f"stats socket {files.statistics} mode 600 level admin expose-fd listeners",
            f"log {files.log} len 8192 format raw local0",
            f"hard-stop-after {milliseconds(stop_limit(config))}ms",
            "ssl-default-bind-options ssl-min-ver TLSv1.2",
            "tune.ssl.default-dh-param 2048",
            "tune.bufsize 65536",  # an ALB takes headers of 64 KB in all
        ],
    )


def stop_limit(config: BalancerConfig) -> float:
    """How long a worker lives on after a reload: its idle connections end after the idle timeout, a running request is waited for."""
    return config.idle_timeout * 2 + 60


def _defaults(config: BalancerConfig, files: Files) -> list[str]:
    idle = milliseconds(config.idle_timeout)
    return _section(
        "defaults",
        [
            "mode http",
            "log global",
            "option dontlognull",
            "option http-ignore-probes",
            "option idle-close-on-response",  # a reload never closes a connection on which a request may be on its way
            f"timeout connect {milliseconds(config.connect_timeout)}ms",
            *(f"timeout {kind} {idle}ms" for kind in ("client", "server", "http-keep-alive", "http-request")),
            "retries 0",
            *(f"errorfile {status} {files.error(status)}" for status in STATUS_LINES),
        ],
    )


# Listeners


def _frontend(listener: Listener, config: BalancerConfig, addresses: Sequence[str], files: Files) -> list[str]:
    rules = sorted(listener.rules, key=lambda rule: rule.priority)
    lines = [f"bind {address}:{listener.port}{_tls(listener, config)}" for address in addresses]
    lines += [f"log-format {quoted(ACCESS_LOG)}", *_request_headers(config), *_connection_age(config)]
    for rule in rules:
        names, acls = acl_lines(f"rule_{rule.priority}", rule.conditions)
        lines += [*acls, f"http-request set-var(txn.rule) str({rule.priority}) if !{{ var(txn.rule) -m found }} {' '.join(names)}".rstrip()]
    lines.append(f"http-request set-var(txn.rule) str({DEFAULT_RULE}) if !{{ var(txn.rule) -m found }}")
    for name, actions in [*((str(rule.priority), rule.actions) for rule in rules), (DEFAULT_RULE, listener.default_actions)]:
        for action in actions:
            lines += _action_lines(action, f"{{ var(txn.rule) -m str {name} }}", listener, files)
    lines.append("use_backend %[var(txn.group)] if { var(txn.group) -m found }")
    return _section(f"frontend {frontend_name(listener)}", lines)


def _tls(listener: Listener, config: BalancerConfig) -> str:
    if listener.protocol != "HTTPS":
        return ""
    protocols = "h2,http/1.1" if config.http2 else "http/1.1"
    return " ssl" + "".join(f" crt {certificate}" for certificate in listener.certificates) + f" alpn {protocols}"


def _request_headers(config: BalancerConfig) -> list[str]:
    """X-Forwarded-* and X-Amzn-Trace-Id as an ALB sets them: the forwarded chain is appended to, a caller's trace keeps its Root."""
    forwarded = "X-Forwarded-For"
    lines = {
        "append": [
            f"http-request set-header {forwarded} %[req.fhdr({forwarded})],\\ %[src] if {{ req.fhdr({forwarded}) -m found }}",
            f"http-request set-header {forwarded} %[src] if !{{ req.fhdr({forwarded}) -m found }}",
        ],
        "remove": [f"http-request del-header {forwarded}"],
    }.get(config.xff_mode, [])
    trace = "1-%[date,hex,bytes(8,8)]-%[uuid(4),regsub(-,,g),bytes(0,24)]"
    return [
        "http-request set-var(txn.began) date(0,ms)",
        "http-request set-var(txn.host) req.hdr(host)",
        "http-request set-var(txn.path) path",
        *lines,
        "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
        "http-request set-header X-Forwarded-Proto http if !{ ssl_fc }",
        "http-request set-header X-Forwarded-Port %[dst_port]",
        "http-request set-var(txn.traced) bool(true) if { req.hdr(X-Amzn-Trace-Id) -m found }",
        f"http-request set-header X-Amzn-Trace-Id Self={trace};%[req.fhdr(X-Amzn-Trace-Id)] if {{ var(txn.traced) -m bool }}",
        f"http-request set-header X-Amzn-Trace-Id Root={trace} if !{{ var(txn.traced) -m found }}",
    ]


def _connection_age(config: BalancerConfig) -> list[str]:
    """client_keep_alive.seconds: the first response after it closes the connection, so a client asks DNS again.

    Of HTTP/1.1 only: HAProxy 2.6 has no way to end an HTTP/2 connection with a response; those end by the idle timeout or the next reload.
    """
    limit = milliseconds(config.client_keep_alive)
    return [
        "tcp-request session set-var(sess.born) date(0,ms)",
        f"http-after-response set-header Connection close if {{ date(0,ms),sub(sess.born) -m int ge {limit} }}",
    ]


# Actions


def _action_lines(action: Action, condition: str, listener: Listener, files: Files) -> list[str]:
    kind = action["Type"]
    if kind == "forward":
        return _forward(action, condition, files)
    if kind == "redirect":
        return _redirect(action["RedirectConfig"], condition, listener)
    if kind == "fixed-response":
        return [_fixed(action["FixedResponseConfig"], condition)]
    raise ValueError(f"action {kind!r} of listener {listener.port} is not one the lab's load balancer knows (forward, redirect, fixed-response)")


def _weights(action: Action) -> dict[str, int]:
    """{target group: weight} of a forward action; other actions forward to none."""
    if action.get("Type") != "forward":
        return {}
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}


def _forward(action: Action, condition: str, files: Files) -> list[str]:
    """A share of ``rand(total)`` for each group; a group of weight 0 gets nothing, and with weights of 0 only nobody can answer."""
    weights = _weights(action)
    total = sum(weights.values())
    if len(weights) == 1:
        return [f"http-request set-var(txn.group) str({backend_name(next(iter(weights)))}) if {condition}"]
    if not total:
        return [f"http-request return status 503 errorfile {files.error(503)} if {condition}"]
    lines, limit = [f"http-request set-var(txn.roll) rand({total}) if {condition}"], 0
    sticky = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig") or {}
    if sticky.get("Enabled"):
        lines += _group_cookie(weights, int(sticky.get("DurationSeconds", 3600)), condition)
    for key, weight in weights.items():
        limit += weight
        share = f"{{ var(txn.roll) -m int lt {limit} }} !{{ var(txn.group) -m found }}"
        lines += [f"http-request set-var(txn.group) str({backend_name(key)}) if {condition} {share}"] if weight else []
    return lines


def _group_cookie(weights: Mapping[str, int], duration: int, condition: str) -> Iterator[str]:
    for key in weights:
        name = backend_name(key)
        yield f"http-request set-var(txn.group) str({name}) if {condition} {{ req.cook(AWSALBTG) -m str {name} }}"
    cookie = f"AWSALBTG=%[var(txn.group)];\\ Expires=%[date({duration}),http_date];\\ Path=/"
    yield f"http-response add-header Set-Cookie {cookie} if {condition}"


def _redirect(redirect: Mapping[str, Any], condition: str, listener: Listener) -> list[str]:
    """Location has protocol, host and port in full, as AWS sends it; the query only when there is one."""
    status = str(redirect["StatusCode"]).removeprefix("HTTP_")
    location = "".join(
        [
            _expand(str(redirect.get("Protocol", "#{protocol}")), listener).lower(),
            "://",
            _expand(redirect.get("Host", "#{host}"), listener),
            ":",
            _expand(str(redirect.get("Port", "#{port}")), listener),
            _expand(redirect.get("Path", "/#{path}"), listener),
        ]
    )
    query = redirect.get("Query", "#{query}")
    answer = f"http-request return status {status} hdr Server {SERVER_HEADER} hdr Location"
    if not query:
        return [f"{answer} {quoted(location)} if {condition}"]
    full = f"{answer} {quoted(location + '?' + _expand(query, listener))} if {condition}"
    return [f"{full} {{ query -m len gt 0 }}", f"{answer} {quoted(location)} if {condition}"] if query == "#{query}" else [full]


def _expand(template: str, listener: Listener) -> str:
    """AWS's placeholders as log-format expressions; everything else is literal."""
    known = {
        "#{protocol}": listener.protocol.lower(),
        "#{host}": "%[req.hdr(host),field(1,:)]",
        "#{port}": str(listener.port),
        "#{path}": "%[path,regsub(^/,)]",
        "#{query}": "%[query]",
    }
    parts = re.split(r"(#\{[a-z]+\})", template)
    return "".join(known.get(part, plain(part)) for part in parts)


def _fixed(fixed: Mapping[str, Any], condition: str) -> str:
    body, kind = fixed.get("MessageBody") or "", fixed.get("ContentType") or "text/plain"
    payload = f" content-type {literal(kind + '; charset=utf-8')} string {quoted(body)}" if body else ""
    return f"http-request return status {fixed['StatusCode']}{payload} hdr Server {SERVER_HEADER} if {condition}"


# Target groups


def _backend(group: TargetGroup, config: BalancerConfig, servers: Sequence[Server], files: Files) -> list[str]:
    name = backend_name(group.key)
    lines = [
        f"balance {ALGORITHMS.get(group.algorithm, 'roundrobin')}",
        "option allbackups",
        *_checks(group.health_check),
        f"http-request return status 503 errorfile {files.error(503)} if {{ nbsrv({name}) eq 0 }} !{{ stopping }}",  # a worker that stops counts none
        *_connection_failure(config),
        *_stickiness(group),
    ]
    for server in servers:
        lines += [f"server {line}" for line in server_lines(group, server)]
    return _section(f"backend {name}", lines)


def _checks(check: HealthCheck) -> list[str]:
    return [
        "option httpchk",
        f"timeout check {milliseconds(check.timeout)}ms",
        f"http-check send meth GET uri {literal(check.path)} ver HTTP/1.1 hdr Host %[bc_dst]:%[bc_dst_port] hdr User-Agent ELB-HealthChecker/2.0",
        f"http-check expect status {check.matcher}",
    ]


def _connection_failure(config: BalancerConfig) -> list[str]:
    """HAProxy calls every failed connection 503. AWS: 502 when the target refuses, 504 when it does not answer in time. A target's own 503 stays."""
    slow = f"date(0,ms),sub(txn.began),div({milliseconds(config.connect_timeout)})"
    failed = "{ status 503 } { srv_id -m found } !{ var(txn.answered) -m found }"
    title = f"%[{slow},iif({STATUS_LINES[504]},{STATUS_LINES[502]})]"
    return [
        "http-response set-var(txn.answered) bool(true)",
        f"http-error status 503 content-type text/html lf-string {quoted(_page(title))} hdr Server {SERVER_HEADER}",
        f"http-after-response set-status 504 reason 'Gateway Time-out' if {failed} {{ {slow} -m int gt 0 }}",
        f"http-after-response set-status 502 reason 'Bad Gateway' if {failed}",
    ]


def _stickiness(group: TargetGroup) -> list[str]:
    sticky = group.stickiness
    if sticky is None:
        return []
    if sticky.kind == "app_cookie":
        return [
            f"stick-table type string len 128 size 100k expire {milliseconds(sticky.duration)}ms",
            f"stick match req.cook({sticky.cookie})",
            f"stick store-response res.cook({sticky.cookie})",
        ]
    cookie = f"AWSALB=%[srv_name,regsub({OPEN}$,),base64];\\ Expires=%[date({max(1, round(sticky.duration))}),http_date];\\ Path=/"
    return [
        "use-server %[req.cook(AWSALB),ub64dec] if { req.cook(AWSALB) -m found }",
        f"http-response add-header Set-Cookie {cookie}",
    ]


def server_lines(group: TargetGroup, server: Server) -> list[str]:
    """A target's two servers, as arguments of ``server`` in the file and of ``add server`` at run time."""
    check, address = group.health_check, f"{server.target.address}:{server.target.port}"
    options = (" ssl verify none" if group.protocol == "HTTPS" else "") + (" proto h2" if group.protocol_version in ("HTTP2", "GRPC") else "")
    checked = f" check inter {milliseconds(check.interval)} rise {check.healthy} fall {check.unhealthy}"
    checked += f" port {check.port}" if check.port else ""
    checked += " check-ssl verify none" if check.protocol == "HTTPS" and group.protocol != "HTTPS" else ""
    checked += " no-check-ssl" if check.protocol != "HTTPS" and group.protocol == "HTTPS" else ""
    return [
        f"{server.name} {address}{options}{checked}{'' if server.usable else ' disabled'}",
        f"{server.name}{OPEN} {address}{options} backup{'' if server.open else ' disabled'}",
    ]
