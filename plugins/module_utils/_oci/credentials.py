# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Credentials that ``docker login`` (or podman, skopeo, buildah with --authfile) left on this machine, for registries other than Amazon ECR."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess
import typing as t

HUB = "https://index.docker.io/v1/"


def stored(host: str, environment: t.Mapping[str, str] = os.environ) -> tuple[str, str]:
    """(user, password) for a registry's host, ('', '') when there are none. '' is Docker Hub.

    https://docs.docker.com/reference/cli/docker/login/#credential-stores
    """
    folder = environment.get("DOCKER_CONFIG") or os.path.join(environment.get("HOME") or "~", ".docker")
    try:
        config = json.loads((pathlib.Path(folder).expanduser() / "config.json").read_bytes())
    except (OSError, ValueError):
        return "", ""
    if not isinstance(config, dict):
        return "", ""
    name = host or HUB
    helper = config.get("credHelpers", {}).get(name) or config.get("credsStore")
    if helper:
        return _ask(str(helper), name)
    entry = config.get("auths", {}).get(name) or config.get("auths", {}).get(f"https://{name}") or {}
    try:
        user, _, password = base64.b64decode(entry.get("auth", "")).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def _ask(helper: str, name: str) -> tuple[str, str]:
    """https://github.com/docker/docker-credential-helpers: the name goes in, {Username, Secret} comes out."""
    try:
        done = subprocess.run([f"docker-credential-{helper}", "get"], input=name.encode(), capture_output=True, timeout=30, check=True)
        given = json.loads(done.stdout)
        return str(given["Username"]), str(given["Secret"])
    except (OSError, ValueError, KeyError, subprocess.SubprocessError):
        return "", ""
