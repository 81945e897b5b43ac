# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What must never be shown: values of secrets. Names tell most of them, shapes the rest."""

from __future__ import annotations

import re
import typing as t

MASK = "********"

_SECRET_NAME = re.compile(
    r"secret|passw|passphrase|pwd|token|credential|private|salt|signature|api_?key|app_?key|access_?key|_key$|^key$|"
    r"(?<!fastcgi)(?<!uwsgi)(?<!scgi)(?<!grpc)_pass$|^pass$|_dsn$|_auth$",
    re.IGNORECASE,
)
_PLAIN_NAME = re.compile(r"kms|public|driver|_path$|_file$|_url$|arn$|expir|ttl|lifetime|length|_id$", re.IGNORECASE)
_IN_TEXT = (
    re.compile(r"(?<=://)([^\s/@:]*:)?([^\s/@]+)(?=@)"),  # user:password@ of a URL
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"(?i)(?:(?<=password=)|(?<=password )|(?<=passwd=)|(?<=secret=)|(?<=token=)|(?<=pwd=))[^\s&;\"']+"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bbase64:[A-Za-z0-9+/=]{20,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name usually holds a secret. ``AWS_ACCESS_KEY_ID`` is half of one and counts; ``FASTCGI_PASS`` is an address."""
    return bool(_SECRET_NAME.search(name)) and (name.upper() == "AWS_ACCESS_KEY_ID" or not _PLAIN_NAME.search(name))


def mask_value(name: str, value: t.Any) -> t.Any:
    """The value of a variable as it may be shown. An ARN names a secret, it isn't one."""
    if not isinstance(value, str) or not value:
        return mask(value)
    if is_secret_name(name) and not value.startswith("arn:"):
        return MASK
    return mask_text(value)


def mask_text(text: str) -> str:
    """Text without the secrets that can be told by their shape."""
    for pattern in _IN_TEXT:
        text = pattern.sub(MASK, text)
    return text


def mask(value: t.Any) -> t.Any:
    """A copy of any JSON value without secrets: ``{name, value}`` pairs (environment) and keys of mappings are looked at."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, t.Mapping):
        pair = next((keys for keys in (("name", "value"), ("Key", "Value"), ("key", "value")) if set(value) == set(keys)), None)
        if pair:
            return {pair[0]: value[pair[0]], pair[1]: mask_value(str(value[pair[0]]), value[pair[1]])}
        return {key: mask_value(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(item) for item in value]
    return value
