# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Service Connect: services that reach each other by short names through a proxy in each task. fargate-rules.md 7 serviceConnectConfiguration

Names are unique within a namespace, and both sides run at once, so what publishes endpoints can't share one with its source: the target gets a namespace
of its own, in which every name is as it was. Only services that publish nothing stay where they are.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass

from . import logs, names
from .context import Context, Json, per_service, short
from .findings import Finding, found

PROXY_CPU, PROXY_MEMORY = 256, 64
"""CPU units and MiB that AWS recommends to add for the proxy. [D ecs/service-connect-concepts-deploy]"""


@dataclass(frozen=True)
class Home:
    """``source`` is how the source's namespace is called, ``target`` what the target's services join: a name, or an ARN where the source's own stays."""

    source: str
    target: str
    own: bool
    """Whether the target's is another one than the source's."""
    answered: bool = False
    others: t.Sequence[str] | None = ()
    """ARNs of services in the source's namespace that stay behind. None: nobody knows."""


def configuration(service: t.Mapping[str, t.Any]) -> Json:
    """ServiceConnectConfiguration that is in force: that of the PRIMARY deployment. Empty where it is off."""
    primary: Json = next((item for item in service.get("deployments") or [] if item.get("status") == "PRIMARY"), {})
    current: Json = primary.get("serviceConnectConfiguration") or service.get("serviceConnectConfiguration") or {}
    return current if current.get("enabled") else {}


def proxy(services: t.Collection[str], context: Context) -> tuple[int, int]:
    """(CPU units, MiB) for the proxy in the tasks of these services: zero where none of them uses Service Connect."""
    uses = any(configuration(service) for service in context.source_services if service.get("serviceName") in services)
    return (PROXY_CPU, PROXY_MEMORY) if uses else (0, 0)


def home(reference: str | None, context: Context) -> Home:
    """Where the services go that are in this namespace, named or by ARN; without either it is the cluster's default. The same for all of them."""
    reference = reference or _default(context) or ""
    known = _known(reference, context)
    name = str((known or {}).get("Name") or short(reference) or reference)
    members = [service for service in context.replica_services if configuration(service) and _same(_reference(service, context), reference, known)]
    if not any(configuration(service).get("services") for service in members):
        there = _there(members, reference, known, context)
        return Home(name, there or str((known or {}).get("Arn") or reference), own=bool(there), answered=bool(there))
    answer = per_service(context.intent.get("service_connect_namespace"), name)
    answer = None if answer in (name, (known or {}).get("Arn")) else answer
    target = str(answer or context.renamed("namespaces", name) or names.namespace(name))
    return Home(name, target, own=True, answered=bool(answer), others=_others(known, context))


def _there(members: t.Sequence[Json], reference: str, known: Json | None, context: Context) -> str | None:
    """The other namespace that the target's services of these names are in already: a teardown that was killed leaves callers without whom they call."""
    current = (configuration(context.target_services.get(str(service.get("serviceName"))) or {}).get("namespace") for service in members)
    return next((str(namespace) for namespace in current if namespace and not _same(str(namespace), reference, known)), None)


def _default(context: Context) -> str | None:
    return ((context.source.get("cluster") or {}).get("serviceConnectDefaults") or {}).get("namespace")


def _reference(service: Json, context: Context) -> str:
    return str(configuration(service).get("namespace") or _default(context) or "")


def _known(reference: str, context: Context) -> Json | None:
    """What discovery found of a namespace."""
    return next((item for item in context.source.get("namespaces") or [] if reference and reference in (item.get("Name"), item.get("Arn"))), None)


def _same(reference: str, other: str, known: Json | None) -> bool:
    return reference in ((known or {}).get("Name"), (known or {}).get("Arn"), other)


def _others(known: Json | None, context: Context) -> list[str] | None:
    """Everybody in the namespace but the services that move and those of the target."""
    if known is None or known.get("services") is None:
        return None
    ours = {service.get("serviceArn") for service in (*context.replica_services, *context.target_services.values())}
    return sorted(str(arn) for arn in known["services"] if arn not in ours)


def translate(service: Json, definition: Json, family: str, context: Context, path: str) -> tuple[Json | None, list[tuple[str | None, str]], list[Finding]]:
    """ServiceConnectConfiguration of the target's service, the log groups of its proxy (source's name, target's name), and what a person must know.

    Members that no rule names (tls, timeout, accessLogConfiguration, containerConfigurations, later ones) reach the target unchanged.
    """
    draft = copy.deepcopy(configuration(service))
    if not draft:
        return None, [], []
    where = f"{path}.serviceConnectConfiguration"
    to = home(draft.get("namespace"), context)
    draft["namespace"] = to.target
    findings = [*_membership(to, context, where), *endpoints(draft, definition, to, where)]
    pairs: list[tuple[str | None, str]] = []
    if draft.get("logConfiguration"):
        source = logs.group_of(draft)
        findings += logs.translate(draft, family, context, where)
        target = logs.group_of(draft)
        pairs = [(source, target)] if target else []
    return draft, pairs, findings


def _membership(to: Home, context: Context, path: str) -> t.Iterator[Finding]:
    if not to.own:
        yield found("FG-CONNECT-CLIENT", f"{path}.namespace", to.source, to.source)
        return
    yield found("FG-SERVICE-CONNECT", f"{path}.namespace", to.source, to.target)
    if to.others is None and not to.answered:
        yield found("FG-CONNECT-UNREAD", f"namespaces[{to.source}]", to.source, to.target)
    elif to.others and not to.answered:
        yield found("FG-CONNECT-SHARED", f"namespaces[{to.source}]", ", ".join(map(_words, to.others)), to.target)
    if _answer_is_source(to, context):
        expected = f"it should be another namespace than the source's, where the names {to.source} uses are free"
        yield found("FG-INTENT", "fargate_service_connect_namespace", to.source, expected=expected)


def _answer_is_source(to: Home, context: Context) -> bool:
    answer = per_service(context.intent.get("service_connect_namespace"), to.source)
    return bool(answer) and not to.answered


def _words(arn: str) -> str:
    """``service web of cluster shop``; the ARN of an old service has no cluster."""
    parts = arn.partition(":service/")[2].split("/")
    return f"service {parts[1]} of cluster {parts[0]}" if len(parts) == 2 else f"service {parts[0]}"


def endpoints(draft: Json, definition: Json, to: Home, path: str) -> t.Iterator[Finding]:
    """Each by the port that it names, and under the name it has had, which by default ends in the namespace's. [B ServiceConnectClientAlias.dnsName]"""
    kept = []
    for index, endpoint in enumerate(draft.get("services") or []):
        where = f"{path}.services[{index}]"
        if endpoint.get("portName") not in named_ports(definition):
            yield found("FG-CONNECT-PORT", f"{where}.portName", endpoint.get("portName"), ports=", ".join(sorted(named_ports(definition))) or "none")
            continue
        kept.append(endpoint)
        for number, alias in enumerate(endpoint.get("clientAliases") or []):
            if to.own and not alias.get("dnsName"):
                alias["dnsName"] = f"{endpoint.get('discoveryName') or endpoint['portName']}.{to.source}"
                yield found("FG-CONNECT-NAME", f"{where}.clientAliases[{number}].dnsName", None, alias["dnsName"])
    if draft.get("services"):
        draft["services"] = kept


def named_ports(definition: t.Mapping[str, t.Any]) -> dict[str, int]:
    """Name of a port mapping -> container port."""
    mappings = [item for container in definition.get("containerDefinitions") or [] for item in container.get("portMappings") or []]
    return {str(item["name"]): int(item.get("containerPort") or 0) for item in mappings if item.get("name")}


def ingress(services: t.Sequence[Json], definitions: t.Sequence[Json], context: Context) -> list[Json]:
    """The tasks' group admits itself where a proxy listens: ``ingressPortOverride``, else the container's port. [B ServiceConnectService]"""
    by_family = {definition["family"]: named_ports(definition) for definition in definitions}
    ports = {
        endpoint.get("ingressPortOverride") or by_family[service["family"]].get(endpoint["portName"])
        for service in services
        for endpoint in (service["service_connect"] or {}).get("services") or []
    }
    return [
        {"itself": True, "protocol": "tcp", "from_port": port, "to_port": port, "description": f"{context.name}: Service Connect"}
        for port in sorted(filter(None, ports))
    ]


def default_namespace(context: Context) -> str | None:
    """The new cluster's default namespace: where the services of the old one's go. The target's own once those are gone, also where a teardown was killed."""
    present = ((context.target.get("cluster") or {}).get("serviceConnectDefaults") or {}).get("namespace")
    if context.source and (context.replica_services or not present):
        reference = _default(context)
        return home(reference, context).target if reference else None
    return present


def namespaces(context: Context) -> list[Json]:
    """Those to be made for the target, by name. One that the inventory names may be there already, and is used as it is then."""
    homes = {to.target: to for to in (home(_reference(service, context), context) for service in context.replica_services if configuration(service)) if to.own}
    return [
        {"name": name, "description": f"Service Connect of {context.name} on Fargate", "shared": homes[name].answered, "tags": dict(context.own_tags)}
        for name in sorted(homes)
        if not name.startswith("arn:")
    ]
