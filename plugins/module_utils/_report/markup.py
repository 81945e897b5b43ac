# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""HTML by functions: what is not built here is text, and text is escaped."""

from __future__ import annotations

import html
import typing as t


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Markup


def escape(content: Content) -> Markup:
    return content if isinstance(content, Markup) else Markup(html.escape(content))


def join(contents: t.Iterable[Content]) -> Markup:
    return Markup("".join(map(escape, contents)))


def tag(name: str, *contents: Content, **attributes: str | int | float | None) -> Markup:
    """``tag("a", "text", href="x")``. A final underscore is dropped (``class_``), other underscores become hyphens, None leaves the attribute out.

    >>> tag("p", "1 < 2", class_="note")
    '<p class="note">1 &lt; 2</p>'
    """
    told = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"' for key, value in attributes.items() if value is not None)
    return Markup(f"<{name}{told}>{join(contents)}</{name}>")


def link(address: str, text: Content) -> Content:
    """A link to a documentation page; anything that is no web address stays text."""
    return tag("a", text, href=address, rel="noreferrer") if address.startswith(("https://", "http://")) else text
