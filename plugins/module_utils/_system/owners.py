# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which tool made a resource, as its tags tell. What such a tool made it may make, or undo, again. Pure."""

from __future__ import annotations

import re
import typing as t

from .read import Shape

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


def owners(side: Shape) -> list[Shape]:
    """``owners`` of a side: ``{kind, id, name, owner, deployment}`` of every resource that a tool claims."""
    found = []
    for kind, identifier, name, tags in _resources(side):
        told = owner(tags)
        if told:
            found.append({"kind": kind, "id": identifier, "name": name, "owner": told[0], "deployment": told[1]})
    return found


def _resources(side: Shape) -> t.Iterator[tuple[str, str, str, t.Mapping[str, str]]]:
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
    for subnet in side["subnets"]:
        yield "subnet", subnet["SubnetId"], subnet["Tags"].get("Name", ""), subnet["Tags"]
