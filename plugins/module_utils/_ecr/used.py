# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which image a container really gets: the derived one, or the source's where no conf in it needs a change.

The plan is made without looking into images, so it names the derived image of every candidate. Here the name is looked up: what the role image
found worth deriving is in the registry under its tag, and the rest is used as it is.
"""

from __future__ import annotations

import typing as t

from .._aws.clients import Clients
from .._aws.errors import ClientError, CutoverError, error_code
from .._aws.run import silent
from .._oci import layers, reference
from .._oci.registry import RegistryError
from . import image

Json = t.Mapping[str, t.Any]


def resolve(definitions: t.Sequence[Json], images: t.Iterable[Json], clients: Clients, registered: t.Mapping[str, Json | None], decide: bool) -> list[Json]:
    """The task definitions of the plan with the images that their containers get.

    A derived image that is not there was either not needed or not made. The revision that is ``registered`` tells which, if it has the source's image;
    else the image is looked into, if there is something to ``decide`` (not in check mode: then the name of the plan stays).
    """
    candidates = {each["image"]: each for each in images}
    present = {name: is_there(each, clients) for name, each in candidates.items()}
    return [_definition(each, candidates, present, registered.get(each["family"]), clients, decide) for each in definitions]


def _definition(
    definition: Json, candidates: t.Mapping[str, Json], present: t.Mapping[str, bool], registered: Json | None, clients: Clients, decide: bool
) -> Json:
    before = {each.get("name"): each.get("image") for each in (registered or {}).get("containerDefinitions") or []}

    def used(container: Json) -> Json:
        wanted = candidates.get(container.get("image", ""))
        if wanted is None or present[wanted["image"]]:
            return container
        source = wanted["source_image"]
        is_source = before.get(container["name"]) == source or (decide and _is_used_as_it_is(wanted, definition["family"], clients))
        return {**container, "image": source} if is_source else container

    return {**definition, "containerDefinitions": [used(container) for container in definition["containerDefinitions"]]}


def is_there(wanted: Json, clients: Clients) -> bool:
    try:
        clients("ecr").describe_images(repositoryName=wanted["repository"], imageIds=[{"imageTag": wanted["tag"]}])
    except ClientError as error:
        if error_code(error) in ("RepositoryNotFoundException", "ImageNotFoundException"):
            return False
        raise
    return True


def _is_used_as_it_is(wanted: Json, family: str, clients: Clients) -> bool:
    """Whether no conf in the source image needs a change. An image that should have been derived and was not is refused."""
    missing = f"The image {wanted['image']} of container {wanted['container']} in {family} is not there"
    run_first = "Run the role image first (--tags image). No task definition was registered."
    try:
        proposal = image.read(wanted, {}, clients, silent)
    except (RegistryError, layers.LayerError, reference.BadReferenceError) as error:
        raise CutoverError(f"{missing}, and whether it is needed could not be seen: {str(error).rstrip('.')}. {run_first}") from error
    if not proposal.is_source:
        raise CutoverError(f"{missing}, and a conf in {wanted['source_image']} needs it. {run_first}")
    return True
