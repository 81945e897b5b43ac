# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Action plugins for modules whose result holds secrets that the play needs, but nobody may read on the screen.

``no_log: true`` on the task would also hide why the module failed. Here the result is hidden exactly when there is one: a failure stays readable.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from ansible.utils.display import Display


class QuietAction(ActionBase):
    """Runs the module of the same name; its successful result is registered, but not shown by any callback."""

    TRANSFERS_FILES = False

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        result.update(self._execute_module(task_vars=task_vars))
        if not result.get("failed"):
            self._show(result.get("diff"))
            result["_ansible_no_log"] = True  # as ansible.builtin.include_vars hides what it read
        return result

    def _show(self, diff: t.Any) -> None:
        """The module's diff is without secrets; it would be hidden with the rest."""
        if diff and self._task.diff:
            Display().display(CallbackBase()._get_diff(diff).rstrip("\n"))
