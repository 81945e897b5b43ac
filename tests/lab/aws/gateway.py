"""One request through the lab's API: decode, faults, refusals, answer, log."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from lab.aws import faults, registry
from lab.aws.errors import AwsError
from lab.aws.moto_app import as_aws_error, parse
from lab.aws.protocol import Answer, ApiCall, Environ, bare_error, decode, encode, encode_error, read_body, without_secrets
from lab.aws.request_log import LoggedRequest

if TYPE_CHECKING:
    from lab.aws.server import AwsServer, Recorder


class Gateway:
    """What the HTTP server asks for every answer."""

    def __init__(self, aws: AwsServer) -> None:
        self.aws = aws

    def __call__(self, environ: Environ) -> Answer | None:
        """The answer; None when the connection is to be cut."""
        return self._control(environ) if environ["PATH_INFO"].startswith("/_lab/") else self._api(environ)

    def _control(self, environ: Environ) -> Answer:
        """What is not AWS: the lab's own routes, JSON in and out."""
        given = read_body(environ)
        handler = self.aws.routes.get(environ["PATH_INFO"].rstrip("/"))
        if handler is None:
            return _json(404, {"error": f"no such path; known are {sorted(self.aws.routes)}"})
        query = {key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        try:
            return _json(200, handler(environ["REQUEST_METHOD"], query, json.loads(given or b"{}")))
        except (ValueError, TypeError, KeyError) as error:
            return _json(400, {"error": str(error)})

    def _api(self, environ: Environ) -> Answer | None:
        """An AWS call. None: the connection is to be cut."""
        started = time.time()
        call = decode(environ)
        if call is None:
            return self._undecoded(environ)
        fault = self.aws.faults.due(call.service, call.operation)
        action = fault.action if fault else ""
        error = ""
        try:
            faults.before(fault, call.service)
            if action == "drop-before":
                raise AwsError("DroppedBeforeApplied", "cut by an injected fault")
            answer = self.answer(call, environ)
        except AwsError as refusal:
            error, answer = refusal.code, encode_error(call, refusal)
        self._log(call, started, answer.status, error, action)
        if not error and call.mutating:
            self.aws.changed(call)
        return None if action.startswith("drop") else answer

    def answer(self, call: ApiCall, environ: Environ) -> Answer:
        """Refuse or answer; moto answers what has no operation of ours."""
        key = (call.service, call.operation)
        lock = contextlib.nullcontext() if key in registry.UNLOCKED else self.aws.lock
        try:
            with lock:
                self.aws.current_environ.value = environ
                if self.aws.recorder and call.mutating:
                    return self._recorded(call, environ, self.aws.recorder)
                return self._answer(call, environ)
        except AwsError:
            raise
        except Exception as error:
            raise _explained(call, error) from error

    def _recorded(self, call: ApiCall, environ: Environ, recorder: Recorder) -> Answer:
        before, after = recorder
        before()
        answer = self._answer(call, environ)
        after(environ, call.body)
        return answer

    def _answer(self, call: ApiCall, environ: Environ) -> Answer:
        key = (call.service, call.operation)
        for rule in registry.REFUSALS.get(key, ()):
            rule(self.aws, call)
        operation = registry.OPERATIONS.get(key)
        if operation is not None:
            return encode(call, operation(self.aws, call))
        return _checked(call, self.aws.moto.answer(environ))

    def _undecoded(self, environ: Environ) -> Answer:
        if "HTTP_AUTHORIZATION" not in environ:
            return bare_error(environ, AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403))
        return bare_error(environ, AwsError("InvalidAction", "The action or operation requested is invalid.", 400))

    def _log(self, call: ApiCall, started: float, status: int, error: str, fault: str) -> None:
        milliseconds = round((time.time() - started) * 1000, 1)
        parameters = without_secrets(call.parameters)
        self.aws.requests.add(
            lambda seq: LoggedRequest(seq, started, call.service, call.operation, call.mutating, parameters, status, error, fault, milliseconds)
        )


def _checked(call: ApiCall, answer: Answer) -> Answer:
    """moto's error answers become AwsErrors, so that the log names them and their shape is the protocol's."""
    if answer.status >= 300:
        parse(call, answer)
    return answer


def _explained(call: ApiCall, error: Exception) -> AwsError:
    """An exception as AWS's error. A defect of the lab itself is printed whole and answered as an internal failure."""
    known = as_aws_error(error)
    if known is not None:
        return known
    print(f"lab: {call.service} {call.operation} failed", file=sys.stderr)
    traceback.print_exception(error)
    return AwsError("InternalFailure", f"{type(error).__name__}: {error}", 500)


def _json(status: int, value: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(value, default=str).encode() + b"\n")
