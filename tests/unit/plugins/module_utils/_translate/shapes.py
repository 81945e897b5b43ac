"""Sources that botocore's model allows: every member of every shape may be there, with any value of its type."""

from __future__ import annotations

import functools
import typing as t

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator
from hypothesis import strategies as st

# Names that make rules meet: links with containers, mounts with volumes, values with peers.
WORDS = ["nginx", "php-fpm", "app", "data", "80", "php-fpm:9000", "nginx:app", "tcp://app:9000", "/var/run/docker.sock", "/srv/x", "", "file", "*"]
NUMBERS = [0, 1, 2, 64, 80, 121, 512, 65535, 70000]


@functools.cache
def model(service: str) -> t.Any:
    return botocore.session.get_session().get_service_model(service)


def errors(service: str, operation: str, arguments: t.Mapping[str, t.Any]) -> str:
    """What botocore says before it would send the call; '' when nothing."""
    report = ParamValidator().validate(arguments, model(service).operation_model(operation).input_shape)
    return str(report.generate_report())


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[t.Any]:
    if isinstance(shape, StructureShape):
        return structure(shape, depth)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, depth + 1), max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(values(shape.key, depth + 1), values(shape.value, depth + 1), max_size=2)
    return SCALARS[shape.type_name](shape)


def structure(shape: StructureShape, depth: int = 0, without: t.Collection[str] = ()) -> st.SearchStrategy[dict[str, t.Any]]:
    members = {name: values(member, depth + 1) for name, member in shape.members.items() if name not in without}
    required = {name: strategy for name, strategy in members.items() if name in shape.required_members}
    optional = {name: strategy for name, strategy in members.items() if name not in shape.required_members}
    return st.fixed_dictionaries(required, optional=optional)


def _text(shape: Shape) -> st.SearchStrategy[str]:
    return st.sampled_from(list(getattr(shape, "enum", [])) or WORDS)


SCALARS: dict[str, t.Callable[[Shape], st.SearchStrategy[t.Any]]] = {
    "string": _text,
    "integer": lambda _shape: st.sampled_from(NUMBERS),
    "long": lambda _shape: st.sampled_from(NUMBERS),
    "double": lambda _shape: st.floats(0, 100),
    "float": lambda _shape: st.floats(0, 100),
    "boolean": lambda _shape: st.booleans(),
    "timestamp": lambda _shape: st.just("2025-01-01T00:00:00Z"),
}


@functools.cache
def definitions() -> st.SearchStrategy[dict[str, t.Any]]:
    """Task definitions as DescribeTaskDefinition may return them: only family and ARN are always there."""
    always = {"family": "any", "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/any:1"}
    return structure(model("ecs").shape_for("TaskDefinition")).map(lambda source: {**source, **always})
