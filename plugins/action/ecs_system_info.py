# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.cutover.fargate.plugins.plugin_utils._quiet import QuietAction


class ActionModule(QuietAction):
    """The system's environment variables and user data are secrets."""
