"""Secrets in quoted lines."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health.mask import mask, mask_text, secrets_of


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("DB_PASSWORD=topsecret1 x", "topsecret1"),
        ('"password":"topsecret1"', "topsecret1"),
        ("'password' => 'topsecret1'", "topsecret1"),
        ("redis://user:topsecret1@host:6379", "topsecret1"),
        ("redis://:topsecret1@host:6379", "topsecret1"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("Authorization: Basic dXNlcjp0b3BzZWNyZXQx", "dXNlcjp0b3BzZWNyZXQx"),
        (r'context {\"password\":\"topsecret1\",\"user\":\"u\"}', "topsecret1"),
        (r'{\\"DB_PASSWORD\\":\\"topsecret1\\"}', "topsecret1"),
        ("POST /login user=u&password=topsecret1&x=1", "topsecret1"),
        ("Cookie: shop_session=eyJpdiI6IjZ5c2VjcmV0Igtopsecret1; a=b", "topsecret1"),
        ("GET /x?X-Amz-Signature=0123456789abcdef&y=1", "0123456789abcdef"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"),
        ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
        ("APP_KEY base64:2fl+Ktvkfl+Fuz4Qp/A75G2RTiWVA/ZoKZvp6fiiM10=", "2fl+Ktvkfl"),
    ],
)
def test_what_looks_secret_is_masked(text: str, secret: str) -> None:
    assert secret not in mask_text(text, ())


@pytest.mark.parametrize("text", ["Access denied for user 'shop'@'10.20.1.11' (using password: YES)", "http://10.20.1.11:80/health", "NOAUTH Authentication required."])
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_text(text, ()) == text


def test_secrets_of_the_environment(kit: t.Any) -> None:
    secrets = secrets_of(kit.make())
    assert secrets == {"hunter2hunter2"}
    assert mask({"a": ["x hunter2hunter2 y", 1, None]}, secrets) == {"a": ["x ******** y", 1, None]}


def test_a_secret_in_a_url_is_found_too(kit: t.Any) -> None:
    snapshot = kit.make({"services/0/newest/containerDefinitions/1/environment/1/value": "p@ss/w:rd!"})
    assert mask("dsn p%40ss%2Fw%3Ard%21 end", secrets_of(snapshot)) == "dsn ******** end"
