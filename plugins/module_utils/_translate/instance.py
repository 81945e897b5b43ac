# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the instance gave silently: its addresses, its role, its region, its agents. fargate-rules.md 4"""

from __future__ import annotations

import re
import typing as t

from . import image
from .context import Json
from .findings import Finding, found
from .secrets import mask_value

HOST_ADDRESS = re.compile(r"169\.254\.169\.254|fd00:ec2::254|\b172\.17\.0\.1\b|\b127\.0\.0\.11\b|(host|gateway)\.docker\.internal", re.IGNORECASE)
# Daemons that instances have: X-Ray, OpenTelemetry, statsd and Datadog, Consul, Fluentd, CloudWatch's agent.
_DAEMON = re.compile(r"(?:\b127\.0\.0\.1|\blocalhost|\[::1\]):(?:2000|4317|4318|8125|8126|8500|24224|25888)\b", re.IGNORECASE)
_DAEMON_HOST = re.compile(r"^(STATSD|DD_AGENT|DATADOG|JAEGER_AGENT|CONSUL|FLUENTD?|XRAY)\w*_?(HOST|ADDRESS)$")
_AGENT_LABEL = re.compile(
    r"^(com\.datadoghq\.|traefik\.|io\.prometheus|prometheus[._]|co\.elastic\.|logging\.|newrelic|caddy\b|ofelia\.|com\.centurylinklabs\.watchtower)",
    re.IGNORECASE,
)
_STORE = re.compile(r"(^|/)(redis|valkey|memcached|mysql|mariadb|percona|postgres|postgresql|mongo|mongodb|rabbitmq)$")
STORE_PORTS = {
    **{"redis": 6379, "valkey": 6379, "memcached": 11211, "mongo": 27017, "rabbitmq": 5672},
    **{"mysql": 3306, "mariadb": 3306, "percona": 3306, "postgres": 5432},
}
_AGENT_VARIABLE = re.compile(r"^(ECS_(?!FARGATE$)\w+|DOCKER_(HOST|CERT_PATH|TLS_VERIFY|API_VERSION|CONFIG|CONTEXT|SOCK\w*))$")


def host_addresses(draft: Json, path: str) -> t.Iterator[Finding]:
    """Values that name the instance: its metadata service, the Docker bridge, the Docker host. fargate-rules.md 2 environment (d), command"""
    for pair in draft.get("environment") or []:
        if HOST_ADDRESS.search(str(pair.get("value") or "")):
            name = str(pair.get("name"))
            yield found("FG-HOST-ADDRESS", f"{path}.environment[{name}]", mask_value(name, pair["value"]))
    check = draft.get("healthCheck") or {}
    for key, words in (("entryPoint", draft.get("entryPoint")), ("command", draft.get("command")), ("healthCheck.command", check.get("command"))):
        for index, word in enumerate(words or []):
            if HOST_ADDRESS.search(str(word)):
                yield found("FG-HOST-ADDRESS", f"{path}.{key}[{index}]", word)


def daemons(draft: Json, source: Json, path: str) -> t.Iterator[Finding]:
    """On the instance's network (mode ``host``) 127.0.0.1 reached its daemons, unless a container of the task is one. fargate-rules.md 1 networkMode"""
    if source.get("networkMode") != "host":
        return
    own = {str(mapping.get("containerPort")) for container in source.get("containerDefinitions") or [] for mapping in container.get("portMappings") or []}
    for pair in draft.get("environment") or []:
        name, value = str(pair.get("name")), str(pair.get("value") or "")
        ports = {told.rpartition(":")[2] for told in _DAEMON.findall(value)}
        bare = _DAEMON_HOST.search(name) and value in ("127.0.0.1", "localhost", "::1")
        if ports - own or bare:
            yield found("FG-HOST-ADDRESS", f"{path}.environment[{name}]", mask_value(name, value))


def labels(draft: Json, path: str) -> t.Iterator[Finding]:
    """Labels for an agent on the host: nobody reads them on Fargate. fargate-rules.md 2 dockerLabels"""
    for name in sorted(draft.get("dockerLabels") or {}):
        if _AGENT_LABEL.search(name):
            yield found("FG-AGENT-LABEL", f"{path}.dockerLabels[{name}]", name)


def agent_variables(draft: Json, path: str) -> t.Iterator[Finding]:
    """Settings of the ECS agent or of a Docker client: neither has a counterpart in a task of Fargate. fargate-rules.md 2 environment (c)"""
    for pair in draft.get("environment") or []:
        name = str(pair.get("name"))
        if _AGENT_VARIABLE.search(name):
            yield found("FG-AGENT-VARIABLE", f"{path}.environment[{name}]", mask_value(name, pair.get("value")))


def store(draft: Json, path: str) -> t.Iterator[Finding]:
    """A database, cache or queue inside the task: each task has its own, so the target begins with an empty one. fargate-rules.md 4 (local disk state)"""
    if _STORE.search(image.parse(str(draft.get("image") or "")).repository):
        yield found("FG-STORE-IN-TASK", f"{path}.image", draft.get("image"))


def listeners(definition: Json) -> list[tuple[str, int]]:
    """(container, port) of the official images of stores, unless a command or a mapping says otherwise. fargate-rules.md 2 portMappings[].containerPort"""
    found = []
    for container in definition.get("containerDefinitions") or []:
        match = _STORE.search(image.parse(str(container.get("image") or "")).repository)
        if match and match[2] in STORE_PORTS and not any(container.get(key) for key in ("command", "entryPoint", "portMappings")):
            found.append((str(container.get("name")), STORE_PORTS[match[2]]))
    return found


RULES: tuple[t.Callable[[Json, str], t.Iterator[Finding]], ...] = (host_addresses, agent_variables, labels, store)


def has_keys(definition: Json) -> bool:
    """Without a task role the SDK may have used the instance's role; with keys in the configuration it didn't. fargate-rules.md 1 taskRoleArn, 4"""
    return any({"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ACCESS_KEY"} & names(container) for container in definition.get("containerDefinitions") or [])


def region(definition: Json, path: str) -> t.Iterator[Finding]:
    """Without a region the SDK asked the instance, or the application has one of its own; Fargate sets its own region. fargate-rules.md 4

    What shows no use of AWS isn't judged, nor what may have the region from a file of variables.
    """
    containers = definition.get("containerDefinitions") or []
    using = [container for container in containers if any(name.startswith("AWS_") for name in names(container))]
    silent = [container for container in using or (containers if definition.get("taskRoleArn") else []) if not _has_region(container)]
    if silent:
        yield found("FG-REGION", f"{path}.containerDefinitions", ", ".join(str(container.get("name")) for container in silent))


def _has_region(container: Json) -> bool:
    return bool(names(container) & {"AWS_REGION", "AWS_DEFAULT_REGION"} or container.get("environmentFiles"))


def names(container: Json) -> set[str]:
    """The names of all variables, plain and secret."""
    return {str(pair.get("name")) for key in ("environment", "secrets") for pair in container.get(key) or []}
