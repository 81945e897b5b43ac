# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Runbook step 1: the running image with only the peers' addresses changed, in a new Amazon ECR repository."""

from __future__ import annotations

import base64
import dataclasses
import typing as t

from .._aws import tags as aws_tags
from .._aws.clients import Clients
from .._aws.errors import ClientError, CutoverError, is_code
from .._aws.run import Progress, silent
from .._nginx import rewrite, tree
from .._oci import derive, layers, reference
from .._oci.registry import Registry, RegistryError

WHY = "cutover.fargate: addresses of the task's other containers are 127.0.0.1 on Fargate"


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What one image would become. ``rewritten`` is empty when its confs need no change."""

    wanted: t.Mapping[str, t.Any]
    image: derive.Image
    derived: derive.Derived
    rewritten: rewrite.Rewrite
    before: t.Mapping[str, bytes]
    repository_exists: bool
    present_digest: str | None

    @property
    def name(self) -> str:
        return f"{self.wanted['repository']}:{self.wanted['tag']}"

    @property
    def is_present(self) -> bool:
        return self.present_digest == self.derived.manifest.digest


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, progress: Progress = silent) -> dict[str, t.Any]:
    """Derive every image of ``params["images"]``. Nothing is pushed unless all of them could be rewritten."""
    try:
        proposals = [read(wanted, clients, progress) for wanted in params["images"]]
        result = report(proposals)
        refuse(proposals, params.get("waive") or [], result)
        if not check_mode:
            for proposal in proposals:
                apply(proposal, clients, progress)
    except (RegistryError, layers.LayerError) as error:
        raise CutoverError(f"Image: {error}. No traffic and nothing of the source was changed.") from error
    return result


def read(wanted: t.Mapping[str, t.Any], clients: Clients, progress: Progress) -> Proposal:
    """Read the source image's confs, rewrite them in memory, look at what the target repository holds."""
    source = reference.parse(wanted["source_image"])
    image = derive.find(registry_for(source, clients), hub_name(source), source.version, wanted.get("platform") or "linux/amd64")
    files = derive.read_tree(image, lambda path: path.startswith(tree.roots()) and tree.is_conf(path), progress)
    before = files.regular_files()
    rewritten = rewrite.rewrite(before, wanted["peers"])
    entries = [derive.entry_like(files.files[path], data) for path, data in rewritten.changed.items()]
    derived = derive.append(image, entries, WHY)
    target = registry_for(reference.parse(wanted["image"]), clients)
    exists = find_repository(clients, wanted["repository"]) is not None
    present = target.manifest_digest(wanted["repository"], wanted["tag"]) if exists else None
    return Proposal(wanted, image, derived, rewritten, before, exists, present)


def refuse(proposals: t.Iterable[Proposal], waive: t.Collection[str], result: dict[str, t.Any]) -> None:
    """A conf that could not be decided would fail at run time: say where, before anything is pushed."""
    blockers = [finding for each in proposals for finding in each.rewritten.findings if finding.severity == "BLOCKER" and finding.id not in waive]
    if blockers:
        lines = "; ".join(f"{each.id} {each.path}:{each.line}:{each.column} {each.text!r}: {each.why}. Fix: {each.fix}" for each in blockers)
        raise CutoverError(
            f"{len(blockers)} address(es) in the Nginx conf could not be decided, so no image was pushed: {lines}", **{**result, "changed": False}
        )


def apply(proposal: Proposal, clients: Clients, progress: Progress) -> None:
    wanted = proposal.wanted
    if not proposal.repository_exists:
        create_repository(clients, wanted)
    if proposal.is_present:
        return
    progress(f"pushing {proposal.name}")
    target = registry_for(reference.parse(wanted["image"]), clients)
    try:
        derive.push(proposal.image, proposal.derived, target, wanted["repository"], wanted["tag"], progress)
    except RegistryError as error:
        if "immutable" not in str(error).lower():
            raise
        raise CutoverError(
            f"Repository {wanted['repository']} has immutable tags and {wanted['tag']} is there with another digest ({proposal.present_digest}). "
            "Set another tag with fargate_names: {image_tag: ...}. Nothing was overwritten.",
        ) from error


def report(proposals: t.Sequence[Proposal]) -> dict[str, t.Any]:
    changes = []
    for each in proposals:
        if not each.repository_exists:
            changes.append(f"create ECR repository {each.wanted['repository']}")
        if not each.is_present:
            edits = len(each.rewritten.edits)
            changes.append(f"push {each.name} ({edits} address{'es' if edits != 1 else ''} changed in {len(each.rewritten.changed)} file(s))")
    return {
        "changed": bool(changes),
        "changes": changes,
        "images": [_describe(each) for each in proposals],
        "findings": [{"container": each.wanted["container"], **dataclasses.asdict(finding)} for each in proposals for finding in each.rewritten.findings],
        "diff": [_diff(each, path) for each in proposals if not each.is_present for path in sorted(each.rewritten.changed)],
    }


def _describe(proposal: Proposal) -> dict[str, t.Any]:
    return {
        "container": proposal.wanted["container"],
        "image": proposal.wanted["image"],
        "digest": proposal.derived.manifest.digest,
        "source_image": proposal.wanted["source_image"],
        "source_digest": proposal.image.manifest.digest,
        "architecture": proposal.image.architecture,
        "edits": [dataclasses.asdict(edit) for edit in proposal.rewritten.edits],
    }


def _diff(proposal: Proposal, path: str) -> dict[str, str]:
    return {
        "before_header": f"{proposal.wanted['source_image']}:/{path}",
        "after_header": f"{proposal.wanted['image']}:/{path}",
        "before": proposal.before[path].decode("utf-8", "replace"),
        "after": proposal.rewritten.changed[path].decode("utf-8", "replace"),
    }


def registry_for(image: reference.Reference, clients: Clients) -> Registry:
    """A logged-in client for the registry of an image. For Amazon ECR the login is a token valid for twelve hours.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """
    if image.ecr_account is None:
        return Registry(f"https://{image.host or 'registry-1.docker.io'}")
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
