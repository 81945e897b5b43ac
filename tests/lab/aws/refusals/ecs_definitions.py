"""What RegisterTaskDefinition rejects. Rules of every launch type first, then those of FARGATE."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.operations.ecs_definitions import units
from lab.aws.protocol import ApiCall
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

Definition = dict[str, Any]
FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
MOST_CONTAINERS = 10
FARGATE_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
ECR = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")
GIB = 1024
# Task sizes on Fargate, CPU units -> MiB ("Task size" in the developer guide; cfn-lint E3047 for 32 vCPU).
SIZES: dict[int, tuple[int, ...]] = {
    256: (512, GIB, 2 * GIB),
    512: tuple(range(GIB, 4 * GIB + 1, GIB)),
    1024: tuple(range(2 * GIB, 8 * GIB + 1, GIB)),
    2048: tuple(range(4 * GIB, 16 * GIB + 1, GIB)),
    4096: tuple(range(8 * GIB, 30 * GIB + 1, GIB)),
    8192: tuple(range(16 * GIB, 60 * GIB + 1, 4 * GIB)),
    16384: tuple(range(32 * GIB, 120 * GIB + 1, 8 * GIB)),
    32768: (60 * GIB, 120 * GIB, 244 * GIB),
}
# Members whose presence alone Fargate rejects, and the message. [M]
FARGATE_CONTAINER: dict[str, str] = {
    "dockerSecurityOptions": "Fargate compatible task definitions do not support dockerSecurityOptions",
    "disableNetworking": "Fargate compatible task definitions do not support disableNetworking",
}
FARGATE_LINUX: dict[str, str] = {
    "devices": "Fargate compatible task definitions do not support devices",
    "sharedMemorySize": "Fargate compatible task definitions do not support sharedMemorySize",
    "maxSwap": "Fargate compatible task definitions do not support maxSwap",
    "swappiness": "Fargate compatible task definitions do not support swappiness",
}
# Members of a container that a network namespace of the task's own excludes, and the message. [M]
AWSVPC_CONTAINER: dict[str, str] = {
    "links": "Links are not supported when networkMode=awsvpc.",
    "hostname": "hostname is not supported on container when networkMode=awsvpc.",
    "dnsServers": "DNS servers are not supported on container when networkMode=awsvpc.",
    "dnsSearchDomains": "DNS search domains are not supported on container when networkMode=awsvpc.",
    "extraHosts": "Extra hosts are not supported on container when networkMode=awsvpc.",
}


def reject(message: str) -> AwsError:
    return AwsError("ClientException", message)


def containers(given: Definition) -> list[Definition]:
    return list(given.get("containerDefinitions") or [])


def fargate(given: Definition) -> bool:
    return "FARGATE" in (given.get("requiresCompatibilities") or [])


# -- every launch type ------------------------------------------------------------------------------------------------------------------------


def family_name(given: Definition) -> str | None:
    """[M] family: up to 255 letters, digits, hyphens, underscores."""
    valid = FAMILY.fullmatch(given.get("family") or "")
    return None if valid else "Family contains invalid characters or exceeds 255 characters. Only letters, numbers, underscores, and hyphens are allowed."


def container_count(given: Definition) -> str | None:
    """[D ecs/service-quotas] 1 to 10 containers."""
    if not containers(given):
        return "TaskDefinition must contain at least one container definition."
    return f"Task definitions can contain at most {MOST_CONTAINERS} containers." if len(containers(given)) > MOST_CONTAINERS else None


def container_members(given: Definition) -> str | None:
    """[M] name and image."""
    missing = next((member for container in containers(given) for member in ("name", "image") if not container.get(member)), None)
    return f"Container.{missing} should not be null or empty." if missing else None


def container_names(given: Definition) -> str | None:
    """[M] unique."""
    names = [container["name"] for container in containers(given)]
    return "Container names must be unique within a task definition." if len(set(names)) < len(names) else None


def essential_container(given: Definition) -> str | None:
    """[M] at least one (the default is true)."""
    found = any(container.get("essential", True) for container in containers(given))
    return None if found else "At least one essential container must be specified in the task definition."


def container_memory(given: Definition) -> str | None:
    """[M] a limit or a reservation where the task has none; the reservation is not above the limit."""
    for container in containers(given):
        memory, reservation = container.get("memory"), container.get("memoryReservation")
        if memory is None and reservation is None and not given.get("memory"):
            return f"Invalid setting for container '{container['name']}'. At least one of 'memory' or 'memoryReservation' must be specified."
        if memory is not None and reservation is not None and reservation > memory:
            return f"Invalid setting for container '{container['name']}'. The setting for 'memory' must be greater than or equal to the setting for 'memoryReservation'."
    return None


def task_sizes(given: Definition) -> str | None:
    """[M] numbers, or numbers with a unit."""
    unreadable = next((member for member in ("cpu", "memory") if given.get(member) and not (units(given[member]) or "").isdigit()), None)
    return f"Invalid '{unreadable}' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide." if unreadable else None


def _number(value: str | None) -> int:
    """0 for what ``task_sizes`` refuses."""
    read = units(value) or ""
    return int(read) if read.isdigit() else 0


def task_memory(given: Definition) -> str | None:
    """[M] no container above the task, and all reservations within it."""
    task = _number(given.get("memory"))
    if not task:
        return None
    above = next((container for container in containers(given) if (container.get("memory") or 0) > task), None)
    if above is not None:
        return f"Invalid setting for container '{above['name']}'. The container's memory limit {above['memory']} is above the task's memory {task}."
    reserved = sum(container.get("memoryReservation") or container.get("memory") or 0 for container in containers(given))
    return "Invalid 'memory' setting for task. The sum of the containers' memory is above the task's memory." if reserved > task else None


def task_cpu(given: Definition) -> str | None:
    """[I] the containers' CPU units fit into the task's."""
    task = _number(given.get("cpu"))
    total = sum(container.get("cpu") or 0 for container in containers(given))
    return f"The container definitions' CPU units ({total}) are above the task's CPU units ({task})." if task and total > task else None


def dependencies(given: Definition) -> str | None:
    """[M] dependsOn names containers of the task; HEALTHY needs a health check; no cycles."""
    known = {container["name"]: container for container in containers(given)}
    for container in containers(given):
        for item in container.get("dependsOn") or []:
            if item["containerName"] not in known:
                return f"Invalid 'dependsOn' setting for container '{container['name']}'. The container '{item['containerName']}' does not exist."
            if item["condition"] == "HEALTHY" and not known[item["containerName"]].get("healthCheck"):
                return f"Container '{item['containerName']}' has no health check, but '{container['name']}' depends on it with condition HEALTHY."
    return "Container dependencies must not be circular." if _cycle(known) else None


def _cycle(known: dict[str, Definition]) -> bool:
    edges = {name: {item["containerName"] for item in container.get("dependsOn") or []} for name, container in known.items()}
    while free := {name for name, needs in edges.items() if not needs & set(edges)}:
        edges = {name: needs for name, needs in edges.items() if name not in free}
    return bool(edges)


def link_targets(given: Definition) -> str | None:
    """[M] links name containers of the task, and exist in bridge mode only."""
    names = {container["name"] for container in containers(given)}
    linked = [(container["name"], link.partition(":")[0]) for container in containers(given) for link in container.get("links") or []]
    if linked and (given.get("networkMode") or "bridge") not in ("bridge", "awsvpc"):
        return f"Links are not supported when networkMode={given['networkMode']}."
    unknown = next(((name, target) for name, target in linked if target not in names), None)
    return f"Invalid 'links' setting for container '{unknown[0]}'. Unknown container '{unknown[1]}'." if unknown else None


def mount_points(given: Definition) -> str | None:
    """[M] sourceVolume names a volume of the task."""
    volumes = {volume["name"] for volume in given.get("volumes") or []}
    used = [mount.get("sourceVolume") for container in containers(given) for mount in container.get("mountPoints") or []]
    return next((f"Unknown volume '{name}'." for name in used if name not in volumes), None)


def launch_volumes(given: Definition) -> str | None:
    """[B Volume.configuredAtLaunch] at most one."""
    several = sum(bool(volume.get("configuredAtLaunch")) for volume in given.get("volumes") or []) > 1
    return "Only one volume may be configured at launch in a task definition." if several else None


def awsvpc_containers(given: Definition) -> str | None:
    """[M] what a shared network namespace excludes."""
    if given.get("networkMode") != "awsvpc":
        return None
    return next((message for container in containers(given) for member, message in AWSVPC_CONTAINER.items() if container.get(member)), None)


def awsvpc_ports(given: Definition) -> str | None:
    """[M] host ports equal container ports; no container port twice."""
    if given.get("networkMode") != "awsvpc":
        return None
    mappings = [mapping for container in containers(given) for mapping in container.get("portMappings") or []]
    for mapping in mappings:
        if mapping.get("hostPort") not in (None, mapping.get("containerPort")):
            return "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
    ports = [(mapping.get("containerPort"), mapping.get("protocol") or "tcp") for mapping in mappings]
    twice = next((port for port in ports if ports.count(port) > 1), None)
    return f"The container port {twice[0]}/{twice[1]} is mapped more than once; with networkMode=awsvpc the containers share their ports." if twice else None


def log_options(given: Definition) -> str | None:
    """[M] awslogs needs its group."""
    for container in containers(given):
        log = container.get("logConfiguration") or {}
        if log.get("logDriver") == "awslogs" and "awslogs-group" not in (log.get("options") or {}):
            return "Log driver awslogs requires options: awslogs-group"
    return None


# -- FARGATE ----------------------------------------------------------------------------------------------------------------------------------


def fargate_network(given: Definition) -> str | None:
    """[M] awsvpc and nothing else."""
    return None if given.get("networkMode") == "awsvpc" else "Fargate only supports network mode ‘awsvpc’."


def fargate_size(given: Definition) -> str | None:
    """[M] both sizes, in a combination of the table."""
    for member in ("cpu", "memory"):
        if not given.get(member):
            return f"Fargate requires that '{member}' be defined at the task level."
    cpu, memory = units(given["cpu"]) or "", units(given["memory"]) or ""
    if not cpu.isdigit() or int(cpu) not in SIZES:
        return "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    fits = memory.isdigit() and int(memory) in SIZES[int(cpu)]
    return None if fits else "No Fargate configuration exists for given values. See the Amazon ECS documentation for the valid values."


def fargate_members(given: Definition) -> str | None:
    """[M] members of the task that Fargate has no host for."""
    if given.get("placementConstraints"):
        return "Fargate compatible task definitions do not support constraints"
    if given.get("ipcMode"):
        return "Fargate compatible task definitions do not support ipcMode"
    if given.get("pidMode") == "host":
        return "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'."
    return "Unsupported field 'inferenceAccelerators'" if given.get("inferenceAccelerators") else None


def fargate_storage(given: Definition) -> str | None:
    """[B EphemeralStorage] 21 to 200 GiB."""
    size = (given.get("ephemeralStorage") or {}).get("sizeInGiB")
    return None if size is None or 21 <= size <= 200 else "Invalid setting for ephemeralStorage. The supported range is 21 GiB to 200 GiB."


def fargate_volumes(given: Definition) -> str | None:
    """[M] no path of a host, no Docker volume."""
    for volume in given.get("volumes") or []:
        if (volume.get("host") or {}).get("sourcePath"):
            return "Fargate compatible task definitions do not support sourcePath"
        for member in ("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"):
            if volume.get(member):
                return f"Fargate compatible task definitions do not support {member}"
    return None


def fargate_containers(given: Definition) -> str | None:
    """[M] members of a container that Fargate has no host for."""
    for container in containers(given):
        if container.get("privileged"):
            return "Fargate requires that the 'privileged' setting be 'false' for all container definitions."
        for member, message in FARGATE_CONTAINER.items():
            if container.get(member):
                return message
        kinds = [item["type"] for item in container.get("resourceRequirements") or []]
        if kinds:
            return f"Tasks using the Fargate launch type do not support {kinds[0]} resource requirements"
        if ((container.get("firelensConfiguration") or {}).get("options") or {}).get("config-file-type") == "s3":
            return "Fargate launch type does not support FirelensConfiguration config file from 's3'"
    return None


def fargate_linux(given: Definition) -> str | None:
    """[M] Linux parameters that Fargate does not pass on; of the capabilities only SYS_PTRACE can be added."""
    for container in containers(given):
        linux = container.get("linuxParameters") or {}
        for member, message in FARGATE_LINUX.items():
            if linux.get(member) not in (None, []):
                return message
        for capability in (linux.get("capabilities") or {}).get("add") or []:
            if capability != "SYS_PTRACE":
                return f"{capability} is not allowed on Fargate."
    return None


def fargate_timeouts(given: Definition) -> str | None:
    """[B ContainerDefinition.stopTimeout] at most 120 seconds each."""
    for container in containers(given):
        for member in ("stopTimeout", "startTimeout"):
            if (container.get(member) or 0) > 120:
                return f"Invalid '{member}' setting for container '{container['name']}'. The maximum value is 120 seconds."
    return None


def fargate_logs(given: Definition) -> str | None:
    """[M] three drivers; awslogs with a stream prefix."""
    for container in containers(given):
        log = container.get("logConfiguration")
        if not log:
            continue
        driver = log["logDriver"]
        if driver not in FARGATE_LOG_DRIVERS:
            return f"{driver} is not a valid log driver. Must be one of [{', '.join(FARGATE_LOG_DRIVERS)}]"
        missing = [name for name in ("awslogs-region", "awslogs-stream-prefix") if name not in (log.get("options") or {})]
        if driver == "awslogs" and missing:
            return f"Log driver awslogs requires options: {', '.join(missing)}"
    return None


def fargate_execution_role(given: Definition) -> str | None:
    """[M] needed to pull from ECR, to log, to read secrets."""
    if given.get("executionRoleArn"):
        return None
    needs = "Fargate requires task definition to have execution role ARN to support"
    for container in containers(given):
        if ECR.match(container["image"]):
            return f"{needs} ECR images."
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            return f"{needs} log driver awslogs."
        if container.get("secrets") or container.get("repositoryCredentials") or container.get("environmentFiles"):
            return f"{needs} secrets, private registry credentials and environment files."
    return None


Check = Callable[[Definition], "str | None"]
ALWAYS: tuple[Check, ...] = (
    *(family_name, container_count, container_members, container_names, essential_container, container_memory, task_sizes, task_memory, task_cpu),
    *(awsvpc_containers, awsvpc_ports, dependencies, link_targets, mount_points, launch_volumes, log_options),
)
FARGATE: tuple[Check, ...] = (
    *(fargate_network, fargate_size, fargate_members, fargate_storage, fargate_volumes, fargate_containers, fargate_linux),
    *(fargate_timeouts, fargate_logs, fargate_execution_role),
)


def problems(given: Definition) -> Iterator[str]:
    """Every message that applies, AWS's order unknown: FARGATE's first, since a definition that asks for it is judged by it."""
    for check in (*(FARGATE if fargate(given) and containers(given) else ()), *ALWAYS):
        message = check(given)
        if message:
            yield message


@refuse("ecs", "RegisterTaskDefinition")
def register_task_definition(aws: AwsServer, call: ApiCall) -> None:
    message = next(problems(call.parameters), None)
    if message:
        raise reject(message)
