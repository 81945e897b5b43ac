# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.cutover.fargate.plugins.module_utils._ecr.arguments import ARGUMENT_SPEC
from ansible_collections.cutover.fargate.plugins.module_utils._ecr.image import run
from ansible_collections.cutover.fargate.plugins.plugin_utils._action import ProgressAction


class ActionModule(ProgressAction):
    """Shows the transfer as it happens; the work is the module's."""

    ARGUMENT_SPEC = ARGUMENT_SPEC
    work = staticmethod(run)
