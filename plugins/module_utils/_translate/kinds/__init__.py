# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""All kinds of findings by id, from one table for each subject. docs/guide/findings.md is made from them."""

from __future__ import annotations

from . import (
    application,
    attachments,
    connect,
    containers,
    images,
    load_balancers,
    logs,
    network,
    peers,
    records,
    registries,
    services,
    surroundings,
    system,
    task_definition,
    volumes,
)
from .kind import Kind

SUBJECTS = (
    system,
    task_definition,
    images,
    peers,
    containers,
    logs,
    volumes,
    attachments,
    application,
    services,
    connect,
    registries,
    surroundings,
    network,
    load_balancers,
    records,
)
KINDS: dict[str, Kind] = {kind.id: kind for subject in SUBJECTS for kind in subject.KINDS}
