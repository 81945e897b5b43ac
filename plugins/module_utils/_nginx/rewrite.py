# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""From ``fastcgi_pass php-fpm:9000`` to ``fastcgi_pass 127.0.0.1:9000``, in every form nginx knows, changing the host and nothing else. nginx-rules.md 3, 5

On EC2 in bridge mode a link gave the other container's name an entry in /etc/hosts. On Fargate all containers of a task share one network
namespace, so the peer is at 127.0.0.1 with the same port.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from . import address, environment, lexer
from .environment import EnvironmentEdit
from .findings import Finding
from .survey import HTTP, Survey, Surveyor, Use, known_values

__all__ = ["LOOPBACK", "Edit", "EnvironmentEdit", "Finding", "Rewrite", "apply", "rewrite"]

LOOPBACK = "127.0.0.1"
# The schemes each pass takes; without one, the port is obligatory (but where DEFAULT_PORTS says otherwise).
SCHEMES = {
    "proxy_pass": {b"http", b"https", b"$scheme", b"${scheme}"},
    "grpc_pass": {b"grpc", b"grpcs"},
    "uwsgi_pass": {b"uwsgi", b"suwsgi"},
    "auth_http": {b"http"},
}
DEFAULT_PORTS = {b"http": 80, b"https": 443, b"$scheme": 80, b"${scheme}": 80}
# Where a name is always a host, never an upstream, and the port may be left out.
HOST_ONLY = {"server": 80, "auth_http": 80, "resolver": 53, "set_real_ip_from": 0, "allow": 0, "deny": 0, "access_log": 514, "error_log": 514}
# Places whose port is not one that somebody connects to over TCP beside Nginx.
NO_TCP = frozenset(["set_real_ip_from", "allow", "deny", "resolver", "access_log", "error_log"])
ONE_LABEL = re.compile(r"[a-z0-9_-]*[a-z_-][a-z0-9_-]*\Z")
FOREIGN_PLACEHOLDER = re.compile(r"[{}<>%@]|\A__\w+__\Z|\AVALET_")
DOCKER_NETWORK = ipaddress.ip_network("172.17.0.0/16")


@dataclass(frozen=True)
class Edit:
    """``start`` and ``end`` are byte offsets in the file before the edit; ``via`` is the pass that uses the text."""

    path: str
    line: int
    column: int
    start: int
    end: int
    before: str
    after: str
    directive: str
    via: str = ""


@dataclass
class Rewrite:
    """``changed`` holds only the files whose bytes differ; ``environment`` what must be changed in the task definition instead.

    ``listens`` are Nginx's own ports, ``clashing`` those that a finding tells of.
    """

    changed: dict[str, bytes] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    environment: list[EnvironmentEdit] = field(default_factory=list)
    listens: set[int] = field(default_factory=set)
    clashing: set[int] = field(default_factory=set)


def rewrite(
    files: t.Mapping[str, bytes],
    peers: t.Mapping[str, str],
    *,
    environment: t.Mapping[str, str] | None = None,
    containers: t.Mapping[str, str] | None = None,
    host_variables: t.Collection[str] = (),
) -> Rewrite:
    """Rewrite the hosts named in ``peers`` (name -> new host) in every file of one conf.

    ``environment``     the container's environment, for placeholders; None when it is not known
    ``containers``      peer name -> container, where one container has several names (link and alias)
    ``host_variables``  nginx variables that hold nothing but hosts: ``$v:9000`` is followed to their values

    >>> rewrite({"a.conf": b"fastcgi_pass php-fpm:9000;"}, {"php-fpm": "127.0.0.1"}).changed
    {'a.conf': b'fastcgi_pass 127.0.0.1:9000;'}
    """
    new = {host.lower() for host in peers.values()} | {LOOPBACK}
    hosts = {name.lower(): host for name, host in peers.items() if name.lower() not in new}
    survey = Surveyor(files, hosts).read()
    owners = {name.lower(): container for name, container in (containers or {}).items()}
    decision = _Decision(survey, hosts, environment, owners, {name.lower().lstrip("$") for name in host_variables})
    decision.decide()
    result = decision.result
    result.listens = survey.listens
    result.edits.sort(key=lambda edit: (edit.path, edit.start))
    result.findings = sorted(dict.fromkeys([*survey.findings, *result.findings]), key=lambda each: (each.path, each.line, each.column, each.id))
    for path, data in files.items():
        edited = apply(data, [edit for edit in result.edits if edit.path == path])
        if edited != data:
            result.changed[path] = edited
    return result


def apply(data: bytes, edits: t.Sequence[Edit]) -> bytes:
    """Splice the edits of one file in. What lies between them is copied as it is."""
    parts: list[bytes] = []
    position = 0
    for edit in sorted(edits, key=lambda each: each.start):
        parts += [data[position : edit.start], edit.after.encode("latin-1")]
        position = edit.end
    return b"".join([*parts, data[position:]])


class _Decision:
    """Second pass: which of the noted addresses become another host, and what cannot be decided."""

    def __init__(
        self, survey: Survey, hosts: t.Mapping[str, str], given: t.Mapping[str, str] | None, owners: t.Mapping[str, str], host_variables: set[str]
    ) -> None:
        self.survey = survey
        self.hosts = hosts
        self.given = given
        self.owners = owners
        self.host_variables = host_variables
        self.result = Rewrite()
        self.ports: dict[tuple[str, int], dict[str, Use]] = {}
        self.environment: dict[str, list[tuple[int, int, str, Use]]] = {}

    def decide(self) -> None:
        """Every word that is an address: written in a pass, or given to a variable that a pass uses (through any number of variables)."""
        queue = list(self.survey.addresses)
        followed: set[str] = set()
        while queue:
            use = queue.pop()
            values = known_values(self.survey, use.path, self.given or {})
            pieces = environment.expand(use.raw, values)
            bad = [piece.variable for piece in pieces if piece.variable and environment.NO_WORD.search(values[piece.variable])]
            if bad:
                self._tell(use, "NGX-ENVIRONMENT-VALUE", name=bad[0])
                continue
            found = address.parse(environment.text(pieces))
            if isinstance(found, address.VariableAddress):
                name = found.name.lower()
                if self._follows(use, found) and name not in followed:
                    followed.add(name)
                    is_host = found.has_port or use.is_host
                    queue += [dataclasses.replace(value, via=use.via, space=use.space, is_host=is_host) for value in self.survey.values[name]]
            elif isinstance(found, address.Undecidable):
                self._tell(use, "NGX-UNDECIDABLE")
            elif isinstance(found, address.Socket):
                self._tell(use, "NGX-SOCKET")
            elif found is not None:
                self._address(use, found, pieces)
        self._environment()
        self._collisions()

    def _tell(self, use: Use, identity: str, **words: object) -> None:
        self.result.findings.append(use.finding(identity, **words))

    def _follows(self, use: Use, found: address.VariableAddress) -> bool:
        """Whether the values of a variable are addresses (or, by the user's word, hosts). What is not followed is told."""
        name = found.name.lower()
        values = self.survey.values.get(name)
        if values is None:
            is_placeholder = self.given is not None and found.name.isupper() and name not in self.survey.runtime
            self._tell(use, "NGX-PLACEHOLDER" if is_placeholder else "NGX-VARIABLE", name=found.name)
            return False
        if found.has_port and name not in self.host_variables:
            places = ", ".join(f"{value.raw.decode('latin-1')!r} at {value.path}:{lexer.place(value.data, value.start)[0]}" for value in values[:5])
            self._tell(use, "NGX-HOST-VARIABLE", name=found.name, values=f" ({places})" if places else "")
            return False
        return True

    def _address(self, use: Use, found: address.Address, pieces: list[environment.Piece]) -> None:
        kind = use.via
        is_value = use.directive != kind  # written in a set or a map; the port may stand behind the variable
        is_upstream = kind not in HOST_ONLY and (use.space, found.key) in self.survey.upstreams
        if is_upstream and not found.has_port:
            return  # the upstream's name, not a host: its servers are addresses of their own
        if found.scheme and found.scheme not in SCHEMES.get(kind, set()):
            self._tell(use, "NGX-SCHEME", directive=kind)
        elif found.key not in self.hosts:
            self._other_host(use, found)
        elif is_upstream and not is_value:
            self._tell(use, "NGX-UPSTREAM-PORT")
        elif not (found.has_port or kind in HOST_ONLY or self._has_default_port(use, found) or use.is_host):
            self._tell(use, "NGX-NO-PORT")
        else:
            self._change(use, found, pieces)

    def _has_default_port(self, use: Use, found: address.Address) -> bool:
        if found.scheme in DEFAULT_PORTS:
            return True
        # The value of a variable behind "http://": proxy_pass http://$v
        return use.directive != use.via and use.via == "proxy_pass" and use.space == HTTP

    def _change(self, use: Use, found: address.Address, pieces: list[environment.Piece]) -> None:
        held = environment.holder(pieces, found.start, found.end)
        if held is None:
            self._tell(use, "NGX-UNDECIDABLE")
            return
        piece, offset = held
        new = self.hosts[found.key]
        if piece.variable:
            self.environment.setdefault(piece.variable, []).append((offset, offset + len(found.host), new, use))
        else:
            start = use.start + piece.start + offset
            line, column = lexer.place(use.data, start)
            before = found.host.decode("latin-1")
            self.result.edits.append(Edit(use.path, line, column, start, start + len(found.host), before, new, use.directive, use.via))
        port = found.port or DEFAULT_PORTS.get(found.scheme, HOST_ONLY.get(use.via, 0) if not found.has_port else 0)
        if port and use.via not in NO_TCP:
            self.ports.setdefault((new, port), {}).setdefault(self.owners.get(found.key, found.key), use)

    def _other_host(self, use: Use, found: address.Address) -> None:
        """A host that is no peer is left alone; what looks like one that will be gone is told."""
        try:
            literal = ipaddress.ip_address(found.key)
        except ValueError:
            if FOREIGN_PLACEHOLDER.search(found.host.decode("latin-1")):
                self._tell(use, "NGX-UNDECIDABLE")
            elif found.key != "localhost" and ONE_LABEL.match(found.key) and use.directive == use.via:
                self._tell(use, "NGX-UNKNOWN-HOST")
            return
        if literal in DOCKER_NETWORK:
            self._tell(use, "NGX-DOCKER-ADDRESS")
        elif literal.is_private and not literal.is_loopback and not literal.is_link_local:
            self._tell(use, "NGX-ADDRESS")

    def _environment(self) -> None:
        """The values that must change, each once, and the places that use them."""
        for name in sorted(self.environment):
            spans = self.environment[name]
            before = (self.given or {})[name].encode("utf-8", "surrogateescape")
            after = before
            for start, end, new in sorted({span[:3] for span in spans}, reverse=True):
                after = after[:start] + new.encode() + after[end:]
            first = min((span[3] for span in spans), key=lambda use: (use.path, use.start))
            line, column = lexer.place(first.data, first.start)
            host = before[spans[0][0] : spans[0][1]].decode("utf-8", "replace")
            text = (before.decode("utf-8", "surrogateescape"), after.decode("utf-8", "surrogateescape"))
            self.result.environment.append(EnvironmentEdit(name, *text, host, first.path, line, column))
            self._tell(first, "NGX-ENVIRONMENT", name=name, host=host, after=spans[0][2])

    def _collisions(self) -> None:
        """Two containers on one port, or one on Nginx's own: on EC2 each had its own address, on Fargate they share one."""
        for (_host, port), users in sorted(self.ports.items()):
            names = " and ".join(sorted(users))
            use = users[max(users)]
            if len(users) > 1 or port in self.survey.listens:
                self.result.clashing.add(port)
            if len(users) > 1:
                self._tell(use, "NGX-PORT-CLASH", names=names, port=port)
            if port in self.survey.listens:
                self._tell(use, "NGX-LISTEN-CLASH", names=names, port=port)
