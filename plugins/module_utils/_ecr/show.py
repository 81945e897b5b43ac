# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What is told of the images, without a secret."""

from __future__ import annotations

import dataclasses
import typing as t

from .._nginx.findings import Finding
from .._nginx_conf.show import masked, masked_edit
from .proposal import Proposal


def report(proposals: t.Sequence[Proposal], findings: t.Iterable[tuple[str, Finding]]) -> dict[str, t.Any]:
    changes = []
    for each in proposals:
        if each.repository is None and not each.is_used_as_it_is:
            changes.append(f"create ECR repository {each.wanted['repository']}")
        if not each.is_done:
            changes.append(f"push {each.name} ({_summary(each)})")
    return {
        "changed": bool(changes),
        "changes": changes,
        "images": [_describe(each) for each in proposals],
        "findings": [{"container": container, **dataclasses.asdict(finding)} for container, finding in findings],
        "diff": [diff for each in proposals if not each.is_done for diff in [*_diffs(each), *_variables(each)]],
    }


def _summary(proposal: Proposal) -> str:
    edits, variables = len(proposal.edits), len(proposal.variables)
    if not edits and not variables:
        return "no conf needs a change: the source image as it is"
    parts = [f"{edits} address{'es' if edits != 1 else ''} changed in {len(proposal.changed)} file(s)"] if edits else []
    return " and ".join([*parts, *([f"{variables} variable(s) of the image changed"] if variables else [])])


def _describe(proposal: Proposal) -> dict[str, t.Any]:
    variables = [("image", edit) for edit in proposal.variables] + [("definition", edit) for edit in proposal.carried]
    return {
        "container": proposal.wanted["container"],
        "image": proposal.wanted["source_image" if proposal.is_used_as_it_is else "image"],
        "state": proposal.state,
        "digest": proposal.manifest.digest,
        "source_image": proposal.wanted["source_image"],
        "source_digest": proposal.source.manifest.digest,
        "architecture": ", ".join(part.image.architecture for part in proposal.parts),
        "edits": [dataclasses.asdict(edit) for edit in proposal.edits],
        "environment": [{**masked_edit(edit), "holder": holder} for holder, edit in variables],
    }


def _diffs(proposal: Proposal) -> list[dict[str, str]]:
    """One diff for each changed file, and for each of its contents where platforms differ."""
    seen = {(path, part.before[path]): part.rewritten.changed[path] for part in proposal.parts for path in part.rewritten.changed}
    return [_diff(proposal, f"/{path}", masked(before), masked(after)) for (path, before), after in sorted(seen.items())]


def _variables(proposal: Proposal) -> list[dict[str, str]]:
    edits = [masked_edit(edit) for edit in proposal.variables]
    before, after = ("".join(f"{edit['name']}={edit[side]}\n" for edit in edits) for side in ("before", "after"))
    return [_diff(proposal, " ENV", before, after)] if edits else []


def _diff(proposal: Proposal, place: str, before: str, after: str) -> dict[str, str]:
    headers = {"before_header": f"{proposal.wanted['source_image']}:{place}", "after_header": f"{proposal.wanted['image']}:{place}"}
    return {**headers, "before": before, "after": after}
