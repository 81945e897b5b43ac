# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The customers' KMS keys behind the secrets that the containers read: who reads those must be allowed to decrypt with the key. Values are never read."""

from __future__ import annotations

import re
import typing as t

from .._translate.rights import secret_names
from .artefacts import containers
from .read import Reader, Shape, chunks, each, together, unique

GONE = ["ResourceNotFoundException", "NotFoundException", "ParameterNotFound"]
OF_AWS = "alias/aws/"
AT_A_TIME = 50
"""Names of one DescribeParameters. [B ParameterStringFilter.Values]"""
_ARN = re.compile(r"^arn:[a-z-]+:(secretsmanager|ssm):([a-z0-9-]+):(\d{12}):(?:secret:|parameter/)(.+)$")


def read_secret_keys(read: Reader, services: t.Sequence[Shape], path: str) -> dict[str, str]:
    """``secret_keys`` of a side: what a container names (``valueFrom`` without JSON key and version) -> ARN of the customer's key.

    Nothing is asked unless a container has secrets. Those of other accounts and regions are left out: who may read them there may not look at them.
    """
    named = unique(name for container in containers(services) for name in secret_names(container))
    here = read.clients.region
    parts = {name: _ARN.match(name) for name in named}
    own = [name for name, match in parts.items() if match is None or (match[2], match[3]) == (here, read.clients.account_id())]
    of_store = [name for name in own if (match := parts[name]) and match[1] == "secretsmanager"]
    where = f"{path}.secret_keys"
    answers = together(
        secrets=lambda: dict(zip(of_store, each(lambda arn: _of_secret(read, arn, where), of_store), strict=True)),
        parameters=lambda: _of_parameters(read, [name for name in own if name not in of_store], where),
    )
    used = {name: key for name, key in {**answers["secrets"], **answers["parameters"]}.items() if key and OF_AWS not in key}
    keys = unique(used.values())
    customers = dict(zip(keys, each(lambda key: _customers(read, key, where), keys), strict=True))
    return {name: customers[key] for name, key in sorted(used.items()) if customers[key]}


def parameter(name: str) -> str:
    """A parameter's name from its ARN: only names in a hierarchy begin with a slash, which the ARN doesn't tell twice."""
    match = _ARN.match(name)
    rest = match[4] if match else name
    return f"/{rest}" if match and "/" in rest else rest


def _of_secret(read: Reader, arn: str, path: str) -> str | None:
    """Without a key of its own it has AWS's. [B DescribeSecretResponse.KmsKeyId]"""
    found: Shape = read.if_possible(path, {}, lambda: read.one("secretsmanager", "describe_secret", SecretId=arn), GONE)
    return found.get("KmsKeyId")


def _of_parameters(read: Reader, wanted: t.Sequence[str], path: str) -> dict[str, str | None]:
    """Only encrypted ones have a key. [B ParameterMetadata.KeyId]"""

    def ask(part: t.Sequence[str]) -> list[Shape]:
        which = [{"Key": "Name", "Option": "Equals", "Values": [parameter(name) for name in part]}]
        return read.if_possible(path, [], lambda: read.all("ssm", "describe_parameters", "Parameters", ParameterFilters=which))

    keys = {item["Name"]: item.get("KeyId") for part in chunks(wanted, AT_A_TIME) for item in ask(part)}
    return {name: keys.get(parameter(name)) for name in wanted}


def _customers(read: Reader, key: str, path: str) -> str | None:
    """The ARN of a key by id, alias or ARN; None for one that AWS keeps. [B KeyMetadata.KeyManager]"""
    found: Shape = read.if_possible(path, {}, lambda: read.one("kms", "describe_key", KeyId=key), GONE)
    metadata = found.get("KeyMetadata") or {}
    return metadata["Arn"] if metadata.get("KeyManager") == "CUSTOMER" else None
