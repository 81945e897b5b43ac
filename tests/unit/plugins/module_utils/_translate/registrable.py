"""Sources that ECS on EC2 would really have registered: any member of botocore's model, repaired to what RegisterTaskDefinition accepts there."""

from __future__ import annotations

import functools
import typing as t

from hypothesis import strategies as st
from lab.aws.refusals import ecs_definitions
from unit.plugins.module_utils._translate import shapes

Json = t.Dict[str, t.Any]
NAMES = ("nginx", "php-fpm", "app")
IMAGES = ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx:1", "public.ecr.aws/docker/library/redis:7", "php:8.3-fpm", "ghcr.io/a/b@sha256:" + "ab" * 32)
PATHS = ("/var/run/docker.sock", "/srv/uploads", "/proc", "/etc/localtime", "/mnt/efs/a", "/var/run/php", "/run/containerd/containerd.sock")
CAPABILITIES = ("SYS_PTRACE", "NET_ADMIN", "SYS_ADMIN", "ALL", "CHOWN", "NET_BIND_SERVICE")
MODES = ("bridge", "host", "none", "awsvpc", None)
SIZES: tuple[dict[str, str], ...] = ({}, {"cpu": "256", "memory": "8192"}, {"cpu": ".5 vCPU", "memory": "8 GB"}, {"memory": "9GB"})


@functools.cache
def _tasks() -> st.SearchStrategy[Json]:
    return shapes.structure(shapes.model("ecs").shape_for("TaskDefinition"), without=("containerDefinitions", "family", "taskDefinitionArn"))


@functools.cache
def _containers() -> st.SearchStrategy[list[Json]]:
    return st.lists(shapes.structure(shapes.model("ecs").shape_for("ContainerDefinition")), min_size=1, max_size=3)


@st.composite
def definitions(draw: st.DrawFn) -> Json:
    source = {**draw(_tasks()), "family": "any", "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/any:1"}
    source["containerDefinitions"] = draw(_containers())
    source["volumes"] = [_volume(draw, volume, f"v{index}") for index, volume in enumerate(source.get("volumes") or [])]
    for volume in [volume for volume in source["volumes"] if volume.get("configuredAtLaunch")][1:]:
        volume["configuredAtLaunch"] = False  # ECS takes one
    names = [volume["name"] for volume in source["volumes"]]
    for member in ("networkMode", "cpu", "memory"):
        source.pop(member, None)
    source.update({key: value for key, value in {"networkMode": draw(st.sampled_from(MODES)), **draw(st.sampled_from(SIZES))}.items() if value})
    source["requiresCompatibilities"] = ["EC2"]
    bridge = source.get("networkMode", "bridge") == "bridge"
    for index, container in enumerate(source["containerDefinitions"]):
        _container(draw, container, NAMES[:index], names, bridge)
        container["name"] = NAMES[index]
    source["containerDefinitions"][0]["essential"] = True
    assert list(_refused(source)) == []
    return source


def _refused(source: Json) -> t.Iterator[str]:
    """What the rules of every launch type say; what only awsvpc refuses is looked at in the result."""
    skipped = (ecs_definitions.awsvpc_containers, ecs_definitions.awsvpc_ports)
    return (message for check in ecs_definitions.ALWAYS if check not in skipped and (message := check(source)))


def _container(draw: st.DrawFn, container: Json, earlier: t.Sequence[str], volumes: t.Sequence[str], bridge: bool) -> None:
    """References lead to what exists; numbers are within what EC2 takes."""
    container["image"] = draw(st.sampled_from(IMAGES))
    container["memory"] = draw(st.sampled_from([64, 512, 2000]))
    container["memoryReservation"] = draw(st.sampled_from([32, 64]))
    container["cpu"] = draw(st.sampled_from([0, 10, 64]))
    container["links"] = [draw(st.sampled_from([f"{name}:web", name])) for name in earlier if draw(st.booleans())] if bridge else []
    conditions = st.sampled_from(["START", "SUCCESS", "COMPLETE"])
    container["dependsOn"] = [{"containerName": name, "condition": draw(conditions)} for name in earlier if draw(st.booleans())]
    container["mountPoints"] = [{"sourceVolume": name, "containerPath": f"/{name}"} for name in volumes if draw(st.booleans())]
    container["volumesFrom"] = [{"sourceContainer": name} for name in earlier if draw(st.booleans())]
    ports = draw(st.lists(st.sampled_from([80, 443, 8125, 9000]), max_size=2, unique=True))
    container["portMappings"] = [{"containerPort": port, "hostPort": draw(st.sampled_from([0, port, 8080])), "protocol": "tcp"} for port in ports]
    logs = container.get("logConfiguration")
    if logs and logs["logDriver"] == "awslogs":
        logs["options"] = {"awslogs-group": "/ecs/shop", "awslogs-region": "eu-west-1"}
    linux = container.get("linuxParameters") or {}
    if linux.get("capabilities"):
        linux["capabilities"] = {key: draw(st.lists(st.sampled_from(CAPABILITIES), max_size=3, unique=True)) for key in linux["capabilities"]}
    linux["tmpfs"] = [{**mount, "size": 16} for mount in linux.get("tmpfs") or []]
    if "healthCheck" not in container:
        container["healthCheck"] = {"command": ["CMD-SHELL", "curl -f http://nginx:80/ || exit 1"]}


def _volume(draw: st.DrawFn, volume: Json, name: str) -> Json:
    """A volume is of one kind."""
    kinds = sorted(key for key in volume if key != "name")
    kind = draw(st.sampled_from(kinds)) if kinds else "host"
    value = {"sourcePath": draw(st.sampled_from(PATHS))} if kind == "host" and draw(st.booleans()) else volume.get(kind, {})
    if kind == "host":
        value = {key: item for key, item in value.items() if item}
    return {"name": name, kind: value}
