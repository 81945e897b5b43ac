"""CloudWatch Logs: FilterLogEvents with the filter patterns that people use, in order of time, in pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')
MOST_EVENTS = 10_000


class Pattern:
    """Terms must all occur, ``-term`` must not, of several ``?term`` one is enough; quotes make a phrase. Upper and lower case differ."""

    def __init__(self, text: str) -> None:
        if text[:1] in "{[" and text:
            raise AwsError("InvalidParameterException", f"The lab knows no JSON and field patterns: {text}")
        found = [(sign, phrase or word) for sign, phrase, word in TERM.findall(text)]
        self.required = [term for sign, term in found if not sign]
        self.excluded = [term for sign, term in found if sign == "-"]
        self.optional = [term for sign, term in found if sign == "?"]

    def matches(self, message: str) -> bool:
        if any(term in message for term in self.excluded) or not all(term in message for term in self.required):
            return False
        return not self.optional or bool(self.required) or any(term in message for term in self.optional)


def find_group(aws: AwsServer, parameters: dict[str, Any]) -> Any:
    name = parameters.get("logGroupName") or str(parameters.get("logGroupIdentifier", "")).removesuffix(":*").rpartition(":log-group:")[2]
    group = aws.backend("logs").groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


@operation("logs", "FilterLogEvents")
def filter_log_events(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    group, pattern = find_group(aws, wanted), Pattern((wanted.get("filterPattern") or "").strip())
    names, prefix = wanted.get("logStreamNames"), wanted.get("logStreamNamePrefix") or ""
    first, last = wanted.get("startTime") or 0, wanted.get("endTime") or 2**62
    found = [
        {"logStreamName": name, **event.to_filter_dict()}
        for name, stream in list(group.streams.items())
        if name.startswith(prefix) and (not names or name in names)
        for event in list(stream.events)
        if first <= event.timestamp <= last and pattern.matches(event.message)
    ]
    found.sort(key=lambda event: (event["timestamp"], int(event["eventId"])))
    start = int(wanted.get("nextToken") or 0)
    end = start + min(int(wanted.get("limit") or MOST_EVENTS), MOST_EVENTS)
    return {"events": found[start:end], "searchedLogStreams": [], "nextToken": str(end) if end < len(found) else None}
