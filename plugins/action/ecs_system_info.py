# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import ARGUMENTS, Result, perform
from ansible_collections.cutover.fargate.plugins.module_utils._system.system import ARGUMENT_SPEC, run
from ansible_collections.cutover.fargate.plugins.plugin_utils._quiet import QuietAction


def produce(params: t.Mapping[str, t.Any], check_mode: bool) -> tuple[Result, str | None]:
    return perform(run, params, Clients(params), check_mode)


class ActionModule(QuietAction):
    """The system's environment variables and user data are secrets."""

    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = {**aws_argument_spec(), **ARGUMENTS, **ARGUMENT_SPEC}
    produce = staticmethod(produce)
