"""The browser's view: links, redirects and cookies fit http://127.0.0.1."""

from __future__ import annotations

from lab.proxy import _answer_headers, _request_headers

BASE = "http://127.0.0.1:4603"


def test_redirects_and_cookies_fit_the_browser() -> None:
    answer = [("Location", "https://shop.example.test/me"), ("Set-Cookie", "s=1; path=/; secure; httponly; domain=shop.example.test"), ("Connection", "close")]
    assert _answer_headers(answer, BASE) == [("Location", f"{BASE}/me"), ("Set-Cookie", "s=1; path=/; httponly")]


def test_other_redirects_are_left_alone() -> None:
    assert _answer_headers([("Location", "https://elsewhere.example/")], BASE) == [("Location", "https://elsewhere.example/")]


def test_the_shop_sees_its_own_name() -> None:
    headers = _request_headers([("Host", "127.0.0.1:4603"), ("Origin", BASE), ("Accept-Encoding", "gzip"), ("Cookie", "s=1")], BASE)
    assert headers == {"Origin": "https://shop.example.test", "Cookie": "s=1", "Host": "shop.example.test"}
