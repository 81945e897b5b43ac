"""The run report: what it says, and that it is there however the run ends."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible_collections.cutover.fargate.plugins.callback.run_report import CallbackModule
from ansible_collections.cutover.fargate.plugins.plugin_utils._run_report import HIDDEN, Report, Step, changes_of, message_of, reduced, verdict, write

ROOT = Path(__file__).parents[4]


class Play:
    """As much of a play as the callback looks at."""

    def __init__(self, role: str, directory: Path) -> None:
        self.role, self.directory = role, directory

    def get_roles(self) -> list[t.Any]:
        return [SimpleNamespace(get_name=lambda **_options: self.role)]

    def get_variable_manager(self) -> t.Any:
        return SimpleNamespace(get_vars=lambda **_which: {"fargate_report_dir": str(self.directory)})

    def get_loader(self) -> None:
        return None


def result(task: str, host: str = "shop", **data: t.Any) -> t.Any:
    role = SimpleNamespace(get_name=lambda **_options: "alb")
    tasks = SimpleNamespace(
        _uuid=task,
        _role=role,
        action="cutover.fargate.fargate_load_balancer",
        resolved_action="cutover.fargate.fargate_load_balancer",
        get_name=lambda **_options: f"alb : {task}",
    )
    return SimpleNamespace(_task=tasks, _host=SimpleNamespace(get_name=lambda: host), _result=data)


@pytest.fixture
def callback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CallbackModule:
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict({"check": True, "tags": ("alb",), "skip_tags": ()}))
    made = CallbackModule()
    made.v2_playbook_on_start(SimpleNamespace(_file_name="/somewhere/playbooks/migrate.yml"))
    made.v2_playbook_on_play_start(Play("cutover.fargate.alb", tmp_path))
    return made


def written(directory: Path, host: str = "shop") -> dict[str, t.Any]:
    (file,) = (directory / host).glob("*")
    assert file.stat().st_mode & 0o077 == 0
    return json.loads(file.read_text("utf-8"))


def stats(failures: t.Mapping[str, int] | None = None, dark: t.Mapping[str, int] | None = None) -> t.Any:
    return SimpleNamespace(failures=failures or {}, dark=dark or {})


def test_steps_and_verdict(callback: CallbackModule, tmp_path: Path) -> None:
    callback.v2_runner_on_ok(result("listeners | Ensure listeners", changed=True, changes=["create listener 443"]))
    callback.v2_runner_on_skipped(result("rules | Ensure rules"))
    callback.v2_runner_on_failed(result("tags | Ensure tags", msg="AWS refused AddTags: AccessDenied"))
    callback.v2_playbook_on_stats(stats(failures={"shop": 1}))
    report = written(tmp_path)
    assert {key: report[key] for key in ("playbook", "host", "check", "tags", "verdict", "changed")} == {
        "playbook": "migrate",
        "host": "shop",
        "check": True,
        "tags": ["alb"],
        "verdict": "failed",
        "changed": 1,
    }
    steps = [{key: value for key, value in step.items() if key not in ("seconds", "module")} for step in report["steps"]]
    assert steps == [
        {"role": "alb", "task": "listeners | Ensure listeners", "status": "changed", "changes": ["create listener 443"]},
        {"role": "alb", "task": "rules | Ensure rules", "status": "skipped"},
        {"role": "alb", "task": "tags | Ensure tags", "status": "failed", "message": "AWS refused AddTags: AccessDenied"},
    ]
    assert set(report["versions"]) == {"cutover.fargate", "ansible-core", "python", "boto3"}
    assert report["versions"]["cutover.fargate"]


def test_a_verification_is_reported_whole(callback: CallbackModule, tmp_path: Path) -> None:
    """With causes, also when it failed; the lines for people are left out, secrets are masked."""
    verdict_ = {"verdict": "unhealthy", "checks": [{"name": "web: rollout", "ok": False}], "causes": [{"id": "DB_AUTH"}], "verified": {}, "seconds": 5.0, "spent": {"reading": 1.0}}
    callback.v2_runner_on_failed(result("verify", msg="no", **verdict_, lines=["target: unhealthy"], changed=False))
    callback.v2_runner_on_ok(result("other", verdict="fine", changed=False))
    callback.v2_runner_on_ok(result("secret", **{**verdict_, "causes": [{"text": "mysql://shop:hunter2@db"}]}, changed=False))
    steps = written(tmp_path)["steps"]
    assert steps[0]["result"] == verdict_
    assert "result" not in steps[1]
    assert "hunter2" not in json.dumps(steps)


def test_a_killed_run_leaves_a_report(callback: CallbackModule, tmp_path: Path) -> None:
    callback.v2_runner_on_ok(result("one"))
    assert (written(tmp_path)["verdict"], len(written(tmp_path)["steps"])) == ("interrupted", 1)


def test_each_host_has_its_own(callback: CallbackModule, tmp_path: Path) -> None:
    callback.v2_runner_on_ok(result("one"))
    callback.v2_runner_on_unreachable(result("one", host="blog", msg="gone"))
    callback.v2_playbook_on_stats(stats(dark={"blog": 1}))
    assert (written(tmp_path)["verdict"], written(tmp_path, "blog")["verdict"]) == ("ok", "unreachable")


def test_other_peoples_plays_are_left_alone(callback: CallbackModule, tmp_path: Path) -> None:
    callback.v2_playbook_on_play_start(Play("somebody.elses.role", tmp_path))
    callback.v2_runner_on_ok(result("one"))
    callback.v2_playbook_on_stats(stats())
    assert list(tmp_path.iterdir()) == []


def test_secrets_stay_out(callback: CallbackModule, tmp_path: Path) -> None:
    callback.v2_runner_on_failed(result("one", msg="mysql://root:hunter2@db AKIAABCDEFGHIJKLMNOP"))
    callback.v2_runner_on_failed(result("two", censored="the output has been hidden", changed=False))
    text = json.dumps(written(tmp_path))
    assert "hunter2" not in text
    assert "AKIAABCDEFGHIJKLMNOP" not in text
    assert HIDDEN in text


def test_a_directory_that_cannot_be_written_does_not_stop_the_run(callback: CallbackModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(callback._display, "warning", said.append)
    (tmp_path / "shop").write_text("a file where the directory should be")
    callback.v2_runner_on_ok(result("one"))
    callback.v2_runner_on_ok(result("two"))
    assert len(said) == 1
    assert "fargate_report_dir" in said[0]


def test_a_write_that_fails_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report("plan", "shop", False, [], [], datetime.datetime(2026, 11, 22, 12, 0, 0, 123000, tzinfo=datetime.UTC), {})
    write(report, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["run-20261122T120000.123Z.json"]

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(json, "dump", full)
    report.steps.append(Step("alb", "one", "x", "ok", 0.1))
    with pytest.raises(OSError, match="No space"):
        write(report, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["run-20261122T120000.123Z.json"]


@pytest.mark.parametrize(
    ("diff", "lines"),
    [
        ({"before": {"a": 1, "b": {"c": 1}}, "after": {"a": 1, "b": {"c": 2}, "d": 3}}, ["b.c changed", "d changed"]),
        ({"before": "one\ntwo\n", "after": "one\nTWO\nthree\n", "after_header": "nginx.conf"}, ["nginx.conf: 2 lines added, 1 removed"]),
        ({"before": "", "after": ""}, []),
        ({"prepared": "x"}, []),
    ],
)
def test_diffs_are_reduced_to_where_they_changed(diff: dict[str, t.Any], lines: list[str]) -> None:
    assert reduced(diff) == lines


def test_changes_of_loops() -> None:
    loop = {"changed": True, "results": [{"changed": True, "changes": ["a"]}, {"changed": False, "changes": ["b"]}, {"changed": True, "diff": [{"before": {}, "after": {"x": 1}}]}]}
    assert changes_of(loop) == ["a", "x changed"]
    assert changes_of({"changed": False, "changes": ["a"]}) == []


def test_message_of_loops() -> None:
    assert message_of({"msg": "One or more items failed", "results": [{"failed": True, "msg": "first"}, {"failed": False, "msg": "fine"}]}) == "first"


def test_verdict() -> None:
    assert [verdict(0, 0), verdict(2, 0), verdict(1, 1)] == ["ok", "failed", "unreachable"]


def test_real_run_in_check_mode(tmp_path: Path) -> None:
    """A run that ends in the preflight needs no AWS; the report must be there all the same."""
    (tmp_path / "hosts.yml").write_text("all: {hosts: {shop: {ansible_connection: local, fargate_report_dir: '{{ base }}/out', fargate_region: eu-west-1}}}\n", "utf-8")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections")}
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "hosts.yml"), str(ROOT / "playbooks/plan.yml"), "--check", "-e", f"base={tmp_path}"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    report = written(tmp_path / "out")
    assert (report["playbook"], report["check"], report["verdict"]) == ("plan", True, "failed")
    assert report["steps"][-1]["role"] == "discover"
    assert report["steps"][-1]["message"].startswith("fargate_fqdn is not set for shop. It should be")
