# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Secrets never leave: values of the tasks' environment that look secret, and what looks like a secret by itself."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from .model import Json, Snapshot

HIDDEN = "********"
SECRET_NAME = re.compile(r"pass|secret|token|key|credential|dsn|auth|salt", re.IGNORECASE)
# Quotes may be escaped: frameworks log JSON within JSON.
_QUOTES = r"""[\\"']*"""
SECRET_TEXT = (
    re.compile(r"(?i)(\b(?:bearer|basic|digest)\s+)[\w.~+/=-]{8,}"),
    re.compile(
        r"(?i)((?:password|passwd|secret|token|api[_-]?key|access[_-]?key|authorization)"
        rf"{_QUOTES}\s*(?:=>|[=:])\s*{_QUOTES})(?!YES\b|NO\b|(?:bearer|basic|digest)\b)[^\s\"',;)\\&]+"
    ),
    re.compile(r"(\w+://[^/\s:@]*:)[^@\s/]+(?=@)"),
    re.compile(r"(?i)(\b[\w-]*(?:session|signature|xsrf|csrf)[\w-]*=)[^;&\s\"']{8,}"),
    re.compile(r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"()base64:[A-Za-z0-9+/]{20,}={0,2}"),
    re.compile(r"()\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
)


def secrets_of(snapshot: Snapshot) -> set[str]:
    """Plain values of environment variables whose name says they are secret, also as a URL would hold them."""
    definitions = [definition for signal in snapshot.services for definition in (signal.newest, signal.definition) if definition]
    entries = [entry for definition in definitions for container in definition.get("containerDefinitions", []) for entry in container.get("environment", [])]
    found = {str(entry["value"]) for entry in entries if SECRET_NAME.search(str(entry.get("name", ""))) and len(str(entry.get("value", ""))) >= 6}
    return found | {urllib.parse.quote(value, safe="") for value in found}


def mask_text(text: str, secrets: t.Iterable[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in SECRET_TEXT:
        text = pattern.sub(lambda match: match[1] + HIDDEN, text)
    return text


def mask(value: t.Any, secrets: t.Collection[str]) -> t.Any:
    """The same shape, every text masked."""
    if isinstance(value, str):
        return mask_text(value, secrets)
    if isinstance(value, dict):
        masked: Json = {key: mask(entry, secrets) for key, entry in value.items()}
        return masked
    return [mask(entry, secrets) for entry in value] if isinstance(value, list) else value
