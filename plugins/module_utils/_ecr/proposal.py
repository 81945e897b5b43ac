# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What one image would become."""

from __future__ import annotations

import dataclasses
import typing as t

from .._nginx import rewrite
from .._nginx.findings import BLOCKER, Finding
from .._oci import derive, layers
from .._oci.registry import Manifest
from .environment import Settled


@dataclasses.dataclass(frozen=True)
class Part:
    """One platform: the image, what comes of it, its confs before and after. What is there already, made by the same, was not read: then only the first two."""

    image: derive.Image
    derived: derive.Derived
    entries: t.Sequence[layers.Entry] = ()
    rewritten: rewrite.Rewrite = dataclasses.field(default_factory=rewrite.Rewrite)
    before: t.Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    environment: Settled = dataclasses.field(default_factory=Settled)


@dataclasses.dataclass(frozen=True)
class Proposal:
    """One image of all platforms that are kept. What is the same in several platforms is told once."""

    wanted: t.Mapping[str, t.Any]
    source: derive.Source
    parts: t.Sequence[Part]
    repository: t.Mapping[str, t.Any] | None
    present_digest: str | None

    @property
    def name(self) -> str:
        return f"{self.wanted['repository']}:{self.wanted['tag']}"

    @property
    def derived(self) -> list[derive.Derived]:
        return [part.derived for part in self.parts]

    @property
    def manifest(self) -> Manifest:
        return derive.index(self.source, self.derived)

    @property
    def is_present(self) -> bool:
        return self.present_digest == self.manifest.digest

    @property
    def is_source(self) -> bool:
        """Whether the source's image can be used as it is: nothing in it needs a change, and nothing was left undecided."""
        return not (self.edits or self.variables or any(each.severity == BLOCKER for each in self.findings))

    @property
    def is_used_as_it_is(self) -> bool:
        """A tag that holds something else would be taken for the derived image, so then the source's is put under it."""
        return self.is_source and self.present_digest is None

    @property
    def is_done(self) -> bool:
        return self.is_present or self.is_used_as_it_is

    @property
    def state(self) -> str:
        return "source" if self.is_used_as_it_is else "present" if self.is_present else "derived"

    @property
    def edits(self) -> list[rewrite.Edit]:
        return list(dict.fromkeys(edit for part in self.parts for edit in part.rewritten.edits))

    @property
    def findings(self) -> list[Finding]:
        return list(dict.fromkeys(finding for part in self.parts for finding in part.environment.findings))

    @property
    def variables(self) -> list[rewrite.EnvironmentEdit]:
        """The image's own variables that get another value."""
        return list(dict.fromkeys(edit for part in self.parts for edit in part.environment.image))

    @property
    def carried(self) -> list[rewrite.EnvironmentEdit]:
        """Variables of the container definition that must get another value."""
        return list(dict.fromkeys(edit for part in self.parts for edit in part.environment.definition))

    @property
    def changed(self) -> list[str]:
        return sorted({path for part in self.parts for path in part.rewritten.changed})
