"""For any definition that EC2 runs: Fargate takes the translation, what may stay stays, and what can't be is a BLOCKER at its place.

``CUTOVER_EXAMPLES=3000`` looks at that many: about a minute.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.cutover.fargate.plugins.module_utils._translate.linux_parameters import DOCKER_DEFAULT
from ansible_collections.cutover.fargate.plugins.module_utils._translate.task_definition import Translated
from hypothesis import HealthCheck, Phase, given, settings
from lab.aws.refusals import ecs_definitions
from unit.plugins.module_utils._translate import cloudformation, registrable, shapes
from unit.plugins.module_utils._translate.systems import Json
from unit.plugins.module_utils._translate.test_properties import FORBIDDEN_CONTAINER, FORBIDDEN_LINUX, check_container, translate

EXAMPLES = int(os.environ.get("CUTOVER_EXAMPLES") or 100)
LINTED = 4
ANY = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate, Phase.shrink]
)
# Members that some rule changes; every other one of botocore's model, also of a later one, has to come through as it is.
CHANGED_TASK = {"containerDefinitions", "volumes", "family", "taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities", "cpu", "memory",
                "pidMode", "ephemeralStorage", "runtimePlatform", "placementConstraints", "ipcMode", "inferenceAccelerators"}  # fmt: skip
READ_ONLY = {"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy", "deregisteredAt",
             "deleteRequestedAt"}  # fmt: skip
CHANGED_CONTAINER = FORBIDDEN_CONTAINER | {"portMappings", "startTimeout", "stopTimeout", "linuxParameters", "logConfiguration", "ulimits",
                                           "resourceRequirements", "firelensConfiguration", "mountPoints"}  # fmt: skip
# Changed where a linked peer is named, or waits for one.
PEERS = {"image", "environment", "command", "entryPoint", "healthCheck", "dependsOn"}


def test_any_definition() -> None:
    """botocore's validation, the lab's rules of AWS and cfn-lint's judge every translation, blocked or not; and every member of the model was there."""
    seen: set[str] = set()

    @given(registrable.definitions())
    @ANY
    def look(source: Json) -> None:
        seen.update(source, *source["containerDefinitions"])
        task = translate(source)
        registers(task)
        assert cloudformation.quick_complaints(task.definition) == []
        keeps(source, task.definition)
        found = {finding["path"] for finding in task.findings if finding["severity"] == "BLOCKER"}
        assert {f"{task.path}.{path}" for path in blocked(source)} - found == set()

    look()
    assert {member for shape in ("TaskDefinition", "ContainerDefinition") for member in shapes.model("ecs").shape_for(shape).members} - seen == set()


def registers(task: Translated) -> None:
    """A waived BLOCKER has its member dropped: what a person must rebuild by hand are two containers on one port."""
    assert shapes.errors("ecs", "RegisterTaskDefinition", task.definition) == ""
    clash = any(finding["id"] == "FG-PORT-CLASH" for finding in task.findings)
    assert [message for message in ecs_definitions.problems(task.definition) if not (clash and "is mapped more than once" in message)] == []
    for container in task.definition["containerDefinitions"]:
        check_container(container)


def keeps(source: Json, result: Json) -> None:
    task = set(shapes.model("ecs").shape_for("TaskDefinition").members) - CHANGED_TASK - READ_ONLY
    assert {key: source[key] for key in task & set(source)} == {key: result[key] for key in task & set(result)}
    assert result.get("taskRoleArn") == source.get("taskRoleArn")
    for before, after in zip(source["containerDefinitions"], result["containerDefinitions"], strict=True):
        keeps_container(before, after)
    for volume in source["volumes"]:
        if {"efsVolumeConfiguration", "s3filesVolumeConfiguration", "configuredAtLaunch"} & set(volume):
            assert volume in result["volumes"] or (volume.get("configuredAtLaunch") and volume["name"] not in mounted(source))


def mounted(source: Json) -> set[str]:
    return {mount["sourceVolume"] for container in source["containerDefinitions"] for mount in container["mountPoints"]}


def keeps_container(before: Json, after: Json) -> None:
    same = set(shapes.model("ecs").shape_for("ContainerDefinition").members) - CHANGED_CONTAINER - (PEERS if before["links"] else set())
    assert {key: before[key] for key in same & set(before)} == {key: after[key] for key in same & set(after)}
    linux, kept = before.get("linuxParameters") or {}, after.get("linuxParameters") or {}
    assert {key: linux[key] for key in set(linux) - FORBIDDEN_LINUX - {"capabilities"}} == {key: kept[key] for key in set(kept) - {"capabilities"}}
    assert (linux.get("capabilities") or {}).get("drop") == (kept.get("capabilities") or {}).get("drop")
    order = {item["containerName"] for item in before["dependsOn"]} | {link.partition(":")[0] for link in before["links"]}
    assert order == {item["containerName"] for item in after["dependsOn"]}
    if (before.get("logConfiguration") or {}).get("logDriver") in ("splunk", "awsfirelens"):
        assert before["logConfiguration"] == after["logConfiguration"]


def blocked(source: Json) -> t.Iterator[str]:
    """What is a BLOCKER by fargate-rules.md 1, 2, 3: written down a second time and without looking at the rules' code."""
    for member in ("pidMode", "ipcMode"):
        if source.get(member) == "host":
            yield member
    for index, _accelerator in enumerate(source.get("inferenceAccelerators") or []):
        yield f"inferenceAccelerators[{index}]"
    if (source.get("runtimePlatform") or {}).get("operatingSystemFamily", "LINUX") != "LINUX":
        yield "runtimePlatform.operatingSystemFamily"
    for volume in source["volumes"]:
        path = f"volumes[{volume['name']}]"
        docker, host = volume.get("dockerVolumeConfiguration"), str((volume.get("host") or {}).get("sourcePath") or "")
        if docker and (docker.get("scope") == "shared" or docker.get("autoprovision") or docker.get("driver", "local") != "local"):
            yield f"{path}.dockerVolumeConfiguration"
        if "fsxWindowsFileServerVolumeConfiguration" in volume:
            yield f"{path}.fsxWindowsFileServerVolumeConfiguration"
        if volume.get("configuredAtLaunch") and volume["name"] not in mounted(source):
            yield path
        if host and not host.startswith(("/etc/localtime", "/var/run/php")):
            yield f"{path}.host.sourcePath"
    for container in source["containerDefinitions"]:
        yield from (f"containerDefinitions[{container['name']}].{member}" for member in blocked_members(container))


def blocked_members(container: Json) -> t.Iterator[str]:
    for member in ("privileged", "disableNetworking", "credentialSpecs"):
        if container.get(member):
            yield member
    for index, requirement in enumerate(container.get("resourceRequirements") or []):
        if requirement["type"] in ("GPU", "InferenceAccelerator", "NeuronDevice"):
            yield f"resourceRequirements[{index}]"
    if (container.get("stopTimeout") or 0) > 120:
        yield "stopTimeout"
    if ((container.get("firelensConfiguration") or {}).get("options") or {}).get("config-file-type") == "s3":
        yield "firelensConfiguration.options.config-file-type"
    if (container.get("logConfiguration") or {}).get("logDriver") in ("fluentd", "gelf"):
        yield "logConfiguration"
    linux = container.get("linuxParameters") or {}
    for index, _device in enumerate(linux.get("devices") or []):
        yield f"linuxParameters.devices[{index}]"
    for index, capability in enumerate((linux.get("capabilities") or {}).get("add") or []):
        if capability not in {*DOCKER_DEFAULT, "SYS_PTRACE"}:
            yield f"linuxParameters.capabilities.add[{index}]"
    if (linux.get("sharedMemorySize") or 0) > 64:
        yield "linuxParameters.sharedMemorySize"


def test_cfn_lint_as_people_run_it_has_nothing_against_it() -> None:
    """A few of them in a template, with a service of each on Fargate."""
    results: list[Json] = []

    @given(registrable.definitions())
    @settings(ANY, max_examples=LINTED)
    def collect(source: Json) -> None:
        results.append(translate(source).definition)

    collect()
    assert cloudformation.complaints(results) == []


def test_cfn_lint_would_complain() -> None:
    """The oracle works: untranslated, the same kind of definition is refused, and the quick way says what the whole linter says."""
    container = {"name": "a", "image": "b", "logConfiguration": {"logDriver": "json-file"}, "portMappings": [{"containerPort": 80, "hostPort": 8080}]}
    source = {"family": "f", "requiresCompatibilities": ["FARGATE"], "networkMode": "bridge", "cpu": "256", "memory": "8192"}
    lazy = [{**container, "essential": False, "logConfiguration": {"logDriver": "awslogs"}, "privileged": True}]
    definitions = [{**source, "networkMode": mode, "containerDefinitions": given} for mode in ("bridge", "awsvpc") for given in ([container], lazy)]
    found = cloudformation.complaints(definitions)
    quick = [complaint for definition in definitions for complaint in cloudformation.quick_complaints(definition)]
    assert sorted(complaint for complaint in found if not complaint.startswith("E3713")) == sorted(quick)
    assert {re.split(r"\W", complaint)[0] for complaint in found} == {"E3042", "E3046", "E3047", "E3048", "E3053", "E3713"}


def grown(value: t.Any) -> t.Any:
    """Every structure with one more member, as AWS may add one."""
    if isinstance(value, dict):
        return {**{key: grown(item) for key, item in value.items()}, "later": "x"}
    return [grown(item) for item in value] if isinstance(value, list) else value


def test_members_that_aws_adds_later_survive_at_every_depth() -> None:
    container: Json = {
        "name": "app",
        "image": "public.ecr.aws/shop/app:1",
        "portMappings": [{"containerPort": 80, "hostPort": 8080}],
        "environment": [{"name": "A", "value": "b"}],
        "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
        "linuxParameters": {"capabilities": {"add": ["CHOWN"]}, "maxSwap": 1, "tmpfs": [{"containerPath": "/tmp", "size": 1}]},
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/shop"}},
        "healthCheck": {"command": ["CMD", "true"]},
        "firelensConfiguration": {"type": "fluentbit", "options": {"config-file-type": "s3"}},
        "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 9999999}],
    }
    volumes = [{"name": "data", "host": {"sourcePath": "/srv/data"}}, {"name": "own", "dockerVolumeConfiguration": {"scope": "task"}}, {"name": "kind-of-later"}]
    source: Json = {
        "family": "shop",
        "containerDefinitions": [container],
        "volumes": volumes,
        "runtimePlatform": {"cpuArchitecture": "ARM64"},
        "ephemeralStorage": {"sizeInGiB": 500},
        "proxyConfiguration": {"type": "APPMESH", "containerName": "envoy"},
    }
    wanted, result = count(grown(source)), count(translate(grown(source)).definition)
    assert wanted - result == 1, "only that of dockerVolumeConfiguration, which is dropped whole"


def count(value: t.Any) -> int:
    if isinstance(value, dict):
        return ("later" in value) + sum(map(count, value.values()))
    return sum(map(count, value)) if isinstance(value, list) else 0
