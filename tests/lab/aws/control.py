"""The lab's own routes beside the API: request log, faults, health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

Query = dict[str, str]
Body = dict[str, Any]


def install(aws: AwsServer) -> None:
    """
    ``GET    /_lab/health``                        {"status": "ok"}
    ``GET    /_lab/requests?since=N[&mutating=1]`` {"last": n, "requests": [...]}
    ``GET    /_lab/faults``                        the faults in force
    ``POST   /_lab/faults``                        {"action": ..., "service": ..., "operation": ..., "after": 0, "times": 1, ...}
    ``DELETE /_lab/faults[?id=N]``                 one or all
    ``POST   /_lab/faults/release``                held calls go on
    """
    aws.route("/_lab/health", lambda *_: {"status": "ok"})
    aws.route("/_lab/requests", lambda _, query, __: _requests(aws, query))
    aws.route("/_lab/faults", lambda method, query, body: _faults(aws, method, query, body))
    aws.route("/_lab/faults/release", lambda *_: {"released": aws.faults.release()})


def _requests(aws: AwsServer, query: Query) -> dict[str, Any]:
    mutating = None if "mutating" not in query else query["mutating"] not in ("0", "false")
    last = aws.requests.last
    return {"last": last, "requests": [item.as_dict() for item in aws.requests.since(int(query.get("since", 0)), mutating)]}


def _faults(aws: AwsServer, method: str, query: Query, body: Body) -> Any:
    if method == "POST":
        return aws.faults.add(**body).as_dict()
    if method == "DELETE":
        return {"removed": aws.faults.clear(int(query["id"]) if "id" in query else None)}
    return {"faults": [fault.as_dict() for fault in aws.faults.list()]}
