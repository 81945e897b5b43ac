# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

from ansible_collections.cutover.fargate.plugins.module_utils._report.page import render


def plan_page(plan: t.Mapping[str, t.Any], system: t.Mapping[str, t.Any]) -> str:
    return render(system, plan)


class FilterModule:
    """The plan as a page for a browser."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"plan_page": plan_page}
