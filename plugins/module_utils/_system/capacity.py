# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The EC2 capacity of a cluster: container instances, instances, and the Auto Scaling groups that make them, also when they stand at zero."""

from __future__ import annotations

import typing as t

from .._aws import tags
from .instance_profiles import read_instance_profiles
from .read import Reader, Shape, each, together, unique
from .services import cluster_in_user_data

ARCHITECTURE_ATTRIBUTE = "ecs.cpu-architecture"
EMPTY: Shape = {"auto_scaling_groups": [], "container_instances": [], "instances": [], "architectures": [], "capacity_providers": [], "instance_profiles": []}


def read_capacity(read: Reader, cluster: Shape | None, services: t.Sequence[Shape], vpc_id: str, path: str) -> Shape:
    """``capacity`` of a side; empty for a cluster that never had instances."""
    if cluster is None:
        return dict(EMPTY)
    members = _container_instances(read, cluster["clusterArn"])
    instances = _instances(read, [member["ec2InstanceId"] for member in members if member.get("ec2InstanceId")])
    on_ec2 = bool(members) or any(runs_on_ec2(service) for service in services)
    providers = _capacity_providers(read, cluster, services)
    groups = _auto_scaling_groups(read, cluster, providers, instances, vpc_id, path) if on_ec2 else []
    return {
        "auto_scaling_groups": groups,
        "container_instances": members,
        "instances": instances,
        "architectures": _architectures(read, members, instances, groups),
        "capacity_providers": providers,
        "instance_profiles": read_instance_profiles(read, instances, groups, path),
    }


def runs_on_ec2(service: Shape) -> bool:
    """A service whose tasks are placed on container instances, by launch type or by a capacity provider that is not Fargate's."""
    providers = [item["capacityProvider"] for item in service.get("capacityProviderStrategy") or []]
    return service.get("launchType") == "EC2" or any(not provider.startswith("FARGATE") for provider in providers)


def _container_instances(read: Reader, cluster: str) -> list[Shape]:
    arns = read.all("ecs", "list_container_instances", "containerInstanceArns", cluster=cluster)
    found = read.batches("ecs", "describe_container_instances", "containerInstances", "containerInstances", arns, 100, cluster=cluster, include=["TAGS"])
    return [{**{key: value for key, value in item.items() if key != "tags"}, "Tags": tags.to_dict(item.get("tags"))} for item in found]


def _instances(read: Reader, ids: t.Sequence[str]) -> list[Shape]:
    """By filter, not by id: an instance that is gone is then left out, where asking for its id would fail the whole call."""
    if not ids:
        return []
    reservations = read.all("ec2", "describe_instances", "Reservations", Filters=[{"Name": "instance-id", "Values": list(ids)}])
    return [tagged(instance) for reservation in reservations for instance in reservation["Instances"]]


def tagged(item: Shape) -> Shape:
    """EC2's and Auto Scaling's list of tags as a dict."""
    return {**item, "Tags": tags.to_dict(item.get("Tags"))}


def _auto_scaling_groups(
    read: Reader, cluster: Shape, providers: t.Sequence[Shape], instances: t.Sequence[Shape], vpc_id: str, path: str
) -> list[Shape]:
    """By capacity provider and instance tag; at zero instances by the tag of our scale-in, then by launch templates that name the cluster."""
    names = unique([*_provided(providers), *(instance["Tags"].get("aws:autoscaling:groupName", "") for instance in instances)])
    groups = _described(read, AutoScalingGroupNames=names) if names else []
    remembered = _described(read, Filters=[{"Name": "tag-key", "Values": [tags.CAPACITY]}])
    groups += [group for group in remembered if group["AutoScalingGroupName"] not in names and _joins(group, cluster)]
    if not groups:
        groups = _without_sign(read, cluster, remembered, vpc_id, path)
    return groups


def _without_sign(read: Reader, cluster: Shape, remembered: t.Sequence[Shape], vpc_id: str, path: str) -> list[Shape]:
    """The whole list, since AWS has no filter for user data; and when that tells nothing, a single remembered group of the VPC."""
    where = f"{path}.capacity.auto_scaling_groups"
    groups = [group for group in read.once("auto_scaling_groups", lambda: _described(read)) if _joins(group, cluster)]
    if groups:
        return groups
    subnets = {subnet["SubnetId"] for subnet in read.all("ec2", "describe_subnets", "Subnets", Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])}
    mute = [group for group in remembered if _cluster_named_by(group) is None and set(group.get("VPCZoneIdentifier", "").split(",")) & subnets]
    if len(mute) == 1:
        name = mute[0]["AutoScalingGroupName"]
        cluster_name = cluster["clusterName"]
        read.problem("capacity-assumed", where, f"Auto Scaling group {name} carries the tag {tags.CAPACITY} but does not name cluster {cluster_name}.")
        return mute
    read.problem("capacity-unknown", where, f"No Auto Scaling group was found that makes the instances of cluster {cluster['clusterName']}.")
    return []


def _capacity_providers(read: Reader, cluster: Shape, services: t.Sequence[Shape]) -> list[Shape]:
    """``capacity.capacity_providers``: those that the cluster and its services use, but for Fargate's own."""
    strategies = [cluster.get("defaultCapacityProviderStrategy") or [], *(service.get("capacityProviderStrategy") or [] for service in services)]
    named = unique([*(cluster.get("capacityProviders") or []), *(item["capacityProvider"] for strategy in strategies for item in strategy)])
    own = [name for name in named if not name.startswith("FARGATE")]
    found = read.one("ecs", "describe_capacity_providers", capacityProviders=own, include=["TAGS"])["capacityProviders"] if own else []
    return [{**{key: value for key, value in item.items() if key != "tags"}, "Tags": tags.to_dict(item.get("tags"))} for item in found]


def _provided(providers: t.Sequence[Shape]) -> list[str]:
    """Names of the Auto Scaling groups behind capacity providers."""
    arns = [provider.get("autoScalingGroupProvider", {}).get("autoScalingGroupArn", "") for provider in providers]
    return [arn.rpartition("autoScalingGroupName/")[2] for arn in arns if arn]


def _described(read: Reader, **which: t.Any) -> list[Shape]:
    found = read.all("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", **which)
    return each(lambda group: {**tagged(group), "LaunchTemplate": _launch_template(read, group)}, found)


def _launch_template(read: Reader, group: Shape) -> Shape | None:
    """The version the group launches. A launch configuration gives the same fields the plan reads, under the names a launch template has."""
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
    used = group.get("LaunchTemplate") or mixed
    if used:
        which = {key: used[key] for key in ("LaunchTemplateId", "LaunchTemplateName") if key in used}
        which = {"LaunchTemplateId": which["LaunchTemplateId"]} if "LaunchTemplateId" in which else which
        found = read.optional(
            "capacity.auto_scaling_groups",
            [],
            lambda: read.one("ec2", "describe_launch_template_versions", Versions=[used.get("Version") or "$Default"], **which)["LaunchTemplateVersions"],
            absent=["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.VersionNotFound"],
        )
        return found[0] if found else None
    return _launch_configuration(read, group.get("LaunchConfigurationName"))


def _launch_configuration(read: Reader, name: str | None) -> Shape | None:
    if not name:
        return None
    found = read.all("autoscaling", "describe_launch_configurations", "LaunchConfigurations", LaunchConfigurationNames=[name])
    if not found:
        return None
    kept = ("ImageId", "InstanceType", "UserData", "KeyName")
    data = {key: found[0][key] for key in kept if found[0].get(key)}
    groups = {"SecurityGroupIds": found[0].get("SecurityGroups", [])}
    return {"LaunchConfigurationName": name, "LaunchTemplateData": {**data, **_named_profile(found[0].get("IamInstanceProfile", "")), **groups}}


def _named_profile(profile: str) -> Shape:
    """A launch configuration gives name or ARN in one field."""
    return {"IamInstanceProfile": {"Arn" if profile.startswith("arn:") else "Name": profile}} if profile else {}


def _cluster_named_by(group: Shape) -> str | None:
    return cluster_in_user_data(((group["LaunchTemplate"] or {}).get("LaunchTemplateData") or {}).get("UserData"))


def _joins(group: Shape, cluster: Shape) -> bool:
    return _cluster_named_by(group) == cluster["clusterName"]


def _architectures(read: Reader, members: t.Sequence[Shape], instances: t.Sequence[Shape], groups: t.Sequence[Shape]) -> list[str]:
    """As the agents say; else as EC2 says; at zero instances as the launch template's image says. Spelled as EC2 does: x86_64, arm64."""
    attributes = [attribute for member in members for attribute in member.get("attributes", [])]
    told = [attribute.get("value", "") for attribute in attributes if attribute["name"] == ARCHITECTURE_ATTRIBUTE]
    found = unique([*told, *(instance.get("Architecture", "") for instance in instances)])
    return sorted(found or _architectures_of_images(read, groups))


def _architectures_of_images(read: Reader, groups: t.Sequence[Shape]) -> list[str]:
    named = [((group["LaunchTemplate"] or {}).get("LaunchTemplateData") or {}).get("ImageId", "") for group in groups]
    images = [image for image in unique(named) if image.startswith("ami-")]
    if not images:
        return []
    answers = together(
        images=lambda: read.optional(
            "capacity.architectures",
            [],
            lambda: read.one("ec2", "describe_images", ImageIds=images)["Images"],
            absent=["InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable"],
        )
    )
    return unique(image.get("Architecture", "") for image in answers["images"])
