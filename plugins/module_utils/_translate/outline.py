# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the rules of readiness look at: the target as it is planned, beside the facts of the context."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .context import Json
from .network import Placement
from .task_definition import Translated


@dataclass(frozen=True)
class Outline:
    """Parts of the plan: ``grants`` are the ingress rules that other groups get for the tasks, ``egress`` those of the load balancer towards them,
    ``deletions`` the items of the teardown."""

    services: t.Sequence[Json]
    tasks: t.Sequence[Translated]
    placement: Placement
    balancer: Json | None = None
    grants: t.Sequence[Json] = field(default_factory=list)
    egress: t.Sequence[Json] = field(default_factory=list)
    deletions: t.Sequence[Json] = field(default_factory=list)

    @property
    def definitions(self) -> list[Json]:
        return [task.definition for task in self.tasks]

    def definition(self, service: Json) -> Json:
        """The task definition that a planned service runs."""
        return next((item for item in self.definitions if item.get("family") == service["family"]), {})
