# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""From ``fastcgi_pass php-fpm:9000`` to ``fastcgi_pass 127.0.0.1:9000``, in every form nginx knows, changing the host and nothing else.

On EC2 in bridge mode a link gave the other container's name an entry in /etc/hosts. On Fargate all containers of a task share one network
namespace, so the peer is at 127.0.0.1 with the same port.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from . import address, lexer

# Directives whose first argument is an address. ``server`` is one only inside ``upstream``.
PASSES = frozenset(
    [b"fastcgi_pass", b"proxy_pass", b"grpc_pass", b"uwsgi_pass", b"scgi_pass", b"memcached_pass", b"tunnel_pass", b"auth_http"],
)
# Blocks whose entries are "pattern value;": the value may end up in a pass.
VALUE_MAPS = frozenset([b"map", b"geo", b"split_clients"])
LOOPBACK = "127.0.0.1"
DOCKER_DNS = b"127.0.0.11"
DOCKER_RANGES = tuple(b"172.%d." % second for second in range(17, 32))
TEMPLATE_MARKS = (b"{{", b"{%")


@dataclass(frozen=True)
class Edit:
    """``start`` and ``end`` are byte offsets in the file before the edit."""

    path: str
    line: int
    column: int
    start: int
    end: int
    before: str
    after: str
    directive: str


@dataclass(frozen=True)
class Finding:
    """``id`` is stable; ``line`` and ``column`` are 0 when the whole file is meant."""

    id: str
    severity: str
    path: str
    line: int
    column: int
    text: str
    why: str
    fix: str


@dataclass
class Rewrite:
    """``changed`` holds only the files whose bytes differ."""

    changed: dict[str, bytes] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class _Use:
    """One word that holds (or may hold) an address."""

    path: str
    data: bytes
    word: lexer.Word
    directive: str

    def edit(self, found: address.Address, host: str) -> Edit:
        start = self.word.start + found.start
        line, column = lexer.place(self.data, start)
        return Edit(self.path, line, column, start, self.word.start + found.end, found.host.decode("latin-1"), host, self.directive)

    def finding(self, identity: str, severity: str, why: str, fix: str) -> Finding:
        line, column = lexer.place(self.data, self.word.start)
        return Finding(identity, severity, self.path, line, column, self.word.raw.decode("latin-1"), why, fix)


@dataclass
class _Survey:
    """Where addresses can stand, over all files of one conf."""

    addresses: list[_Use] = field(default_factory=list)
    values: dict[str, list[_Use]] = field(default_factory=dict)  # variable -> the words that give it a value
    upstreams: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def rewrite(files: t.Mapping[str, bytes], peers: t.Mapping[str, str]) -> Rewrite:
    """Rewrite the hosts named in ``peers`` (name -> new host) in every file of one conf.

    >>> rewrite({"a.conf": b"fastcgi_pass php-fpm:9000;"}, {"php-fpm": "127.0.0.1"}).changed
    {'a.conf': b'fastcgi_pass 127.0.0.1:9000;'}
    """
    hosts = {name.lower(): host for name, host in peers.items()}
    survey = _survey(files, hosts)
    result = Rewrite(findings=survey.findings)
    ports: dict[tuple[str, int], set[str]] = {}
    for use in _reachable(survey, result.findings):
        found = address.parse(use.word.raw)
        if not isinstance(found, address.Address) or found.key not in hosts:
            continue
        if found.port is None and found.key in survey.upstreams:
            continue  # the upstream's name, not a host: its servers are addresses of their own
        result.edits.append(use.edit(found, hosts[found.key]))
        if found.port is not None:
            ports.setdefault((hosts[found.key], found.port), set()).add(found.key)
    result.findings.extend(_collisions(ports))
    result.edits.sort(key=lambda edit: (edit.path, edit.start))
    for path, data in files.items():
        edited = apply(data, [edit for edit in result.edits if edit.path == path])
        if edited != data:
            result.changed[path] = edited
    return result


def apply(data: bytes, edits: t.Sequence[Edit]) -> bytes:
    """Splice the edits of one file in, last first, so that earlier offsets stay true."""
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        data = data[: edit.start] + edit.after.encode("latin-1") + data[edit.end :]
    return data


def _survey(files: t.Mapping[str, bytes], hosts: t.Mapping[str, str]) -> _Survey:
    survey = _Survey()
    for path in sorted(files):
        data = files[path]
        if any(mark in data for mark in TEMPLATE_MARKS) and not _parses(data):
            survey.findings.append(_template_finding(path))
            continue
        if data.startswith(lexer.UTF8_BOM):
            survey.findings.append(_bom_finding(path))
        try:
            directives = lexer.parse(data)
        except lexer.ConfError as error:
            survey.findings.append(_syntax_finding(path, error))
            continue
        for directive, around in lexer.walk(directives):
            _note(survey, path, data, directive, around)
        survey.findings.extend(_commented_passes(path, data, hosts))
    return survey


def _parses(data: bytes) -> bool:
    try:
        lexer.parse(data)
    except lexer.ConfError:
        return False
    return True


def _note(survey: _Survey, path: str, data: bytes, directive: lexer.Directive, around: tuple[bytes, ...]) -> None:
    """Put one directive's words where they belong."""
    name, arguments = directive.name, directive.arguments
    if not arguments:
        return
    use = _Use(path, data, arguments[0], name.decode("latin-1"))
    inside = around[-1] if around else b""
    if name in PASSES or (name == b"server" and inside == b"upstream"):
        survey.addresses.append(use)
    elif name == b"upstream":
        survey.upstreams.add(arguments[0].value.decode("latin-1").lower())
    elif name == b"set" and len(arguments) == 2:
        survey.values.setdefault(_variable(arguments[0]), []).append(_Use(path, data, arguments[1], "set"))
    elif name in VALUE_MAPS and directive.block is not None:
        entries = [_Use(path, data, entry.words[1], name.decode()) for entry in directive.block if len(entry.words) > 1]
        survey.values.setdefault(_variable(arguments[-1]), []).extend(entries)
    elif name == b"resolver" and any(word.value.startswith(DOCKER_DNS) for word in arguments):
        survey.findings.append(
            use.finding("NGX-RESOLVER", "WARN", "Docker's resolver, which does not exist on Fargate", "use the VPC's resolver, 169.254.169.253"),
        )
    elif name in (b"allow", b"deny", b"set_real_ip_from") and arguments[0].value.startswith(DOCKER_RANGES):
        survey.findings.append(
            use.finding("NGX-DOCKER-RANGE", "WARN", "a Docker bridge address; on Fargate Nginx sees the load balancer's addresses", "use the VPC's range"),
        )


def _variable(word: lexer.Word) -> str:
    return word.value.decode("latin-1").lstrip("$").strip("{}")


def _reachable(survey: _Survey, findings: list[Finding]) -> t.Iterator[_Use]:
    """Every word that is an address: written in a pass, or given to a variable that a pass uses (through any number of variables)."""
    queue = list(survey.addresses)
    seen: set[str] = set()
    while queue:
        use = queue.pop(0)
        found = address.parse(use.word.raw)
        if isinstance(found, address.Undecidable):
            findings.append(
                use.finding(
                    "NGX-UNDECIDABLE",
                    "BLOCKER",
                    "the host is put together from variables at run time",
                    "name host and port in one variable that is set in the conf",
                ),
            )
        elif isinstance(found, address.VariableAddress):
            if found.name not in survey.values and use.directive != "map":
                findings.append(_unset_variable(use, found.name))
            if found.name not in seen:
                seen.add(found.name)
                queue.extend(survey.values.get(found.name, []))
        else:
            # A host cannot be spelled with an escape: nginx resolves only those of quotes, backslashes and control characters.
            yield use


def _unset_variable(use: _Use, name: str) -> Finding:
    return use.finding(
        "NGX-VARIABLE",
        "ACTION",
        f"{name} is not set in the conf: it comes from the environment (a template) or from another module",
        f"if it names a container of the task, set {name} to 127.0.0.1 in the task definition's environment",
    )


def _collisions(ports: t.Mapping[tuple[str, int], set[str]]) -> list[Finding]:
    """Two containers on one port: on EC2 each had its own address, on Fargate they share one."""
    return [
        Finding(
            "NGX-PORT-CLASH",
            "BLOCKER",
            "",
            0,
            0,
            ", ".join(sorted(names)),
            f"{' and '.join(sorted(names))} are both reached on port {port}; on Fargate they share one address",
            "let one of them listen on another port",
        )
        for (_host, port), names in sorted(ports.items())
        if len(names) > 1
    ]


def _commented_passes(path: str, data: bytes, hosts: t.Mapping[str, str]) -> t.Iterator[Finding]:
    """Passes to a peer that are commented out are left alone, and told."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        text = line.strip(lexer.SPACE)
        if not text.startswith(b"#"):
            continue
        words = text.lstrip(b"# \t").rstrip(b"; \t").split()
        if len(words) == 2 and words[0] in PASSES:
            found = address.parse(words[1].strip(b"\"';"))
            if isinstance(found, address.Address) and found.key in hosts:
                why = "a commented-out address of a peer was left as it is"
                yield Finding("NGX-COMMENT", "INFO", path, number, line.index(b"#") + 1, text.decode("latin-1"), why, "")


def _template_finding(path: str) -> Finding:
    why = "a template in another language than nginx's ({{ or {%); it was left untouched"
    return Finding("NGX-TEMPLATE", "WARN", path, 0, 0, "", why, "rewrite it by hand, or give the rendered conf")


def _bom_finding(path: str) -> Finding:
    return Finding("NGX-BOM", "WARN", path, 1, 1, "", "the file starts with a UTF-8 byte order mark, which nginx takes for text", "save it without one")


def _syntax_finding(path: str, error: lexer.ConfError) -> Finding:
    why = f"nginx cannot read this file: {error.message}; it was left untouched"
    return Finding("NGX-SYNTAX", "WARN", path, error.line, error.column, "", why, "correct it")
