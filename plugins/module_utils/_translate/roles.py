# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Roles that the inventory names. fargate-rules.md 1 taskRoleArn, executionRoleArn"""

from __future__ import annotations

import typing as t

from . import execution_role
from .context import Context, Json, short
from .findings import Finding, found


def answers(context: Context) -> t.Iterator[Finding]:
    """A role that doesn't exist: ECS takes the definition, and no task starts. A name given for the execution role is one that we may create."""
    known = context.source.get("roles")
    if known is None or _unread(context):
        return
    for path, given in _given(context):
        if not any(given in (role.get("Arn"), role.get("RoleName")) for role in known):
            yield found("FG-INTENT", path, given, expected=_expected(given, known))


def _given(context: Context) -> t.Iterator[tuple[str, str]]:
    execution = execution_role.given_arn(context)
    if execution:
        yield "fargate_execution_role", execution
    of_tasks = context.intent.get("task_role_arn")
    if isinstance(of_tasks, t.Mapping):
        yield from ((f"fargate_task_role_arn[{service}]", str(role)) for service, role in of_tasks.items() if role)
    elif of_tasks:
        yield "fargate_task_role_arn", str(of_tasks)


def _unread(context: Context) -> bool:
    """Whether discovery may not read some role: then nothing is known of those that are not there."""
    return any(problem.get("path") == "source.roles" for problem in context.system.get("problems") or [])


def _expected(given: str, known: t.Sequence[Json]) -> str:
    namesake = next((str(role.get("Arn")) for role in known if role.get("RoleName") == short(given)), None)
    return f"there is no such role; it should be {namesake or 'the ARN of one that exists in this account'}."
