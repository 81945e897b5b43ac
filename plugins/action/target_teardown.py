# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.cutover.fargate.plugins.module_utils._teardown.target import ARGUMENT_SPEC, run
from ansible_collections.cutover.fargate.plugins.plugin_utils._action import ProgressAction


class ActionModule(ProgressAction):
    """Tells of each removal as it happens."""

    ARGUMENT_SPEC = ARGUMENT_SPEC
    work = staticmethod(run)
