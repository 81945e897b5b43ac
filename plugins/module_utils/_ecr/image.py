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
from .._nginx_conf.show import masked
from .._oci import credentials, derive, layers, reference
from .._oci.registry import Manifest, Registry, RegistryError

WHY = "cutover.fargate: addresses of the task's other containers are 127.0.0.1 on Fargate"


@dataclasses.dataclass(frozen=True)
class Part:
    """One platform: the image, its confs before and after, what comes of it. ``rewritten`` is empty when the confs need no change."""

    image: derive.Image
    derived: derive.Derived
    rewritten: rewrite.Rewrite
    before: t.Mapping[str, bytes]


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What one image would become."""

    wanted: t.Mapping[str, t.Any]
    source: derive.Source
    parts: t.Sequence[Part]
    repository: t.Mapping[str, t.Any] | None
    present_digest: str | None

    @property
    def name(self) -> str:
        return f"{self.wanted['repository']}:{self.wanted['tag']}"

    @property
    def derived(self) -> list[derive.Derived]:
        return [part.derived for part in self.parts]

    @property
    def manifest(self) -> Manifest:
        return derive.index(self.source, self.derived)

    @property
    def is_present(self) -> bool:
        return self.present_digest == self.manifest.digest

    @property
    def edits(self) -> list[rewrite.Edit]:
        """Platforms mostly hold the same confs: what is the same in several is told once."""
        return list(dict.fromkeys(edit for part in self.parts for edit in part.rewritten.edits))

    @property
    def findings(self) -> list[rewrite.Finding]:
        return list(dict.fromkeys(finding for part in self.parts for finding in part.rewritten.findings))

    @property
    def changed(self) -> list[str]:
        return sorted({path for part in self.parts for path in part.rewritten.changed})


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, progress: Progress = silent) -> dict[str, t.Any]:
    """Derive every image of ``params["images"]``. Nothing is pushed unless all of them could be rewritten."""
    try:
        proposals = [read(wanted, params.get("platforms") or [], clients, progress) for wanted in params["images"]]
        result = report(proposals)
        refuse(proposals, params.get("waive") or [], result)
        if not check_mode:
            for proposal in proposals:
                apply(proposal, clients, progress)
    except (RegistryError, layers.LayerError, reference.BadReferenceError) as error:
        raise CutoverError(f"Image: {str(error).rstrip('.')}. No traffic and nothing of the source was changed.") from error
    return result


def read(wanted: t.Mapping[str, t.Any], platforms: t.Sequence[str], clients: Clients, progress: Progress) -> Proposal:
    """Read the source image's confs, rewrite them in memory, look at what the target repository holds."""
    name = reference.parse(wanted["source_image"])
    kept = list(dict.fromkeys([wanted.get("platform") or "linux/amd64", *platforms]))
    source = derive.find(registry_for(name, clients), hub_name(name), name.version, kept)
    parts = [_part(image, wanted["peers"], progress) for image in source.images]
    repository = find_repository(clients, wanted["repository"])
    target = registry_for(reference.parse(wanted["image"]), clients)
    present = target.manifest_digest(wanted["repository"], wanted["tag"]) if repository else None
    return Proposal(wanted, source, parts, repository, present)


def _part(image: derive.Image, peers: t.Mapping[str, str], progress: Progress) -> Part:
    files = derive.read_tree(image, lambda path: path.startswith(tree.roots()) and tree.is_conf(path), progress)
    before = files.regular_files()
    rewritten = rewrite.rewrite(before, peers)
    entries = [derive.entry_like(files.files[path], data) for path, data in rewritten.changed.items()]
    return Part(image, derive.append(image, entries, WHY), rewritten, before)


def refuse(proposals: t.Iterable[Proposal], waive: t.Collection[str], result: dict[str, t.Any]) -> None:
    """A conf that could not be decided would fail at run time: say where, before anything is pushed."""
    blockers = [finding for each in proposals for finding in each.findings if finding.severity == "BLOCKER" and finding.id not in waive]
    if blockers:
        lines = "; ".join(f"{each.id} {each.path}:{each.line}:{each.column} {each.text!r}: {each.why}. Fix: {each.fix}" for each in blockers)
        raise CutoverError(
            f"{len(blockers)} address(es) in the Nginx conf could not be decided, so no image was pushed: {lines}", **{**result, "changed": False}
        )
    for each in proposals:
        if each.present_digest and not each.is_present and (each.repository or {}).get("imageTagMutability", "").startswith("IMMUTABLE"):
            raise _immutable(each)


def apply(proposal: Proposal, clients: Clients, progress: Progress) -> None:
    wanted = proposal.wanted
    if proposal.repository is None:
        create_repository(clients, wanted)
    if proposal.is_present:
        return
    progress(f"pushing {proposal.name}")
    target = registry_for(reference.parse(wanted["image"]), clients)
    try:
        derive.push(proposal.source, proposal.derived, target, wanted["repository"], wanted["tag"], progress)
    except RegistryError as error:
        if "immutable" not in str(error).lower():
            raise
        raise _immutable(proposal) from error


def _immutable(proposal: Proposal) -> CutoverError:
    return CutoverError(
        f"Repository {proposal.wanted['repository']} has immutable tags and {proposal.wanted['tag']} is there with another digest "
        f"({proposal.present_digest or 'unknown'}, not {proposal.manifest.digest}). "
        "Give the source image another tag, or name another repository with fargate_names: {repositories: {source: target}}. Nothing was overwritten.",
    )


def report(proposals: t.Sequence[Proposal]) -> dict[str, t.Any]:
    changes = []
    for each in proposals:
        if each.repository is None:
            changes.append(f"create ECR repository {each.wanted['repository']}")
        if not each.is_present:
            changes.append(f"push {each.name} ({_summary(each)})")
    return {
        "changed": bool(changes),
        "changes": changes,
        "images": [_describe(each) for each in proposals],
        "findings": [{"container": each.wanted["container"], **dataclasses.asdict(finding)} for each in proposals for finding in each.findings],
        "diff": [diff for each in proposals if not each.is_present for diff in _diffs(each)],
    }


def _summary(proposal: Proposal) -> str:
    edits = len(proposal.edits)
    if not edits:
        wanted = proposal.wanted
        return f"no conf names a peer: the source image as it is; fargate_images: {{{wanted['container']}: {wanted['source_image']}}} saves the copy"
    return f"{edits} address{'es' if edits != 1 else ''} changed in {len(proposal.changed)} file(s)"


def _describe(proposal: Proposal) -> dict[str, t.Any]:
    return {
        "container": proposal.wanted["container"],
        "image": proposal.wanted["image"],
        "digest": proposal.manifest.digest,
        "source_image": proposal.wanted["source_image"],
        "source_digest": proposal.source.manifest.digest,
        "architecture": ", ".join(part.image.architecture for part in proposal.parts),
        "edits": [dataclasses.asdict(edit) for edit in proposal.edits],
    }


def _diffs(proposal: Proposal) -> list[dict[str, str]]:
    """One diff for each changed file, and for each of its contents where platforms differ."""
    seen = {(path, part.before[path]): part.rewritten.changed[path] for part in proposal.parts for path in part.rewritten.changed}
    return [
        {
            "before_header": f"{proposal.wanted['source_image']}:/{path}",
            "after_header": f"{proposal.wanted['image']}:/{path}",
            "before": masked(before),
            "after": masked(after),
        }
        for (path, before), after in sorted(seen.items())
    ]


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
