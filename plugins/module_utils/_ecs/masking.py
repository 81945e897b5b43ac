# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Secrets do not show in a diff; that one changed does. Pure."""

from __future__ import annotations

import typing as t

from .._translate.secrets import MASK, mask


def mask_pair(before: t.Any, after: t.Any) -> tuple[t.Any, t.Any]:
    """Both sides without secrets. One that differs is marked on the right side, else the diff would not show it.

    >>> mask_pair({"DB_PASSWORD": "old"}, {"DB_PASSWORD": "new"})
    ({'DB_PASSWORD': '********'}, {'DB_PASSWORD': '******** (changed)'})
    """
    left, right = mask(before), mask(after)
    return left, _mark(left, right, before, after)


def _mark(left: t.Any, right: t.Any, before: t.Any, after: t.Any) -> t.Any:
    if all(isinstance(side, t.Mapping) for side in (left, right, before, after)):
        return {key: _mark(left[key], item, before[key], after[key]) if key in left else item for key, item in right.items()}
    if isinstance(right, list) and isinstance(left, list) and len(left) == len(right):
        return [_mark(*sides) for sides in zip(left, right, before, after, strict=True)]
    hidden_change = isinstance(right, str) and MASK in right and left == right and before != after
    return f"{right} (changed)" if hidden_change else right
