"""Every source that the code names can be followed: pages of docs/rules, their sections and rows; botocore's model; books of AWS's documentation.

And every finding and cause stands in a row of those pages, which names nothing that isn't there.
"""

from __future__ import annotations

import ast
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
SERVICES = ("ecs", "elbv2", "route53", "application-autoscaling", "cloudwatch", "autoscaling", "servicediscovery", "vpc-lattice", "secretsmanager", "ssm", "kms")
SPAN = re.compile(r"`([^`]+)`")
CODE = re.compile(r"(?:(_\w+)/)?([a-z]\w*)\.([A-Za-z_]\w*)")
FINDING = re.compile(r"(?:FG|NGX|FPM|IMG)-[A-Z0-9-]+")
CAUSE = re.compile(r"[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*")


class Section(t.NamedTuple):
    """``text`` without backticks; rows of its tables by their first cell, items of its numbered lists by their number."""

    text: str
    rows: dict[str, str]
    numbers: dict[int, str]


@cache
def sections(page: str) -> dict[str, Section]:
    text = (RULES / page).read_text("utf-8").replace("`", "")
    parts = re.split(r"^#{2,3} (?:(\d+[a-z]?)\. )?(.*)$", text, flags=re.MULTILINE)
    found: dict[str, Section] = {}
    for number, title, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        rows = {line.split("|")[1].strip(): line for line in body.splitlines() if line.startswith("| ")}
        numbers = {int(line[1]): line[0] for line in re.finditer(r"^(\d+)\. .*$", body, re.MULTILINE)}
        found[number or title.lower()] = Section(body, rows, numbers)
    return found


@cache
def cited() -> list[tuple[str, re.Match[str]]]:
    """Place in the repository, citation."""
    found = []
    files = [file for folder in ("plugins", "roles", "tests") for suffix in ("py", "yml", "md") for file in (ROOT / folder).rglob(f"*.{suffix}")]
    for file in [*files, ROOT / "docs/architecture.md", *RULES.glob("*-rules.md")]:
        if "fixtures" not in file.parts and file != Path(__file__):
            text = file.read_text("utf-8")
            for match in CITATION.finditer(text):
                found.append((f"{file.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}", match))
    return found


def broken(match: re.Match[str]) -> list[str]:
    """What of a citation leads nowhere."""
    if match["page"]:
        return _broken_places(match["page"], match["places"])
    if match["steps"]:
        return [f"step {step}" for step in match["steps"].split(" and ") if int(step) not in sections("runbook.md")["steps"].numbers]
    if match["heading"]:
        return [] if match["heading"].lower() in sections("runbook.md") else [match["heading"]]
    if match["tag"] == "D":
        return [page for page in match["sources"].split(", ") if not re.fullmatch(r"[\w.-]+/[\w.-]+", page) or page.partition("/")[0] not in books()]
    return [name for name in match["sources"].split(", ") if not in_model(name)]


def _broken_places(page: str, places: str) -> list[str]:
    if not (RULES / page).exists():
        return [page]
    return [f"{page} {place[0]}" for place, section in _places(page, places) if section is None or _lines(section, place) is None]


def _places(page: str, places: str) -> t.Iterator[tuple[re.Match[str], Section | None]]:
    """What is named between commas, with its section: the one that was named last where it names none."""
    known, current = sections(page), ""
    for item in re.split(r",\s*(?![^(]*\))| and (?=\d)", places.strip()):
        place = t.cast("re.Match[str]", PLACE.match(item.strip()) or re.match(r"(?P<section>)(?P<first>)(?P<last>)(?P<row>)(?P<words>).*", item))
        current = place["section"] or current
        yield place, known.get(current)


def _lines(section: Section, place: re.Match[str]) -> list[str] | None:
    """The lines of a section that a place means; None when it leads nowhere."""
    if place["words"] and not all(word.strip() in section.text for word in place["words"].split(",")):
        return None
    if place["first"]:
        numbers = range(int(place["first"]), int(place["last"] or place["first"]) + 1)
        return [section.numbers[number] for number in numbers] if set(numbers) <= set(section.numbers) else None
    row = place["row"] or ""
    name = row.rstrip(" .*-")
    if not name:
        return [section.text]
    start, end = r"(?<!\w)" if name[:1].isalnum() else "", "" if name != row else r"(?!\w)"
    return [line for cell, line in section.rows.items() if re.search(f"{start}{re.escape(name)}{end}", cell)] or None


@cache
def books() -> set[str]:
    return set(re.findall(r"^\| `([\w-]+)` \| <https://docs\.aws\.amazon\.com/", (RULES / "README.md").read_text("utf-8"), re.MULTILINE))


@cache
def model(service: str) -> t.Any:
    return botocore.session.get_session().get_service_model(service)


@cache
def in_model(name: str) -> bool:
    shape, _dot, member = name.partition(".")
    for service in map(model, SERVICES):
        if shape in service.shape_names and (not member or member in getattr(service.shape_for(shape), "members", {})):
            return True
        if shape in service.operation_names and not member:
            return True
    return False


def test_citations_are_found() -> None:
    """The regular expression sees what the code says, so that nothing passes by not being looked at."""
    assert len([match for _place, match in cited() if match["page"]]) > 150
    assert {match.lastgroup for _place, match in cited()} == {"places", "steps", "heading", "sources"}
    unseen = re.compile(r"\b(?:fargate-rules|nginx-rules|diagnosis-rules)\.md(?! \d)|\b(?:peers|style|emulator|lab|DESIGN)\.md")
    sources = [file for folder in ("plugins", "roles", "tests") for file in (ROOT / folder).rglob("*.py") if file != Path(__file__)]
    assert [str(file.relative_to(ROOT)) for file in sources if unseen.search(file.read_text("utf-8"))] == []


def test_citations_lead_somewhere() -> None:
    assert {place: wrong for place, match in cited() if (wrong := broken(match))} == {}


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


def test_functions_cite_the_rows_of_what_they_find() -> None:
    """Of a rule's docstring and its row each leads to the other. A row that is cited with ``...`` stands for its whole section."""
    wrong = {}
    for file in UTILS.glob("_translate/*.py"):
        for function in (node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)):
            texts = [node.value for node in ast.walk(function) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
            found = {text for text in texts if text in KINDS} - {"FG-UNTRANSLATED"}
            cited_here = [match for match in CITATION.finditer(ast.get_docstring(function) or "") if match["page"]]
            told = " ".join(line for match in cited_here for line in _told(match))
            if cited_here and found - set(FINDING.findall(told)):
                wrong[f"{file.name}: {function.name}"] = found - set(FINDING.findall(told))
    assert wrong == {}


def _told(match: re.Match[str]) -> t.Iterator[str]:
    for place, section in _places(match["page"], match["places"]):
        if section:
            yield from [section.text] if match["places"].endswith("..") else _lines(section, place) or []


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
