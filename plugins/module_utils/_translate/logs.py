# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""``logConfiguration`` and the log groups behind it. fargate-rules.md 2c, runbook step 2"""

from __future__ import annotations

import typing as t

from . import names
from .context import Context, Json
from .findings import Finding, found

ALLOWED = frozenset({"awslogs", "splunk", "awsfirelens"})
ROUTED_DRIVERS = frozenset({"fluentd", "gelf", "logentries"})


def translate(draft: Json, family: str, context: Context, path: str) -> t.Iterator[Finding]:
    """Fargate takes awslogs, splunk and awsfirelens; the rest, also no driver at all, becomes awslogs. fargate-rules.md 2c driver allowed, absent"""
    where = f"{path}.logConfiguration"
    current = draft.get("logConfiguration") or {}
    driver = current.get("logDriver")
    if driver == "awslogs":
        yield from awslogs(current, family, context, where)
    elif driver not in ALLOWED:
        kind = "FG-LOG-ABSENT" if not driver else "FG-LOG-ROUTER" if _is_routed(current) else "FG-LOG-DRIVER"
        draft["logConfiguration"] = _fresh(family, context)
        yield found(kind, where, driver, draft["logConfiguration"]["options"]["awslogs-group"])


def _is_routed(configuration: Json) -> bool:
    """Whether logs went to a collector elsewhere, as syslog's do when it has an address."""
    address = str((configuration.get("options") or {}).get("syslog-address") or "")
    remote = configuration["logDriver"] == "syslog" and "://" in address and not address.startswith("unix")
    return remote or configuration["logDriver"] in ROUTED_DRIVERS


def awslogs(configuration: Json, family: str, context: Context, path: str) -> t.Iterator[Finding]:
    """A different group (to see that the traffic moved), region and stream prefix set, delivery mode said aloud. fargate-rules.md 2c awslogs-*, mode"""
    options = configuration["options"] = configuration.get("options") or {}
    source = options.get("awslogs-group")
    options["awslogs-group"] = target_name(source, family, context)
    yield found("FG-LOG-GROUP", f"{path}.options.awslogs-group", source, options["awslogs-group"])
    if context.region and options.get("awslogs-region") not in (None, context.region):
        yield found("FG-LOG-REGION", f"{path}.options.awslogs-region", options["awslogs-region"], context.region)
    options["awslogs-region"] = context.region or options.get("awslogs-region") or ""
    if not options.get("awslogs-stream-prefix"):
        options["awslogs-stream-prefix"] = family
        yield found("FG-LOG-PREFIX", f"{path}.options.awslogs-stream-prefix", None, family)
    if str(options.pop("awslogs-create-group", "")).lower() == "true":
        yield found("FG-LOG-CREATE", f"{path}.options.awslogs-create-group", "true", None)
    if "mode" not in options:
        options["mode"] = default_mode(context)
        yield found("FG-LOG-MODE", f"{path}.options.mode", None, options["mode"])


def _fresh(family: str, context: Context) -> Json:
    options = {
        "awslogs-group": target_name(None, family, context),
        "awslogs-region": context.region,
        "awslogs-stream-prefix": family,
        "mode": default_mode(context),
    }
    return {"logDriver": "awslogs", "options": options}


def default_mode(context: Context) -> str:
    """What a container without ``mode`` has: what the account says, else AWS's own default. fargate-rules.md 2c mode"""
    settings = context.system.get("account_settings") or {}
    return "blocking" if settings.get("defaultLogDriverMode") == "blocking" else "non-blocking"


def target_name(source: str | None, family: str, context: Context) -> str:
    """The group of the target: the source's name with the suffix, or ``/ecs/<target family>`` where there was none."""
    if not source:
        return f"/ecs/{family}"
    return context.renamed("log_groups", source) or names.log_group(source)


def groups(pairs: t.Iterable[tuple[str | None, str]], context: Context) -> list[Json]:
    """The groups to create before the tasks, with retention and key of the old one. fargate-rules.md 2c awslogs-group"""
    existing = {group.get("logGroupName"): group for group in context.source.get("log_groups") or []}
    plan = {}
    for source, name in pairs:
        old = existing.get(source) or {}
        plan[name] = {
            "name": name,
            "source_name": source,
            "retention_in_days": context.intent.get("log_retention_days") or old.get("retentionInDays"),
            "kms_key_id": old.get("kmsKeyId"),
            "tags": dict(context.own_tags),
        }
    return [plan[name] for name in sorted(plan)]


def group_of(container: t.Mapping[str, t.Any]) -> str | None:
    """The log group that a container names."""
    configuration = container.get("logConfiguration") or {}
    return (configuration.get("options") or {}).get("awslogs-group") if configuration.get("logDriver") == "awslogs" else None
