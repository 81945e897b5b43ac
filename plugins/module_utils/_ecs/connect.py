# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Service Connect of the target's services: what is there, whether it is as planned, and who must be deployed once more to see an endpoint.

Tasks know the endpoints that were in the namespace when their deployment began, also those that replace them later.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html
"""

from __future__ import annotations

import typing as t

from .._aws.apply import Call, covers, overlay
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import KNOWN_AFTER_APPLY
from . import namespaces

MEMBER = "serviceConnectConfiguration"
# Whoever changes one of these by UpdateService begins a deployment. [B UpdateServiceRequest]
DEPLOYS = frozenset(
    {
        MEMBER,
        "taskDefinition",
        "networkConfiguration",
        "platformVersion",
        "loadBalancers",
        "serviceRegistries",
        "volumeConfigurations",
        "vpcLatticeConfigurations",
        "forceNewDeployment",
    }
)

Config = t.Mapping[str, t.Any]
When = t.Tuple[int, float]
"""(0, seconds) for what has happened, (1, position) for what a call of this run does."""


def in_force(service: Config, clients: Clients) -> dict[str, t.Any] | None:
    """The configuration of the PRIMARY deployment, which DescribeServices has there only. ECS shows the namespace as it was given: here it is the ARN."""
    primary: Config = _primary(service)
    found = primary.get(MEMBER)
    if not found:
        return None
    reference = str(found.get("namespace") or "")
    return {**found, **({"namespace": namespaces.arn_of(clients, reference) or reference} if reference else {})}


def _primary(service: Config) -> Config:
    return next((item for item in service.get("deployments") or [] if item.get("status") == "PRIMARY"), {})


def look_up(item: Config, clients: Clients, check_mode: bool) -> dict[str, t.Any] | None:
    """The plan's configuration, with the ARN of its namespace."""
    wanted = item.get("service_connect")
    if not wanted:
        return None
    reference = str(wanted.get("namespace") or "")
    arn = namespaces.arn_of(clients, reference)
    if arn is None and not check_mode:
        raise CutoverError(
            f"There is no namespace {reference} for Service Connect of service {item['name']}. Run the role cluster first (--tags cluster). "
            "No service was created or changed."
        )
    return {**wanted, "namespace": arn or KNOWN_AFTER_APPLY}


def as_planned(now: t.Any, wanted: t.Any) -> bool:
    """``covers``, and into lists: AWS adds its defaults to endpoints and aliases too."""
    if isinstance(now, t.Mapping) and isinstance(wanted, t.Mapping):
        return all(as_planned(now.get(key), value) for key, value in wanted.items())
    if isinstance(now, (list, tuple)) and isinstance(wanted, (list, tuple)):
        return len(now) == len(wanted) and all(as_planned(*pair) for pair in zip(now, wanted, strict=True))
    return covers(now, wanted)


def drift(now: t.Any, wanted: Config | None) -> dict[str, t.Any]:
    """UpdateService takes the configuration as a whole, and resets what it lacks (containerConfigurations): what is there is sent again."""
    if not wanted or as_planned(now, wanted):
        return {}
    return {MEMBER: overlay(now, wanted)}


def expected(now: t.Any, wanted: Config) -> t.Any:
    return now if as_planned(now, wanted) else overlay(now, wanted)


def publishers_first(names: t.Iterable[str], wanted: t.Mapping[str, Config]) -> list[str]:
    """The order in which services are made: those that only use endpoints last, so that their first tasks know them."""
    return sorted(names, key=lambda name: not _publishes(wanted[name]))


def _publishes(wanted: Config) -> bool:
    return bool((wanted.get(MEMBER) or {}).get("services"))


def late(wanted: t.Mapping[str, Config], current: t.Mapping[str, Config], calls: t.Sequence[Call]) -> list[Call]:
    """Deploy again whoever was deployed before another service of its namespace published an endpoint.

    An endpoint is as old as its service, or as the update of this run that changes it; so a run that was killed is made good by the next, and then rests.
    """
    made = {(call.operation, _service_of(call)): (position, call) for position, call in enumerate(calls)}
    members = {name: item[MEMBER]["namespace"] for name, item in wanted.items() if item.get(MEMBER)}
    again = []
    for name, namespace in members.items():
        missed = [other for other in members if other != name and members[other] == namespace and _publishes(wanted[other])]
        missed = [other for other in missed if _born(other, current, made) > _deployed(name, current, made)]
        if missed:
            text = f"deploy service {name} again, so that its tasks know the endpoints of {', '.join(missed)}"
            again.append(Call(text, "ecs", "update_service", {"cluster": wanted[name]["cluster"], "service": name, "forceNewDeployment": True}))
    return again


Made = t.Mapping[t.Tuple[str, str], t.Tuple[int, Call]]


def _service_of(call: Call) -> str:
    return str(call.params.get("serviceName") or call.params.get("service"))


def _born(name: str, current: t.Mapping[str, Config], made: Made) -> When:
    for operation in ("create_service", "update_service"):
        position, call = made.get((operation, name), (-1, None))
        if call is not None and MEMBER in call.params:
            return (1, position)
    return _at((current.get(name) or {}).get("createdAt"))


def _deployed(name: str, current: t.Mapping[str, Config], made: Made) -> When:
    for operation in ("create_service", "update_service"):
        position, call = made.get((operation, name), (-1, None))
        if call is not None and (operation == "create_service" or DEPLOYS & set(call.params)):
            return (1, position)
    return _at(_primary(current.get(name) or {}).get("createdAt"))


def _at(moment: t.Any) -> When:
    return (0, moment.timestamp() if moment is not None else 0.0)
