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
