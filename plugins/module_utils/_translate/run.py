# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What ``fargate_plan`` does, however it is started."""

from __future__ import annotations

import typing as t

from . import comparison, planner, report
from .context import whole
from .findings import found

ARGUMENT_SPEC: dict[str, t.Any] = {"system": {"type": "dict", "required": True}, "intent": {"type": "dict", "default": {}}}


Misspelt = t.Callable[[t.Iterable[t.Any]], str | None]


def run(params: t.Mapping[str, t.Any], misspelt: Misspelt) -> dict[str, t.Any]:
    """``plan`` holds secrets; ``summary``, ``verdict``, ``blockers`` and ``diff`` are masked.

    ``misspelt`` tells what is wrong with the probes (``_health/probe_data.py``): better now than when the target is built and verification refuses them.
    """
    probes = params["intent"].get("probes")
    problem = misspelt(probes) if isinstance(probes, list) else None
    told = [found("FG-INTENT", "fargate_probes", None, expected=problem)] if problem else []
    system = whole(params["system"])
    plan = planner.plan(system, params["intent"], told)
    return {
        "changed": False,
        "plan": plan,
        "summary": report.summary(plan),
        "verdict": report.verdict(plan),
        "blockers": report.blockers(plan),
        "diff": comparison.diff(system, plan),
    }
