# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The target's cluster: a new one, so that rollback and teardown stay simple. runbook step 2, fargate-rules.md 7 cluster"""

from __future__ import annotations

import copy
import typing as t

from . import connect
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
    configuration = copy.deepcopy(current.get("configuration") or {})
    findings += configured(configuration, context)
    plan = {
        "name": context.names["cluster"],
        "settings": settings,
        "configuration": configuration,
        "service_connect_namespace": connect.default_namespace(context),
        "namespaces": connect.namespaces(context),
        "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
        "tags": tags,
    }
    return plan, findings


def configured(configuration: Json, context: Context) -> t.Iterator[Finding]:
    """Keys, log targets and the default namespace are named again, so nothing of the source is touched. Members that AWS adds later survive."""
    if not context.source:
        return
    shell = configuration.get("executeCommandConfiguration")
    if shell:
        told = {**shell, **(shell.get("logConfiguration") or {})}
        kept = [f"{key} {told[key]}" for key in ("kmsKeyId", "logging", "cloudWatchLogGroupName", "s3BucketName") if told.get(key)]
        yield found("FG-CLUSTER-EXEC", "cluster.configuration.executeCommandConfiguration", ", ".join(kept) or None, ", ".join(kept) or None)
    storage = configuration.get("managedStorageConfiguration")
    if storage:
        keys = ", ".join(f"{key} {storage[key]}" for key in sorted(storage))
        yield found("FG-CLUSTER-STORAGE", "cluster.configuration.managedStorageConfiguration", keys, keys)
    namespace = ((context.source.get("cluster") or {}).get("serviceConnectDefaults") or {}).get("namespace")
    if namespace:
        yield found("FG-CLUSTER-CONNECT", "cluster.serviceConnectDefaults", namespace, connect.default_namespace(context))


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
