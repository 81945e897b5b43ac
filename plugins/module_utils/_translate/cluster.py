# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The target's cluster: a new one, so that rollback and teardown stay simple. runbook step 2, fargate-rules.md 7 cluster"""

from __future__ import annotations

from .context import Context, Json, carried_tags
from .findings import Finding, found

INSIGHTS = "containerInsights"


def section(context: Context) -> tuple[Json, list[Finding]]:
    """Container Insights on (the alarm on running tasks needs it), other settings as they were. After teardown: the target's own."""
    source = context.source.get("cluster") or {}
    current = source or context.target.get("cluster") or {}
    tags, findings = carried_tags(source.get("Tags"), context, "cluster")
    settings = {str(item.get("name")): str(item.get("value")) for item in current.get("settings") or []}
    settings[INSIGHTS] = str(context.intent.get("container_insights") or (settings.get(INSIGHTS) if settings.get(INSIGHTS) == "enhanced" else "enabled"))
    if not context.source and context.target:
        settings = {str(item.get("name")): str(item.get("value")) for item in current.get("settings") or []}
        tags = dict(context.own_tags)
    if settings.get(INSIGHTS) == "disabled":
        findings.append(found("FG-INSIGHTS", f"cluster.settings[{INSIGHTS}]", None, "disabled"))
    if (source.get("configuration") or {}).get("executeCommandConfiguration"):
        findings.append(found("FG-CLUSTER-EXEC", "cluster.configuration.executeCommandConfiguration"))
    if (source.get("serviceConnectDefaults") or {}).get("namespace"):
        findings.append(found("FG-CLUSTER-CONNECT", "cluster.serviceConnectDefaults", source["serviceConnectDefaults"]["namespace"]))
    plan = {"name": context.names["cluster"], "settings": settings, "capacity_providers": ["FARGATE", "FARGATE_SPOT"], "tags": tags}
    return plan, findings


def clashes(context: Context) -> list[Finding]:
    """A name of the target that the source already has would make us change the source."""
    taken = {
        "cluster": (context.source.get("cluster") or {}).get("clusterName"),
        "load_balancer": context.source_load_balancer.get("LoadBalancerName"),
    }
    findings = [found("FG-NAME-CLASH", f"fargate_names.{key}", name) for key, name in taken.items() if name and name == context.names[key]]
    groups = context.source.get("security_groups") or {}
    names = {group.get("GroupName") for kind in ("load_balancer", "tasks", "admitting") for group in groups.get(kind) or []}
    if context.names["security_group"] in names and not context.target:
        findings.append(found("FG-NAME-CLASH", "fargate_names.security_group", context.names["security_group"]))
    return findings
