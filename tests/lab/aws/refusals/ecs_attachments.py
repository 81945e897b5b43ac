"""What CreateService and UpdateService reject of EBS volumes and of target groups of VPC Lattice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.operations.ecs_services import live_service, runs_on_fargate
from lab.aws.operations.vpc_lattice import find
from lab.aws.protocol import ApiCall
from lab.aws.refusals.ecs_services import effective, on_fargate, reject
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

VOLUME_TYPES = ("gp2", "gp3", "io1", "io2", "sc1", "st1", "standard")
OLD_PLATFORMS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")
MOST_LATTICE_GROUPS = 5


def in_force(aws: AwsServer, call: ApiCall, member: str, attribute: str = "") -> Any:
    """What the call would leave in force of a member."""
    given = call.parameters.get(member)
    if given is not None or call.operation == "CreateService":
        return given
    service = live_service(aws, call.parameters)
    return getattr(service, attribute) if attribute else service.configuration.get(member)


def _on_fargate(aws: AwsServer, call: ApiCall) -> bool:
    return on_fargate(call.parameters) if call.operation == "CreateService" else bool(runs_on_fargate(live_service(aws, call.parameters)))


@refuse("ecs", "CreateService", "UpdateService")
def launch_volumes(aws: AwsServer, call: ApiCall) -> None:
    """[M] a configuration without a volume; [I] a volume without its configuration; [B Volume.configuredAtLaunch] one."""
    definition, _ = effective(aws, call)
    given = in_force(aws, call, "volumeConfigurations") or []
    names = [item["name"] for item in given]
    at_launch = [volume["name"] for volume in definition.volumes or [] if volume.get("configuredAtLaunch")] if definition is not None else []
    if len(names) > 1:
        raise reject("Only one volume configuration is supported.")
    if set(names) - set(at_launch):
        raise reject("Volume configuration provided but no matching configuredAtLaunch volume found in task definition.")
    if set(at_launch) - set(names):
        raise reject(f"The task definition has a volume that is configured at launch. Volume configuration is required for: {', '.join(at_launch)}")


@refuse("ecs", "CreateService", "UpdateService")
def managed_volumes(aws: AwsServer, call: ApiCall) -> None:
    """[B ServiceManagedEBSVolumeConfiguration] a known type, magnetic not on Fargate; a size or a snapshot; reserved tags. [D ecs/ebs-volumes] 1.4.0."""
    for item in call.parameters.get("volumeConfigurations") or []:
        volume = item.get("managedEBSVolume")
        if volume is None:
            raise reject(f"managedEBSVolume is required for volume {item['name']}.")
        kind = volume.get("volumeType")
        if kind is not None and kind not in VOLUME_TYPES:
            raise reject(f"Invalid volumeType {kind}.")
        if volume.get("sizeInGiB") is None and not volume.get("snapshotId"):
            raise reject("You must specify either sizeInGiB or snapshotId for the managed EBS volume.")
        if not _on_fargate(aws, call):
            continue
        if kind == "standard":
            raise reject("The volume type standard is not supported with the FARGATE launch type.")
        if in_force(aws, call, "platformVersion", "platform_version") in OLD_PLATFORMS:
            raise reject("EBS volumes require the platform version 1.4.0 or later.")


@refuse("ecs", "CreateService", "UpdateService")
def volume_tags(aws: AwsServer, call: ApiCall) -> None:
    """[B EBSTagSpecification.tags] AWS's own tags can't be set."""
    for item in call.parameters.get("volumeConfigurations") or []:
        for specification in (item.get("managedEBSVolume") or {}).get("tagSpecifications") or []:
            for tag in specification.get("tags") or []:
                if tag["key"].lower().startswith("aws:") or tag["key"] in ("AmazonECSCreated", "AmazonECSManaged"):
                    raise reject(f"The tag key {tag['key']} is reserved.")


@refuse("ecs", "CreateService", "UpdateService")
def lattice(aws: AwsServer, call: ApiCall) -> None:
    """[B VpcLatticeConfiguration.portName] a named port; [D ecs/ecs-vpc-lattice] at most five groups that exist, of type IP for awsvpc, else INSTANCE."""
    definition, _ = effective(aws, call)
    given = in_force(aws, call, "vpcLatticeConfigurations") or []
    if len(given) > MOST_LATTICE_GROUPS:
        raise reject(f"vpcLatticeConfigurations can have at most {MOST_LATTICE_GROUPS} items.")
    for item in given if definition is not None else []:
        _lattice_port(definition, item["portName"])
        _lattice_group(aws, definition, item["targetGroupArn"])


def _lattice_port(definition: Any, name: str) -> None:
    known = [mapping.get("name") for container in definition.container_definitions for mapping in container["portMappings"]]
    if name not in known:
        raise reject(f"The portName {name} of the VPC Lattice configuration does not exist in the task definition.")


def _lattice_group(aws: AwsServer, definition: Any, arn: str) -> None:
    group = find(aws, arn)
    if group is None:
        raise reject(f"The VPC Lattice target group {arn} does not exist.")
    wanted = "IP" if definition.network_mode == "awsvpc" else "INSTANCE"
    if group.type != wanted:
        raise reject(
            f"The VPC Lattice target group {arn} has the type {group.type}, which is incompatible with the {definition.network_mode} network mode "
            "specified in the task definition."
        )
