"""The VPC's resolver: an authoritative DNS server over UDP and TCP, answering from a callback."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.network.namespace import Namespace


@dataclass(frozen=True)
class Answer:
    """What a name has for the type asked: addresses (A, AAAA), or text (TXT), or an alias to another name. Nothing of it means: the name exists, the type does not."""

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


class DnsServer:
    """``answer(name, qtype)`` gets the name in lower case without the final dot and a type such as "A"; None means the name does not exist (NXDOMAIN).

    It is called in threads of the server, also for the target of a CNAME. An exception of it is answered with SERVFAIL.
    """

    log: deque[Query]

    def __init__(self, namespace: Namespace, address: str, answer: Callable[[str, str], Answer | None], port: int = 53) -> None:
        raise NotImplementedError

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError
