# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which tool made a resource, as its tags tell. What such a tool made it may make, or undo, again."""

from __future__ import annotations

import re
import typing as t

from .._aws import tags as tagging
from .read import Reader, Shape

# Tag keys that a tool sets itself, the more specific first: Copilot and Elastic Beanstalk also deploy with CloudFormation.
OWN_TAGS = (
    ("copilot", "copilot-application"),
    ("elasticbeanstalk", "elasticbeanstalk:environment-name"),
    ("cdk", "aws:cdk:path"),
    ("cdk", "aws-cdk:"),
    ("cloudformation", "aws:cloudformation:stack-name"),
    ("pulumi", "pulumi:"),
)
# Keys that people use to name the tool: Terraform and the CDK have no tags of their own.
NAMING_TAGS = ("managedby", "createdby", "provisioner", "provisionedby", "iac", "tool")
Resource = t.Tuple[str, str, str, t.Mapping[str, str]]
"""Kind, id, name, tags."""

NO = ("false", "no", "0")
TOOLS = ("terraform", "opentofu", "pulumi", "copilot", "cloudformation", "cdk", "ansible")


def owner(tags: t.Mapping[str, str]) -> tuple[str, str] | None:
    """Tool and what it calls the resource's deployment (stack, application, ...); None for a resource that no known tool claims."""
    lower = sorted((key.lower(), value) for key, value in tags.items())
    stack = tags.get("aws:cloudformation:stack-name", "")
    for tool, wanted in OWN_TAGS:
        for key, value in lower:
            if key == wanted or (wanted.endswith(":") and key.startswith(wanted)):
                return tool, stack or value
    named = [value.lower() for key, value in lower if re.sub(r"[-_: ]", "", key) in NAMING_TAGS]
    for tool in TOOLS:
        if any(tool in value for value in named) or any(key == tool and value.lower() not in NO for key, value in lower):
            return tool, stack
    return None


def read_owners(read: Reader, side: Shape, path: str) -> list[Shape]:
    """``owners`` of a side: ``{kind, id, name, owner, deployment}`` of every resource that a tool claims.

    Tags that no describing call tells are asked for by ARN, 100 in one call; what does not exist is left out of the answer.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    account = side["load_balancer"]["LoadBalancerArn"].split(":")[4]
    untold = [(kind, arn, name) for kind, arn, name in _untold(side) if arn.split(":")[4] == account]
    arns = sorted({arn for _kind, arn, _name in untold})
    answer = read.if_possible(
        f"{path}.owners", [], lambda: read.batches("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", "ResourceARNList", arns, 100)
    )
    known = {item["ResourceARN"]: tagging.to_dict(item.get("Tags")) for item in answer}
    return owners([*_resources(side), *_surroundings(side), *((kind, arn, name, known.get(arn, {})) for kind, arn, name in untold)])


def owners(resources: t.Iterable[Resource]) -> list[Shape]:
    """The claimed ones, each once."""
    found = []
    for kind, identifier, name, tags in resources:
        told = owner(tags)
        if told:
            found.append({"kind": kind, "id": identifier, "name": name, "owner": told[0], "deployment": told[1]})
    return found


def _resources(side: Shape) -> t.Iterator[Resource]:
    balancer, cluster, groups = side["load_balancer"], side["cluster"], side["security_groups"]
    yield "load_balancer", balancer["LoadBalancerArn"], balancer["LoadBalancerName"], balancer["Tags"]
    for listener in balancer["Listeners"]:
        yield "listener", listener["ListenerArn"], f"{listener.get('Protocol')}:{listener.get('Port')}", listener["Tags"]
        for rule in listener["Rules"]:
            yield "listener_rule", rule["RuleArn"], str(rule["Priority"]), rule["Tags"]
    for group in side["target_groups"]:
        yield "target_group", group["TargetGroupArn"], group["TargetGroupName"], group["Tags"]
    if cluster:
        yield "cluster", cluster["clusterArn"], cluster["clusterName"], cluster["Tags"]
    for service in side["services"]:
        yield "service", service["serviceArn"], service["serviceName"], service["Tags"]
        if service["TaskDefinition"]:
            yield "task_definition", service["TaskDefinition"]["taskDefinitionArn"], service["TaskDefinition"]["family"], service["TaskDefinitionTags"]
    for group in side["capacity"]["auto_scaling_groups"]:
        yield "auto_scaling_group", group["AutoScalingGroupARN"], group["AutoScalingGroupName"], group["Tags"]
    for provider in side["capacity"]["capacity_providers"]:
        yield "capacity_provider", provider["capacityProviderArn"], provider["name"], provider["Tags"]
    for group in {group["GroupId"]: group for group in [*groups["load_balancer"], *groups["tasks"], *groups["admitting"]]}.values():
        yield "security_group", group["GroupId"], group["GroupName"], group["Tags"]


def _surroundings(side: Shape) -> t.Iterator[Resource]:
    """What the system runs on or uses."""
    for subnet in side["subnets"]:
        yield "subnet", subnet["SubnetId"], subnet["Tags"].get("Name", ""), subnet["Tags"]
    for instance in side["capacity"]["instances"]:
        yield "instance", instance["InstanceId"], instance["Tags"].get("Name", ""), instance["Tags"]
    for profile in side["capacity"]["instance_profiles"]:
        yield "instance_profile", profile["Arn"], profile["InstanceProfileName"], profile["Tags"]
    for role in side["roles"]:
        yield "role", role["Arn"], role["RoleName"], role["Tags"]
    for database in side["databases"]:
        yield "database", database["DBInstanceArn"], database["DBInstanceIdentifier"], database["Tags"]


def _untold(side: Shape) -> t.Iterator[tuple[str, str, str]]:
    """Kind, ARN and name of what is described without its tags."""
    for group in side["log_groups"]:
        yield "log_group", group["arn"].removesuffix(":*"), group["logGroupName"]
    for repository in side["repositories"]:
        yield "repository", repository["repositoryArn"], repository["repositoryName"]
    for alarm in side["alarms"]:
        yield "alarm", alarm["AlarmArn"], alarm["AlarmName"]
    balancer = side["load_balancer"]["LoadBalancerArn"].split(":")
    partition, region, account = balancer[1], balancer[3], balancer[4]
    for template in _templates(side):
        yield "launch_template", f"arn:{partition}:ec2:{region}:{account}:launch-template/{template['LaunchTemplateId']}", template["LaunchTemplateName"]
    for name in sorted({use["id"] for group in side["security_groups"]["admitting"] for use in group["used_by"] if use["kind"] == "elasticache"}):
        # Known by one name: a cluster, or the replication group of several.
        for resource in ("cluster", "replicationgroup"):
            yield "cache", f"arn:{partition}:elasticache:{region}:{account}:{resource}:{name}", name


def _templates(side: Shape) -> t.Iterator[Shape]:
    templates = [group["LaunchTemplate"] or {} for group in side["capacity"]["auto_scaling_groups"]]
    yield from {template["LaunchTemplateId"]: template for template in templates if template.get("LaunchTemplateId")}.values()
