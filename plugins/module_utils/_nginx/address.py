# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What an address argument of a directive says, and where in it the host stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

# scheme://, then the authority: everything up to the first "/" or the end.
# https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass and the other *_pass directives
SCHEME = re.compile(rb"(?i)(https?|grpcs?|s?uwsgi|fastcgi|tcp)://")
UNIX = re.compile(rb"(?i)unix:")
ONE_VARIABLE = re.compile(rb"\$(?:\{(\w+)\}|(\w+))\Z")


@dataclass(frozen=True)
class Address:
    """``host`` is as written; ``start`` and ``end`` are its offsets inside the raw word."""

    host: bytes
    port: int | None
    start: int
    end: int
    scheme: bytes = b""

    @property
    def key(self) -> str:
        """nginx compares host and upstream names without regard to case."""
        return self.host.decode("latin-1").lower()


@dataclass(frozen=True)
class VariableAddress:
    """The whole authority is one variable: its values are the addresses."""

    name: str


@dataclass(frozen=True)
class Undecidable:
    """A variable is mixed with other text: the host is known only at run time."""

    text: str


def parse(raw: bytes) -> Address | VariableAddress | Undecidable | None:
    """The address in the raw text of a word; None for a socket or an IPv6 literal (neither can name a container)."""
    scheme = SCHEME.match(raw)
    start = scheme.end() if scheme else 0
    if UNIX.match(raw, start) or raw[start : start + 1] == b"[":
        return None
    slash = raw.find(b"/", start)
    authority = raw[start : len(raw) if slash < 0 else slash]
    host, _, port = authority.partition(b":")
    if b"$" in host:
        variable = ONE_VARIABLE.match(authority)
        return VariableAddress((variable[1] or variable[2]).decode("latin-1")) if variable else Undecidable(raw.decode("latin-1"))
    return Address(host, int(port) if port.isdigit() else None, start, start + len(host), scheme[1] if scheme else b"")
