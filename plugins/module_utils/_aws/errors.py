# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Errors a user can act on: one line that names what was found, what it should be and what was (not) done."""

from __future__ import annotations

import typing as t

try:
    from botocore import exceptions as botocore_exceptions
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # AnsibleAWSModule reports the missing library
    botocore_exceptions = None  # type: ignore[assignment]

    class BotoCoreError(Exception):  # type: ignore[no-redef]
        pass

    class ClientError(Exception):  # type: ignore[no-redef]
        pass


__all__ = ["NO_CREDENTIALS", "NO_REGION", "BotoCoreError", "ClientError", "CutoverError", "error_code", "explain", "is_code"]


class CutoverError(Exception):
    """What a work function raises on purpose.

    ``details`` is returned beside ``msg`` by the module, so that a failure carries the same evidence as a success.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


NO_CREDENTIALS = (
    "No AWS credentials were found. Set fargate_profile to a profile of ~/.aws/config, or the variables AWS_PROFILE or "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Nothing was read or written."
)

NO_REGION = "fargate_region is not set. It should be the region of the system, for example eu-west-1. Nothing was read or written."


def error_code(error: Exception) -> str:
    """The AWS error code of a ClientError, else ''."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def is_code(error: Exception, *codes: str) -> bool:
    return error_code(error) in codes


def explain(error: Exception) -> str:
    """One line for an exception of boto3 or botocore."""
    known = botocore_exceptions
    if known is None:
        return str(error)
    if isinstance(error, known.ClientError):
        return _refusal(error)
    advice = {
        known.NoCredentialsError: NO_CREDENTIALS,
        known.PartialCredentialsError: NO_CREDENTIALS,
        known.ProfileNotFound: f"fargate_profile: {error}. It should be a profile of ~/.aws/config. Nothing was read or written.",
        known.NoRegionError: NO_REGION,
        known.EndpointConnectionError: f"{error} Is fargate_region a region of AWS, and is the network up?",
    }
    return next((text for kind, text in advice.items() if isinstance(error, kind)), str(error))


def _refusal(error: t.Any) -> str:
    answer = error.response.get("Error", {})
    retries = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    tried = f" after {retries} retries" if retries else ""
    return f"AWS refused {error.operation_name}{tried}: {answer.get('Code', 'Unknown')}: {answer.get('Message', '')}".rstrip(": ")
