"""Text in HAProxy's configuration: what stands for itself and what is a format."""

from __future__ import annotations


def literal(text: str) -> str:
    """One word that stands for itself: HAProxy interprets nothing inside single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def plain(text: str) -> str:
    """Text inside a log-format that must not be read as a format."""
    return text.replace("%", "%%")


def quoted(text: str) -> str:
    """One word, possibly of several lines. Formats in it stay formats, environment variables are not expanded."""
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\r", "\\r"), ("\n", "\\n")):
        text = text.replace(character, escape)
    return f'"{text}"'
