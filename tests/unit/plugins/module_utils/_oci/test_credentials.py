"""What docker login left is found, also behind a credential helper; anything unreadable is no credentials."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._oci.credentials import HUB, stored

AUTH = {"auth": base64.b64encode(b"me:pass:word").decode()}
HELPER = """#!/bin/sh
read -r name
[ "$1 $name" = "get registry.example.com" ] || exit 1
echo '{"Username": "helped", "Secret": "word"}'
"""


@pytest.mark.parametrize(
    ("config", "host", "expected"),
    [
        ({"auths": {"registry.example.com": AUTH}}, "registry.example.com", ("me", "pass:word")),
        ({"auths": {"https://registry.example.com": AUTH}}, "registry.example.com", ("me", "pass:word")),
        ({"auths": {HUB: AUTH}}, "", ("me", "pass:word")),
        ({"auths": {"registry.example.com": AUTH}}, "other.example.com", ("", "")),
        ({"auths": {"registry.example.com": {}}}, "registry.example.com", ("", "")),
        ({"auths": {"registry.example.com": {"auth": "%%%"}}}, "registry.example.com", ("", "")),
        ({"credsStore": "test"}, "registry.example.com", ("helped", "word")),
        ({"credHelpers": {"registry.example.com": "test"}}, "registry.example.com", ("helped", "word")),
        ({"credsStore": "test"}, "other.example.com", ("", "")),
        ({"credsStore": "absent"}, "registry.example.com", ("", "")),
        ("not a dict", "registry.example.com", ("", "")),
    ],
)
def test_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Any, host: str, expected: tuple[str, str]) -> None:
    helper = tmp_path / "docker-credential-test"
    helper.write_text(HELPER)
    helper.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert stored(host, {"DOCKER_CONFIG": str(tmp_path)}) == expected


def test_nobody_logged_in(tmp_path: Path) -> None:
    assert stored("registry.example.com", {"HOME": str(tmp_path)}) == ("", "")
