"""moto as a library: the WSGI application, its backends, its random numbers, its reset."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lab.aws.errors import AwsError
from lab.aws.protocol import Answer, ApiCall, Environ, read_body

# Without it AttachRolePolicy does not know AWS's managed policies.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
# moto's own list has hundreds of machine images, which take seconds to load; the lab launches one.
os.environ.setdefault("MOTO_AMIS_PATH", str(Path(__file__).with_name("amis.json")))

import botocore.parsers
import moto.iam.models
from botocore.awsrequest import HeadersDict as CaseInsensitiveDict
from moto.backends import get_backend
from moto.core.exceptions import ServiceException, _RESTError
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

# Services of the flow, most used first; imported when the server starts, so that no first call is slow.
SERVICES = (
    *("ec2", "ecs", "elbv2", "route53", "sts", "ecr", "iam", "logs", "cloudwatch", "autoscaling", "applicationautoscaling"),
    *("rds", "elasticache", "acm", "wafv2", "servicediscovery", "secretsmanager", "ssm", "resourcegroupstaggingapi", "sns", "events", "kms", "s3", "efs"),
)
GLOBAL = ("iam", "sts", "route53", "s3")
PARSERS = botocore.parsers.ResponseParserFactory()

# The owner of an access key is looked up in every partition; each would first load all of AWS's managed policies, in the middle of some call.
moto.iam.models.PARTITION_NAMES = ["aws"]
# A VPC without DNS host names leaves the attribute unset, which moto's own answers then read.
NetworkInterface.private_dns_name = None


class Moto:
    """One moto per process: its state is global."""

    used = False

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self.application = DomainDispatcherApplication(create_backend_app)

    def warm_up(self) -> None:
        """An empty account with predictable ids; services imported and their applications built."""
        self.seed("start")
        if Moto.used:
            moto_api_backend.reset()
        Moto.used = True
        for service in SERVICES:
            self.backend(service)
            if service not in self.application.app_instances:
                self.application.app_instances[service] = create_backend_app(service)

    @staticmethod
    def seed(value: str | None) -> None:
        """Make the next ids predictable; None makes them random again."""
        mock_random.seed(value)

    def backend(self, service: str) -> Any:
        region = "aws" if service in GLOBAL else self.region
        return get_backend(service.replace("-", ""))[self.account][region]

    def answer(self, environ: Environ) -> Answer:
        """moto's own HTTP answer."""
        read_body(environ)
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [status, headers]
            return lambda _: None

        chunks = self.application(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()
        return Answer(int(started[0].split()[0]), list(started[1]), body)

    def result(self, call: ApiCall, environ: Environ) -> dict[str, Any]:
        """moto's answer as a boto3 caller sees it. Raises AwsError when it is an error."""
        return parse(call, self.answer(environ))


def parse(call: ApiCall, answer: Answer) -> dict[str, Any]:
    """An HTTP answer as a boto3 caller sees it. Raises AwsError when it is an error."""
    headers = CaseInsensitiveDict(dict(answer.headers))
    response = {"headers": headers, "body": answer.body, "status_code": answer.status, "context": {}}
    parsed: dict[str, Any] = PARSERS.create_parser(call.protocol).parse(response, call.model.output_shape)
    if answer.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(str(error.get("Code") or answer.status), str(error.get("Message", "")), answer.status)
    parsed.pop("ResponseMetadata", None)
    return parsed


def as_aws_error(error: Exception) -> AwsError | None:
    """moto's own exceptions as an AWS error; None for any other exception."""
    if isinstance(error, ServiceException):
        return AwsError(error.code, error.message)
    if isinstance(error, _RESTError):
        return AwsError(error.error_type, str(error.message), int(error.code))
    if isinstance(error, NotImplementedError):
        return AwsError("InvalidAction", f"The lab does not implement this operation: {error}")
    return None
