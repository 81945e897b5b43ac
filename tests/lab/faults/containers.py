"""Faults inside containers: what a container is started with instead. Pure."""

from __future__ import annotations

import base64
import dataclasses
from typing import TYPE_CHECKING

from lab.faults.kinds import Fault

if TYPE_CHECKING:
    from lab.containers.spec import ContainerSpec

OTHER_KEY = "base64:" + base64.b64encode(bytes(range(32))).decode()
TOO_LITTLE = 12  # MiB: php-fpm with eight children needs several times as much
LATE = 22  # seconds: the lab's shortest grace period is 15, and ECS lets a task drain that long again
READY = b"ready to handle connections"  # php-fpm, once it listens

NGINX_CONF = "/etc/nginx/conf.d/default.conf"
POOL = "/etc/php/8.2/fpm/pool.d/www.conf"
NGINX = "exec nginx -g 'daemon off;'"

# What runs in the container before its own command, by fault and container.
EDITS = {
    ("wrong-port", "nginx"): f"sed -i 's/listen 80 /listen 8080 /' {NGINX_CONF}",
    ("script-root", "nginx"): f"sed -i 's|SCRIPT_FILENAME .document_root|SCRIPT_FILENAME /srv/www/public|' {NGINX_CONF}",
    ("health-redirect", "nginx"): f"sed -i 's|location / {{|location = /health {{ return 301 https://$host$request_uri; }} location / {{|' {NGINX_CONF}",
    ("php-fpm-socket", "php-fpm"): f"sed -i 's|^listen = .*|listen = /run/php-fpm.sock|' {POOL}",
    ("php-fpm-allowed", "php-fpm"): f"echo 'listen.allowed_clients = 172.17.0.9' >> {POOL}",
    ("slow-start", "php-fpm"): f"sleep {LATE}",
}


# What its environment says instead.
ENVIRONMENT = {
    "app-500": {"SHOP_FAIL": "500"},
    "app-500-silent": {"SHOP_FAIL": "500"},
    "app-key": {"APP_KEY": OTHER_KEY},
}
# What it runs instead, by fault and container.
COMMANDS = {
    ("php-fpm-dead", "php-fpm"): ["sleep", "86400"],
    ("worker-crash", "worker"): ["php", "artisan", "queue:work", "no-such-connection"],
}
# Whose default container --container replaces.
NAMED = dict([*EDITS, *COMMANDS])


def changed(fault: Fault, spec: ContainerSpec) -> ContainerSpec:
    """The container that is really started."""
    name = spec.name.partition("-")[2]
    if fault.name == "oom" and name == (fault.container or _application(spec)):
        return dataclasses.replace(spec, memory_mib=TOO_LITTLE)
    if fault.name in ENVIRONMENT and (fault.name != "app-key" or "APP_KEY" in spec.environment):
        return dataclasses.replace(spec, environment={**spec.environment, **ENVIRONMENT[fault.name]})
    kind = (fault.name, NAMED.get(fault.name, ""))
    if name != (fault.container or kind[1]):
        return spec
    if kind in EDITS:
        return dataclasses.replace(spec, command=["sh", "-c", f"{EDITS[kind]} && {_shell(spec)}"])
    return dataclasses.replace(spec, command=COMMANDS[kind], entry_point=None) if kind in COMMANDS else spec


def _application(spec: ContainerSpec) -> str:
    return spec.name.partition("-")[2] if "APP_KEY" in spec.environment else ""


def _shell(spec: ContainerSpec) -> str:
    """The container's own command as the end of a shell's; an image's own is only known for Nginx."""
    command = list(spec.command or [])
    return command[2] if command[:2] == ["sh", "-c"] else NGINX


def freezes(fault: Fault, container: str, output: bytes) -> bool:
    """Whether a container of this name that has written this is frozen."""
    return fault.name == "php-fpm-hang" and container == (fault.container or "php-fpm") and READY in output
