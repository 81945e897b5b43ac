# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The service's own security group and the rules that let it be reached and reach others. Only ever adds."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._aws import tags as tagging
from .._aws.apply import CLOCK, Call, Clock, Ids, Ref, apply, overlay, report, resolve
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .common import find_group, groups_by_id

Dict = t.Dict[str, t.Any]
Section = t.Mapping[str, t.Any]

NEW_GROUP = (("InvalidGroup.NotFound", ""), ("InvalidGroupId.NotFound", ""), ("InvalidSecurityGroupID.NotFound", ""))
"""EC2 is eventually consistent: a group that was just created may be unknown for seconds. (ec2_security_group sleeps 3 s for it.)"""

Group = str | Ref
"""The id of a group that exists, or our name for the one that may have to be created."""


@dataclass(frozen=True)
class Rule:
    """One port range that ``group`` opens to, or towards, ``peer``: a group, or a prefix list (``pl-...``)."""

    group: Group
    egress: bool
    protocol: str
    from_port: int | None
    to_port: int | None
    peer: Group
    description: str

    @property
    def key(self) -> tuple[str, int | None, int | None]:
        """AWS leaves the ports out when all are meant (protocol -1)."""
        return (self.protocol, None, None) if self.protocol == "-1" else (self.protocol, self.from_port, self.to_port)

    @property
    def member(self) -> tuple[str, str]:
        """Where a permission of EC2's API names the peer."""
        return ("PrefixListIds", "PrefixListId") if isinstance(self.peer, str) and self.peer.startswith("pl-") else ("UserIdGroupPairs", "GroupId")

    @property
    def permission(self) -> Dict:
        peers, key = self.member
        peer = {key: self.peer, **({"Description": self.description} if self.description else {})}
        ports = {} if self.protocol == "-1" else {"FromPort": self.from_port, "ToPort": self.to_port}
        return {"IpProtocol": self.protocol, **ports, peers: [peer]}


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> Dict:
    section = params["security"]
    group, rules = wanted_group(section), wanted_rules(section)
    found = find_group(clients, group["name"], group["vpc_id"])
    refuse_foreign(group, found)
    others = _other_groups(clients, rules)
    ids: Ids = {Ref("security_group", group["name"]): found["GroupId"]} if found else {}
    present = {**others, **({found["GroupId"]: found} if found else {})}
    calls = [*compare_group(group, found), *(authorize(rule, group) for rule in rules if not exists(rule, present, ids))]
    states = [(rule, "present" if exists(rule, present, ids) else "added") for rule in rules]
    changes = apply(calls, clients, ids, check_mode, clock)
    before, after = diff(group, found, states, ids)
    facts = [{**_shown(rule, ids), "state": state} for rule, state in states]
    return report(changes, before, after, group_id=resolve(Ref("security_group", group["name"]), ids), rules=facts)


def wanted_group(section: Section) -> Dict:
    group = section["group"]
    return {
        "name": group["name"],
        "description": group.get("description") or group["name"],
        "vpc_id": section["vpc_id"],
        "tags": {key: str(value) for key, value in (group.get("tags") or {}).items()},
    }


def wanted_rules(section: Section) -> list[Rule]:
    """The three lists of the plan as rules, each of the group it is written into."""
    own = Ref("security_group", section["group"]["name"])
    rules = [_rule(own, False, _admitted(item, own), item) for item in section.get("ingress") or []]
    rules += [_rule(item["group_id"], False, own, item) for item in section.get("grants") or []]
    rules += [_rule(item["group_id"], True, own, item) for item in section.get("load_balancer_egress") or []]
    return list(dict.fromkeys(rules))


def _admitted(item: Section, own: Group) -> Group:
    """Who is let in: another group, a prefix list, or the new group itself."""
    return own if item.get("itself") else item.get("prefix_list_id") or item["source_group_id"]


def _rule(group: Group, egress: bool, peer: Group, item: Section) -> Rule:
    return Rule(group, egress, str(item["protocol"]), item.get("from_port"), item.get("to_port"), peer, item.get("description") or "")


def refuse_foreign(wanted: Section, found: Section | None) -> None:
    owner = wanted["tags"].get(tagging.SYSTEM)
    if found and owner is not None and tagging.to_dict(found.get("Tags")).get(tagging.SYSTEM) != owner:
        raise CutoverError(
            f"The security group {wanted['name']} ({found['GroupId']}) exists without the tag {tagging.SYSTEM}={owner}, so it is not ours to change. "
            "Choose another name for the target's group, or tag it if it is this system's. Nothing was changed."
        )


def _other_groups(clients: Clients, rules: t.Iterable[Rule]) -> dict[str, Dict]:
    """The groups that exist already and are named by id: the load balancer's and those of the data tier."""
    ids = {side for rule in rules for side in (rule.group, rule.peer) if isinstance(side, str) and not side.startswith("pl-")}
    found = groups_by_id(clients, ids)
    if missing := sorted(ids - set(found)):
        raise CutoverError(f"There is no security group {', '.join(missing)} in this account and region. The plan names it in a rule. Nothing was changed.")
    return found


def compare_group(wanted: Section, found: Section | None) -> list[Call]:
    name = wanted["name"]
    if found is None:
        return [_create(wanted)]
    missing = tagging.missing(wanted["tags"], tagging.to_dict(found.get("Tags")))
    if missing:
        params = {"Resources": [found["GroupId"]], "Tags": tagging.to_list(missing)}
        return [Call(f"tag security group {name} with {', '.join(sorted(missing))}", "ec2", "create_tags", params)]
    return []


def _create(wanted: Section) -> Call:
    """A new group lets everything out, as AWS makes it; the service must reach the registry, the log service and its data tier."""
    name, vpc_id = wanted["name"], wanted["vpc_id"]

    def taken(clients: Clients) -> Dict:
        """Somebody was faster, or the answer to our own call was lost and it was sent again."""
        found = find_group(clients, name, vpc_id)
        refuse_foreign(wanted, found)
        return found or {}

    specification = [{"ResourceType": "security-group", "Tags": tagging.to_list(wanted["tags"])}] if wanted["tags"] else []
    params = {"GroupName": name, "Description": wanted["description"], "VpcId": vpc_id, "TagSpecifications": specification}
    gives: dict[Ref, tuple[str | int, ...]] = {Ref("security_group", name): ("GroupId",)}
    return Call(f"create security group {name}", "ec2", "create_security_group", params, gives=gives, done={"InvalidGroup.Duplicate": taken})


def authorize(rule: Rule, group: Section) -> Call:
    """One rule a call: a duplicate among several would make AWS refuse all of them."""
    direction = "egress" if rule.egress else "ingress"
    owner = {tagging.SYSTEM: group["tags"][tagging.SYSTEM]} if tagging.SYSTEM in group["tags"] else {}
    params: Dict = {"GroupId": rule.group, "IpPermissions": [rule.permission]}
    if owner:
        params["TagSpecifications"] = [{"ResourceType": "security-group-rule", "Tags": tagging.to_list(owner)}]
    operation = f"authorize_security_group_{direction}"
    return Call(f"add {_words(rule)}", "ec2", operation, params, done={"InvalidPermission.Duplicate": lambda _clients: {}}, again=NEW_GROUP)


def exists(rule: Rule, groups: t.Mapping[str, Section], ids: t.Mapping[Ref, str]) -> bool:
    """Whether the group has the rule, whoever wrote it and whatever its description and tags are."""
    group, peer = resolve(rule.group, ids), resolve(rule.peer, ids)
    permissions = groups.get(group, {}).get("IpPermissionsEgress" if rule.egress else "IpPermissions", [])
    peers, key = rule.member
    return any(_key(item) == rule.key and any(found.get(key) == peer for found in item.get(peers, [])) for item in permissions)


def _key(permission: Section) -> tuple[str, int | None, int | None]:
    protocol = permission["IpProtocol"]
    return (protocol, None, None) if protocol == "-1" else (protocol, permission.get("FromPort"), permission.get("ToPort"))


def diff(group: Section, found: Section | None, states: t.Sequence[tuple[Rule, str]], ids: t.Mapping[Ref, str]) -> tuple[Dict, Dict]:
    before: Dict = {"group": _view(found) if found else {}, "rules": sorted(_words(rule) for rule, state in states if state == "present")}
    planned = {**group, "id": resolve(Ref("security_group", group["name"]), ids)}
    if found:
        planned["description"] = found["Description"]  # AWS can't change it
    return before, {"group": overlay(before["group"], planned), "rules": sorted(_words(rule) for rule, _state in states)}


def _view(found: Section) -> Dict:
    return {
        "name": found["GroupName"],
        "description": found["Description"],
        "vpc_id": found["VpcId"],
        "tags": tagging.to_dict(found.get("Tags")),
        "id": found["GroupId"],
    }


def _words(rule: Rule) -> str:
    """``ingress tcp 3306 to sg-1 from shop-fargate``"""
    ports = "" if rule.key[1] is None else f" {rule.from_port}" if rule.from_port == rule.to_port else f" {rule.from_port}-{rule.to_port}"
    group, peer = (side.name if isinstance(side, Ref) else side for side in (rule.group, rule.peer))
    return f"egress {rule.protocol}{ports} from {group} to {peer}" if rule.egress else f"ingress {rule.protocol}{ports} to {group} from {peer}"


def _shown(rule: Rule, ids: t.Mapping[Ref, str]) -> Dict:
    return {
        "group_id": resolve(rule.group, ids),
        "direction": "egress" if rule.egress else "ingress",
        "protocol": rule.protocol,
        "from_port": rule.from_port,
        "to_port": rule.to_port,
        "peer_group_id": resolve(rule.peer, ids),
        "description": rule.description,
    }
