# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One way to AWS for modules and action plugins alike."""

from __future__ import annotations

import threading
import typing as t

from .errors import NO_REGION, CutoverError

try:
    import boto3
    from botocore.config import Config
except ImportError:  # AnsibleAWSModule reports the missing library
    boto3 = None  # type: ignore[assignment]

# Throttling and 5xx answers are retried with jittered back-off, up to about a minute in all.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
RETRIES: t.Any = {"mode": "standard", "max_attempts": 10}


class Clients:
    """Gives boto3 clients by service name: ``clients("ecs").describe_clusters(...)``. Thread-safe; each client is made once."""

    def __init__(self, params: t.Mapping[str, t.Any]) -> None:
        self._params = params
        self._session: t.Any = None
        self._clients: dict[str, t.Any] = {}
        self._account: str | None = None
        self._lock = threading.RLock()

    def __call__(self, service: str) -> t.Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session().client(
                    service,
                    endpoint_url=self._params.get("endpoint_url") or None,
                    verify=self._verify(),
                    config=Config(retries=RETRIES, user_agent_extra="cutover.fargate", connect_timeout=10, max_pool_connections=20),
                )
            return self._clients[service]

    def session(self) -> t.Any:
        if self._session is None:
            given = {
                "profile_name": self._params.get("profile"),
                "region_name": self._params.get("region"),
                "aws_access_key_id": self._params.get("access_key"),
                "aws_secret_access_key": self._params.get("secret_key"),
                "aws_session_token": self._params.get("session_token"),
            }
            self._session = boto3.session.Session(**{key: value for key, value in given.items() if value})
        return self._session

    def _verify(self) -> bool | str | None:
        if self._params.get("validate_certs") is False:
            return False
        return self._params.get("aws_ca_bundle") or None

    @property
    def region(self) -> str:
        region = self.session().region_name
        if not region:
            raise CutoverError(NO_REGION)
        return str(region)

    def account_id(self) -> str:
        with self._lock:
            if self._account is None:
                self._account = str(self("sts").get_caller_identity()["Account"])
            return self._account

    def check_account(self, expected: str | None) -> None:
        """Refuse to go on in another account than the inventory names."""
        if expected and str(expected) != self.account_id():
            raise CutoverError(f"fargate_account_id is {expected}, but the credentials belong to account {self.account_id()}. Nothing was written.")
