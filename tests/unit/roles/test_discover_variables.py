"""Every variable of the inventory is documented in one place: the role discover."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._translate.intent import KEYS, OF_ROLES

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles" / "discover"
VARIABLE = re.compile(r"\bfargate_[a-z_]*[a-z]\b")
OPTIONS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text("utf-8"))["argument_specs"]["main"]["options"]


def without_module_names(text: str) -> str:
    return re.sub(r"cutover\.fargate\.\w+", "", text)


def test_what_roles_and_playbooks_use_is_documented() -> None:
    files = [*ROOT.glob("roles/*/defaults/main.yml"), *ROOT.glob("playbooks/*.yml"), *ROOT.glob("inventories/*/**/*.yml")]
    used = {name: file for file in files for name in VARIABLE.findall(without_module_names(file.read_text("utf-8")))}
    assert {name: str(file.relative_to(ROOT)) for name, file in used.items() if name not in OPTIONS} == {}


def test_what_the_plan_reads_is_documented() -> None:
    files = ROOT.glob("plugins/module_utils/_translate/*.py")
    used = {key for file in files for key in re.findall(r'intent\.get\("([a-z_]+)"', file.read_text("utf-8"))}
    assert used - {"system"} <= {name.removeprefix("fargate_") for name in OPTIONS}


def test_readme_lists_every_option() -> None:
    readme = (ROLE / "README.md").read_text("utf-8")
    assert [name for name in OPTIONS if f"| `{name}` |" not in readme] == []


def test_every_option_is_known_so_that_a_misspelt_one_is_told() -> None:
    options = {name.removeprefix("fargate_") for name in OPTIONS if name.startswith("fargate_")}
    assert {*KEYS, *OF_ROLES} - {"system"} == options
    assert not set(KEYS) & set(OF_ROLES)
