# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which versions take part, and whether they are new enough. Told once, before anything is read."""

from __future__ import annotations

import importlib
import platform
import re
import typing as t

from .._aws.errors import CutoverError

NEEDED = {"amazon.aws": "10.0.0", "boto3": "1.34.0", "botocore": "1.34.0"}
HOW = {"amazon.aws": "ansible-galaxy collection install -U amazon.aws community.aws", "boto3": "pip install -U boto3", "botocore": "pip install -U botocore"}


def check() -> dict[str, str]:
    """The versions found; one clear line when one is too old."""
    found = {
        "python": platform.python_version(),
        "amazon.aws": _attribute("ansible_collections.amazon.aws.plugins.module_utils.common", "AMAZON_AWS_COLLECTION_VERSION"),
        "boto3": _attribute("boto3", "__version__"),
        "botocore": _attribute("botocore", "__version__"),
    }
    for name, needed in NEEDED.items():
        if older(found[name], needed):
            raise CutoverError(f"{name} {found[name]} is installed; it should be {needed} or newer ({HOW[name]}). Nothing was read or written.")
    return found


def older(found: str, needed: str) -> bool:
    """Unknown versions are not called old."""
    numbers = [_numbers(version) for version in (found, needed)]
    return bool(numbers[0]) and numbers[0] < numbers[1]


def _numbers(version: str) -> t.Tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _attribute(module: str, name: str) -> str:
    try:
        return str(getattr(importlib.import_module(module), name, ""))
    except ImportError:
        return ""
