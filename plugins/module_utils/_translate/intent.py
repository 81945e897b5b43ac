# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the inventory may say: the variables ``fargate_<key>``, here without the prefix. A wrong answer is a finding, never an exception."""

from __future__ import annotations

import difflib
import typing as t
from dataclasses import dataclass

from . import answers, lattice, registries, roles, waivers
from .context import Context
from .findings import Finding, found


@dataclass(frozen=True)
class Key:
    """One variable: the types it may have, whose names it may use, and what it means."""

    types: tuple[type, ...]
    meaning: str
    names: str = ""


SERVICES, SIZED, CONTAINERS, VOLUMES = "services", "services or families", "containers", "volumes"
LATTICE_GROUPS = "VPC Lattice target groups"
TEXT, NUMBER, YES_NO, MAPPING, LIST = (str,), (int, str), (bool, str), (dict,), (list, tuple)
FACTOR, COUNTS, TEXTS, LIST_OR_TEXT = (int, float, str), (int, str, dict), (str, dict), (list, tuple, str)
# Text is taken where a number is meant, since --extra-vars key=value knows nothing else.
WORDS: dict[tuple[type, ...], str] = {
    TEXT: "text",
    NUMBER: "a number",
    YES_NO: "true or false",
    MAPPING: "a mapping",
    LIST: "a list",
    FACTOR: "a number",
    COUNTS: "a number or a mapping",
    TEXTS: "text or a mapping",
    LIST_OR_TEXT: "a list",
}

KEYS: dict[str, Key] = {
    "system": Key(TEXT, "Name of the system, the inventory host's."),
    "fqdn": Key(TEXT, "The name that clients use."),
    "region": Key(TEXT, "The region of the system."),
    "names": Key(
        MAPPING,
        "Names of the target: cluster, load_balancer, security_group, execution_role; and by source name: target_groups, families, log_groups, "
        "repositories, namespaces, cloud_map_services, alarms.",
    ),
    "services": Key(LIST, "The services that belong to the system; without it all that discovery finds.", SERVICES),
    "images": Key(MAPPING, "Container -> image that is used instead of a rewritten one.", CONTAINERS),
    "peer_variables": Key(LIST, "Environment variables that hold the address of a linked container although their names do not say so."),
    "host_variables": Key(LIST, "Variables of the Nginx confs that hold nothing but hosts: $backend:9000 is followed to their values."),
    "image_platforms": Key(LIST, "More platforms to keep of multi-platform images, such as linux/arm64, or all."),
    "sizes": Key(MAPPING, "Service -> {cpu, memory} of its task.", SIZED),
    "measured": Key(MAPPING, "Service -> {cpu, memory}: the most that one of its tasks used in CloudWatch; with the headroom it decides the size.", SERVICES),
    "headroom": Key(FACTOR, "Factor on what was measured, at least 1; the default is 1.3."),
    "size_table": Key(MAPPING, "CPU units -> list of MiB: replaces the table of sizes that Fargate sells."),
    "architecture": Key(TEXT, "x86_64 or arm64, when neither the task definition nor the instances tell."),
    "desired_count": Key(COUNTS, "Number of tasks, or service -> number.", SERVICES),
    "availability_zone_rebalancing": Key(
        TEXTS, "ENABLED or DISABLED, or service -> one of them: whether ECS balances its tasks over the zones once the target serves.", SERVICES
    ),
    "subnets": Key(LIST, "Subnets of the tasks."),
    "assign_public_ip": Key(YES_NO, "Whether tasks get public addresses; without it as their subnets' routes need."),
    "grants": Key(LIST, "More groups that must admit the tasks: [{group_id, port}] or [{group_id, protocol, from_port, to_port}]."),
    "volumes": Key(
        MAPPING, "Volume -> ephemeral, drop, or {efs: fs-..., root_directory, access_point, iam}: where a path of the instance lives from now on.", VOLUMES
    ),
    "vpc_lattice_target_groups": Key(
        MAPPING, "ARN of a VPC Lattice target group of the source -> ARN of the one of type IP that the tasks are registered in.", LATTICE_GROUPS
    ),
    "stop_timeout": Key(MAPPING, "Container -> seconds (2 to 120) between SIGTERM and SIGKILL, where the source waits longer than Fargate does.", CONTAINERS),
    "task_role_arn": Key(TEXTS, "Task role for definitions that have none, or service -> role.", SERVICES),
    "execution_role": Key(TEXT, "Name or ARN of the execution role; a name is created when it doesn't exist."),
    "log_retention_days": Key(NUMBER, "Retention of the new log groups; without it as the old ones."),
    "container_insights": Key(TEXT, "enabled, enhanced or disabled."),
    "service_connect_namespace": Key(
        TEXTS,
        "Namespace that the target's services join instead of one of their own, or source's namespace -> namespace: where others share the source's.",
    ),
    "service_registries": Key(
        MAPPING, "Service -> ARN of an existing Cloud Map service that its tasks register in, or none; without it a new one beside the source's.", SERVICES
    ),
    "probes": Key(LIST, "What verification requests, instead of the front page and the health check's paths."),
    "probe_proxy": Key(TEXT, "Proxy through which verification reaches the load balancers."),
    "alarm_actions": Key(LIST_OR_TEXT, "ARNs that the alarms notify; without it those of the source's alarms."),
    "keep_alive_seconds": Key(NUMBER, "client_keep_alive.seconds of the old load balancer before the cutover (60 to 604800)."),
    "teardown_log_groups": Key(YES_NO, "Whether the teardown deletes the old log groups too; they hold history."),
    "waive": Key(LIST, "Ids of findings that a person has looked at and accepts, FG-X or FG-X@path."),
}

OF_ROLES: tuple[str, ...] = (
    "account_id", "profile", "endpoint_url", "access_key", "secret_key", "session_token", "probe_ca", "verify_timeout", "verify_poll", "verify_settle",
    "load_balancer_timeout", "service_timeout", "dns_timeout", "poll_seconds", "silence_seconds", "silence_timeout", "silence_max_requests",
    "metric_period", "metric_delay", "capacity_timeout", "delete_volumes", "bake_seconds", "abandon_confirm", "abandon_log_groups",
    "teardown_confirm", "report_dir",
)
"""What roles read and the plan does not: known, so that a misspelt one is told."""


def check(context: Context) -> list[Finding]:
    """Types, and names that must exist in the source."""
    findings: list[Finding] = []
    for key, value in sorted(context.intent.items()):
        if value is None or value == "" or key in OF_ROLES:
            continue
        spec = KEYS.get(key)
        if spec is None:
            close = difflib.get_close_matches(key, [*KEYS, *OF_ROLES], 1, 0.85)
            findings += [found("FG-INTENT-UNKNOWN", f"fargate_{key}", None, f"fargate_{name}") for name in close]
        elif not isinstance(value, spec.types):
            findings.append(found("FG-INTENT", f"fargate_{key}", value, expected=f"it should be {WORDS[spec.types]}. {spec.meaning}"))
        else:
            findings += [found("FG-INTENT", path, entry, expected=f"it should be {expected}.") for path, entry, expected in answers.wrong(key, value)]
            findings += _names(key, value, spec, context) if context.source else []
    sound = Context(context.system, usable(context.intent), context.overrides)
    return [*findings, *registries.answers(sound), *lattice.check(sound), *roles.answers(sound), *waivers.unknown(sound)]


def usable(intent: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The intent without values of a wrong type and without wrong entries, so that no rule has to look at them again."""
    typed = {key: value for key, value in intent.items() if value is not None and value != "" and (key not in KEYS or isinstance(value, KEYS[key].types))}
    right = {key: answers.usable(key, value) for key, value in typed.items()}
    return {key: value for key, value in right.items() if value is not None}


def _names(key: str, value: t.Any, spec: Key, context: Context) -> list[Finding]:
    """Names that the source doesn't have."""
    if not spec.names or not isinstance(value, (dict, list, tuple)):
        return []
    existing = sorted(_existing(spec.names, context))
    expected = f"it should name one of the source's {spec.names}: {', '.join(existing)}." if existing else f"the source has no {spec.names}."
    return [found("FG-INTENT", f"fargate_{key}[{name}]", name, expected=expected) for name in value if str(name) not in existing]


def _existing(kind: str, context: Context) -> set[str]:
    definitions = [service.get("TaskDefinition") or {} for service in context.source_services]
    if kind in (SERVICES, SIZED):
        families = {str(definition["family"]) for definition in definitions if definition.get("family")} if kind == SIZED else set()
        return families | {str(service.get("serviceName")) for service in context.source_services}
    if kind == LATTICE_GROUPS:
        return set(lattice.used(context))
    key = "containerDefinitions" if kind == CONTAINERS else "volumes"
    return {str(item.get("name")) for definition in definitions for item in definition.get(key) or []}
