# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Action plugins for the steps where a person waits.

A module cannot speak before it ends. The action plugin of the same name runs the module's own work function in the controller's process and
prints each change of state as it happens.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import ARGUMENTS, perform

ProgressWork = t.Callable[..., t.Dict[str, t.Any]]


class ProgressAction(ActionBase):
    """Subclass it, set ``ARGUMENT_SPEC`` and ``work`` (params, clients, check_mode, progress) -> result."""

    TRANSFERS_FILES = False
    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = {}
    work: t.ClassVar[ProgressWork]

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        host = (task_vars or {}).get("inventory_hostname", "")
        checked = ArgumentSpecValidator({**aws_argument_spec(), **ARGUMENTS, **self.ARGUMENT_SPEC}).validate(self._task.args)
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        display = Display()

        def progress(line: str) -> None:
            display.display(f"  [{host}] {line}")

        def work(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool) -> dict[str, t.Any]:
            return type(self).work(params, clients, check_mode, progress)

        done, failure = perform(work, checked.validated_parameters, Clients(checked.validated_parameters), bool(self._task.check_mode))
        result.update(done)
        if failure is not None:
            result.update(failed=True, msg=failure)
        return result
