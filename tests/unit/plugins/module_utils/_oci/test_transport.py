"""What is waited, what is repeated of an error, and what is never shown."""

from __future__ import annotations

import email.utils
import time

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._oci import transport
from ansible_collections.cutover.fargate.plugins.module_utils._oci.blob import Meter


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", 4.0), ("7", 7.0), (" 0 ", 0.0), ("86400", 60.0), ("soon", 4.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_wait(header: str, seconds: float) -> None:
    assert transport.wait(header, 4.0) == seconds


def test_wait_until_a_date() -> None:
    assert 20 < transport.wait(email.utils.formatdate(time.time() + 30, usegmt=True), 4.0) <= 31


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"errors": [{"code": "DENIED", "message": "no"}, {"code": "X", "message": "y"}]}', "DENIED: no; X: y"),
        (b"<Error><Code>SignatureDoesNotMatch</Code><Message>It does not.</Message><StringToSign>s3cr3t</StringToSign></Error>", "SignatureDoesNotMatch: It does not."),
        (b"<html>Bad gateway s3cr3t</html>", ""),
        (b'{"errors": "s3cr3t"}', ""),
        (b'"s3cr3t"', ""),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_what_an_error_says(body: bytes, said: str) -> None:
    assert transport.message(body) == said


def test_an_address_is_shown_without_what_is_signed() -> None:
    assert transport.shown("https://me:s3cr3t@bucket.example.com:8443/a/b?X-Amz-Signature=s3cr3t") == "https://bucket.example.com:8443/a/b"


def test_a_long_transfer_is_told_every_five_seconds() -> None:
    clock = iter([0.0, 1.0, 4.9, 5.0, 5.0, 6.0, 10.0, 10.0])
    told: list[str] = []
    meter = Meter("copying layer abc", 100 << 20, told.append, lambda: next(clock))
    for done in (1, 2, 30, 40, 60):
        meter(done << 20)
    assert told == ["copying layer abc: 30 of 100 MiB", "copying layer abc: 60 of 100 MiB"]
