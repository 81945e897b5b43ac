# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One container: every member of ``ContainerDefinition`` that Fargate or awsvpc treats differently. fargate-rules.md 2

Each rule changes the draft (a private copy) and yields what a person must know. Members that no rule names are kept as they are.
"""

from __future__ import annotations

import ipaddress
import typing as t

from . import agent
from .context import Context, Json, as_int
from .findings import Finding, found
from .instance import HOST_ADDRESS

FORBIDDEN_RESOURCES = frozenset({"GPU", "InferenceAccelerator", "NeuronDevice"})
LONGEST_TIMEOUT = 120
SHORTEST_TIMEOUT = 2
LARGEST_NOFILE = 1048576
BRIDGE = ipaddress.ip_network("172.17.0.0/16")


def port_mappings(draft: Json, path: str) -> t.Iterator[Finding]:
    """``hostPort`` must be blank or the container port; a fixed one was a door on the instance. fargate-rules.md 2 portMappings[].hostPort, .protocol"""
    kept: list[Json] = []
    for index, mapping in enumerate(draft.get("portMappings") or []):
        host, port = mapping.pop("hostPort", None), mapping.get("containerPort")
        mapping.pop("hostPortRange", None)
        if host and mapping.get("protocol") == "udp":
            yield found("FG-UDP-PORT", f"{path}.portMappings[{index}].hostPort", host, port)
        elif host and host != port:
            yield found("FG-HOST-PORT", f"{path}.portMappings[{index}].hostPort", host, port)
        twin = next((other for other in kept if _door(other) == _door(mapping)), None)
        if twin is None:
            kept.append(mapping)
        else:
            twin.update({key: value for key, value in mapping.items() if key not in twin})
    if "portMappings" in draft:
        draft["portMappings"] = kept


def hostname(draft: Json, path: str) -> t.Iterator[Finding]:
    """ "hostname is not supported on container when networkMode=awsvpc". fargate-rules.md 2 hostname"""
    value = draft.pop("hostname", None)
    if value:
        yield found("FG-HOSTNAME", f"{path}.hostname", value)


def privileged(draft: Json, path: str) -> t.Iterator[Finding]:
    """ "Fargate requires that the 'privileged' setting be 'false'". fargate-rules.md 2 privileged"""
    if draft.pop("privileged", None):
        yield found("FG-PRIVILEGED", f"{path}.privileged", True)


def disable_networking(draft: Json, path: str) -> t.Iterator[Finding]:
    """Not valid on Fargate: every task has a network. fargate-rules.md 2 disableNetworking"""
    if draft.pop("disableNetworking", None):
        yield found("FG-DISABLE-NETWORKING", f"{path}.disableNetworking", True)


def dns(draft: Json, path: str) -> t.Iterator[Finding]:
    """DNS servers and search domains come from the VPC. fargate-rules.md 2 dnsServers, dnsSearchDomains"""
    for key, kind in (("dnsServers", "FG-DNS-SERVERS"), ("dnsSearchDomains", "FG-DNS-SEARCH")):
        value = draft.pop(key, None)
        if value:
            yield found(kind, f"{path}.{key}", ", ".join(map(str, value)))


def extra_hosts(draft: Json, path: str) -> t.Iterator[Finding]:
    """Not supported with awsvpc. A name with a dot may live in DNS; a bare one resolved only by this entry. fargate-rules.md 2 extraHosts"""
    for index, entry in enumerate(draft.pop("extraHosts", None) or []):
        name, address = str(entry.get("hostname") or ""), str(entry.get("ipAddress") or "")
        kind = "FG-EXTRA-HOSTS-LOCAL" if is_local(address) or HOST_ADDRESS.search(name) else "FG-EXTRA-HOSTS" if "." in name else "FG-EXTRA-HOSTS-BARE"
        yield found(kind, f"{path}.extraHosts[{index}]", f"{name} {address}")


def local_peers(container: t.Mapping[str, t.Any], definition: t.Mapping[str, t.Any]) -> set[str]:
    """Names of the task's containers that ``extraHosts`` leads to Docker's bridge or to itself: they mean the peer. fargate-rules.md 2 extraHosts"""
    others = {str(other.get("name")) for other in definition.get("containerDefinitions") or []}
    local = {str(entry.get("hostname")) for entry in container.get("extraHosts") or [] if is_local(str(entry.get("ipAddress") or ""))}
    return local & others


def security_options(draft: Json, path: str) -> t.Iterator[Finding]:
    """ "do not support dockerSecurityOptions": hardening is lost, gMSA needs a design. fargate-rules.md 2 dockerSecurityOptions"""
    for index, option in enumerate(draft.pop("dockerSecurityOptions", None) or []):
        kind = "FG-GMSA" if str(option).startswith("credentialspec") else "FG-SECURITY-OPTION"
        yield found(kind, f"{path}.dockerSecurityOptions[{index}]", option)


def credential_specs(draft: Json, path: str) -> t.Iterator[Finding]:
    """gMSA on Fargate needs a design of its own. fargate-rules.md 2 credentialSpecs"""
    given = draft.pop("credentialSpecs", None)
    if given:
        yield found("FG-GMSA", f"{path}.credentialSpecs", ", ".join(map(str, given)))


def ulimits(draft: Json, path: str) -> t.Iterator[Finding]:
    """``nofile`` can be set; others register, but the operating system's defaults may hold. fargate-rules.md 2 ulimits"""
    for index, limit in enumerate(draft.get("ulimits") or []):
        if limit.get("name") != "nofile":
            yield found("FG-ULIMIT", f"{path}.ulimits[{index}]", f"{limit.get('name')} {limit.get('softLimit')}/{limit.get('hardLimit')}")
            continue
        for key in ("softLimit", "hardLimit"):
            if (limit.get(key) or 0) > LARGEST_NOFILE:
                yield found("FG-NOFILE", f"{path}.ulimits[{index}].{key}", limit[key], LARGEST_NOFILE)
                limit[key] = LARGEST_NOFILE


def resources(draft: Json, path: str) -> t.Iterator[Finding]:
    """GPUs, inference accelerators and Neuron devices are refused. fargate-rules.md 2 resourceRequirements"""
    kept = []
    for index, requirement in enumerate(draft.get("resourceRequirements") or []):
        if requirement.get("type") in FORBIDDEN_RESOURCES:
            yield found("FG-GPU", f"{path}.resourceRequirements[{index}]", requirement.get("type"))
        else:
            kept.append(requirement)
    if kept:
        draft["resourceRequirements"] = kept
    else:
        draft.pop("resourceRequirements", None)


def firelens(draft: Json, path: str) -> t.Iterator[Finding]:
    """ "Fargate launch type does not support FirelensConfiguration config file from 's3'". fargate-rules.md 2 firelensConfiguration"""
    options = (draft.get("firelensConfiguration") or {}).get("options") or {}
    if options.get("config-file-type") == "s3":
        yield found("FG-FIRELENS-S3", f"{path}.firelensConfiguration.options.config-file-type", options.get("config-file-value"))
        for key in ("config-file-type", "config-file-value"):
            options.pop(key, None)


def start_timeout(draft: Json, path: str) -> t.Iterator[Finding]:
    """2 to 120 seconds on Fargate. fargate-rules.md 2 startTimeout"""
    value = draft.get("startTimeout")
    if value is not None:
        draft["startTimeout"] = _within(value)
        if value != draft["startTimeout"]:
            yield found("FG-STARTTIMEOUT" if value > LONGEST_TIMEOUT else "FG-TIMEOUT-SHORT", f"{path}.startTimeout", value, draft["startTimeout"])


def stop_timeout(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """2 to 120 seconds on Fargate: what needed longer is killed, so a person answers by ``fargate_stop_timeout``. fargate-rules.md 2 stopTimeout

    A container that says none had the time of the instances' agent, and 30 seconds on Fargate.
    """
    own, told = draft.get("stopTimeout"), agent.stop_timeout(context)
    value = own if own is not None else told if told != agent.STOP_TIMEOUT else None
    shown = value if own is not None or value is None else f"{value} (ECS_CONTAINER_STOP_TIMEOUT of the instances)"
    answer = as_int((context.intent.get("stop_timeout") or {}).get(str(draft.get("name"))))
    if answer is not None and answer == _within(answer):
        draft["stopTimeout"] = answer
        if value != answer:
            yield found("FG-STOPTIMEOUT-SET", f"{path}.stopTimeout", shown, answer)
    elif value is not None:
        draft["stopTimeout"] = _within(value)
        if value != draft["stopTimeout"]:
            yield found("FG-STOPTIMEOUT" if value > LONGEST_TIMEOUT else "FG-TIMEOUT-SHORT", f"{path}.stopTimeout", shown, draft["stopTimeout"])
        elif own is None:
            yield found("FG-STOPTIMEOUT-AGENT", f"{path}.stopTimeout", shown, value)


def environment_files(draft: Json, path: str) -> t.Iterator[Finding]:
    """Kept; the execution role reads them from S3, and quoting differs from a shell's. fargate-rules.md 2 environmentFiles"""
    for index, item in enumerate(draft.get("environmentFiles") or []):
        yield found("FG-ENVIRONMENT-FILE", f"{path}.environmentFiles[{index}]", item.get("value"))


RULES: tuple[t.Callable[[Json, str], t.Iterator[Finding]], ...] = (
    port_mappings,
    hostname,
    privileged,
    disable_networking,
    dns,
    extra_hosts,
    security_options,
    credential_specs,
    ulimits,
    resources,
    firelens,
    start_timeout,
    environment_files,
)


def _within(seconds: int) -> int:
    return min(max(seconds, SHORTEST_TIMEOUT), LONGEST_TIMEOUT)


def _door(mapping: Json) -> tuple[t.Any, ...]:
    """What of a port mapping may be there once in a task."""
    return mapping.get("containerPort"), mapping.get("containerPortRange"), mapping.get("protocol") or "tcp"


def is_local(address: str) -> bool:
    """Whether it is the container itself, one beside it or the instance: loopback, Docker's bridge."""
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return False
    return given.is_loopback or given in BRIDGE or bool(HOST_ADDRESS.search(address))
