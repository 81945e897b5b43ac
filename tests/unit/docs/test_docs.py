"""What the texts name exists: files, playbooks, variables, findings. What they show can be written into an inventory."""

from __future__ import annotations

import re
import typing as t
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.cutover.fargate.plugins.module_utils._health.causes import CAUSES
from ansible_collections.cutover.fargate.plugins.module_utils._health.probe_data import misspelt
from ansible_collections.cutover.fargate.plugins.module_utils._nginx.findings import KINDS as CONF_KINDS
from ansible_collections.cutover.fargate.plugins.module_utils._translate.findings import KINDS

ROOT = Path(__file__).parents[3]
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("roles/*/README.md"), *ROOT.glob("tests/e2e/*.md")])
USER_TEXTS = [file for file in TEXTS if file.name != "architecture.md"]
"""Without the contracts, whose blocks show shapes."""
INVENTORIES = sorted(ROOT.glob("inventories/*/**/*.yml"))
OPTIONS = yaml.safe_load((ROOT / "roles/discover/meta/argument_specs.yml").read_text("utf-8"))["argument_specs"]["main"]["options"]
PLAYBOOKS = sorted(file.stem for file in ROOT.glob("playbooks/*.yml"))
MODULES = {file.stem for file in ROOT.glob("plugins/modules/*.py")}
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
VARIABLE = re.compile(r"(?<![\w.])fargate_[a-z_]*[a-z]\b(?!\.py)")
ID = re.compile(r"\b(?:FG|NGX|FPM|IMG)-[A-Z0-9]+(?:-[A-Z0-9]+)*\b")
PLACEHOLDERS = {"FG-X", "NGX-X", "FPM-X"}
"""What stands for any id."""
CONFS = [source for package in ("_nginx", "_nginx_conf", "_ecr") for source in ROOT.glob(f"plugins/module_utils/{package}/*.py")]
LEFT_OUT = yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))["build_ignore"]
KNOWN = {*KINDS, *PLACEHOLDERS, *(found for source in CONFS for found in ID.findall(source.read_text("utf-8")))}


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def anchors(file: Path) -> set[str]:
    """The anchors that a forge makes of headings."""
    headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def examples(file: Path) -> t.Iterator[dict[str, t.Any]]:
    """The YAML of a text that sets variables of the inventory."""
    for block in FENCE.findall(file.read_text("utf-8")):
        value = yaml.safe_load(block)
        if isinstance(value, dict) and any(str(key).startswith("fargate_") for key in value):
            yield value


@pytest.mark.parametrize("file", TEXTS, ids=name)
def test_links_lead_somewhere(file: Path) -> None:
    broken = []
    for link in LINK.findall(file.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        if "://" not in link and (not target.exists() or (anchor and anchor not in anchors(target))):
            broken.append(link)
    assert broken == []


def is_built(path: Path) -> bool:
    """Whether ``ansible-galaxy collection build`` takes it."""
    parts = path.relative_to(ROOT).parts
    return not any(fnmatch("/".join(parts[: end + 1]), pattern) for end in range(len(parts)) for pattern in LEFT_OUT)


@pytest.mark.parametrize("file", [file for file in TEXTS if is_built(file)], ids=name)
def test_links_lead_somewhere_in_the_built_collection(file: Path) -> None:
    links = [link.partition("#")[0] for link in LINK.findall(file.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if link and not is_built((file.parent / link).resolve())] == []


@pytest.mark.parametrize("file", [*USER_TEXTS, *INVENTORIES], ids=name)
def test_variables_exist(file: Path) -> None:
    assert set(VARIABLE.findall(file.read_text("utf-8"))) - set(OPTIONS) - MODULES == set()


def test_variables_in_fixes_exist() -> None:
    """What findings and causes tell people to set."""
    said = [
        *(kind.why + kind.fix for kind in KINDS.values()),
        *(" ".join(cause) for cause in CAUSES.values()),
        *(" ".join(kind) for kind in CONF_KINDS.values()),
    ]
    assert set(VARIABLE.findall("\n".join(said))) - set(OPTIONS) == set()


@pytest.mark.parametrize("file", [*TEXTS, *INVENTORIES], ids=name)
def test_findings_exist(file: Path) -> None:
    assert set(ID.findall(file.read_text("utf-8"))) - KNOWN == set()


@pytest.mark.parametrize("file", ["README.md", "docs/architecture.md", "docs/guide/permissions.md"])
def test_every_playbook_has_its_row(file: str) -> None:
    rows = "\n".join(line for line in (ROOT / file).read_text("utf-8").splitlines() if line.startswith("|"))
    first = "\n".join(row.split("|")[1] for row in rows.splitlines())
    assert [playbook for playbook in PLAYBOOKS if not re.search(rf"\b{playbook}\b", first)] == []


def test_architecture_tells_the_roles_of_each_playbook() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    wrong = {}
    for playbook in PLAYBOOKS:
        play = yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text("utf-8"))[0]
        roles = [role["role"].rpartition(".")[2] for role in play["roles"]]
        row = next(line for line in text.splitlines() if line.startswith(f"| {playbook} | discover"))
        told = re.sub(r"\([^)]*\)", "", row.split("|")[2]).replace(" ", "").split(",")
        if told != roles:
            wrong[playbook] = (told, roles)
    assert wrong == {}


def test_architecture_tells_every_package() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    packages = [file.parent.name for file in ROOT.glob("plugins/module_utils/*/__init__.py")]
    assert [package for package in packages if f"`{package}/`" not in text] == []


@pytest.mark.parametrize("file", USER_TEXTS, ids=name)
def test_yaml_is_yaml(file: Path) -> None:
    for block in FENCE.findall(file.read_text("utf-8")):
        yaml.safe_load(block)


@pytest.mark.parametrize("file", [*USER_TEXTS, *INVENTORIES], ids=name)
def test_examples_are_what_the_role_takes(file: Path) -> None:
    given = list(examples(file)) if file.suffix == ".md" else [yaml.safe_load(file.read_text("utf-8"))]
    for example in given:
        mine = {key: value for key, value in (example or {}).items() if key in OPTIONS and "{{" not in str(value)}
        assert ArgumentSpecValidator(OPTIONS).validate(mine).error_messages == []
        assert misspelt(example.get("fargate_probes") or []) is None


def test_every_answer_has_an_example() -> None:
    """docs/guide/inventory.md shows each variable that changes what the plan says."""
    shown = {key for example in examples(ROOT / "docs/guide/inventory.md") for key in example}
    asked = {word for kind in KINDS.values() for word in VARIABLE.findall(kind.fix) if kind.severity in ("BLOCKER", "ACTION")}
    assert asked - shown - {"fargate_fqdn", "fargate_region"} == set()


def test_what_has_a_default_says_so() -> None:
    """Roles read the inventory as ``fargate_x | default(y)``: y stands in the README of the role discover."""
    readme = (ROOT / "roles/discover/README.md").read_text("utf-8")
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(fargate_\w+)` .*$", readme, re.MULTILINE)}
    untold = {}
    for file in ROOT.glob("roles/*/defaults/main.yml"):
        for variable, default in re.findall(r"(fargate_\w+) \| default\(([0-9.]+)\)", file.read_text("utf-8")):
            if not re.search(rf"(?<![\d.]){re.escape(default)}(?![\d]|\.\d)", rows[variable]):
                untold[variable] = default
    assert untold == {}
