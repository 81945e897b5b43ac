"""Every source that the code names can be followed: pages of docs/rules, their sections and rows; botocore's model; books of AWS's documentation.

And every finding and cause stands in a row of those pages, which names nothing that isn't there.
"""

from __future__ import annotations

import re
import typing as t
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health.causes import CAUSES
from ansible_collections.cutover.fargate.plugins.module_utils._nginx.findings import KINDS as CONF_KINDS
from ansible_collections.cutover.fargate.plugins.module_utils._translate.kinds import KINDS

ROOT = Path(__file__).parents[3]
RULES = ROOT / "docs/rules"
UTILS = ROOT / "plugins/module_utils"
CITATION = re.compile(
    r"(?P<page>\b[a-z]+-rules\.md) (?P<places>\d[^\n:;\"|`]*?)(?=\.?$|\.? ?\"|\. [A-Z]|[:;|]|`|[.,]? (?:and )?(?:runbook|\[)|, [a-z]+-rules\.md)"
    r"|\brunbook steps? (?P<steps>\d+(?: and \d+)*)"
    r"|\brunbook \((?P<heading>[^)]+)\)"
    r"|\[(?P<tag>[BD]) (?P<sources>\w[^\]\n]*)\]",
    re.MULTILINE,
)
PLACE = re.compile(r"^(?P<section>\d+[a-z]?)?\s*(?:rules? (?P<first>\d+)(?: to (?P<last>\d+))?|(?P<row>[^()]*?))\s*(?:\((?P<words>[^)]+)\))?$")
SERVICES = ("ecs", "elbv2", "route53", "application-autoscaling", "cloudwatch", "ec2")
SPAN = re.compile(r"`([^`]+)`")
CODE = re.compile(r"(?:(_\w+)/)?([a-z]\w*)\.([A-Za-z_]\w*)")
FINDING = re.compile(r"(?:FG|NGX|FPM)-[A-Z0-9-]+")
CAUSE = re.compile(r"[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*")


class Section(t.NamedTuple):
    """``text`` without backticks; ``rows`` the first cells of its tables; ``numbers`` those of its numbered lists."""

    text: str
    rows: list[str]
    numbers: set[int]


@cache
def sections(page: str) -> dict[str, Section]:
    text = (RULES / page).read_text("utf-8").replace("`", "")
    parts = re.split(r"^#{2,3} (?:(\d+[a-z]?)\. )?(.*)$", text, flags=re.MULTILINE)
    found: dict[str, Section] = {}
    for number, title, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        rows = [line.split("|")[1].strip() for line in body.splitlines() if line.startswith("| ")]
        found[number or title.lower()] = Section(body, rows, {int(item) for item in re.findall(r"^(\d+)\. ", body, re.MULTILINE)})
    return found


def cited() -> t.Iterator[tuple[str, re.Match[str]]]:
    """Place in the repository, citation."""
    files = [file for folder in ("plugins", "roles", "tests") for suffix in ("py", "yml", "md") for file in (ROOT / folder).rglob(f"*.{suffix}")]
    for file in [*files, ROOT / "docs/architecture.md", *RULES.glob("*-rules.md")]:
        if "fixtures" not in file.parts and file != Path(__file__):
            text = file.read_text("utf-8")
            for match in CITATION.finditer(text):
                yield f"{file.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}", match


CITED = list(cited())


def broken(match: re.Match[str]) -> list[str]:
    """What of a citation leads nowhere."""
    if match["page"]:
        return _broken_places(match["page"], match["places"])
    if match["steps"]:
        known = sections("runbook.md")["steps"].numbers
        return [f"step {step}" for step in match["steps"].split(" and ") if int(step) not in known]
    if match["heading"]:
        return [] if match["heading"].lower() in sections("runbook.md") else [match["heading"]]
    if match["tag"] == "D":
        return [page for page in match["sources"].split(", ") if not re.fullmatch(r"[\w.-]+/[\w.-]+", page) or page.partition("/")[0] not in books()]
    return [name for name in match["sources"].split(", ") if not in_model(name)]


def _broken_places(page: str, places: str) -> list[str]:
    if not (RULES / page).exists():
        return [page]
    known, current, wrong = sections(page), "", []
    for item in re.split(r",\s*(?![^(]*\))| and (?=\d)", places.strip()):
        match = PLACE.match(item.strip())
        current = (match and match["section"]) or current
        if not match or current not in known or not _leads_somewhere(known[current], match):
            wrong.append(f"{page} {current}: {item}")
    return wrong


def _leads_somewhere(section: Section, place: re.Match[str]) -> bool:
    if place["words"] and not all(word.strip() in section.text for word in place["words"].split(",")):
        return False
    if place["first"]:
        return {int(place["first"]), int(place["last"] or place["first"])} <= section.numbers
    row = place["row"] or ""
    name = row.rstrip(" .*-")
    start, end = r"(?<!\w)" if name[:1].isalnum() else "", "" if name != row else r"(?!\w)"
    return not name or any(re.search(f"{start}{re.escape(name)}{end}", cell) for cell in section.rows)


@cache
def books() -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \| <https://docs\.aws\.amazon\.com/", (RULES / "README.md").read_text("utf-8"), re.MULTILINE))


@cache
def models() -> list[t.Any]:
    session = botocore.session.get_session()
    return [session.get_service_model(service) for service in SERVICES]


@cache
def in_model(name: str) -> bool:
    shape, _dot, member = name.partition(".")
    for model in models():
        if shape in model.shape_names and (not member or member in getattr(model.shape_for(shape), "members", {})):
            return True
        if shape in model.operation_names and not member:
            return True
    return False


def test_citations_are_found() -> None:
    """The regular expression sees what the code says, so that nothing passes by not being looked at."""
    assert len([match for _place, match in CITED if match["page"]]) > 150
    assert {match.lastgroup for _place, match in CITED} == {"places", "steps", "heading", "sources"}
    unseen = re.compile(r"\b(?:fargate-rules|nginx-rules|diagnosis-rules)\.md(?! \d)|\b(?:peers|style|emulator|lab|DESIGN)\.md")
    sources = [file for folder in ("plugins", "roles", "tests") for file in (ROOT / folder).rglob("*.py") if file != Path(__file__)]
    assert [str(file.relative_to(ROOT)) for file in sources if unseen.search(file.read_text("utf-8"))] == []


def test_citations_lead_somewhere() -> None:
    assert {place: wrong for place, match in CITED if (wrong := broken(match))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "fargate-rules.md 99",
        "fargate-rules.md 2 linkz",
        "fargate-rules.md 2 links, hostnam",
        "fargate-rules.md 1 links",
        "fargate-rules.md 6 rules 3 to 19",
        "fargate-rules.md 4 (words of nobody)",
        "other-rules.md 1",
        "runbook step 9",
        "runbook (Breakfast)",
        "[D ecs]",
        "[D nobook/page]",
        "[B NoShapeAtAll]",
        "[B ContainerDefinition.noMember]",
    ],
)
def test_a_wrong_citation_is_seen(text: str) -> None:
    assert [wrong for match in CITATION.finditer(text) for wrong in broken(match)]


def rows() -> list[str]:
    """Rows of tables and of numbered lists."""
    lines = [line for page in sorted(RULES.glob("*-rules.md")) for line in page.read_text("utf-8").splitlines()]
    return [line for line in lines if line.startswith("| ") or re.match(r"\d+\. ", line)]


def test_every_finding_and_cause_has_its_row() -> None:
    told = {span for row in rows() for span in SPAN.findall(row)}
    assert sorted({*KINDS, *CONF_KINDS, *CAUSES} - told) == []


def here() -> t.Iterator[tuple[str, str]]:
    """Page, code span of the last column where that is called ``here``."""
    for page in sorted(RULES.glob("*-rules.md")):
        last = False
        for line in page.read_text("utf-8").splitlines():
            if not line.startswith("|"):
                last = False
            elif line.endswith("| here |"):
                last = True
            elif last:
                yield from ((page.name, span) for span in SPAN.findall(line.rstrip("| ").rpartition(" | ")[2]))


@cache
def _code(package: str, module: str) -> str:
    file = UTILS / package / f"{module}.py"
    return file.read_text("utf-8") if file.exists() else ""


def _exists(span: str) -> bool:
    if FINDING.fullmatch(span):
        return span in KINDS or span in CONF_KINDS
    if CAUSE.fullmatch(span):
        return span in CAUSES
    named = CODE.fullmatch(span)
    return bool(named and re.search(rf"^(?:(?:def|class) {named[3]}\b|{named[3]}\b.*=)", _code(named[1] or "_translate", named[2]), re.MULTILINE))


def test_rows_name_what_exists() -> None:
    assert len(list(here())) > 300
    assert [f"{page}: {span}" for page, span in here() if not _exists(span)] == []


def test_texts_name_code_that_exists() -> None:
    """Also outside of the tables: a span that starts with the name of a module."""
    wrong = []
    for page in sorted(RULES.glob("*.md")):
        for span in SPAN.findall(page.read_text("utf-8")):
            named = CODE.fullmatch(span)
            if named and _code(named[1] or "_translate", named[2]) and not _exists(span):
                wrong.append(f"{page.name}: {span}")
    assert wrong == []
