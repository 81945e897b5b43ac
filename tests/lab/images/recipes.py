"""What is in each image. Data only; the files themselves are in the folders beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SUITE = "bookworm"
SHOP = "var/www/shop"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What no container of the lab reads: without it the layers are less than half as large.
PRUNED = (
    "dev/*",
    "etc/fstab",
    "etc/hostname",
    "etc/hosts",
    "etc/init.d/*",
    "etc/nginx/sites-*/*",
    "etc/php/*/fpm/pool.d/*",
    "etc/resolv.conf",
    "etc/systemd/*",
    "lib/systemd/*",
    "lib/udev/*",
    "proc/*",
    "run/*",
    "sys/*",
    "tmp/*",
    "usr/bin/perl*",
    "usr/include/*",
    "usr/lib/*/gconv/*",
    "usr/lib/*/libperl*",
    "usr/lib/*/perl*",
    "usr/lib/systemd/*",
    "usr/share/bash-completion/*",
    "usr/share/doc/*",
    "usr/share/info/*",
    "usr/share/lintian/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    "usr/share/perl*",
    "usr/share/vim/*",
    "usr/share/zoneinfo/posix/*",
    "usr/share/zoneinfo/right/*",
    "var/cache/*",
    "var/lib/apt/*",
    "var/lib/dpkg/*",
    "var/log/*",
)

# For a person (or a fault injection) who looks into a container.
TOOLS = ("cat", "cp", "date", "env", "grep", "head", "kill", "ls", "mkdir", "nc", "nslookup", "ps", "rm", "sed", "sleep", "tail", "vi", "wget")


@dataclass(frozen=True)
class RootFileSystem:
    """Debian packages and all they depend on, unpacked; no maintainer script runs."""

    name: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Tree:
    """A folder beside this file whose content goes to ``target`` in the image."""

    source: str
    target: str = ""


@dataclass(frozen=True)
class Image:
    """A repository's image: a root file system and one layer of our own. ``config`` is the OCI image configuration's part of that name."""

    repository: str
    root: RootFileSystem
    trees: tuple[Tree, ...]
    config: Mapping[str, Any]
    directories: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


BASE = Tree("base")
BASE_DIRECTORIES = {"dev": 0o755, "proc": 0o555, "root": 0o700, "run": 0o755, "sys": 0o555, "tmp": 0o1777, "var/cache": 0o755, "var/log": 0o755}
SHELL = {"bin/sh": "busybox"}
BASE_LINKS = {**SHELL, **{f"usr/local/bin/{tool}": "/bin/busybox" for tool in TOOLS}}

NGINX = Image(
    repository="shop/nginx",
    root=RootFileSystem("nginx", ("busybox", "nginx-light")),
    trees=(BASE, Tree("nginx"), Tree("shop/public", f"{SHOP}/public")),
    directories={**BASE_DIRECTORIES, "var/log/nginx": 0o755, "var/lib/nginx": 0o755},
    links=BASE_LINKS,
    config={
        "Cmd": ["nginx", "-g", "daemon off;"],
        "Env": [PATH],
        "ExposedPorts": {"80/tcp": {}},
        "StopSignal": "SIGQUIT",
    },
)

APP = Image(
    repository="shop/app",
    root=RootFileSystem(
        "php",
        (
            "busybox",
            "php-laravel-framework",
            "php-redis",
            "php8.2-cli",
            "php8.2-fpm",
            "php8.2-intl",
            "php8.2-mbstring",
            "php8.2-mysql",
            "php8.2-opcache",
            "php8.2-xml",
        ),
    ),
    trees=(BASE, Tree("fpm"), Tree("shop", SHOP)),
    directories={
        **BASE_DIRECTORIES,
        f"{SHOP}/bootstrap/cache": 0o777,
        f"{SHOP}/storage/app": 0o777,
        f"{SHOP}/storage/framework/cache": 0o777,
        f"{SHOP}/storage/framework/sessions": 0o777,
        f"{SHOP}/storage/framework/views": 0o777,
        f"{SHOP}/storage/logs": 0o777,
    },
    links={
        **BASE_LINKS,
        "etc/php/8.2/cli/conf.d/10-shop.ini": "../../shop.ini",
        "etc/php/8.2/fpm/conf.d/10-shop.ini": "../../shop.ini",
        "usr/bin/php": "php8.2",
        "usr/sbin/php-fpm": "php-fpm8.2",
    },
    config={
        "Cmd": ["php-fpm"],
        "Env": [PATH],
        "ExposedPorts": {"9000/tcp": {}},
        "StopSignal": "SIGQUIT",
        "WorkingDir": f"/{SHOP}",
    },
)

REDIS = Image(
    repository="lab/redis",
    root=RootFileSystem("redis", ("busybox", "redis-server")),
    trees=(BASE, Tree("redis")),
    directories={**BASE_DIRECTORIES, "var/lib/redis": 0o777},
    links=BASE_LINKS,
    config={"Cmd": ["redis-server", "/etc/redis.conf"], "Env": [PATH], "ExposedPorts": {"6379/tcp": {}}, "User": "redis"},
)

MARIADB = Image(
    repository="lab/mariadb",
    root=RootFileSystem("mariadb", ("busybox", "coreutils", "gawk", "hostname", "mariadb-client-core", "mariadb-server-core", "sed")),
    trees=(BASE, Tree("mariadb")),
    directories={**BASE_DIRECTORIES, "run/mysqld": 0o777, "var/lib/mysql": 0o777},
    links=SHELL,
    config={"Entrypoint": ["mariadb-entrypoint"], "Cmd": [], "Env": [PATH], "ExposedPorts": {"3306/tcp": {}}},
)

IMAGES = (NGINX, APP, REDIS, MARIADB)
TAG = "v1"
