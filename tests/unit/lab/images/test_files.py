"""Our own layer: what the recipes promise is in it, in an order that unpacks."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

import pytest
from lab.images import files, recipes
from lab.images.recipes import Image, RootFileSystem, Tree


@pytest.mark.parametrize("image", recipes.IMAGES, ids=lambda image: image.repository)
def test_every_entry_comes_after_its_parent_and_only_once(image: Image) -> None:
    seen: set[str] = {"."}
    for member, _content in files.entries(image):
        assert member.name not in seen
        assert str(PurePosixPath(member.name).parent) in seen
        seen.add(member.name)


@pytest.mark.parametrize("image", recipes.IMAGES, ids=lambda image: image.repository)
def test_every_tree_of_a_recipe_has_files(image: Image) -> None:
    for tree in image.trees:
        assert any((files.HERE / tree.source).iterdir()), tree


def entries(image: Image) -> dict[str, tarfile.TarInfo]:
    return {member.name: member for member, _content in files.entries(image)}


def test_application_can_write_where_laravel_writes_and_run_artisan() -> None:
    shop = entries(recipes.APP)
    assert shop["var/www/shop/storage/framework/views"].mode == 0o777
    assert shop["var/www/shop/artisan"].mode == 0o755
    assert shop["var/www/shop/config/app.php"].mode == 0o644


def test_web_image_reaches_php_by_the_name_of_the_link() -> None:
    conf = {member.name: content for member, content in files.entries(recipes.NGINX)}["etc/nginx/conf.d/default.conf"]
    assert b"fastcgi_pass php-fpm:9000;" in conf


def test_graceful_stop_signals() -> None:
    assert recipes.NGINX.config["StopSignal"] == recipes.APP.config["StopSignal"] == "SIGQUIT"


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    monkeypatch.setattr(files, "HERE", tmp_path)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_text("one")
    return Image("repository", RootFileSystem("root", ()), (Tree("tree", "opt"),), {}, {"tmp": 0o1777}, {"bin/sh": "busybox"})


def test_key_follows_content_and_mode_but_not_time(image: Image, tmp_path: Path) -> None:
    first = files.key(image)
    (tmp_path / "tree" / "file").touch()
    assert files.key(image) == first
    (tmp_path / "tree" / "file").chmod(0o755)
    executable = files.key(image)
    (tmp_path / "tree" / "file").write_text("two")
    assert len({first, executable, files.key(image)}) == 3


def test_layer_holds_files_directories_and_links(image: Image, tmp_path: Path) -> None:
    with tarfile.open(files.layer(image, tmp_path / "layer").path) as archive:
        assert archive.getnames() == ["bin", "bin/sh", "opt", "opt/file", "tmp"]
        assert archive.getmember("tmp").mode == 0o1777
        assert archive.getmember("bin/sh").linkname == "busybox"
        content = archive.extractfile("opt/file")
        assert content is not None
        assert content.read() == b"one"
