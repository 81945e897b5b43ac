# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

from ansible_collections.cutover.fargate.plugins.module_utils._health.probe_data import misspelt
from ansible_collections.cutover.fargate.plugins.module_utils._translate.run import ARGUMENT_SPEC, run
from ansible_collections.cutover.fargate.plugins.plugin_utils._quiet import QuietAction


def produce(params: t.Mapping[str, t.Any], check_mode: bool) -> tuple[dict[str, t.Any], None]:
    del check_mode  # planning writes nothing
    return run(params, misspelt), None


class ActionModule(QuietAction):
    """The environment variables of the task definitions are secrets."""

    ARGUMENT_SPEC = ARGUMENT_SPEC
    produce = staticmethod(produce)
