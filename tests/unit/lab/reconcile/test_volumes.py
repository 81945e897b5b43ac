"""Which directory or engine volume each kind of volume becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from lab.containers.command import run_arguments
from lab.containers.engine import ContainerSpec, Engine, Mount
from lab.reconcile import definition
from lab.reconcile.volumes import Volumes
from lab.settings import Settings

TASK = "0123456789abcdef0123456789abcdef"


class NoEngine:
    """Remembers what it was told to remove; what podman does with volumes is looked at in the data plane's tests."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    def remove_volume(self, name: str) -> None:
        self.removed.append(name)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(Settings, "state_dir", property(lambda _self: tmp_path))
    return Settings()


def mounted(settings: Settings, volume: dict[str, Any], host: str = "", declared: tuple[str, ...] = ()) -> tuple[Mount, ...]:
    return volumes(settings, volume, host).mounts(
        {"name": "a", "mountPoints": [{"sourceVolume": "data", "containerPath": "/data", "readOnly": True}]}, declared
    )


def volumes(settings: Settings, volume: dict[str, Any], host: str = "", engine: NoEngine | None = None) -> Volumes:
    return Volumes(settings, cast("Engine", engine or NoEngine()), TASK, host, [{"name": "data", **volume}])


@pytest.mark.parametrize("volume", [{}, {"host": {}}, {"configuredAtLaunch": True}])
def test_fargate_gives_an_empty_directory(settings: Settings, tmp_path: Path, volume: dict[str, Any]) -> None:
    (mount,) = mounted(settings, volume)
    assert mount == Mount(tmp_path / "volumes" / TASK / "data", "/data", read_only=True)
    assert isinstance(mount.source, Path)
    assert list(mount.source.iterdir()) == []


def test_what_the_image_declares_is_filled_on_fargate_but_an_ebs_volume_is_not(settings: Settings) -> None:
    assert mounted(settings, {"host": {}}, declared=("/data",))[0].source == f"{TASK[:12]}-data"
    assert isinstance(mounted(settings, {"configuredAtLaunch": True}, declared=("/data",))[0].source, Path)


@pytest.mark.parametrize(
    ("volume", "source"),
    [
        ({"host": {}}, f"{TASK[:12]}-data"),
        ({"dockerVolumeConfiguration": {"scope": "task"}}, f"{TASK[:12]}-data"),
        ({"dockerVolumeConfiguration": {"scope": "shared"}}, "data"),
        ({"host": {"sourcePath": "/srv/uploads"}}, "instances/i-1/srv/uploads"),
        ({"configuredAtLaunch": True}, f"volumes/{TASK}/data"),
    ],
)
def test_an_instance_has_paths_and_dockers_volumes(settings: Settings, tmp_path: Path, volume: dict[str, Any], source: str) -> None:
    (mount,) = mounted(settings, volume, host="i-1")
    assert mount.source == (tmp_path / source if "/" in source else source)


def test_what_the_lab_does_not_have_is_not_mounted(settings: Settings) -> None:
    assert mounted(settings, {"efsVolumeConfiguration": {"fileSystemId": "fs-1"}}) == ()
    assert mounted(settings, {"host": {"sourcePath": "/etc/localtime"}}, host="i-1") == ()


def test_what_ends_with_the_task_is_removed(settings: Settings, tmp_path: Path) -> None:
    engine = NoEngine()
    made = Volumes(
        settings,
        cast("Engine", engine),
        TASK,
        "i-1",
        [
            {"name": "own", "host": {}},
            {"name": "ebs", "configuredAtLaunch": True},
            {"name": "path", "host": {"sourcePath": "/srv"}},
            {"name": "all", "dockerVolumeConfiguration": {"scope": "shared"}},
        ],
    )
    made.mounts({"name": "a", "mountPoints": [{"sourceVolume": name, "containerPath": f"/{name}"} for name in ("own", "ebs", "path", "all")]})
    made.remove()
    assert engine.removed == [f"{TASK[:12]}-own"]
    assert not (tmp_path / "volumes" / TASK).exists()
    assert (tmp_path / "instances/i-1/srv").is_dir()


def test_volumes_from_start_first_and_say_whether_they_may_write() -> None:
    nginx = {"name": "nginx", "volumesFrom": [{"sourceContainer": "php-fpm", "readOnly": True}]}
    assert [item["name"] for item in definition.start_order([nginx, {"name": "php-fpm"}])] == ["php-fpm", "nginx"]
    assert definition.volumes_from(nginx) == [("php-fpm", True)]


def test_open_files_within_what_the_machine_allows() -> None:
    limits = [{"name": "nofile", "softLimit": 1024, "hardLimit": 1_000_000}, {"name": "core", "softLimit": 0, "hardLimit": 0}]
    assert definition.open_files({"name": "a", "ulimits": limits}, 20_000) == {"nofile": (1024, 20_000)}
    assert definition.open_files({"name": "a"}, 20_000) == {}


def test_a_volume_of_the_engine_goes_by_its_name() -> None:
    spec = ContainerSpec("a", "x", mounts=[Mount("t-data", "/data")], volumes_from=["t-php:ro"])
    assert {"--volume=t-data:/data:rw", "--volumes-from=t-php:ro"} <= set(run_arguments(spec, "x", "none", "/g", Path("/p")))
