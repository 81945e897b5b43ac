"""Task definitions as a CloudFormation template, and what cfn-lint says about them: an oracle that the collection's authors didn't write."""

from __future__ import annotations

import json
import typing as t

from botocore.model import ListShape, MapShape, Shape, StructureShape
from cfnlint.api import lint
from cfnlint.core import get_rules
from unit.plugins.module_utils._translate import shapes

Json = t.Dict[str, t.Any]
TYPE = "AWS::ECS::TaskDefinition"
# What cfn-lint knows about ECS: sizes, members and drivers of Fargate, awsvpc's ports, essential containers, log options.
RULES = ("E3042", "E3046", "E3047", "E3048", "E3053")
# Where CloudFormation spells a member differently from the API.
SPELLED = {"efsVolumeConfiguration": "EFSVolumeConfiguration", "fileSystemId": "FilesystemId", "iam": "IAM", "s3filesVolumeConfiguration": "S3FilesVolumeConfiguration"}
BATCH = 50


def complaints(definitions: t.Sequence[Json]) -> list[str]:
    """cfn-lint costs seconds to start and little more for each resource, so they come in batches."""
    found: list[str] = []
    rules = get_rules([], [], list(RULES), mandatory_rules=[], include_experimental=False)
    for start in range(0, len(definitions), BATCH):
        resources = {f"Task{index}": resource(item) for index, item in enumerate(definitions[start : start + BATCH])}
        template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
        found += [f"{match.rule.id} {match.message}" for match in lint(template, rules=rules, regions=["eu-west-1"]) if match.rule.id in RULES]
    return found


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
