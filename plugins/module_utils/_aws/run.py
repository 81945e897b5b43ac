# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How a work function is started: by a module (here) or by an action plugin (``plugins/plugin_utils/_action.py``)."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .clients import Clients
from .errors import BotoCoreError, ClientError, CutoverError, explain

__all__ = ["ARGUMENTS", "KNOWN_AFTER_APPLY", "BotoCoreError", "ClientError", "Progress", "Result", "Work", "perform", "run_module", "silent"]

Result = t.Dict[str, t.Any]
Work = t.Callable[[t.Mapping[str, t.Any], Clients, bool], Result]

Progress = t.Callable[[str], None]

KNOWN_AFTER_APPLY = "(known after apply)"

ARGUMENTS: dict[str, dict[str, t.Any]] = {"account_id": {"type": "str"}}


def silent(line: str) -> None:
    """The progress of a work function that a module runs: a module cannot speak before it ends."""
    del line


def run_module(work: Work, argument_spec: t.Mapping[str, t.Any], mask: t.Callable[[t.Any], t.Any] | None = None, **options: t.Any) -> None:
    """Build the module, do the work, report. ``options`` go to AnsibleAWSModule (required_if ...).

    ``mask`` is for modules whose parameters may hold secrets (the environment of a container). Their options are ``no_log``, so that nothing
    reaches syslog. But Ansible would then hide every text of them wherever it occurs, a port or the name "web" too; so the parameters are shown
    masked instead, and the result is as the work function gives it.
    """
    module = AnsibleAWSModule(argument_spec={**ARGUMENTS, **argument_spec}, supports_check_mode=True, **options)
    shown: Result = {}
    if mask is not None:
        shown = {"invocation": {"module_args": mask(module.params)}}
        # AnsibleAWSModule wraps the AnsibleModule that hides values, and has no way of its own to it.
        module._module.no_log_values = {value for name in ("secret_key", "session_token") if (value := module.params.get(name))}
    result, failure = perform(work, module.params, Clients(module.params), module.check_mode)
    if failure is None:
        module.exit_json(**result, **shown)
    else:
        module.fail_json(msg=mask(failure) if mask else failure, **result, **shown)


def perform(work: Work, params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool) -> tuple[Result, str | None]:
    """Do the work; give the result and, when it failed, one line that says why."""
    try:
        clients.check_account(params.get("account_id"))
        return work(params, clients, check_mode), None
    except CutoverError as error:
        return error.details, error.message
    except (BotoCoreError, ClientError) as error:
        return {}, explain(error)
