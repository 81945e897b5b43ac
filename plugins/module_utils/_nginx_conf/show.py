# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A conf as it may be shown: passwords that people write into confs (fastcgi_param, set, proxy_set_header) stay out of diffs."""

from __future__ import annotations

import dataclasses
import typing as t

from .._nginx import lexer
from .._nginx.environment import EnvironmentEdit
from .._translate.secrets import MASK, is_secret_name, mask_text, mask_value

SECRET_HEADERS = frozenset(["authorization", "cookie", "proxy-authorization"])


def masked(data: bytes) -> str:
    """The text of a conf without secrets. The lines stay the same, so that a diff shows the edits and nothing else."""
    try:
        directives = lexer.parse(data)
    except lexer.ConfError:
        return mask_text(_text(data))
    spans = []
    for directive, _around in lexer.walk(directives):
        for name, value in zip(directive.words[:-1], directive.words[1:], strict=True):
            if _is_secret(name.value.decode("latin-1")) and b"\n" not in value.raw and not value.raw.startswith(b"$"):
                spans.append((value.start, value.end))
    for start, end in reversed(spans):
        data = data[:start] + MASK.encode() + data[end:]
    return mask_text(_text(data))


def masked_edit(edit: EnvironmentEdit) -> dict[str, t.Any]:
    """An address may carry a password; the host is never secret."""
    return {**dataclasses.asdict(edit), "before": mask_value(edit.name, edit.before), "after": mask_value(edit.name, edit.after)}


def _is_secret(name: str) -> bool:
    name = name.lstrip("$")
    # Directives such as ssl_certificate_key and proxy_pass name files and addresses, not secrets.
    return name.lower() in SECRET_HEADERS or (is_secret_name(name) and not name.endswith(("_pass", "certificate_key", "_key_zone", "ticket_key")))


def _text(data: bytes) -> str:
    """UTF-8, else Latin-1: both sides of a diff must be read alike, and no byte may get lost."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
