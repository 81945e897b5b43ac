# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a side's task definitions and metrics name: log groups, image repositories, alarms."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .connect import in_use
from .read import Reader, Shape, each, together, unique

_IMAGE = re.compile(
    r"^(?P<registry>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:.+))?$"
)


@dataclass(frozen=True)
class Image:
    """An image in ECR, as a container definition names it."""

    registry: str
    region: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def identifier(self) -> dict[str, str]:
        """Where both are given the digest decides."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag or "latest"}


def ecr_image(image: str) -> Image | None:
    """None for an image of another registry."""
    found = _IMAGE.match(image)
    return Image(**found.groupdict()) if found else None


def containers(services: t.Iterable[Shape]) -> list[Shape]:
    return [container for service in services for container in (service.get("TaskDefinition") or {}).get("containerDefinitions", [])]


def read_log_groups(read: Reader, services: t.Sequence[Shape], path: str) -> list[Shape]:
    """``log_groups`` of a side: those the task definitions name, and Service Connect's proxies."""
    options = [(item.get("logConfiguration") or {}).get("options") or {} for item in (*containers(services), *map(in_use, services))]
    here = read.clients.region
    elsewhere = unique(option.get("awslogs-group", "") for option in options if option.get("awslogs-region", here) != here)
    for name in elsewhere:
        read.problem("log-group-in-other-region", f"{path}.log_groups", f"Log group {name} is in another region and was not read.")
    names = [name for name in unique(option.get("awslogs-group", "") for option in options) if name not in elsewhere]
    return [group for group in each(lambda name: _log_group(read, name, path), names) if group]


def read_repositories(read: Reader, services: t.Sequence[Shape], path: str) -> list[Shape]:
    """``repositories`` of a side: those the images come from, each with the images used."""
    images = unique(filter(None, (ecr_image(item.get("image", "")) for item in containers(services))))
    here = [image for image in images if image.region == read.clients.region]
    for image in images:
        if image not in here:
            read.problem("repository-in-other-region", f"{path}.repositories", f"Repository {image.repository} is in {image.region} and was not read.")
    wanted = unique((image.registry, image.repository) for image in here)
    found = each(lambda key: _repository(read, key, [image for image in here if (image.registry, image.repository) == key], path), wanted)
    return [repository for repository in found if repository]


def read_alarms(read: Reader, load_balancer: Shape, target_groups: t.Sequence[Shape], cluster: Shape | None, services: t.Sequence[Shape]) -> list[Shape]:
    """``alarms`` of a side: on its metrics, scaling its services, or deciding on their deployments.

    DescribeAlarms has no filter for dimensions, so the list is read once for both sides.
    """
    everything = read.optional("alarms", [], lambda: read.once("alarms", lambda: _all_alarms(read)))
    balancer = load_balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
    groups = {group["TargetGroupArn"].rpartition(":")[2] for group in target_groups}
    name = cluster["clusterName"] if cluster else None
    names = {service["serviceName"] for service in services}
    scaled = [f":resource/ecs/service/{name}/{service}:policyName/" for service in sorted(names)]
    deciding = {alarm for service in services for alarm in ((service.get("deploymentConfiguration") or {}).get("alarms") or {}).get("alarmNames") or []}
    return [
        alarm
        for alarm in everything
        if alarm["AlarmName"] in deciding or _scales(alarm, scaled) or any(_concerns(found, balancer, groups, name, names) for found in dimensions(alarm))
    ]


def _all_alarms(read: Reader) -> list[Shape]:
    return read.all("cloudwatch", "describe_alarms", "MetricAlarms", PaginationConfig={"PageSize": 100})


def dimensions(alarm: Shape) -> list[dict[str, str]]:
    """The dimensions of every metric an alarm looks at: its own, or those of a metric math expression."""
    metrics = [query.get("MetricStat", {}).get("Metric", {}) for query in alarm.get("Metrics", [])]
    return [{item["Name"]: item["Value"] for item in metric.get("Dimensions", [])} for metric in [alarm, *metrics]]


def _concerns(found: t.Mapping[str, str], balancer: str, groups: set[str], cluster: str | None, services: set[str]) -> bool:
    """Of a cluster that is shared only the alarms of the system's own services and of the cluster as a whole."""
    if "LoadBalancer" in found or "TargetGroup" in found:
        return found.get("LoadBalancer") == balancer or found.get("TargetGroup") in groups
    return cluster is not None and found.get("ClusterName") == cluster and found.get("ServiceName") in {None, *services}


def _scales(alarm: Shape, scaled: t.Sequence[str]) -> bool:
    """Whether an action is a policy of Application Auto Scaling for one of the services.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html (its example shows the form of the ARN)
    """
    actions = [action for key in ("AlarmActions", "OKActions", "InsufficientDataActions") for action in alarm.get(key) or []]
    return any(part in action for part in scaled for action in actions)


def _log_group(read: Reader, name: str, path: str) -> Shape | None:
    """The exact name is the first of those that begin with it: AWS lists them in order."""
    listed: list[Shape] | None = read.optional(
        f"{path}.log_groups", None, lambda: read.one("logs", "describe_log_groups", logGroupNamePrefix=name, limit=50)["logGroups"]
    )
    found = next((group for group in listed or [] if group["logGroupName"] == name), None)
    if listed is not None and found is None:
        read.problem("log-group-missing", f"{path}.log_groups", f"Log group {name}, which a task definition names, was not found.")
    return found


def _repository(read: Reader, key: tuple[str, str], images: t.Sequence[Image], path: str) -> Shape | None:
    registry, name = key
    absent = ["RepositoryNotFoundException"]
    where = f"{path}.repositories"

    def ask() -> list[Shape]:
        return list(read.one("ecr", "describe_repositories", registryId=registry, repositoryNames=[name])["repositories"])

    answers = together(
        repositories=lambda: read.optional(where, None, lambda: read.existing([], ask, absent)),
        images=lambda: [found for part in each(lambda image: _image(read, image, where), images) for found in part],
    )
    if answers["repositories"] == []:
        read.problem("repository-missing", where, f"Repository {name} of registry {registry}, which a task definition names, was not found.")
    if not answers["repositories"]:
        return None
    return {**answers["repositories"][0], "images": answers["images"]}


def _image(read: Reader, image: Image, where: str) -> list[Shape]:
    """One image at a time: a single missing one fails the call for all."""
    absent = ["ImageNotFoundException", "RepositoryNotFoundException"]

    def ask() -> list[Shape]:
        return list(read.one("ecr", "describe_images", registryId=image.registry, repositoryName=image.repository, imageIds=[image.identifier])["imageDetails"])

    found: list[Shape] | None = read.optional(where, None, lambda: read.existing([], ask, absent))
    if found == []:
        read.problem("image-missing", where, f"Image {image.repository} {next(iter(image.identifier.values()))}, which a task definition names, was not found.")
    return found or []
