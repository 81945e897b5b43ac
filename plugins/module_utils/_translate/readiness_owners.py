# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What Terraform, CloudFormation, CDK, Copilot and the like own: their next run undoes what the migration changes. fargate-rules.md 4 owner of the resources"""

from __future__ import annotations

import typing as t

from .context import Context
from .findings import Finding, found
from .outline import Outline

# Kind of resource -> what the migration does to it. Other kinds are only read until the teardown.
TOUCHED = {
    "load_balancer": "client_keep_alive.seconds is lowered at the cutover",
    "security_group": "rules for the tasks are added",
    "service": "desired count goes to 0 at the scale-in",
    "auto_scaling_group": "minimum and desired capacity go to 0 at the scale-in",
}
FRONT = ("load_balancer", "listener", "listener_rule")


def owners(_outline: Outline, context: Context) -> t.Iterator[Finding]:
    """One finding for each tool, deployment and kind of resource. [D AWSCloudFormation/using-cfn-stack-drift]"""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for item in context.source.get("owners") or []:
        if item.get("kind") in TOUCHED:
            key = (str(item.get("owner")), str(item.get("deployment") or ""), str(item["kind"]))
            grouped.setdefault(key, []).append(str(item.get("name")))
    for (tool, deployment, kind), names in sorted(grouped.items()):
        path = f"owners[{kind}: {', '.join(sorted(names))}]"
        yield found("FG-IAC-OWNER", path, f"{tool} {deployment}".strip(), TOUCHED[kind])


def deleted(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """What only the teardown touches: one finding for each tool and deployment, since it is a month away. [D AWSCloudFormation/using-cfn-stack-drift]"""
    items = {(str(item["kind"]), str(item["name"])) for item in outline.deletions}
    grouped: dict[tuple[str, str], list[str]] = {}
    for item in context.source.get("owners") or []:
        kind, name = str(item.get("kind")), str(item.get("name"))
        if kind not in TOUCHED and (kind, name) in items:
            grouped.setdefault((str(item.get("owner")), str(item.get("deployment") or "")), []).append(f"{kind.replace('_', ' ')} {name}")
    for (tool, deployment), names in sorted(grouped.items()):
        yield found("FG-IAC-TEARDOWN", "teardown.items", f"{tool} {deployment}".strip(), ", ".join(sorted(names)))


def records(_outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Records carry no tags. Who made the load balancer has probably made the alias too, and would point it back. [D r53/resource-record-sets-values-alias]"""
    tools = sorted({f"{item.get('owner')} {item.get('deployment') or ''}".strip() for item in context.source.get("owners") or [] if item.get("kind") in FRONT})
    if tools and context.system.get("records"):
        yield found("FG-IAC-RECORD", "records", ", ".join(tools))


RULES = (owners, deleted, records)
