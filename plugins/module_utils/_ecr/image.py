# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Runbook step 1: the running image with only the peers' addresses changed, in a new Amazon ECR repository."""

from __future__ import annotations

import dataclasses
import typing as t

from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import Progress, silent
from .._nginx import rewrite
from .._nginx.findings import BLOCKER, Finding
from .._nginx.reach import Reach
from .._oci import derive, layers, reference
from .._oci.registry import Manifest, Registry, RegistryError
from . import environment, pools, record, tasks
from .proposal import Part, Proposal
from .repository import create_repository, find_repository, hub_name, registry_for
from .show import report

WHY = "cutover.fargate: addresses of the task's other containers are 127.0.0.1 on Fargate"
# Each time one step further along includes and links: a conf that needs more is no conf.
MOST_READS = 8


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, progress: Progress = silent) -> dict[str, t.Any]:
    """Derive every image of ``params["images"]``. Nothing is pushed unless all of them could be rewritten."""
    try:
        proposals = [read(wanted, params, clients, progress) for wanted in params["images"]]
        findings = [(str(each.wanted["container"]), finding) for each in proposals for finding in each.findings]
        if not proposals or not all(each.is_done for each in proposals):
            peers = pools.read(params.get("peer_images") or [], clients, progress)
            findings += [(peer.container, finding) for peer in peers for finding in peer.findings] + pools.clashes(proposals, peers)
            findings += tasks.look(params.get("tasks") or [], clients, progress)
        result = report(proposals, findings)
        refuse(proposals, findings, params.get("waive") or [], result)
        if not check_mode:
            for proposal in proposals:
                apply(proposal, clients, progress)
    except (RegistryError, layers.LayerError, reference.BadReferenceError) as error:
        raise CutoverError(f"Image: {str(error).rstrip('.')}. No traffic and nothing of the source was changed.") from error
    return result


def read(wanted: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any], clients: Clients, progress: Progress) -> Proposal:
    """Look at what the target repository holds. If an earlier run made it by the same, that is it; else read the source image's confs and rewrite them."""
    name = reference.parse(wanted["source_image"])
    kept = list(dict.fromkeys([wanted.get("platform") or "linux/amd64", *(params.get("platforms") or [])]))
    source = derive.find(registry_for(name, clients), hub_name(name), name.version, kept)
    repository = find_repository(clients, wanted["repository"])
    target = registry_for(reference.parse(wanted["image"]), clients)
    there = target.find_manifest(wanted["repository"], wanted["tag"]) if repository else None
    made_by = record.of(wanted, params.get("waive") or [])
    if there is None:
        return Proposal(wanted, source, [_part(image, wanted, made_by, progress) for image in source.images], repository, None)
    images = _platforms(source, target, wanted["repository"], there)
    parts = _known(source, images, there, made_by)
    if parts is None:
        made = [_part(image, wanted, made_by, progress) for image in source.images]
        parts = _as_recorded(source, made, images, there) or made
    return Proposal(wanted, source, parts, repository, there.digest)


def _platforms(source: derive.Source, target: Registry, repository: str, there: Manifest) -> list[derive.Image]:
    """What the tag holds for each platform of the source; [] when that is not the same number of images."""
    try:
        images = derive.platforms(target, repository, there)
    except RegistryError:  # what cannot be read is made anew
        return []
    return images if len(images) == len(source.images) else []


def _known(source: derive.Source, images: t.Sequence[derive.Image], there: Manifest, made_by: str) -> list[Part] | None:
    """What an earlier run made by the same input and the same code, proven by making its digest again; None when that fails.

    A platform that needed no change has no record; another platform of the same index then has it.
    """
    pairs = list(zip(source.images, images, strict=True)) if images else []
    records = [derive.made_by(each) for image, each in pairs if each.manifest.digest != image.manifest.digest]
    if not records or set(records) != {made_by}:
        return None
    try:
        found = [derive.again(image, each, WHY) if each.manifest.digest != image.manifest.digest else derive.append(image, [], WHY) for image, each in pairs]
    except (RegistryError, layers.LayerError):
        return None
    derived = [each for each in found if each is not None]
    if len(derived) != len(found) or derive.index(source, derived).digest != there.digest:
        return None
    return [Part(image, each) for image, each in zip(source.images, derived, strict=True)]


def _as_recorded(source: derive.Source, parts: t.Sequence[Part], images: t.Sequence[derive.Image], there: Manifest) -> list[Part] | None:
    """The parts under the records that are there, when nothing else differs: that is no reason to push, and an immutable tag could not be."""
    if not images:
        return None
    renamed = [_remade(part, derive.made_by(image)) for part, image in zip(parts, images, strict=True)]
    return renamed if derive.index(source, [part.derived for part in renamed]).digest == there.digest else None


def _remade(part: Part, made_by: str) -> Part:
    variables = {edit.name: edit.after for edit in part.environment.image}
    return dataclasses.replace(part, derived=derive.append(part.image, part.entries, WHY, variables, made_by))


def _part(image: derive.Image, wanted: t.Mapping[str, t.Any], made_by: str, progress: Progress) -> Part:
    files, before, lost = _confs(image, progress)
    values = environment.of_container(image.environment, wanted)
    named: dict[str, t.Any] = {"containers": wanted.get("containers") or {}, "host_variables": wanted.get("host_variables") or []}
    done = rewrite.rewrite(before, wanted["peers"], environment=values, **named)
    done.findings = [*lost, *done.findings]
    settled = environment.settle(done, wanted)
    entries = [derive.entry_like(files.files[path], data) for path, data in done.changed.items()]
    return _remade(Part(image, derive.append(image, [], WHY), entries, done, before, settled), made_by)


def _confs(image: derive.Image, progress: Progress) -> tuple[layers.Tree, dict[str, bytes], list[Finding]]:
    """The confs of an image. Where a link or an include leads out of the known folders, the layers are read again, for that too."""
    reach = Reach()
    files = derive.read_tree(image, reach.__contains__, progress)
    for _again in range(MOST_READS):
        if not reach.widen(files.regular_files(), files.links):
            break
        progress("reading again: the conf leads to other folders")
        files = derive.read_tree(image, reach.__contains__, progress)
    found = files.regular_files()
    confs = {path: found[path] for path in sorted(reach.confs(found, files.links))}
    return files, confs, reach.lost(found, files.links)


def refuse(proposals: t.Iterable[Proposal], findings: t.Iterable[tuple[str, Finding]], waive: t.Collection[str], result: dict[str, t.Any]) -> None:
    """What could not be decided would fail at run time: say where, before anything is pushed."""
    blockers = [pair for pair in findings if pair[1].severity == BLOCKER and not {pair[1].id, f"{pair[1].id}@{pair[1].path}"} & set(waive)]
    if blockers:
        lines = "; ".join(
            f"{each.id} {container} {each.path}:{each.line}:{each.column} {each.text!r}: {each.why}. Fix: {each.fix}" for container, each in blockers
        )
        raise CutoverError(f"{len(blockers)} finding(s) of severity BLOCKER in confs, so no image was pushed: {lines}", **{**result, "changed": False})
    for each in proposals:
        if each.present_digest and not each.is_present and (each.repository or {}).get("imageTagMutability", "").startswith("IMMUTABLE"):
            raise _immutable(each)


def apply(proposal: Proposal, clients: Clients, progress: Progress) -> None:
    wanted = proposal.wanted
    if proposal.is_used_as_it_is:
        return
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
