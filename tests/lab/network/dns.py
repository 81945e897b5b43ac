"""The VPC's resolver: an authoritative DNS server over UDP and TCP, answering from a callback."""

from __future__ import annotations

import logging
import socket
import socketserver
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, TXT, A, DNSError, DNSRecord

from lab.network.namespace import Namespace

LOGGER = logging.getLogger(__name__)
LONGEST_ALIAS_CHAIN = 8
LOG_LENGTH = 50_000
UDP_SIZE = 512  # what a client accepts that does not say otherwise (EDNS)


@dataclass(frozen=True)
class Answer:
    """What a name has for the type asked: addresses (A, AAAA), or text (TXT), or an alias to another name.

    Nothing of it means: the name exists, the type does not.
    """

    addresses: Sequence[str] = ()
    cname: str | None = None
    ttl: float = 60
    text: Sequence[str] = ()


@dataclass(frozen=True)
class Query:
    """One line of the query log. ``values`` are the record values answered."""

    time: float
    client: str
    name: str
    qtype: str
    rcode: str
    values: tuple[str, ...]


Resolve = Callable[[str, str], Answer | None]


@dataclass
class Reply:
    rcode: str = "NOERROR"
    records: list[RR] = field(default_factory=list)


def respond(name: str, qtype: str, answer: Resolve) -> Reply:
    """The answer section: aliases are followed as far as this server knows them. Pure but for the callback.

    An unknown name is NXDOMAIN, a known one without the type NOERROR and empty; an alias to a name unknown here is answered alone.
    """
    reply = Reply()
    for _ in range(LONGEST_ALIAS_CHAIN):
        found = answer(name.rstrip(".").lower(), qtype)
        if found is None:
            reply.rcode = "NOERROR" if reply.records else "NXDOMAIN"
            return reply
        reply.records += _records(name, qtype, found)
        if not found.cname or qtype == "CNAME":
            return reply
        name = found.cname
    return Reply("SERVFAIL")


def _records(name: str, qtype: str, found: Answer) -> list[RR]:
    ttl = max(0, round(found.ttl))
    if found.cname:
        return [RR(name, QTYPE.CNAME, ttl=ttl, rdata=CNAME(found.cname))]
    if qtype == "A":
        return [RR(name, QTYPE.A, ttl=ttl, rdata=A(address)) for address in found.addresses if ":" not in address]
    if qtype == "AAAA":
        return [RR(name, QTYPE.AAAA, ttl=ttl, rdata=AAAA(address)) for address in found.addresses if ":" in address]
    if qtype == "TXT":
        return [RR(name, QTYPE.TXT, ttl=ttl, rdata=TXT(text)) for text in found.text]
    return []


class DnsServer:
    """``answer(name, qtype)`` gets the name in lower case without the final dot and a type such as "A"; None means the name does not exist (NXDOMAIN).

    It is called in threads of the server, also for the target of a CNAME. An exception of it is answered with SERVFAIL.
    """

    def __init__(self, namespace: Namespace, address: str, answer: Resolve, port: int = 53) -> None:
        self._namespace = namespace
        self._address = (address, port)
        self._answer = answer
        self._servers: list[socketserver.BaseServer] = []
        self._threads: list[threading.Thread] = []
        self.log: deque[Query] = deque(maxlen=LOG_LENGTH)

    def start(self) -> None:
        self._servers = [_Datagrams(self._socket(socket.SOCK_DGRAM), self.reply), _Streams(self._socket(socket.SOCK_STREAM), self.reply)]
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.1,), name="dns", daemon=True) for server in self._servers]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()
        self._servers, self._threads = [], []

    def reply(self, wire: bytes, client: str, limit: int) -> bytes | None:
        """The answer to one message; None for what is no query. More than ``limit`` bytes (0: any) is cut short, so that the client asks over TCP."""
        try:
            request = DNSRecord.parse(wire)
        except DNSError:
            return None
        if request.header.qr or not request.questions:
            return None
        name, qtype = str(request.q.qname), str(QTYPE.get(request.q.qtype, request.q.qtype))
        found = self._safely(name, qtype)
        self.log.append(Query(time.time(), client, name.rstrip(".").lower(), qtype, found.rcode, tuple(str(record.rdata) for record in found.records)))
        packed = _pack(request, found)
        return _pack(request, Reply(found.rcode), cut=True) if limit and len(packed) > max(limit, _accepted(request)) else packed

    def _safely(self, name: str, qtype: str) -> Reply:
        try:
            return respond(name, qtype, self._answer)
        except Exception:
            LOGGER.exception("no answer for %s %s", name, qtype)
            return Reply("SERVFAIL")

    def _socket(self, kind: int) -> socket.socket:
        made = self._namespace.socket(socket.AF_INET, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind == socket.SOCK_DGRAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        made.bind(self._address)
        return made


def _pack(request: DNSRecord, reply: Reply, *, cut: bool = False) -> bytes:
    response = request.reply(ra=1, aa=1)
    response.header.rcode = getattr(RCODE, reply.rcode)
    response.header.tc = int(cut)
    response.add_answer(*reply.records)
    return bytes(response.pack())


def _accepted(request: DNSRecord) -> int:
    """The size of UDP answers a client takes, said in its EDNS record."""
    return max((int(record.rclass) for record in request.ar if record.rtype == QTYPE.OPT), default=UDP_SIZE)


Replier = Callable[[bytes, str, int], "bytes | None"]


class _Datagrams(socketserver.UDPServer):
    """Answers one after the other: a callback takes microseconds, a thread per query would cost more."""

    def __init__(self, bound: socket.socket, reply: Replier) -> None:
        super().__init__(bound.getsockname(), _DatagramHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.reply = reply


class _DatagramHandler(socketserver.BaseRequestHandler):
    server: _Datagrams

    def handle(self) -> None:
        wire, sock = self.request
        if response := self.server.reply(wire, self.client_address[0], UDP_SIZE):
            sock.sendto(response, self.client_address)


class _Streams(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, bound: socket.socket, reply: Replier) -> None:
        super().__init__(bound.getsockname(), _StreamHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.server_activate()
        self.reply = reply


class _StreamHandler(socketserver.StreamRequestHandler):
    server: _Streams
    timeout = 5

    def handle(self) -> None:
        while len(head := self.rfile.read(2)) == 2:
            response = self.server.reply(self.rfile.read(struct.unpack("!H", head)[0]), self.client_address[0], 0)
            if response is None:
                return
            self.wfile.write(struct.pack("!H", len(response)) + response)
