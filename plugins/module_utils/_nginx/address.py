# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What an address argument of a directive says, and where in it the host stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

# scheme://, then the authority: everything up to the first "/" or "?" or the end.
# https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass and the other *_pass directives
SCHEME = re.compile(rb"(?i)(https?|grpcs?|s?uwsgi|fastcgi|tcp|\$\{?scheme\}?)://")
UNIX = re.compile(rb"(?i)unix:")
AUTHORITY = re.compile(rb"[^/?]*")
VARIABLE = re.compile(rb"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")


@dataclass(frozen=True)
class Address:
    """``host`` is as written; ``start`` and ``end`` are its offsets inside the text. ``port`` is None also for a port that is a variable."""

    host: bytes
    port: int | None
    start: int
    end: int
    scheme: bytes = b""
    has_port: bool = False

    @property
    def key(self) -> str:
        """nginx compares host and upstream names without regard to case."""
        return self.host.decode("latin-1").lower()


@dataclass(frozen=True)
class VariableAddress:
    """The whole authority is one variable: its values are the addresses. With ``has_port`` (``$v:9000``) they are hosts."""

    name: str
    has_port: bool = False


@dataclass(frozen=True)
class Socket:
    """``unix:/path``: no host is involved."""


@dataclass(frozen=True)
class Undecidable:
    """A variable is mixed with other text: the host is known only at run time."""

    text: str


def parse(raw: bytes) -> Address | VariableAddress | Socket | Undecidable | None:
    """The address in the raw text of a word; None for an IPv6 literal, which cannot name a container."""
    scheme = SCHEME.match(raw)
    start = scheme.end() if scheme else 0
    if UNIX.match(raw, start):
        return Socket()
    if raw[start : start + 1] == b"[":
        return None
    found = AUTHORITY.match(raw, start)
    authority = found[0] if found else b""
    variable = VARIABLE.match(authority)
    if variable and authority[variable.end() : variable.end() + 1] in (b"", b":"):
        return VariableAddress((variable[1] or variable[2]).decode("latin-1"), has_port=variable.end() < len(authority))
    host, colon, port = authority.partition(b":")
    if b"$" in host:
        return Undecidable(raw.decode("latin-1"))
    return Address(host, int(port) if port.isdigit() else None, start, start + len(host), scheme[1].lower() if scheme else b"", bool(colon))
