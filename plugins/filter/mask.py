# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

from ansible_collections.cutover.fargate.plugins.module_utils._translate.secrets import mask


class FilterModule:
    """What is written or printed goes through here."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"mask": mask}
