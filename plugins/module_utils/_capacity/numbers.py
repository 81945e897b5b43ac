# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Numbers of an Auto Scaling group, as a tag spells them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Capacity:
    """``min=1,desired=2``. The maximum is never changed."""

    minimum: int
    desired: int

    def __str__(self) -> str:
        return f"min={self.minimum},desired={self.desired}"

    @classmethod
    def parse(cls, text: str) -> Capacity | None:
        """None when somebody wrote something else into the tag."""
        match = re.fullmatch(r"min=(\d+),desired=(\d+)", text.replace(" ", ""))
        return cls(int(match[1]), int(match[2])) if match else None


NONE = Capacity(0, 0)
