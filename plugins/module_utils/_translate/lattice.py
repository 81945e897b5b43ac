# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""VPC Lattice: the same ports, registered in other target groups. One of Lattice's can't change its type, and serves one side.

fargate-rules.md 7 vpcLatticeConfigurations
"""

from __future__ import annotations

import re
import typing as t

from . import rights
from .context import Context, Json, deployed
from .findings import Finding, found

if t.TYPE_CHECKING:
    from .task_definition import Translated

MEMBER = "vpcLatticeConfigurations"
ANSWERS = "vpc_lattice_target_groups"
ARN = re.compile(r"arn:[a-z0-9-]+:vpc-lattice:([a-z0-9-]+):\d{12}:targetgroup/tg-[0-9a-z]{17}")
"""[B TargetGroupArn]"""


def configurations(service: Json, task: Translated, context: Context, path: str) -> tuple[list[Json], list[Finding]]:
    """CreateService's member, with the target groups that the inventory names. fargate-rules.md 7 vpcLatticeConfigurations"""
    plan: list[Json] = []
    findings: list[Finding] = []
    for index, item in enumerate(deployed(service, MEMBER)):
        where = f"{path}.{MEMBER}[{index}]"
        source, port = str(item.get("targetGroupArn")), item.get("portName")
        findings += rights.infrastructure(str(item.get("roleArn") or ""), context, f"{where}.roleArn")
        if port not in ports(task.definition):
            findings.append(found("FG-LATTICE-PORT", f"{where}.portName", port, None, known=", ".join(ports(task.definition)) or "none"))
            continue
        answer = answers(context).get(source)
        if not answer or wrong(answer, context):
            findings.append(found("FG-LATTICE", where, source, None, wanted=_wanted(source, context)))
            continue
        findings.append(found("FG-LATTICE-TARGET-GROUP", f"{where}.targetGroupArn", source, answer, routed=_routed(source, context)))
        # The alternate target group and rules of a blue/green deployment name the source's; the target is deployed rolling.
        plan.append({**{key: value for key, value in item.items() if key != "advancedConfiguration"}, "targetGroupArn": answer})
    return plan, findings


def ports(definition: t.Mapping[str, t.Any]) -> dict[str, int | None]:
    """Names of the port mappings -> container port."""
    mappings = [mapping for container in definition.get("containerDefinitions") or [] for mapping in container.get("portMappings") or []]
    return {str(mapping["name"]): mapping.get("containerPort") for mapping in mappings if mapping.get("name")}


def used(context: Context) -> list[str]:
    """The source's Lattice target groups."""
    return list(dict.fromkeys(str(item.get("targetGroupArn")) for service in context.source_services for item in deployed(service, MEMBER)))


def answers(context: Context) -> dict[str, t.Any]:
    given = context.intent.get(ANSWERS)
    return dict(given) if isinstance(given, t.Mapping) else {}


def wrong(answer: t.Any, context: Context) -> str | None:
    """Why an answer can't be right; None when it may be."""
    match = ARN.fullmatch(str(answer))
    if not match or (context.region and match[1] != context.region):
        return f"it should be the ARN of a VPC Lattice target group in {context.region}: arn:aws:vpc-lattice:{context.region}:<account>:targetgroup/tg-..."
    if answer in used(context):
        return "it should be another target group than the source's: tasks of both sides would be mixed in it before anything is verified"
    if list(answers(context).values()).count(answer) > 1:
        return "it should be a target group of its own for each of the source's"
    kind = (_group(str(answer), context) or {}).get("type")
    return None if kind in (None, "IP") else f"it should be of type IP, and is of type {kind}"


def check(context: Context) -> t.Iterator[Finding]:
    """The answers that can't be right. That the keys are the source's is looked at as for every other answer."""
    for source, answer in answers(context).items():
        expected = wrong(answer, context)
        if expected and (source in used(context) or not context.source):
            yield found("FG-INTENT", f"fargate_{ANSWERS}[{source}]", answer, expected=f"{expected}.")


def _group(arn: str, context: Context) -> Json | None:
    """A target group as discovery read it, on either side."""
    read = [group for side in (context.source, context.target) for group in (side.get("vpc_lattice") or {}).get("target_groups") or []]
    return next((group for group in read if group.get("arn") == arn), None)


def _wanted(source: str, context: Context) -> str:
    """``type IP, port 80, protocol HTTP (HTTP1), VPC vpc-1, IPV4``: what has to be made."""
    group = _group(source, context)
    if group is None:
        return "type IP, and the port, protocol, protocol version, VPC and health check of the source's"
    config = group.get("config") or {}
    version = f" ({config['protocolVersion']})" if config.get("protocolVersion") else ""
    return (
        f"type IP (the source's is of type {group.get('type')}), port {config.get('port')}, protocol {config.get('protocol')}{version}, "
        f"VPC {config.get('vpcIdentifier')}, address type {config.get('ipAddressType') or 'IPV4'}, and the same health check"
    )


def _routed(source: str, context: Context) -> str:
    services = (_group(source, context) or {}).get("serviceArns") or []
    return f" ({', '.join(map(str, services))})" if services else ""


def ingress(planned: t.Sequence[Json], tasks: t.Sequence[Translated], context: Context) -> tuple[list[Json], list[Finding]]:
    """Where the instances admit Lattice's prefix lists, the tasks do too, on their ports; else a person must. fargate-rules.md 7 vpcLatticeConfigurations"""
    definitions = {task.family: task.definition for task in tasks}
    wanted = {
        port
        for service in planned
        for item in service["vpc_lattice_configurations"]
        if (port := ports(definitions[service["family"]]).get(str(item.get("portName"))))
    }
    lists = {str(item.get("PrefixListId")) for item in (context.source.get("vpc_lattice") or {}).get("prefix_lists") or []}
    groups = (context.source.get("security_groups") or {}).get("tasks") or []
    named = [str(item.get("PrefixListId")) for group in groups for rule in group.get("IpPermissions") or [] for item in rule.get("PrefixListIds") or []]
    admitted = sorted(lists & set(named))
    path = f"security_groups[{context.names['security_group']}].ingress"
    if not admitted:
        return [], [found("FG-LATTICE-INGRESS", path, None, port, port=port) for port in sorted(wanted)]
    return [
        {"prefix_list_id": name, "protocol": "tcp", "from_port": port, "to_port": port, "description": f"{context.name}: VPC Lattice"}
        for name in admitted
        for port in sorted(wanted)
    ], []
