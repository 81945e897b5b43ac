# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Where images come from and go to: logins of registries, repositories of Amazon ECR."""

from __future__ import annotations

import base64
import typing as t

from .._aws import tags as aws_tags
from .._aws.clients import Clients
from .._aws.errors import ClientError, CutoverError, is_code
from .._oci import credentials, reference
from .._oci.registry import Registry


def registry_for(image: reference.Reference, clients: Clients) -> Registry:
    """A logged-in client for the registry of an image. For Amazon ECR the login is a token valid for twelve hours.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """
    if image.ecr_account is None:
        return Registry(image.url, *credentials.stored(image.host))
    if image.ecr_region != clients.region:
        raise CutoverError(
            f"Image {image.host}/{image.repository} lies in region {image.ecr_region}, the system in {clients.region}. "
            "Replicate the repository to the system's region, or give the image with fargate_images. Nothing was pushed.",
        )
    answer = clients("ecr").get_authorization_token(registryIds=[image.ecr_account])["authorizationData"][0]
    user, _, password = base64.b64decode(answer["authorizationToken"]).decode().partition(":")
    return Registry(answer["proxyEndpoint"], user, password)


def hub_name(image: reference.Reference) -> str:
    """Docker Hub's official images live below library/."""
    return image.repository if image.host or "/" in image.repository else f"library/{image.repository}"


def find_repository(clients: Clients, name: str) -> dict[str, t.Any] | None:
    try:
        return t.cast("dict[str, t.Any]", clients("ecr").describe_repositories(repositoryNames=[name])["repositories"][0])
    except ClientError as error:
        if is_code(error, "RepositoryNotFoundException"):
            return None
        raise


def create_repository(clients: Clients, wanted: t.Mapping[str, t.Any]) -> None:
    """A repository like the source's. The tags stay mutable: the tag follows the source's tag, and the digest is compared before each push."""
    source = find_repository(clients, reference.parse(wanted["source_image"]).repository) or {}
    like = {key: source[key] for key in ("imageScanningConfiguration", "encryptionConfiguration") if source.get(key)}
    try:
        clients("ecr").create_repository(repositoryName=wanted["repository"], tags=aws_tags.to_list(wanted.get("tags") or {}), **like)
    except ClientError as error:
        if not is_code(error, "RepositoryAlreadyExistsException"):
            raise
