"""ECR repositories are moto's; their images are those of the lab's real registry, so that nobody sees an image that cannot be pulled."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation, page

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

MANIFESTS = (
    *("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"),
    *("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json"),
)
Image = dict[str, Any]


def find(aws: AwsServer, name: str) -> Any:
    repository = aws.backend("ecr").repositories.get(name)
    if repository is None:
        message = f"The repository with name '{name}' does not exist in the registry with id '{aws.account}'"
        raise AwsError("RepositoryNotFoundException", message)
    return repository


# -- the registry -----------------------------------------------------------------------------------------------------------------------------


def ask(aws: AwsServer, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, Any, bytes]:
    """(status, headers, body) of the registry; 404 is an answer, anything else unexpected an error."""
    url = f"http://{aws.settings.registry}/v2/{path}"
    request = urllib.request.Request(url, body, {"Accept": ", ".join(MANIFESTS), **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return 404, error.headers, b""
        raise AwsError("ServerException", f"The registry answered {error.code} to {method} {path}", 500) from error
    except OSError as error:
        raise AwsError("ServerException", f"The registry at {aws.settings.registry} does not answer: {error}", 500) from error


def tags_of(aws: AwsServer, repository: str) -> list[str]:
    status, _, body = ask(aws, "GET", f"{repository}/tags/list")
    return sorted(json.loads(body).get("tags") or []) if status == 200 else []


def manifest(aws: AwsServer, repository: str, reference: str) -> Image | None:
    """One manifest by tag or digest: digest, mediaType, text, size (of configuration and layers)."""
    status, headers, body = ask(aws, "GET", f"{repository}/manifests/{reference}")
    if status == 404:
        return None
    parsed = json.loads(body)
    size = sum(item.get("size", 0) for item in [parsed.get("config", {}), *parsed.get("layers", [])])
    return {"digest": headers["Docker-Content-Digest"], "mediaType": headers["Content-Type"], "text": body.decode(), "size": size, "config": parsed.get("config")}


def images(aws: AwsServer, repository: str) -> list[Image]:
    """The repository's images with all their tags."""
    found: dict[str, Image] = {}
    for tag in tags_of(aws, repository):
        image = manifest(aws, repository, tag)
        if image is not None:
            found.setdefault(image["digest"], {**image, "tags": []})["tags"].append(tag)
    return list(found.values())


def pushed_at(aws: AwsServer, repository: str, digest: str) -> datetime:
    """When the API first saw the image: the registry keeps no time of its own."""
    seen: dict[str, datetime] = find(aws, repository).__dict__.setdefault("pushed_at", {})
    # A second back, because whoever pushed did so before asking.
    return seen.setdefault(digest, aws.now() - timedelta(seconds=1))


# -- operations -------------------------------------------------------------------------------------------------------------------------------


@operation("ecr", "GetAuthorizationToken")
def get_authorization_token(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    token = base64.b64encode(b"AWS:lab").decode()
    expires = aws.now() + timedelta(hours=12)
    return {"authorizationData": [{"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": f"http://{aws.settings.registry}"}]}


def _missing(aws: AwsServer, repository: str, identity: dict[str, str]) -> str:
    shown = f"{{imageDigest:'{identity.get('imageDigest', 'null')}', imageTag:'{identity.get('imageTag', 'null')}'}}"
    return f"The image with imageId {shown} does not exist within the repository with name '{repository}' in the registry with id '{aws.account}'"


@operation("ecr", "DescribeImages", locked=False)
def describe_images(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    name = find(aws, call.parameters["repositoryName"]).name
    found = images(aws, name)
    asked = call.parameters.get("imageIds")
    if asked:
        found = [_pick(aws, name, found, identity) for identity in asked]
    details = [
        {
            "registryId": aws.account,
            "repositoryName": name,
            "imageDigest": image["digest"],
            "imageTags": image["tags"],
            "imageSizeInBytes": image["size"],
            "imagePushedAt": pushed_at(aws, name, image["digest"]),
            "imageManifestMediaType": image["mediaType"],
            "artifactMediaType": (image["config"] or {}).get("mediaType"),
        }
        for image in found
    ]
    shown, token = page(details, call.parameters, 100)
    return {"imageDetails": shown, "nextToken": token}


def _pick(aws: AwsServer, repository: str, found: list[Image], identity: dict[str, str]) -> Image:
    digest, tag = identity.get("imageDigest"), identity.get("imageTag")
    picked = next((image for image in found if digest in (None, image["digest"]) and (tag is None or tag in image["tags"])), None)
    if picked is None and digest and tag is None:
        untagged = manifest(aws, repository, digest)
        picked = {**untagged, "tags": []} if untagged else None
    if picked is None:
        raise AwsError("ImageNotFoundException", _missing(aws, repository, identity))
    return picked


@operation("ecr", "ListImages", locked=False)
def list_images(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    name = find(aws, call.parameters["repositoryName"]).name
    found = [{"imageDigest": image["digest"], "imageTag": tag} for image in images(aws, name) for tag in image["tags"]]
    shown, token = page(found, call.parameters, 100)
    return {"imageIds": shown, "nextToken": token}


@operation("ecr", "BatchGetImage", locked=False)
def batch_get_image(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    name = find(aws, call.parameters["repositoryName"]).name
    found, failures = [], []
    for identity in call.parameters["imageIds"]:
        image = manifest(aws, name, identity.get("imageDigest") or identity["imageTag"])
        if image is None:
            failures.append({"imageId": identity, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"})
            continue
        shown = {**identity, "imageDigest": image["digest"]}
        base = {"registryId": aws.account, "repositoryName": name, "imageId": shown}
        found.append({**base, "imageManifest": image["text"], "imageManifestMediaType": image["mediaType"]})
    return {"images": found, "failures": failures}


@operation("ecr", "PutImage", locked=False)
def put_image(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    given = call.parameters
    name = find(aws, given["repositoryName"]).name
    text = given["imageManifest"]
    media_type = given.get("imageManifestMediaType") or json.loads(text).get("mediaType") or MANIFESTS[0]
    reference = given.get("imageTag") or given["imageDigest"]
    present = manifest(aws, name, reference)
    if present is not None and present["text"] == text:
        message = f"Image with digest '{present['digest']}' and tag '{reference}' already exists in the repository with name '{name}'"
        raise AwsError("ImageAlreadyExistsException", f"{message} in registry with id '{aws.account}'")
    _, headers, _ = ask(aws, "PUT", f"{name}/manifests/{reference}", text.encode(), {"Content-Type": media_type})
    identity = {"imageDigest": headers["Docker-Content-Digest"], **({"imageTag": given["imageTag"]} if given.get("imageTag") else {})}
    return {"image": {"registryId": aws.account, "repositoryName": name, "imageId": identity, "imageManifest": text}}


@operation("ecr", "BatchDeleteImage", locked=False)
def batch_delete_image(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """By digest: all of the image's tags go (the registry cannot remove a single tag)."""
    name = find(aws, call.parameters["repositoryName"]).name
    deleted, failures = [], []
    for identity in call.parameters["imageIds"]:
        image = manifest(aws, name, identity.get("imageDigest") or identity["imageTag"])
        if image is None:
            failures.append({"imageId": identity, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"})
        else:
            ask(aws, "DELETE", f"{name}/manifests/{image['digest']}")
            deleted.append({**identity, "imageDigest": image["digest"]})
    return {"imageIds": deleted, "failures": failures}


@operation("ecr", "DeleteRepository")
def delete_repository(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Force deletes the images in the registry, too."""
    repository = find(aws, call.parameters["repositoryName"])
    found = images(aws, repository.name)
    if found and not call.parameters.get("force"):
        message = f"The repository with name '{repository.name}' in registry with id '{aws.account}' cannot be deleted because it still contains images"
        raise AwsError("RepositoryNotEmptyException", message)
    for image in found:
        ask(aws, "DELETE", f"{repository.name}/manifests/{image['digest']}")
    return aws.ask_moto(call)
