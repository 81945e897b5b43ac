# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A whole task definition: from DescribeTaskDefinition of the source to RegisterTaskDefinition of the target. fargate-rules.md 1

Copying is by deny-list: members that no rule names, also ones AWS adds later, reach the target unchanged.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass, field

from . import container as containers
from . import execution_role, image, instance, laravel, linux_parameters, logs, names, peers, rights, siblings, sizes, storage, volumes
from .context import Context, Json, carried_tags, per_service, tag_list
from .findings import Finding, found

READ_ONLY = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
)
MAXIMUM_CONTAINERS = 10
ARCHITECTURES = {"x86_64": "X86_64", "amd64": "X86_64", "arm64": "ARM64", "aarch64": "ARM64"}


@dataclass
class Translated:
    """One task definition on its way: which services run it, what it became, what that needs."""

    key: str
    source: Json
    tags: t.Mapping[str, str]
    services: list[str]
    family: str
    definition: Json = field(default_factory=dict)
    log_pairs: list[tuple[str | None, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"task_definitions[{self.key}]"


def collect(services: t.Iterable[Json], context: Context) -> list[Translated]:
    """One entry per task definition that a service runs. Two revisions of a family become two families."""
    by_arn: dict[str, Translated] = {}
    keys: set[str] = set()
    for service in services:
        source = service.get("TaskDefinition")
        if not source:
            continue
        name = str(service.get("serviceName"))
        arn = str(source.get("taskDefinitionArn") or service.get("taskDefinition") or name)
        if arn in by_arn:
            by_arn[arn].services.append(name)
            continue
        family = str(source.get("family") or name)
        key = family if family not in keys else f"{family}-{name}"
        keys.add(key)
        target = context.renamed("families", key) or names.family(key)
        by_arn[arn] = Translated(key, source, service.get("TaskDefinitionTags") or {}, [name], target)
    return list(by_arn.values())


def translate(task: Translated, entries: t.Mapping[tuple[str, str], Json], context: Context) -> None:
    """Fill ``task.definition``: first the members of the task, then its containers, then what needs both."""
    draft = {key: value for key, value in copy.deepcopy(dict(task.source)).items() if key not in READ_ONLY}
    task.definition = draft
    draft["family"] = task.family
    report = task.findings.extend
    for rule in TASK_RULES:
        report(rule(draft, task.path))
    report(runtime_platform(draft, context, task.path))
    report(task_role(draft, task, context))
    report(volumes.translate(draft, context, task.path))
    report(volumes.roles(draft, task.path))
    for original, container in zip(task.source.get("containerDefinitions") or [], list(draft.get("containerDefinitions") or []), strict=True):
        _container(container, original, entries, task, context)
    draft.setdefault("containerDefinitions", [])
    report(siblings.port_clash(draft, [*peers.addressed(task.source), *instance.listeners(draft)], task.path))
    report(siblings.low_port(draft, task.path))
    report(siblings.control_clash(draft, task.path))
    report(siblings.optional_peer(task.source, task.path))
    report(instance.region(draft, task.path))
    report(execution_role.role(draft, context, task.path))
    for judge in rights.RULES:
        report(judge(draft, context, task.path))
    report(storage.images(draft, task.source, context, task.path))
    report(sizes.size(draft, task.services, context, task.path))
    tags, findings = carried_tags(task.tags, context, task.path)
    report(findings)
    draft["tags"] = tag_list(tags)


def _container(draft: Json, original: Json, entries: t.Mapping[tuple[str, str], Json], task: Translated, context: Context) -> None:
    """All rules of one container, links last: the others need to know them."""
    name = str(draft.get("name"))
    path = f"{task.path}.containerDefinitions[{name}]"
    report = task.findings.extend
    hosts = peers.hosts(draft) | containers.local_peers(draft, task.definition)
    report(image.image(draft, entries.get((task.key, name)), context, path))
    report(peers.environment(draft, hosts, path, context.intent.get("peer_variables") or []))
    report(peers.commands(draft, hosts, path))
    report(peers.start_order(draft, task.definition, path))
    report(peers.variables(draft, path))
    report(peers.links(draft, path))
    for rule in (*containers.RULES, *instance.RULES):
        report(rule(draft, path))
    report(containers.stop_timeout(draft, context, path))
    report(instance.daemons(draft, task.source, path))
    report(linux_parameters.translate(draft, path))
    report(laravel.settings(draft, path))
    report(laravel.log_channel(draft, path))
    report(laravel.secrets(draft, path))
    report(laravel.worker_shell(draft, path))
    report(laravel.worker_timeout(draft, path))
    report(laravel.worker_signal(draft, str(original.get("image") or ""), path))
    report(logs.translate(draft, task.family, context, path))
    target_group = logs.group_of(draft)
    if target_group:
        task.log_pairs.append((logs.group_of(original), target_group))


def network_mode(draft: Json, path: str) -> t.Iterator[Finding]:
    """awsvpc is the only mode of Fargate. fargate-rules.md 1 networkMode"""
    mode = draft.get("networkMode") or "bridge"
    draft["networkMode"] = "awsvpc"
    kind = {"host": "FG-NETWORK-HOST", "none": "FG-NETWORK-NONE", "awsvpc": None}.get(mode, "FG-NETWORK-MODE")
    if kind:
        yield found(kind, f"{path}.networkMode", mode, "awsvpc")


def compatibility(draft: Json, path: str) -> t.Iterator[Finding]:
    """``requiresCompatibilities: [FARGATE]``, or the service says "does not support launch_type FARGATE". fargate-rules.md 1 requiresCompatibilities"""
    external = [kind for kind in draft.get("requiresCompatibilities") or [] if kind not in ("EC2", "FARGATE")]
    draft["requiresCompatibilities"] = ["FARGATE"]
    if external:
        yield found("FG-COMPATIBILITY", f"{path}.requiresCompatibilities", ", ".join(external), "FARGATE")


def placement(draft: Json, path: str) -> t.Iterator[Finding]:
    """ "Fargate compatible task definitions do not support constraints". fargate-rules.md 1 placementConstraints"""
    for index, constraint in enumerate(draft.pop("placementConstraints", None) or []):
        yield found("FG-PLACEMENT", f"{path}.placementConstraints[{index}]", constraint.get("expression") or constraint.get("type"))


def pid_mode(draft: Json, path: str) -> t.Iterator[Finding]:
    """ "The supported value for pidMode is 'task'". fargate-rules.md 1 pidMode"""
    mode = draft.get("pidMode")
    if mode is not None and mode != "task":
        del draft["pidMode"]
        yield found("FG-PID-HOST", f"{path}.pidMode", mode)


def ipc_mode(draft: Json, path: str) -> t.Iterator[Finding]:
    """ "Fargate compatible task definitions do not support ipcMode". fargate-rules.md 1 ipcMode"""
    mode = draft.pop("ipcMode", None)
    if mode is not None:
        yield found({"none": "FG-IPC-NONE", "task": "FG-IPC-TASK"}.get(mode, "FG-IPC-HOST"), f"{path}.ipcMode", mode)


def inference_accelerators(draft: Json, path: str) -> t.Iterator[Finding]:
    """Elastic Inference is retired and refused. fargate-rules.md 1 inferenceAccelerators"""
    for index, accelerator in enumerate(draft.pop("inferenceAccelerators", None) or []):
        yield found("FG-INFERENCE", f"{path}.inferenceAccelerators[{index}]", accelerator.get("deviceType"))


def proxy(draft: Json, path: str) -> t.Iterator[Finding]:
    """App Mesh works, and has ended. fargate-rules.md 1 proxyConfiguration"""
    if draft.get("proxyConfiguration"):
        yield found("FG-APP-MESH", f"{path}.proxyConfiguration", draft["proxyConfiguration"].get("containerName"))


def container_count(draft: Json, path: str) -> t.Iterator[Finding]:
    """At most 10 containers per task definition. fargate-rules.md 1 containerDefinitions"""
    count = len(draft.get("containerDefinitions") or [])
    if count > MAXIMUM_CONTAINERS:
        yield found("FG-CONTAINERS", f"{path}.containerDefinitions", count)


TASK_RULES: tuple[t.Callable[[Json, str], t.Iterator[Finding]], ...] = (
    network_mode,
    compatibility,
    placement,
    pid_mode,
    ipc_mode,
    inference_accelerators,
    proxy,
    storage.asked,
    container_count,
)


def runtime_platform(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """Linux, and the architecture of definition, inventory or instances, in this order. fargate-rules.md 1 runtimePlatform"""
    current = draft.get("runtimePlatform") or {}
    system = current.get("operatingSystemFamily") or ("WINDOWS" if _on_windows(context) else "LINUX")
    if system != "LINUX":
        yield found("FG-WINDOWS", f"{path}.runtimePlatform.operatingSystemFamily", system)
    chosen = current.get("cpuArchitecture") or ARCHITECTURES.get(str(context.intent.get("architecture") or "").lower())
    seen = architectures(context)
    if chosen and seen and chosen not in seen:
        yield found("FG-ARCHITECTURE-OTHER", f"{path}.runtimePlatform.cpuArchitecture", ", ".join(seen), chosen)
    if chosen is None:
        chosen = seen[0] if seen else "X86_64"
        if len(seen) != 1:
            yield found("FG-ARCHITECTURE", f"{path}.runtimePlatform.cpuArchitecture", ", ".join(seen) or None, chosen)
    draft["runtimePlatform"] = {**current, "cpuArchitecture": chosen, "operatingSystemFamily": "LINUX"}


def _on_windows(context: Context) -> bool:
    """On EC2 a definition needn't say its system: it ran on what the instances are. [D ecs/task-placement-constraints]"""
    members = (context.source.get("capacity") or {}).get("container_instances") or []
    told = [{item.get("name"): item.get("value") for item in member.get("attributes") or []}.get("ecs.os-type") for member in members]
    return bool(told) and all(value == "windows" for value in told)


def architectures(context: Context) -> list[str]:
    """What the container instances are; once they are gone, what the target was built for."""
    capacity = (context.source.get("capacity") or {}).get("architectures") or []
    seen = {ARCHITECTURES.get(str(item).lower(), str(item).upper()) for item in capacity}
    if not seen:
        platforms = [((service.get("TaskDefinition") or {}).get("runtimePlatform") or {}) for service in context.target.get("services") or []]
        seen = {str(platform["cpuArchitecture"]) for platform in platforms if platform.get("cpuArchitecture")}
    return sorted(seen, reverse=True)


def task_role(draft: Json, task: Translated, context: Context) -> t.Iterator[Finding]:
    """Kept; the inventory may give one to a definition that had none. fargate-rules.md 1 taskRoleArn"""
    given = next(filter(None, (per_service(context.intent.get("task_role_arn"), name) for name in task.services)), None)
    if given and given != draft.get("taskRoleArn"):
        yield found("FG-TASK-ROLE", f"{task.path}.taskRoleArn", draft.get("taskRoleArn"), given)
        draft["taskRoleArn"] = str(given)
