"""Wire format <-> ``ApiCall`` and results, for every AWS protocol, by botocore's service models (as moto carries them)."""

from __future__ import annotations

import functools
import io
import json
import re
import warnings
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from lab.aws.errors import AwsError

Environ = dict[str, Any]

# Common errors such as ThrottlingException are in no service model; moto warns of each.
warnings.filterwarnings("ignore", message=r"Exception\(WireError\)")

# Signing names that differ from botocore's service names.
SIGNING_NAMES = {
    "servicequotas": "service-quotas",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "elasticfilesystem": "efs",
    "es": "opensearch",
}
CLASSIC_ELB_VERSION = "2012-06-01"
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
READ_ONLY = re.compile(r"^(Describe|List|Get|BatchGet|BatchCheck|Search|Test|Filter|Lookup|Query|Head|Validate|Simulate|Select)")
SECRET_NAMES = re.compile(r"password|secret|token|privatekey|environment|userdata", re.IGNORECASE)


@dataclass
class ApiCall:
    """One API call: ``parameters`` are shaped as a boto3 caller writes them."""

    service: str
    operation: str
    parameters: dict[str, Any]
    region: str
    access_key: str
    model: OperationModel
    protocol: str
    request: Request
    body: bytes = b""
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def mutating(self) -> bool:
        return not READ_ONLY.match(self.operation)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def read_body(environ: Environ) -> bytes:
    """The request's body; the stream is put back for whoever reads next."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return bytes(body)


def decode(environ: Environ) -> ApiCall | None:
    """The call in a signed request; None when it isn't one that botocore knows."""
    body = read_body(environ)
    match = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        return None
    access_key, region, signing_name = match.groups()
    service = _service_name(signing_name.lower(), body)
    request = Request(dict(environ, **{"wsgi.input": io.BytesIO(body)}))
    try:
        operation, uri = get_service_router(service).match(request)
        protocol = determine_request_protocol(operation.service_model, request.content_type)
    except (NotFound, NotImplementedError, KeyError):
        return None
    return ApiCall(service, str(operation.name), _parse(operation, protocol, request, uri), region, access_key, operation, protocol, request, body)


def _service_name(signing_name: str, body: bytes) -> str:
    if signing_name == "elasticloadbalancing" and CLASSIC_ELB_VERSION in parse_qs(body.decode("utf-8", "replace")).get("Version", []):
        return "elb"
    return SIGNING_NAMES.get(signing_name, signing_name)


def _parse(operation: OperationModel, protocol: str, request: Request, uri: dict[str, Any]) -> dict[str, Any]:
    parser = PROTOCOL_PARSERS[protocol](operation)
    parsed = parser.parse(
        {"method": request.method, "values": request.values, "headers": request.headers, "body": request.data, "url_path": request.path, "url_params": uri}
    )
    return dict(parsed or {})


@functools.cache
def operation_model(service: str, operation: str) -> OperationModel:
    model: ServiceModel = get_service_model(service)
    return model.operation_model(operation)


def encode(call: ApiCall, result: dict[str, Any]) -> Answer:
    """A result as the service's own wire format."""
    return _encode(call, result)


class WireError(ServiceException):
    """What moto's serializers take for an error (one from outside of moto, so that only the called service's error shapes are searched)."""


def encode_error(call: ApiCall, error: AwsError) -> Answer:
    """An error as the service's own wire format, with its own HTTP status."""
    exception = WireError(error.code, error.message)
    answer = _encode(call, exception)
    headers = [(key, value) for key, value in answer.headers if key.lower() != "x-amzn-errortype"]  # REST protocols have it already
    return Answer(error.status, [*headers, ("x-amzn-ErrorType", error.code)], answer.body)


def _encode(call: ApiCall, result: Any) -> Answer:
    serializer = get_serializer_class(call.service, call.protocol)(call.model)
    response = serializer.serialize(result)
    body = response["body"]
    headers = [(str(key), str(value)) for key, value in response["headers"].items()]
    return Answer(int(response["status_code"]), headers, body if isinstance(body, bytes) else body.encode())


def bare_error(environ: Environ, error: AwsError) -> Answer:
    """An error for a request that could not be decoded: JSON where the client speaks JSON, XML elsewhere."""
    if "json" in environ.get("CONTENT_TYPE", ""):
        return Answer(error.status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps({"__type": error.code, "message": error.message}).encode())
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error></ErrorResponse>"
    return Answer(error.status, [("Content-Type", "text/xml")], body.encode())


def without_secrets(value: Any, name: str = "") -> Any:
    """Parameters as they may appear in the request log: what looks secret, and every environment variable, is masked."""
    if name and SECRET_NAMES.search(name) and not isinstance(value, (bool, int)):
        return "(hidden)"
    if isinstance(value, dict):
        return {key: without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_secrets(item, name) for item in value]
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
