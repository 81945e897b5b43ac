"""The table of docs/guide/nginx.md is made from the code. ``CUTOVER_GOLDEN=write`` writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.cutover.fargate.plugins.module_utils._nginx import findings

PAGE = Path(__file__).parents[5] / "docs" / "guide" / "nginx.md"
HEAD = "| id | severity | meaning | fix |\n| --- | --- | --- | --- |\n"
SEVERITIES = (findings.BLOCKER, findings.ACTION, findings.WARN, findings.INFO)


def table() -> str:
    kinds = sorted(findings.KINDS.items(), key=lambda item: (SEVERITIES.index(item[1][0]), item[0]))
    return HEAD + "".join(f"| `{identity}` | {severity} | {why} | {fix} |\n" for identity, (severity, why, fix) in kinds)


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text().partition(HEAD)[0]
    if os.environ.get("CUTOVER_GOLDEN") == "write":
        PAGE.write_text(text + table())
    assert PAGE.read_text() == text + table()
