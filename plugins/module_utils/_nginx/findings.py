# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a person must know of a conf: every kind with its severity, its reason and its fix."""

from __future__ import annotations

from dataclasses import dataclass

BLOCKER, ACTION, WARN, INFO = "BLOCKER", "ACTION", "WARN", "INFO"


@dataclass(frozen=True)
class Finding:
    """``id`` is stable; ``line`` and ``column`` (from 1, in bytes) are 0 when the whole file is meant."""

    id: str
    severity: str
    path: str
    line: int
    column: int
    text: str
    why: str
    fix: str


# id: severity, why, fix
KINDS: dict[str, tuple[str, str, str]] = {
    "NGX-UNDECIDABLE": (
        BLOCKER,
        "the host is put together from variables at run time",
        "name host and port in one variable that is set in the conf, or write 127.0.0.1",
    ),
    "NGX-HOST-VARIABLE": (
        BLOCKER,
        "the host is the variable {name}, the port is not: its values were not changed, because they may be used as something else{values}",
        "write 127.0.0.1 in the pass, or say that {name} holds nothing but hosts (host_variables)",
    ),
    "NGX-VARIABLE": (
        ACTION,
        "{name} is not set in the conf: it comes from the environment (a template), from the request or from another module",
        "if it names a container of the task, set {name} to 127.0.0.1 where it comes from",
    ),
    "NGX-PLACEHOLDER": (
        BLOCKER,
        "{name} is set neither in the conf nor in the environment that was given",
        "give its value with environment; if it names a container of the task, it must become 127.0.0.1",
    ),
    "NGX-ENVIRONMENT": (
        ACTION,
        "the environment variable {name} puts {host} here",
        "set {name} in the task definition's environment so that it says {after} instead of {host}",
    ),
    "NGX-ENVIRONMENT-VALUE": (
        BLOCKER,
        "the value of the environment variable {name} is more than one word of the conf",
        "let the variable hold host and port only",
    ),
    "NGX-ENVIRONMENT-KEPT": (
        BLOCKER,
        "the environment variable {name} puts {host} here; the new task definition should say {after}, it says {value}",
        "name {name} in fargate_peer_variables, or write the address in the conf",
    ),
    "NGX-PORT-CLASH": (
        BLOCKER,
        "{names} are reached on port {port}; on Fargate all containers of a task share one address",
        "let one of them listen on another port",
    ),
    "NGX-LISTEN-CLASH": (
        BLOCKER,
        "{names} is reached on port {port}, where Nginx itself listens; on Fargate both share one address, and Nginx would call itself",
        "let one of them listen on another port",
    ),
    "NGX-EXPOSE-CLASH": (
        WARN,
        "{names}: by EXPOSE of the images, port mappings and listen of the conf each uses port {port}; on Fargate all containers of a task share one address, "
        "and the second one that listens there ends with Address already in use",
        "let one of them listen on another port; nothing, if only one of them really listens there",
    ),
    "NGX-NO-PORT": (
        BLOCKER,
        "a name without a port must be an upstream, and no file that was read defines it; it was left as it is",
        "add the file that defines the upstream, or write host and port",
    ),
    "NGX-UPSTREAM-PORT": (BLOCKER, "nginx refuses a port behind the name of an upstream; it was left as it is", "leave the port out"),
    "NGX-SCHEME": (BLOCKER, "nginx refuses this scheme in {directive}; it was left as it is", "write host and port only"),
    "NGX-RESOLVER": (WARN, "a resolver of Docker or of the instance, which is not there on Fargate", "use the VPC's resolver, 169.254.169.253"),
    "NGX-DOCKER-RANGE": (WARN, "a Docker bridge address; on Fargate Nginx sees the load balancer's addresses", "use the VPC's range"),
    "NGX-DOCKER-ADDRESS": (
        BLOCKER,
        "an address of Docker's bridge, which does not exist on Fargate",
        "write 127.0.0.1 if a container of the task is meant, else the name of the other host",
    ),
    "NGX-ADDRESS": (WARN, "a fixed private address: it may be an instance that goes away", "make sure that it is no instance of the ECS cluster"),
    "NGX-UNKNOWN-HOST": (
        WARN,
        "a name without dots that is neither a container of the task nor an upstream: it will not resolve on Fargate",
        "add it to the peers if it is a container of the task, else write the full name",
    ),
    "NGX-SOCKET": (INFO, "a Unix socket", "if another container owns it, make sure that both mount the same volume"),
    "NGX-LUA": (WARN, "Lua code names a container of the task; code is never changed", "change it by hand"),
    "NGX-MENTION": (INFO, "a container of the task is named where nginx takes no address; it was left as it is", "look whether anybody connects to it"),
    "NGX-COMMENT": (INFO, "a commented-out address of a peer was left as it is", ""),
    "NGX-TEMPLATE": (
        WARN,
        "a template in another language than nginx's; it was left untouched",
        "rewrite it by hand, or give the rendered conf",
    ),
    "NGX-BOM": (WARN, "the file starts with a UTF-8 byte order mark, which nginx takes for text", "save it without one"),
    "NGX-SYNTAX": (WARN, "nginx cannot read this file: {message}; it was left untouched", "correct it"),
    "NGX-LINK": (WARN, "a symbolic link that leads nowhere or out of the folder; what it leads to was not read", "give the folder that holds the file too"),
    "FPM-SOCKET": (BLOCKER, "pool {pool} listens on a Unix socket only, so 127.0.0.1 is refused", "listen = 9000, or mount the socket in both containers"),
    "FPM-ADDRESS": (BLOCKER, "pool {pool} listens on one address only, so 127.0.0.1 is refused", "listen = 9000"),
    "FPM-CLIENTS": (BLOCKER, "listen.allowed_clients of pool {pool} does not contain 127.0.0.1, from where Nginx connects on Fargate", "add 127.0.0.1"),
    "FPM-VARIABLE": (ACTION, "pool {pool}: the value comes from the environment and is not known", "make sure that 127.0.0.1 is served and allowed"),
    "FPM-UNREAD": (WARN, "the image of a linked container was not looked at for pools of PHP-FPM: {message}", "make sure that PHP-FPM serves 127.0.0.1"),
    "IMG-LOW-PORT": (
        WARN,
        "the image says USER {user}, which isn't root, and port {ports} is below 1024: Docker's bridge allowed that to everybody, Fargate does not",
        "let it listen on 1024 or above, or set net.ipv4.ip_unprivileged_port_start by systemControls in the source's definition",
    ),
    "IMG-UNREAD": (
        WARN,
        "the image was not looked at: {message}",
        "make sure that it is there for the platform of the tasks",
    ),
    "FPM-SYNTAX": (WARN, "PHP-FPM cannot read this line", "correct it"),
}


def finding(identity: str, path: str, place: tuple[int, int] = (0, 0), text: str = "", severity: str = "", **words: object) -> Finding:
    """A finding of a known kind. ``severity`` replaces the kind's own."""
    usual, why, fix = KINDS[identity]
    return Finding(identity, severity or usual, path, *place, text, why.format(**words), fix.format(**words))
