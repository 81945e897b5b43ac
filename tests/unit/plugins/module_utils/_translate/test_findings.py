"""The list of findings for people is made from the tables in the code. ``CUTOVER_GOLDEN=write`` writes it anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import findings, kinds
from ansible_collections.cutover.fargate.plugins.module_utils._translate.kinds.kind import ECS, GUIDE

ROOT = Path(__file__).parents[5]
PAGE = ROOT / "docs" / "guide" / "findings.md"
PACKAGE = ROOT / "plugins" / "module_utils" / "_translate"
KEYS = ["id", "severity", "path", "source_value", "verdict", "new_value", "why", "fix", "doc", "waived"]
HEAD = """# Findings

Whatever a person must know about a migration is a finding. `plan` prints them and writes them to `plan.json` and `plan.html`; each names the place it is about (`path`), what was there, what comes
instead, why, and what to do.

| severity | meaning |
| --- | --- |
| BLOCKER | nothing is built or moved until it is solved or waived |
| ACTION | translated, but something must be done or checked by a person |
| WARN | something behaves differently afterwards |
| INFO | what was changed and why |

A person who has looked at a finding accepts it in the inventory, everywhere or at one path:

```yaml
fargate_waive:
  - FG-IMAGE-LATEST
  - FG-UNTRANSLATED@services[web].monitoring
```

A waived BLOCKER doesn't stop a run any more, and its finding says `waived: true`. What it is about is then left out, or done as `verdict` and `new_value` say.

Words in braces are filled in with what was found. This page is made from the tables in `plugins/module_utils/_translate/kinds/`. Where each rule comes from is said in [docs/rules](../rules/README.md).
"""


def page() -> str:
    parts = [HEAD]
    for severity in findings.SEVERITIES:
        kinds = sorted((kind for kind in findings.KINDS.values() if kind.severity == severity), key=lambda kind: kind.id)
        rows = [f"| `{kind.id}` | {kind.verdict} | {_cell(kind.why)} | {_cell(kind.fix)} | {_link(kind.doc)} |" for kind in kinds]
        parts += [f"\n## {severity}\n", "| id | verdict | meaning | fix | more |", "| --- | --- | --- | --- | --- |", *rows]
    return "\n".join(part.removesuffix("\n") if part == HEAD else part for part in parts) + "\n"


def _link(doc: str) -> str:
    return f"[guide]({doc.removeprefix(GUIDE)})" if doc.startswith(GUIDE) else f"[AWS]({doc})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_the_page_is_up_to_date() -> None:
    if os.environ.get("CUTOVER_GOLDEN") == "write":
        PAGE.write_text(page())
    assert PAGE.read_text() == page()


def test_no_two_subjects_have_a_finding_of_the_same_id() -> None:
    assert len(findings.KINDS) == sum(len(subject.KINDS) for subject in kinds.SUBJECTS)


def test_every_finding_of_the_tables_is_used_and_every_used_one_is_in_a_table() -> None:
    used = {name for path in PACKAGE.glob("*.py") for name in re.findall(r'"(FG-[A-Z0-9-]+)"', path.read_text())}
    assert used == set(findings.KINDS)


@pytest.mark.parametrize("kind", findings.KINDS.values(), ids=lambda kind: str(kind.id))
def test_every_finding_is_complete(kind: findings.Kind) -> None:
    assert kind.severity in findings.SEVERITIES
    assert kind.verdict in ("kept", "changed", "dropped", "refused", "checked", "ignored")
    assert kind.why.endswith((".", "}")) or kind.why.endswith(")")
    assert kind.fix.endswith(".")
    assert kind.doc.startswith(("https://docs.aws.amazon.com/", GUIDE))
    assert kind.doc != ECS, "the front page of the guide documents nothing"
    assert kind.severity not in ("BLOCKER",) or kind.fix != "Nothing."


def test_the_sections_of_the_guide_exist() -> None:
    for doc in {kind.doc for kind in findings.KINDS.values() if kind.doc.startswith(GUIDE)}:
        page, _, section = doc.removeprefix(GUIDE).partition("#")
        assert (PAGE.parent / page).is_file(), doc
        heads = ["", *re.findall(r"^#+ (.*)$", (PAGE.parent / page).read_text(), re.MULTILINE)]
        assert section in {head.lower().replace(" ", "-") for head in heads}, doc


def test_a_finding_has_the_contracts_keys_and_no_secret() -> None:
    finding = findings.found("FG-PEER", "p", "mysql://u:hunter2@db", {"name": "DB_PASSWORD", "value": "hunter2"})
    assert list(finding) == KEYS
    assert "hunter2" not in str(finding)


def test_order_is_by_severity_and_each_comes_once() -> None:
    mixed = [findings.found(kind, "p") for kind in ("FG-TARGET-TYPE", "FG-LINKS", "FG-DAEMON", "FG-LINKS", "FG-SWAP")]
    assert [item["id"] for item in findings.order(mixed)] == ["FG-DAEMON", "FG-LINKS", "FG-SWAP", "FG-TARGET-TYPE"]
