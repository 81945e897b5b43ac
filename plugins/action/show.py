# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

ARGUMENT_SPEC = {"lines": {"type": "list", "elements": "str", "required": True}}


class ActionModule(ActionBase):
    """One call to the display, so that the lines of two systems never mix."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(self._task.args)
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        Display().display("\n".join(f"  {line}".rstrip() for line in ["", *checked.validated_parameters["lines"], ""]))
        return {**result, "changed": False}
