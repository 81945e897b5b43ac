# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The work of ``ecs_system_info``: from an FQDN to everything of the system on both sides. Nothing is ever written."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._aws import tags
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from . import account_settings, balancers, quotas, versions, zones
from .hostnames import bare, normal
from .mount_targets import answers as answered_file_systems
from .read import Reader, Shape, plain, together, unique
from .sharing import neighbours, shared
from .sides import Scope, Side, read_side
from .status import status_lines

SOURCE_CLUSTER = "cutover:source-cluster"


@dataclass(frozen=True)
class Found:
    """The load balancers of both sides, and where the FQDN leads."""

    source: Shape | None
    target: Shape | None
    target_tags: t.Mapping[str, str]
    zones: t.Sequence[zones.Zone]
    hosts: t.Sequence[str]


ARGUMENT_SPEC: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "fqdn": {"type": "str", "required": True},
    "services": {"type": "list", "elements": "str"},
    "names": {"type": "dict"},
    "execution_role": {"type": "str"},
    "task_role_arn": {"type": "raw"},
    "volumes": {"type": "raw"},
}


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool) -> dict[str, t.Any]:  # noqa: ARG001  (reading is the same in check mode)
    """The module's result: ``system``, ``status_lines``, ``versions``."""
    found_versions = versions.check()
    read = Reader(clients)
    system = plain(read_system(read, params))
    return {"changed": False, "system": system, "status_lines": status_lines(system, phase_of(system)), "versions": found_versions}


def read_system(read: Reader, params: t.Mapping[str, t.Any]) -> Shape:
    """``discover_system`` (docs/architecture.md, Contracts)."""
    name, fqdn, only = params["name"], normal(params["fqdn"]), params.get("services") or []
    account = read.clients.account_id()  # first of all, so that missing credentials are told before anything else
    names = names_of(name, params.get("names"))
    found = find(read, name, fqdn, names["load_balancer"])
    scopes = {
        "source": Scope(
            "source",
            unique([found.target_tags.get(SOURCE_CLUSTER, "")]),
            only,
            roles_of(params, names),
            answered_file_systems(params.get("volumes")),
            strict=found.target is None,
        ),
        "target": Scope("target", [names["cluster"]]),
    }
    balancer_of = {side: getattr(found, side) for side in scopes}
    answers = together(
        account_settings=lambda: account_settings.read_account_settings(read),
        quotas=lambda: quotas.read_quotas(read),
        **{side: _side(read, balancer_of[side], scopes[side]) for side in scopes},
    )
    sides: dict[str, Side | None] = {side: answers[side] for side in scopes}
    by_host = {bare(balancer["DNSName"]): side for side, balancer in balancer_of.items() if balancer}
    records = zones.pointing(found.zones, by_host)
    data = {side: {**read_one.data, "sharing": neighbours(read, read_one, fqdn, records, side)} for side, read_one in sides.items() if read_one}
    return {
        "name": name,
        "fqdn": fqdn,
        "region": read.clients.region,
        "account_id": account,
        "serving": serving([by_host.get(bare(host), "") for host in found.hosts]),
        "records": records,
        "source": data.get("source"),
        "target": data.get("target"),
        "shared": shared(sides["source"], fqdn, only) if sides["source"] else [],
        "account_settings": answers["account_settings"],
        "quotas": answers["quotas"],
        "problems": sorted(read.problems, key=lambda problem: (problem["path"], problem["id"], problem["message"])),
    }


def names_of(system: str, overrides: t.Mapping[str, str] | None) -> dict[str, str]:
    """Names of the target. Imported here: the reading side needs nothing else of the translation."""
    from .._translate import names  # noqa: PLC0415

    return names.compute(system, overrides or {})


def roles_of(params: t.Mapping[str, t.Any], names: t.Mapping[str, str]) -> list[str]:
    """Names of the roles that the tasks get by the inventory: what those may do counts, not what the source's may."""
    given = params.get("task_role_arn")
    of_tasks = given.values() if isinstance(given, t.Mapping) else [given]
    named = [params.get("execution_role") or names["execution_role"], *of_tasks]
    return unique(str(role or "").rpartition("/")[2] for role in named)


def phase_of(system: Shape) -> str:
    """The phase, by the plan's own rule: the status and the plan must not differ."""
    from .._translate.context import Context  # noqa: PLC0415
    from .._translate.phases import phase  # noqa: PLC0415

    return phase(Context(system, {}))


def serving(sides: t.Sequence[str]) -> str:
    """``source``, ``target``, ``mixed`` or ``none``: where the FQDN's records lead."""
    told = unique(sides)
    return "mixed" if len(told) > 1 else (told or ["none"])[0]


def find(read: Reader, name: str, fqdn: str, target_name: str) -> Found:
    """Both load balancers.

    One the FQDN leads to is the target when it carries our tag ``cutover:source-load-balancer``; then the source is the one that the tag names, or
    gone. Otherwise it is the source, and the target is looked up by its computed name.
    """
    known = zones.find(read, fqdn)
    pointed = _pointed(read, fqdn, zones.endings(known, fqdn))
    marks = balancers.tags_of(read, [item["LoadBalancerArn"] for item in pointed])
    made = [item for item in pointed if tags.SOURCE_LOAD_BALANCER in marks.get(item["LoadBalancerArn"], {})]
    target = made[0] if made else balancers.by_name(read, target_name)
    mark = marks.get(target["LoadBalancerArn"]) or balancers.tags_of(read, [target["LoadBalancerArn"]]).get(target["LoadBalancerArn"], {}) if target else {}
    sources = [item for item in pointed if item not in made]
    if target and mark.get(tags.SYSTEM) != name:
        _not_ours(read, name, target, mark, pointed)
        target, mark = None, {}
    source = _source(fqdn, sources) or (balancers.by_arn(read, mark[tags.SOURCE_LOAD_BALANCER]) if tags.SOURCE_LOAD_BALANCER in mark else None)
    return Found(source, target, mark, known, [bare(item["DNSName"]) for item in pointed])


def _side(read: Reader, load_balancer: Shape | None, scope: Scope) -> t.Callable[[], Side | None]:
    return lambda: read_side(read, load_balancer, scope) if load_balancer else None


def _pointed(read: Reader, fqdn: str, endings: t.Sequence[zones.Ending]) -> list[Shape]:
    """The load balancers the FQDN leads to. What only a private zone says may lead elsewhere: that is left alone, and told."""
    public = [ending for ending in endings if not ending.zone.private]
    found = _distinct(_existing(read, fqdn, _by_host(public or endings)))
    known = {bare(balancer["DNSName"]) for balancer in found}
    for ending in [ending for ending in endings if ending.zone.private and public]:
        if bare(ending.host or "") not in known:
            leads = ending.host or ", ".join(ending.addresses)
            where = f"private zone {ending.zone.name} ({ending.zone.id})"
            read.problem("record-elsewhere", "records", f"{fqdn} leads to {leads} in {where}, and is left alone there.")
    for ending in endings:
        if normal(ending.record_set["Name"]).startswith("*."):
            read.problem("wildcard-record", "records", f"{fqdn} is answered by the wildcard {normal(ending.record_set['Name'])}: other names move with it.")
    return found


def _existing(read: Reader, fqdn: str, endings: t.Sequence[zones.Ending]) -> list[Shape]:
    """A record that leads nowhere is told; alone it leaves the system without a source, which is for the plan to tell."""
    found: list[Shape] = []
    for ending in endings:
        try:
            found.append(balancers.by_ending(read, fqdn, ending))
        except balancers.NowhereError as error:
            read.problem("record-nowhere", "records", error.message.removesuffix(" Nothing was written."))
    return found


def _by_host(endings: t.Sequence[zones.Ending]) -> list[zones.Ending]:
    """One ending per destination: A and AAAA lead to the same load balancer."""
    return list({(bare(ending.host or ""), ending.addresses): ending for ending in endings}.values())


def _distinct(found: t.Iterable[Shape]) -> list[Shape]:
    return list({balancer["LoadBalancerArn"]: balancer for balancer in found}.values())


def _source(fqdn: str, sources: t.Sequence[Shape]) -> Shape | None:
    if len(sources) > 1:
        several = ", ".join(item["LoadBalancerName"] for item in sources)
        raise CutoverError(f"fargate_fqdn {fqdn} leads to several load balancers: {several}. It should lead to one. Nothing was written.")
    return sources[0] if sources else None


def _not_ours(read: Reader, name: str, target: Shape, mark: t.Mapping[str, str], pointed: t.Sequence[Shape]) -> None:
    """A load balancer that was made for another system: serving the FQDN it is an error, else a name that is taken."""
    owner = mark.get(tags.SYSTEM)
    called = target["LoadBalancerName"]
    if target in pointed and owner is not None:
        raise CutoverError(
            f"Load balancer {called}, which serves the FQDN, was made for system {owner} (tag {tags.SYSTEM}), but the inventory host is {name}. "
            f"It should be called {owner}. Nothing was written."
        )
    whose = f"belongs to system {owner}" if owner else f"does not carry the tag {tags.SYSTEM}"
    read.problem("target-name-taken", "target", f"Load balancer {called} exists but {whose}. fargate_names.load_balancer should be another name.")
