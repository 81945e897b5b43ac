# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Images: which are rewritten, where they go, and which can't be pulled any more. runbook step 1, fargate-rules.md 2 image"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from . import agent, names, peers
from .context import Context, Json
from .findings import Finding, found
from .secrets import mask_value

_ECR = re.compile(r"^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$")
_PUBLIC = frozenset({"public.ecr.aws", "registry.k8s.io", "mcr.microsoft.com", "docker.elastic.co"})
_EITHER = frozenset({"ghcr.io", "quay.io", "gcr.io"})
"""Registries with public images and with private ones."""
DOCKER_HUB = "docker.io"


@dataclass(frozen=True)
class Reference:
    """``host/repository:tag@digest``, taken apart as Docker does."""

    host: str
    repository: str
    tag: str | None
    digest: str | None


def parse(image: str) -> Reference:
    """The first component is a host when it has a dot or a colon or is ``localhost``; otherwise the image is Docker Hub's."""
    rest, _at, digest = image.partition("@")
    head, slash, tail = rest.partition("/")
    host, path = (head, tail) if slash and ("." in head or ":" in head or head == "localhost") else (DOCKER_HUB, rest)
    repository, colon, tag = path.rpartition(":")
    return Reference(host, repository if colon else path, tag if colon else None, digest or None)


def ecr_region(image: str) -> str | None:
    """The region of a private ECR registry; None for any other."""
    match = _ECR.match(parse(image).host)
    return match[2] if match else None


def rewritten(container: Json, definition: Json, context: Context) -> Json | None:
    """The entry of a container whose image must change: one that has a link, unless the inventory names an image for it."""
    name = str(container.get("name"))
    if not peers.linked(container) or name in (context.intent.get("images") or {}):
        return None
    reference = parse(str(container.get("image") or ""))
    repository = _target_repository(reference, context)
    tag = names.image_tag(reference.tag, reference.digest)
    host = reference.host if _is_own(reference, context) else context.registry
    return {
        "container": name,
        "source_image": container.get("image"),
        "repository": repository,
        "tag": tag,
        "image": f"{host}/{repository}:{tag}",
        "peers": peers.mapping(container, definition),
        "containers": {alias: target for target, alias in peers.linked(container)},
        "environment": environment(container),
        "unknown_environment": unknown_environment(container),
        "host_variables": [str(name) for name in context.intent.get("host_variables") or []],
        "platform": None,
        "tags": dict(context.own_tags),
    }


def environment(container: Json) -> dict[str, str]:
    """The values that a conf's placeholders may stand for, without what looks like a secret: that is nothing a conf connects to."""
    return {name: value for name, value in _pairs(container).items() if mask_value(name, value) == value}


def unknown_environment(container: Json) -> list[str]:
    """Variables that hide those of the image, and whose values are not known here."""
    secrets = {str(secret.get("name")) for secret in container.get("secrets") or []}
    return sorted(secrets | (set(_pairs(container)) - set(environment(container))))


def _pairs(container: Json) -> dict[str, str]:
    return {str(pair.get("name")): str(pair.get("value") or "") for pair in container.get("environment") or []}


def changed_environment(before: Json, after: Json) -> dict[str, str]:
    """What the translation makes of the values: the image's conf must need nothing else."""
    old, new = environment(before), environment(after)
    return {name: value for name, value in new.items() if name in old and old[name] != value}


def image(draft: Json, entry: Json | None, context: Context, path: str) -> t.Iterator[Finding]:
    """The new image of a linked container, or the inventory's. Other images stay. runbook step 1"""
    source = str(draft.get("image") or "")
    given = (context.intent.get("images") or {}).get(str(draft.get("name")))
    if given:
        draft["image"] = str(given)
        yield found("FG-IMAGE-GIVEN", f"{path}.image", source, given)
    elif entry:
        draft["image"] = entry["image"]
        yield found("FG-IMAGE", f"{path}.image", source, entry["image"], peers=", ".join(entry["peers"]))
        if not _is_own(parse(source), context):
            yield found("FG-IMAGE-MOVED", f"{path}.image", source, entry["image"])
        yield from moving(source, path)
    else:
        yield from registry(draft, context, path)
        yield from moving(source, path)
        yield from other_account(draft, context, path)


def registry(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """An image that stays must still be pulled, now without what the instance's agent knew. fargate-rules.md 2 image, repositoryCredentials"""
    source = str(draft.get("image") or "")
    reference = parse(source)
    if _ECR.match(reference.host) or draft.get("repositoryCredentials"):
        return
    if reference.host not in (DOCKER_HUB, *_PUBLIC, *_EITHER) or _by_agent(reference, context):
        yield found("FG-IMAGE-REGISTRY", f"{path}.image", source)
    elif reference.host == DOCKER_HUB:
        yield found("FG-IMAGE-HUB", f"{path}.image", source)
    elif reference.host in _EITHER:
        yield found("FG-IMAGE-ANONYMOUS", f"{path}.image", source)


def _by_agent(reference: Reference, context: Context) -> bool:
    """Whether the agent on the instances logged in to this registry. Docker Hub's official images are everybody's."""
    told = agent.logins(context)
    official = reference.host == DOCKER_HUB and reference.repository.removeprefix("library/").count("/") == 0
    return told is not None and not official and reference.host not in _PUBLIC and (not told or reference.host in told)


def moving(source: str, path: str) -> t.Iterator[Finding]:
    """A tag that moves may bring other code than the source runs. fargate-rules.md 2 image"""
    reference = parse(source)
    if reference.tag in (None, "latest") and not reference.digest:
        yield found("FG-IMAGE-LATEST", f"{path}.image", source)


def other_account(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """Another account's repository has a policy of its own, and may name the instances' role in it. fargate-rules.md 5 (both sides)"""
    source = str(draft.get("image") or "")
    match = _ECR.match(parse(source).host)
    if match and context.account_id and match[1] != context.account_id:
        yield found("FG-IMAGE-ACCOUNT", f"{path}.image", source)


def entries(definitions: t.Mapping[str, Json], context: Context) -> dict[tuple[str, str], Json]:
    """``{(definition's key, container): entry}``. Entries of one name are one image; where they differ, a hash keeps them apart.

    Two services may well use the same Nginx image with the same peers and environment: that is built once.
    """
    result: dict[tuple[str, str], Json] = {}
    seen: dict[str, Json] = {}
    for key in sorted(definitions):
        for container in definitions[key].get("containerDefinitions") or []:
            entry = rewritten(container, definitions[key], context)
            if entry is not None:
                result[key, str(container.get("name"))] = _distinct(entry, seen)
    return result


def section(tasks: t.Iterable[tuple[str, Json, Json]], entries: t.Mapping[tuple[str, str], Json]) -> Json:
    """The plan's ``image`` from (key, source, target) of each definition: what is derived, and the linked containers' images, which are looked at."""
    images: dict[str, Json] = {}
    looked_at: dict[str, Json] = {}
    for key, source, target in tasks:
        before, after = _by_name(source), _by_name(target)
        for name in (name for name in before if (key, name) in entries):
            entry = entries[key, name]
            images[entry["image"]] = {**entry, "target_environment": changed_environment(before[name], after[name]), "platform": platform(target)}
            for peer in (after[peer] for peer, _alias in peers.linked(before[name]) if peer in after):
                found = _peer(peer, entries.get((key, str(peer["name"]))), platform(target))
                looked_at[repr(sorted(found.items(), key=str))] = found
    return {"images": [images[name] for name in sorted(images)], "peer_images": [looked_at[key] for key in sorted(looked_at)]}


def platform(target: Json) -> str:
    """As images name it."""
    return "linux/arm64" if target["runtimePlatform"]["cpuArchitecture"] == "ARM64" else "linux/amd64"


def _peer(container: Json, derived: Json | None, runs_on: str) -> Json:
    """A linked container as it will run. What is derived from its image is the same but for its conf, and not there yet."""
    source = derived["source_image"] if derived else container.get("image")
    return {"container": str(container.get("name")), "image": source, "environment": environment(container), "platform": runs_on}


def _by_name(definition: Json) -> dict[str, Json]:
    return {str(container.get("name")): container for container in definition.get("containerDefinitions") or []}


def _distinct(entry: Json, seen: dict[str, Json]) -> Json:
    known = seen.setdefault(entry["image"], entry)
    if _content(known) == _content(entry):
        return known if known["container"] == entry["container"] else {**known, "container": entry["container"]}
    digest = names.digest(repr(_content(entry)))
    tag = f"{entry['tag'][: 127 - len(digest)]}-{digest}"
    changed = {**entry, "tag": tag, "image": f"{entry['image'].rpartition(':')[0]}:{tag}"}
    return seen.setdefault(changed["image"], changed)


def _content(entry: Json) -> tuple[t.Any, ...]:
    """All that decides what the image will hold."""
    mappings = (sorted(entry[key].items()) for key in ("peers", "containers", "environment"))
    return (entry["source_image"], *mappings, entry["unknown_environment"])


def _target_repository(reference: Reference, context: Context) -> str:
    given = context.renamed("repositories", reference.repository)
    return given or names.repository(reference.repository.removeprefix("library/") if reference.host == DOCKER_HUB else reference.repository)


def _is_own(reference: Reference, context: Context) -> bool:
    """Whether the image is in this account's registry of this region, where the new repository will be."""
    match = _ECR.match(reference.host)
    return match is not None and (match[1], match[2]) == (context.account_id, context.region)
