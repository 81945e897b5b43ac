"""Lines of HAProxy's log and answers of its command socket."""

from __future__ import annotations

import json

from lab.balancer.accesslog import parse
from lab.balancer.master import parse_workers
from lab.balancer.model import TargetKey

KEY = TargetKey("arn:blue", "i-1", 80)
NAMES = ({"listener_80": "arn:listener"}, {"tg_a": "arn:blue"}, {"tg_a/i-1_80_1": KEY})
ENTRY = {
    "client": "10.20.9.9:4711",
    "frontend": "listener_80",
    "backend": "tg_a",
    "server": "i-1_80_1",
    "status": 200,
    "target_ms": 12,
    "total_ms": 15,
    "termination": "--",
    "method": "GET",
    "host": "shop.example.test",
    "path": "/me",
}


def test_a_forwarded_request() -> None:
    request = parse(json.dumps(ENTRY), 1000.0, *NAMES)
    assert request
    assert (request.time, request.listener, request.group, request.target) == (1000.0, "arn:listener", "arn:blue", KEY)
    assert (request.status, request.target_status, request.target_time, request.total_time) == (200, 200, 0.012, 0.015)


def test_an_answer_of_the_load_balancer_itself() -> None:
    request = parse(json.dumps({**ENTRY, "backend": "listener_80", "server": "<NOSRV>", "status": 301, "target_ms": -1}), 1000.0, *NAMES)
    assert request
    assert (request.group, request.target, request.status, request.target_status, request.target_time) == (None, None, 301, None, None)


def test_a_target_that_did_not_answer_is_still_named() -> None:
    request = parse(json.dumps({**ENTRY, "status": 502, "target_ms": -1, "termination": "SC"}), 1000.0, *NAMES)
    assert request
    assert (request.target, request.target_status) == (KEY, None)


def test_other_lines_are_no_requests() -> None:
    assert parse("Server tg_a/i-1_80_1 is DOWN", 1000.0, *NAMES) is None
    assert parse('{"client":"10.2', 1000.0, *NAMES) is None


def test_workers() -> None:
    listed = "#<PID> <type> <reloads>\n10  master  2 [failed: 0]  0d00h00m02s\n# workers\n34  worker  0  0d\n# old workers\n28  worker  1  0d\n27  worker  2  0d\n# programs\n\n"
    assert parse_workers(listed) == (34, [28, 27])
    assert parse_workers("") == (None, [])
