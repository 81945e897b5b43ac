"""Task definitions as CloudFormation, and what cfn-lint says about them: an oracle that the collection's authors didn't write."""

from __future__ import annotations

import functools
import json
import typing as t

from botocore.model import ListShape, MapShape, Shape, StructureShape
from cfnlint.api import lint
from cfnlint.context import create_context_for_template
from cfnlint.core import get_rules
from cfnlint.helpers import FUNCTIONS
from cfnlint.jsonschema import CfnTemplateValidator
from cfnlint.rules.resources.ecs.FargateCpuMemory import FargateCpuMemory
from cfnlint.rules.resources.ecs.LogConfiguration import LogConfiguration
from cfnlint.rules.resources.ecs.TaskDefinitionAwsVpc import TaskDefinitionAwsVpc
from cfnlint.rules.resources.ecs.TaskDefinitionEssentialContainer import TaskDefinitionEssentialContainer
from cfnlint.rules.resources.ecs.TaskFargateProperties import TaskFargateProperties
from cfnlint.template import Template
from unit.plugins.module_utils._translate import shapes

Json = t.Dict[str, t.Any]
TYPE = "AWS::ECS::TaskDefinition"
# What cfn-lint knows about ECS: sizes, members and drivers of Fargate, awsvpc's ports, essential containers, log options.
DEFINITION_RULES = (FargateCpuMemory, LogConfiguration, TaskDefinitionAwsVpc, TaskDefinitionEssentialContainer, TaskFargateProperties)
RULES = ("E3042", "E3044", "E3046", "E3047", "E3048", "E3049", "E3052", "E3053", "E3054", "E3713")
# Where CloudFormation spells a member differently from the API.
SPELLED = {
    "efsVolumeConfiguration": "EFSVolumeConfiguration",
    "fileSystemId": "FilesystemId",
    "iam": "IAM",
    "s3filesVolumeConfiguration": "S3FilesVolumeConfiguration",
}
NETWORK = {"AwsvpcConfiguration": {"Subnets": ["subnet-0123456789abcdef0"]}}


def complaints(definitions: t.Sequence[Json]) -> list[str]:
    """cfn-lint as people run it, over one template with all of them and a service of each on Fargate: a fifth of a second for each."""
    resources: Json = {}
    for index, item in enumerate(definitions):
        resources[f"Task{index}"] = resource(item)
        service = {"LaunchType": "FARGATE", "SchedulingStrategy": "REPLICA", "TaskDefinition": {"Ref": f"Task{index}"}, "NetworkConfiguration": NETWORK}
        resources[f"Service{index}"] = {"Type": "AWS::ECS::Service", "Properties": service}
    rules = get_rules([], [], list(RULES), mandatory_rules=[], include_experimental=False)
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    return [f"{match.rule.id} {match.message}" for match in lint(template, rules=rules, regions=["eu-west-1"]) if match.rule.id in RULES]


def quick_complaints(definition: Json) -> list[str]:
    """The same rules of cfn-lint on one definition, without the template around it: a hundred times as fast, for thousands of them."""
    properties = resource(definition)["Properties"]
    validator, rules = _validator()
    places: dict[str, list[t.Any]] = {
        "Properties": [properties],
        "ContainerDefinitions": [properties["ContainerDefinitions"]],
        "LogConfiguration": [container["LogConfiguration"] for container in properties["ContainerDefinitions"] if "LogConfiguration" in container],
    }
    return [
        f"{rule.id} {error.message}"
        for rule in rules
        for place in places[rule.keywords[0].rpartition("/")[2]]
        for error in rule.validate(validator, "", place, {})
    ]


@functools.cache
def _validator() -> tuple[t.Any, list[t.Any]]:
    template = Template("", {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}, ["eu-west-1"])
    context = create_context_for_template(template).evolve(functions=list(FUNCTIONS))
    return CfnTemplateValidator({}).evolve(cfn=template, context=context), [rule() for rule in DEFINITION_RULES]


def resource(definition: Json) -> Json:
    shape = shapes.model("ecs").operation_model("RegisterTaskDefinition").input_shape
    return {"Type": TYPE, "Properties": spelled(definition, shape)}


def spelled(value: t.Any, shape: Shape) -> t.Any:
    """Members of structures begin with a capital; keys of maps (options, labels) stay."""
    if isinstance(shape, StructureShape):
        return {SPELLED.get(key) or key[:1].upper() + key[1:]: spelled(item, shape.members[key]) for key, item in value.items()}
    if isinstance(shape, ListShape):
        return [spelled(item, shape.member) for item in value]
    if isinstance(shape, MapShape):
        return dict(value)
    return value
