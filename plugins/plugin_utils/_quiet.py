# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Action plugins for modules whose result holds secrets that the play needs, but nobody may read on the screen.

``no_log: true`` on the task would also hide why the module failed. Here the result is hidden exactly when there is one: a failure stays readable.

The work is done in the controller's process. A module's result is searched for the values of its secret options, and what equals one is replaced:
an application that uses the same keys as the operator would get ``VALUE_SPECIFIED_IN_NO_LOG_PARAMETER`` into its task definition.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from ansible.utils.display import Display


class QuietAction(ActionBase):
    """Subclass it, set ``ARGUMENT_SPEC`` and ``produce`` (params, check_mode) -> (result, why it failed). No callback shows a successful result."""

    TRANSFERS_FILES = False
    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = {}
    produce: t.ClassVar[t.Any]

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        checked = ArgumentSpecValidator(self.ARGUMENT_SPEC).validate(self._task.args)
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        done, failure = type(self).produce(checked.validated_parameters, bool(self._task.check_mode))
        result.update(done)
        if failure is not None:
            return {**result, "failed": True, "msg": failure}
        self._show(result.get("diff"))
        result["_ansible_no_log"] = True  # as ansible.builtin.include_vars hides what it read
        return result

    def _show(self, diff: t.Any) -> None:
        """The module's diff is without secrets; it would be hidden with the rest."""
        if diff and self._task.diff:
            Display().display(CallbackBase()._get_diff(diff).rstrip("\n"))
