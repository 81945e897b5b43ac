"""EC2: descriptions and owners of security group rules, which moto keeps but does not show; tags as AWS spells and keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models.instances import Instance

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

SPELLING = {"natgateway": "nat-gateway"}  # AWS's resource types -> moto's


def find_group(aws: AwsServer, group_id: str) -> Any | None:
    return next((groups[group_id] for groups in aws.backend("ec2").groups.values() if group_id in groups), None)


def rules_of(group: Any) -> list[Any]:
    return [*group.ingress_rules, *group.egress_rules]


@operation("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """moto's answer lists a part of the new rules; AWS lists them all."""
    group_id = call.parameters.get("GroupId")
    group = find_group(aws, group_id) if group_id else None
    before = {rule.id for rule in rules_of(group)} if group is not None else set()
    answer = aws.ask_moto(call)
    if group is not None:
        egress = call.operation.endswith("Egress")
        answer["SecurityGroupRules"] = [rule_document(aws, group, rule, egress) for rule in rules_of(group) if rule.id not in before]
    return answer


@operation("ec2", "DescribeSecurityGroupRules")
def describe_rules(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters.get("SecurityGroupRuleIds") or []
    groups = [group for members in aws.backend("ec2").groups.values() for group in members.values()]
    rules = [
        rule_document(aws, group, rule, egress)
        for group in groups
        for egress, kept in ((False, group.ingress_rules), (True, group.egress_rules))
        for rule in kept
        if not wanted or rule.id in wanted
    ]
    missing = set(wanted) - {rule["SecurityGroupRuleId"] for rule in rules}
    if missing:
        raise AwsError("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{min(missing)}' does not exist")
    filters = call.parameters.get("Filters") or []
    return {"SecurityGroupRules": [rule for rule in rules if all(_passes(rule, item) for item in filters)]}


def _passes(rule: dict[str, Any], wanted: dict[str, Any]) -> bool:
    name, values = wanted["Name"], wanted["Values"]
    tags = {tag["Key"]: tag["Value"] for tag in rule["Tags"]}
    known = {"group-id": rule["GroupId"], "security-group-rule-id": rule["SecurityGroupRuleId"]}
    if name == "tag-key":
        return any(value in tags for value in values)
    return (tags.get(name.removeprefix("tag:")) if name.startswith("tag:") else known.get(name)) in values


def rule_document(aws: AwsServer, group: Any, rule: Any, egress: bool) -> dict[str, Any]:
    """A rule as DescribeSecurityGroupRules shows it: one peer each."""
    peer = rule.ip_range or rule.source_group
    shown = {
        "SecurityGroupRuleId": rule.id,
        "GroupId": group.id,
        "GroupOwnerId": aws.account,
        "IsEgress": egress,
        "IpProtocol": str(rule.ip_protocol),
        "FromPort": -1 if rule.from_port is None else int(rule.from_port),
        "ToPort": -1 if rule.to_port is None else int(rule.to_port),
        "CidrIpv4": peer.get("CidrIp"),
        "CidrIpv6": peer.get("CidrIpv6"),
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupInfo": {"GroupId": peer["GroupId"], "UserId": aws.account} if peer.get("GroupId") else None,
        "Description": peer.get("Description"),
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in rule.get_tags()],
    }
    return {key: value for key, value in shown.items() if value is not None}


@operation("ec2", "DescribeTags")
def describe_tags(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """moto spells one resource type with a hyphen that AWS doesn't."""
    filters = {item["Name"]: [SPELLING.get(value, value) for value in item["Values"]] for item in call.parameters.get("Filters") or []}
    names = {theirs: ours for ours, theirs in SPELLING.items()}
    found = aws.backend("ec2").describe_tags(filters=filters or None)
    keys = {"key": "Key", "value": "Value", "resource_id": "ResourceId", "resource_type": "ResourceType"}
    tags = [{shown: tag[kept] for kept, shown in keys.items()} for tag in found]
    return {"Tags": [tag | {"ResourceType": names.get(tag["ResourceType"], tag["ResourceType"])} for tag in tags]}


@operation("ec2", "CreateLaunchTemplate")
def create_launch_template(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """The template's own tags are not part of its data."""
    answer = aws.ask_moto(call)
    template = aws.backend("ec2").launch_templates[answer["LaunchTemplate"]["LaunchTemplateId"]]
    data = template.versions[0].data
    kept = [item for item in data.pop("TagSpecifications", []) if item["ResourceType"] != "launch-template"]
    if kept:
        data["TagSpecifications"] = kept
    return answer


terminate = Instance.terminate


def terminate_with_interfaces(instance: Any) -> Any:
    """The primary interface goes with its instance, and frees its security groups. Its address stays taken: the machine may still be going down."""
    state = terminate(instance)
    for interface in instance.nics.values():
        instance.ec2_backend.enis.pop(interface.id, None)
    return state


Instance.terminate = terminate_with_interfaces
