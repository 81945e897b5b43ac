# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a derived image was made by, so that a second run need not read all layers to learn that there is nothing to do."""

from __future__ import annotations

import hashlib
import inspect
import json
import typing as t

from .._nginx import address, findings, lexer, reach, rewrite, survey, tree
from .._nginx import environment as placeholders
from .._oci import derive, layers
from . import environment

# The code that decides what the new layer holds. Its text is part of the record: a changed rewriter is never taken for done.
CODE = (address, placeholders, findings, lexer, reach, rewrite, survey, tree, derive, layers, environment)
OPTIONS = ("peers", "containers", "environment", "target_environment", "unknown_environment", "host_variables")


def of(wanted: t.Mapping[str, t.Any], waive: t.Iterable[str]) -> str:
    """A digest of everything that the derivation of an image depends on beside the image. No value can be read out of it."""
    accepted = sorted(each for each in waive if each.startswith("NGX-"))
    told = [{key: wanted.get(key) or None for key in OPTIONS}, accepted, [inspect.getsource(module) for module in CODE]]
    return "sha256:" + hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
