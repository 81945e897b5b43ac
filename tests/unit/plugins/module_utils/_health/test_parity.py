"""The same question to both sides: what counts as a difference and what as noise, first as pure functions, then against real servers."""

from __future__ import annotations

import http.server
import itertools
import re
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health import parity
from ansible_collections.cutover.fargate.plugins.module_utils._health.http import Answer, Route
from ansible_collections.cutover.fargate.plugins.module_utils._health.probe_steps import Sides
from unit.plugins.module_utils._health.web import FQDN, Handler, say

NOISE = [re.compile(pattern, re.IGNORECASE) for pattern in parity.NOISE]
PAGE = '<html><head><meta name="csrf-token" content="{token}"></head><body><h1>Shop</h1><p>{text}</p><small>{at}</small></body></html>'


def pieces(text: str) -> list[str]:
    return parity.pieces(Answer(200, [], text.encode()), NOISE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<meta name="csrf-token" content="aaa">', '<meta name="csrf-token" content="bbb">'),
        ('<input type="hidden" name="_token" value="aaa" autocomplete="off">', '<input type="hidden" name="_token" value="bbb" autocomplete="off">'),
        ("<input value='1' name='authenticity_nonce'>", "<input value='2' name='authenticity_nonce'>"),
        ('<script nonce="r4nd0m">go()</script>', '<script nonce="0th3r">go()</script>'),
        ('{"csrfToken": "aaa", "price": 5}', '{"csrfToken": "bbb", "price": 5}'),
        ('{"request_id": "aaa"}', '{"request_id": "bbb"}'),
        ("at 2026-11-22T12:00:00Z", "at 2026-11-22 12:00:07.123+01:00"),
        ("Sun, 22 Nov 2026 12:00:00 GMT", "Sun, 22 Nov 2026 12:00:09 GMT"),
        ("it is 12:00:00", "it is 12:00:07"),
        ("t=1795595627", "t=1795595629"),
        ("t=1795595627123", "t=1795595629456"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 9b2e4567-e89b-12d3-a456-426614174fff"),
        ("Root=1-67891233-abcdef012345678912345678", "Root=1-67891239-abcdef012345678912345699"),
        ("<p>one   two</p>", "<p>one two</p>"),
    ],
)
def test_what_is_noise_by_default(one: str, other: str) -> None:
    assert pieces(one) == pieces(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<p>10 EUR</p>", "<p>11 EUR</p>"),
        ('<input name="coupon" value="a">', '<input name="coupon" value="b">'),
        ('<link href="/app.3f2a.css">', '<link href="/app.77aa.css">'),
        ('{"debug": true}', '{"debug": false}'),
        ("2026-11-22", "2026-11-23"),
        ("order 123456789", "order 123456780"),
    ],
)
def test_what_is_not(one: str, other: str) -> None:
    assert pieces(one) != pieces(other)


def test_a_long_answer_is_taken_apart_in_linear_time() -> None:
    """A pattern that tries again at every letter would need minutes for one of these."""
    for text in ("a" * 200_000, "<input " * 20_000, "'" * 100_000, "1" * 200_000, "a-" * 100_000):
        pieces(text)


def faces(*texts: str) -> list[parity.Face]:
    return [parity.face(Answer(200, [], text.encode()), parity.HEADERS, NOISE) for text in texts]


def test_a_difference_is_what_one_side_always_has_and_the_other_never() -> None:
    assert parity.differences(faces("<p>a</p><b>1</b>", "<p>a</p><b>2</b>"), faces("<p>a</p><b>3</b>", "<p>a</p><b>4</b>")) == []
    assert parity.differences(faces("<p>a</p><b>1</b>", "<p>a</p><b>2</b>"), faces("<p>b</p><b>3</b>", "<p>b</p><b>4</b>")) == [
        "body: only the source has 'a'; only the target has 'b'"
    ]


def test_how_often_counts() -> None:
    row = "<li>x</li>"
    assert parity.differences(faces(row * 3), faces(row * 2)) == ["body: only the source has '<li>', 'x' and 1 more"]


def test_what_is_no_text_is_compared_as_a_whole() -> None:
    found = parity.differences(
        [parity.face(Answer(200, [], b"\0\1\2"), (), NOISE)], [parity.face(Answer(200, [], b"\0\1\3"), (), NOISE)]
    )
    assert "3 bytes, SHA-256" in found[0]


# --- against servers


def compare(serve: t.Any, source: Handler, target: Handler, **probe: t.Any) -> list[t.Any]:
    routes = {name: Route("127.0.0.1", serve(handle).port, False, FQDN) for name, handle in (("source", source), ("target", target))}
    return parity.compare({"name": "faces", "parity": ["/"], **probe}, Sides("target", routes), lambda: 7.0)


def shop(status: int = 200, text: str = "hello", **headers: str) -> Handler:
    """Every answer has another token, another advert and another time."""
    count = itertools.count()

    def handle(req: http.server.BaseHTTPRequestHandler, _body: str) -> None:
        number = next(count)
        cookie = f"XSRF-TOKEN=value{number}; expires=Sun, 22 Nov 2026 14:00:0{number} GMT; Max-Age=72{number:02}; path=/; samesite=lax"
        body = PAGE.format(token=f"token{number}", text=text, at=f"advert {number}{id(count)}")
        say(req, status, body, **{"Content_Type": "text/html", "Cache_Control": "no-cache, private", "Set_Cookie": cookie, **headers})

    return handle


def test_the_same_shop_twice_differs_by_noise_only(serve: t.Any) -> None:
    results = compare(serve, shop(), shop())
    assert [(result.problem, result.text) for result in results] == [("", "GET / 200, the same on both sides")]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (shop(404), "the source answers 200, the target 404"),
        (shop(text="hullo"), "body: only the source has 'hello'; only the target has 'hullo'"),
        (shop(Content_Type="text/plain"), "header Content-Type: only the source has 'text/html'; only the target has 'text/plain'"),
        (shop(Cache_Control="public"), "header Cache-Control: only the source has 'no-cache, private'; only the target has 'public'"),
        (
            shop(Set_Cookie="other_session=1; path=/; samesite=lax"),
            "header Set-Cookie: only the source has 'XSRF-TOKEN; path=/; samesite=lax'; only the target has 'other_session; path=/; samesite=lax'",
        ),
    ],
)
def test_what_differs_is_told(serve: t.Any, target: Handler, said: str) -> None:
    result = compare(serve, shop(), target)[0]
    assert (result.problem, result.text, result.status) == ("differs", said, 404 if "404" in said else 200)


def test_a_redirect_elsewhere(serve: t.Any) -> None:
    result = compare(serve, shop(302, Location="/login"), shop(302, Location="/install"))[0]
    assert result.text == "header Location: only the source has '/login'; only the target has '/install'"


def test_the_inventory_masks_and_chooses_headers(serve: t.Any) -> None:
    one, other = shop(text="served by 10.1.1.1", Cache_Control="private"), shop(text="served by 10.2.2.2")
    assert compare(serve, one, other)[0].problem == "differs"
    assert compare(serve, one, other, mask=[r"served by [\d.]+"], headers=["Content-Type"])[0].problem == ""


def test_differences_may_be_a_warning_but_a_server_error_never_is(serve: t.Any) -> None:
    result = compare(serve, shop(), shop(text="hullo"), differences="warn")[0]
    assert (result.problem, "only a warning): body: only the source has 'hello'" in result.text) == ("", True)
    assert compare(serve, shop(), shop(500), differences="warn")[0].problem == "status"


def test_an_error_of_one_side(serve: t.Any) -> None:
    """Ours is explained like any other, theirs proves nothing about us."""
    ours, theirs = compare(serve, shop(), shop(502))[0], compare(serve, shop(503), shop())[0]
    assert (ours.problem, ours.text, ours.status) == ("status", "got 502, the source answers 200", 502)
    assert (theirs.problem, theirs.text) == ("other_side", "the source answers 503, so there is nothing to compare with")


def test_every_path_is_compared(serve: t.Any) -> None:
    def routed(req: http.server.BaseHTTPRequestHandler, body: str) -> None:
        shop(text="one" if req.path == "/b" else "same")(req, body)

    results = compare(serve, routed, shop(text="same"), parity=["/a", "/b", "/c"])
    assert [(result.step, result.problem) for result in results] == [("GET /a", ""), ("GET /b", "differs"), ("GET /c", "")]


def test_without_the_other_side_nothing_is_compared(serve: t.Any) -> None:
    routes = {"target": Route("127.0.0.1", serve(shop()).port, False, FQDN)}
    assert parity.compare({"name": "f", "parity": ["/"]}, Sides("target", routes), lambda: 7.0)[0].problem == "other_side"
