# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Ephemeral storage: what the definition asks for, and what its images take. fargate-rules.md 1 ephemeralStorage"""

from __future__ import annotations

import math
import typing as t

from . import image
from .context import Context, Json
from .findings import Finding, found

DEFAULT, LARGEST = 20, 200
UNPACKED = 2.5
"""Disk that an image takes, compressed and unpacked, by its compressed size."""
FULL = 15
"""GiB of images beyond which the default leaves too little to write."""
GIB = 1024**3


def asked(draft: Json, path: str) -> t.Iterator[Finding]:
    """Ephemeral storage is 21 to 200 GiB; 20 is the default and not a legal value. fargate-rules.md 1 ephemeralStorage"""
    size = (draft.get("ephemeralStorage") or {}).get("sizeInGiB")
    if size is None:
        return
    if size <= DEFAULT:
        del draft["ephemeralStorage"]
    elif size > LARGEST:
        draft["ephemeralStorage"]["sizeInGiB"] = LARGEST
        yield found("FG-STORAGE", f"{path}.ephemeralStorage.sizeInGiB", size, LARGEST)


def images(draft: Json, source: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """Large images leave a task little of its 20 GiB: it gets more, unless the definition says how much. fargate-rules.md 1 ephemeralStorage"""
    used = {str(container.get("image")) for container in source.get("containerDefinitions") or []}
    taken = sum(_size(name, context) for name in used) * UNPACKED / GIB
    if taken > FULL and not draft.get("ephemeralStorage"):
        size = min(LARGEST, math.ceil(taken) + DEFAULT)
        draft["ephemeralStorage"] = {"sizeInGiB": size}
        yield found("FG-STORAGE-IMAGES", f"{path}.ephemeralStorage.sizeInGiB", None, size, taken=round(taken))


def _size(name: str, context: Context) -> int:
    """Bytes of an image in a repository of the account, as it is pulled; 0 when it isn't known."""
    reference = image.parse(name)
    for repository in context.source.get("repositories") or []:
        if repository.get("repositoryName") == reference.repository and str(repository.get("repositoryUri") or reference.host).startswith(reference.host):
            for item in repository.get("images") or []:
                if reference.digest == item.get("imageDigest") or (not reference.digest and (reference.tag or "latest") in (item.get("imageTags") or [])):
                    return int(item.get("imageSizeInBytes") or 0)
    return 0
