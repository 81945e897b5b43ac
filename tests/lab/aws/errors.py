"""Refusals with AWS's own code and message."""

from __future__ import annotations


class AwsError(Exception):
    """An API error as AWS answers it. ``status`` is the HTTP status; the wire shape follows the protocol of the call."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
