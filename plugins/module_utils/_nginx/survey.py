# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""First pass: where addresses can stand, over all files of one conf. nginx-rules.md 4"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from . import address, environment, lexer, tree
from .findings import BLOCKER, Finding, finding

HTTP, STREAM = "http", "stream"
# Directives whose first argument is an address. ``server`` is one wherever it has no block: only upstreams hold such a line.
PASSES = frozenset(
    [b"fastcgi_pass", b"proxy_pass", b"grpc_pass", b"uwsgi_pass", b"scgi_pass", b"memcached_pass", b"tunnel_pass", b"auth_http"],
)
# Blocks whose entries are "pattern value;": the value may end up in a pass.
VALUE_MAPS = frozenset([b"map", b"geo", b"split_clients"])
# Entries of such blocks that hold no value of theirs. https://nginx.org/en/docs/http/ngx_http_map_module.html, ngx_http_geo_module.html
MAP_OPTIONS = frozenset([b"hostnames", b"volatile", b"include", b"delete", b"proxy", b"proxy_recursive", b"ranges"])
# Other directives that set a variable (their first argument).
SETTERS = frozenset([b"auth_request_set", b"perl_set", b"js_set", b"js_var", b"set_by_lua", b"set_by_lua_file", b"set_by_lua_block", b"secure_link_md5"])
LOGS = frozenset([b"access_log", b"error_log"])
SYSLOG = re.compile(rb"syslog:(?:[^,]*,)*?server=")
CLIENT_RANGES = frozenset([b"allow", b"deny", b"set_real_ip_from"])
# Docker gives its bridges 172.17.0.0/16 and the following; 172.31.0.0/16 is AWS's default VPC.
DOCKER_RANGE = re.compile(rb"172\.(?:1[7-9]|2\d|30)\.")
NAMED_GROUP = re.compile(rb"\(\?P?<(\w+)>")
# Docker's own, whatever is on its default bridge, and instances as other bridges see them; 172.20.0.2 may be the resolver of a VPC.
DOCKER_DNS = re.compile(rb"(?:127\.0\.0\.11|172\.17\.\d+\.\d+|172\.(?:1[89]|2\d|30)\.\d+\.1)(?![\d.])")
NO_ADDRESS = frozenset([b"server_name", b"upstream", b"log_format", b"include", b"set", b"listen"])
OTHER_LANGUAGE = re.compile(rb"\{\{|\{%|<%")
DEFAULT_LISTEN = 80


@dataclass(frozen=True)
class Use:
    """Text of a conf that holds (or may hold) an address.

    ``via`` is the pass that uses it, ``space`` the kind of its upstreams; ``is_host`` when the port stands behind the variable.
    """

    path: str
    data: bytes
    start: int
    raw: bytes
    directive: str
    via: str
    space: str
    is_host: bool = False

    def finding(self, identity: str, **words: object) -> Finding:
        return finding(identity, self.path, lexer.place(self.data, self.start), self.raw.decode("latin-1"), "", **words)


@dataclass
class Survey:
    addresses: list[Use] = field(default_factory=list)
    values: dict[str, list[Use]] = field(default_factory=dict)  # variable (lower case) -> the words that give it a value
    runtime: set[str] = field(default_factory=set)  # variables that another module or a regular expression sets
    upstreams: set[tuple[str, str]] = field(default_factory=set)
    listens: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


class Surveyor:
    """Reads every file once and notes what the second pass decides on."""

    def __init__(self, files: t.Mapping[str, bytes], hosts: t.Collection[str]) -> None:
        self.files = files
        self.hosts = hosts
        self.survey = Survey()
        names = b"|".join(re.escape(name.encode("latin-1", "replace")) for name in sorted(hosts, key=len, reverse=True))
        anything = names or rb"(?!)"
        self._peer = re.compile(rb"(?i)(?<![\w.-])(?:" + anything + rb")(?![\w.-])")
        self._quoted_peer = re.compile(rb"(?i)(?<=[\"'/@])(?:" + anything + rb")(?=[:\"'/])")
        self._address_like = re.compile(rb"(?i)(?:(?:^|(?<=[/@=]))(?:" + anything + rb")(?=:\d)|(?<=//)(?:" + anything + rb")(?=[:/]|$))")
        self._naming = {path for path, data in files.items() if self._peer.search(data)}
        self._streams: set[str] = set()
        self._value_files: dict[str, str] = {}  # file included by a map -> the map's variable

    def read(self) -> Survey:
        parsed = {path: directives for path in sorted(self.files) if (directives := self._parse(path)) is not None}
        self._contexts(parsed)
        for path, directives in parsed.items():
            space = STREAM if path in self._streams or "stream" in path.rpartition("/")[2].partition(".")[2] else HTTP
            for directive, around in lexer.walk(directives):
                self._note(path, directive, around, STREAM if b"stream" in around else space)
            if path in self._value_files:
                self._add_values(self._value_files[path], path, directives, "map")
        return self.survey

    def _parse(self, path: str) -> tuple[lexer.Directive, ...] | None:
        data = self.files[path]
        found = self.survey.findings
        if data.startswith(lexer.UTF8_BOM):
            found.append(finding("NGX-BOM", path, (1, 1)))
        try:
            directives = lexer.parse(data)
        except lexer.ConfError as error:
            # What cannot be read is only harmless when no peer is in it.
            severity = BLOCKER if path in self._naming else ""
            mark = OTHER_LANGUAGE.search(data)
            if mark:
                found.append(finding("NGX-TEMPLATE", path, lexer.place(data, mark.start()), mark[0].decode(), severity))
            else:
                found.append(finding("NGX-SYNTAX", path, (error.line, error.column), "", severity, message=error.message))
            return None
        self._comments(path, data)
        return directives

    def _contexts(self, parsed: t.Mapping[str, tuple[lexer.Directive, ...]]) -> None:
        """Which files are included inside ``stream {}`` and inside maps: their text alone does not say it."""
        includes: list[tuple[str, set[str]]] = []
        for path, directives in parsed.items():
            for directive, around in lexer.walk(directives):
                if directive.name == b"include" and directive.arguments:
                    reached = tree.matching(directive.arguments[0].value, self.files)
                    includes.append((path, reached))
                    if b"stream" in around:
                        self._streams |= reached
                elif directive.name in VALUE_MAPS and directive.block and directive.arguments:
                    for entry in directive.block:
                        if entry.name == b"include" and entry.arguments:
                            reached = tree.matching(entry.arguments[0].value, self.files)
                            self._value_files.update(dict.fromkeys(reached, _variable(directive.arguments[-1])))
        size = -1
        while size != len(self._streams):  # what a file of a stream includes is in the stream too
            size = len(self._streams)
            self._streams.update(*(reached for path, reached in includes if path in self._streams))

    def _note(self, path: str, directive: lexer.Directive, around: tuple[bytes, ...], space: str) -> None:
        """Put one directive's words where they belong."""
        name, arguments = directive.name, directive.arguments
        if directive.lua is not None:
            self._code(path, *directive.lua)
        if name == b"server" and directive.block is not None and space == HTTP and not arguments:
            self._server(directive.block)
        if not arguments or (around and around[-1] in VALUE_MAPS):
            return
        first = self._use(path, arguments[0], name, space)
        if name in PASSES or (name == b"server" and directive.block is None):
            self.survey.addresses.append(first)
        elif name == b"upstream":
            self.survey.upstreams.add((space, arguments[0].value.decode("latin-1").lower()))
        elif name == b"set" and len(arguments) == 2:
            self._add(_variable(arguments[0]), self._use(path, arguments[1], name, space))
        elif name in VALUE_MAPS and directive.block is not None:
            self._add_values(_variable(arguments[-1]), path, directive.block, name.decode(), space)
        elif name in SETTERS:
            self.survey.runtime.add(_variable(arguments[0]))
        else:
            self._note_other(path, name, arguments, space)

    def _note_other(self, path: str, name: bytes, arguments: tuple[lexer.Word, ...], space: str) -> None:
        first = self._use(path, arguments[0], name, space)
        for word in arguments:
            if b"(?" in word.raw:
                self.survey.runtime.update(match.decode("latin-1").lower() for match in NAMED_GROUP.findall(word.value))
        if name == b"resolver":
            if any(DOCKER_DNS.match(word.value) for word in arguments):
                self.survey.findings.append(first.finding("NGX-RESOLVER"))
            self.survey.addresses.extend(self._use(path, word, name, space) for word in arguments if self._is_peer(word.raw))
        elif name in CLIENT_RANGES:
            if DOCKER_RANGE.match(arguments[0].value):
                self.survey.findings.append(first.finding("NGX-DOCKER-RANGE"))
            elif self._is_peer(arguments[0].raw):
                self.survey.addresses.append(first)
        elif name in LOGS and (prefix := SYSLOG.match(arguments[0].raw)):
            raw = arguments[0].raw[prefix.end() :].split(b",")[0]
            if self._is_peer(raw):
                start = arguments[0].start + prefix.end()
                self.survey.addresses.append(Use(path, self.files[path], start, raw, name.decode(), name.decode(), space))
        elif name.endswith(b"_by_lua"):
            self._code(path, arguments[-1].start, arguments[-1].end)
        elif path in self._naming and name not in NO_ADDRESS and path not in self._value_files:
            self._mentions(path, name, arguments, space)

    def _mentions(self, path: str, name: bytes, arguments: tuple[lexer.Word, ...], space: str) -> None:
        for word in arguments:
            if self._address_like.search(word.raw):
                self.survey.findings.append(self._use(path, word, name, space).finding("NGX-MENTION"))

    def _server(self, block: tuple[lexer.Directive, ...]) -> None:
        """The ports of one ``server {}``: 80 when it has no listen of its own. https://nginx.org/en/docs/http/ngx_http_core_module.html#listen"""
        listens = [child.arguments[0].value for child in block if child.name == b"listen" and child.arguments]
        for value in listens:
            port = value.rpartition(b":")[2]
            if port.isdigit():
                self.survey.listens.add(int(port))
            elif not value.startswith(b"unix:") and b"$" not in value:
                self.survey.listens.add(DEFAULT_LISTEN)
        if not listens and not any(child.name == b"include" for child in block):
            self.survey.listens.add(DEFAULT_LISTEN)

    def _code(self, path: str, start: int, end: int) -> None:
        for match in self._quoted_peer.finditer(self.files[path], start, end):
            place = lexer.place(self.files[path], match.start())
            self.survey.findings.append(finding("NGX-LUA", path, place, match[0].decode("latin-1")))

    def _add(self, variable: str, use: Use) -> None:
        self.survey.values.setdefault(variable, []).append(use)

    def _add_values(self, variable: str, path: str, entries: t.Iterable[lexer.Directive], name: str, space: str = HTTP) -> None:
        self.survey.values.setdefault(variable, [])
        for entry in entries:
            if len(entry.words) > 1 and entry.name not in MAP_OPTIONS:
                self._add(variable, self._use(path, entry.words[1], name.encode(), space))

    def _use(self, path: str, word: lexer.Word, name: bytes, space: str) -> Use:
        directive = name.decode("latin-1")
        return Use(path, self.files[path], word.start, word.raw, directive, directive, space)

    def _is_peer(self, raw: bytes) -> bool:
        found = address.parse(raw)
        return isinstance(found, address.Address) and found.key in self.hosts

    def _comments(self, path: str, data: bytes) -> None:
        """Passes to a peer that are commented out are left alone, and told."""
        if path not in self._naming:
            return
        for number, line in enumerate(data.split(b"\n"), start=1):
            text = line.strip(lexer.SPACE)
            if not text.startswith(b"#"):
                continue
            words = text.lstrip(b"# \t").rstrip(b"; \t").split()
            if len(words) == 2 and words[0] in PASSES | {b"server"} and self._is_peer(words[1].strip(b"\"';")):
                self.survey.findings.append(finding("NGX-COMMENT", path, (number, line.index(b"#") + 1), text.decode("latin-1")))


def known_values(survey: Survey, path: str, given: t.Mapping[str, str]) -> dict[str, str]:
    """The environment variables that are replaced in this file: in a template all, elsewhere those that the conf does not set itself."""
    if environment.is_template(path):
        return dict(given)
    return {name: value for name, value in given.items() if name.lower() not in survey.values and name.lower() not in survey.runtime}


def _variable(word: lexer.Word) -> str:
    return word.value.decode("latin-1").lstrip("$").strip("{}").lower()
