# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""HTTP to a registry: log-in, redirects to storage, retries, and errors that say what to do and hold no secret."""

from __future__ import annotations

import base64
import email.utils
import http.client
import json
import re
import ssl
import time
import typing as t
import urllib.parse
import urllib.request

CHUNK = 1 << 20
ATTEMPTS = 5
LONGEST_WAIT = 60.0
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
RETRIED = frozenset([429, 500, 502, 503, 504])
REDIRECTS = frozenset([301, 302, 303, 307, 308])
ADVICE = {
    401: "no credentials are known here, or they were refused: for Amazon ECR the caller needs ecr:GetAuthorizationToken; for another registry run "
    "docker login on this machine as the user who runs Ansible, or name an image that can be pulled in fargate_images",
    403: "access is denied: check the repository's policy and the caller's ecr: permissions",
    404: "it does not exist: check repository and tag",
    429: "the registry limits requests and did so at every try: run again later, or log in (docker login) where anonymous pulls are limited",
}
UNREACHABLE = "is the registry up and reachable from this machine (name, port, security group, HTTPS_PROXY)?"
UNTRUSTED = "its certificate is not trusted here: install the registry's CA, or point SSL_CERT_FILE at it"


class RegistryError(Exception):
    """One line: what was asked, what was answered, what to do. ``status`` is 0 when no answer came."""

    def __init__(self, message: str, status: int = 0, broken: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.broken = broken


class Response:
    """An answer and the connection it came on: closing one closes both."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self.status = response.status
        self.read = response.read

    def getheader(self, name: str, default: str = "") -> str:
        return self._response.getheader(name) or default

    @property
    def length(self) -> int | None:
        """The bytes still to come, None when the answer doesn't say."""
        return self._response.length

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transport:
    """Requests to one registry. ``url`` is scheme://host[:port]; user and password as ``docker login`` takes them."""

    def __init__(self, url: str, user: str = "", password: str = "", sleep: t.Callable[[float], None] = time.sleep) -> None:
        self.url = url.rstrip("/")
        self.sleep = sleep
        self._credentials = base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
        self._authorization = f"Basic {self._credentials}" if user else ""
        self._secrets = {password, self._credentials} - {""}

    def request(self, method: str, path: str, headers: t.Mapping[str, str] | None = None, body: t.Any = None) -> Response:
        """One request, with retries unless ``body`` is a stream, which cannot be sent twice. Raises RegistryError for every answer that is not a success."""
        url = path if "://" in path else self.url + path
        stream = hasattr(body, "read")
        attempts = 1 if stream else ATTEMPTS
        for attempt in range(attempts):
            last = attempt == attempts - 1
            try:
                response = self._ask(method, url, dict(headers or {}), body)
            except ssl.SSLCertVerificationError as error:
                raise RegistryError(f"{method} {shown(url)}: {error.verify_message}: {UNTRUSTED}") from None
            except (OSError, http.client.HTTPException) as error:
                if last:
                    raise RegistryError(self._clean(f"{method} {shown(url)}: {error or type(error).__name__}: {UNREACHABLE}"), broken=True) from None
                self.sleep(2.0**attempt)
                continue
            if response.status < 300:
                return response
            if response.status not in RETRIED or last:
                raise self._refused(method, url, response)
            response.close()
            self.sleep(wait(response.getheader("Retry-After"), 2.0**attempt))
        raise AssertionError("unreachable")

    def _ask(self, method: str, url: str, headers: dict[str, str], body: t.Any) -> Response:
        """Ask; when the registry wants a token for it, get one and ask again."""
        response = self._follow(method, url, headers, body)
        if response.status == 401 and self._log_in(response) and not hasattr(body, "read"):
            response.close()
            response = self._follow(method, url, headers, body)
        return response

    def _follow(self, method: str, url: str, headers: dict[str, str], body: t.Any) -> Response:
        """Send; follow redirects to storage. Credentials go to the registry only: S3 refuses a request that carries two of them."""
        for _hop in range(5):
            own = urllib.parse.urlsplit(url)[:2] == urllib.parse.urlsplit(self.url)[:2]
            extra = {"Authorization": self._authorization} if own and self._authorization else {}
            response = send(method, url, {**headers, **extra, "User-Agent": "cutover.fargate"}, body)
            if response.status not in REDIRECTS or hasattr(body, "read"):
                return response
            url = urllib.parse.urljoin(url, response.getheader("Location"))
            response.close()
        raise RegistryError(f"{method} {shown(url)}: more than 5 redirects. Look at the registry's storage settings")

    def _log_in(self, response: Response) -> bool:
        """Get a bearer token when the registry asks for one. https://distribution.github.io/distribution/spec/auth/token/"""
        challenge = response.getheader("WWW-Authenticate")
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = fields.get("realm", "")
        # Whoever guards an encrypted registry does not get the password, or give the token, in clear text.
        if not challenge.lower().startswith("bearer ") or not realm.startswith(("https://", "http://") if self.url.startswith("http://") else "https://"):
            return False
        query = urllib.parse.urlencode({key: fields[key] for key in ("service", "scope") if key in fields})
        headers = {"Authorization": f"Basic {self._credentials}"} if self._credentials else {}
        with send("GET", f"{realm}{'&' if '?' in realm else '?'}{query}", headers, None) as answer:
            if answer.status != 200:
                return False
            try:
                given = json.loads(answer.read())
                token = str(given.get("token") or given["access_token"])
            except (ValueError, KeyError, AttributeError):
                return False
        self._secrets.add(token)
        self._authorization = f"Bearer {token}"
        return True

    def _refused(self, method: str, url: str, response: Response) -> RegistryError:
        try:
            said = self._clean(message(response.read(CHUNK)))
        except (OSError, http.client.HTTPException):
            said = ""
        response.close()
        advice = ADVICE.get(response.status, "the registry failed at every try: run again later" if response.status in RETRIED else "")
        return RegistryError(": ".join(part for part in (f"{method} {shown(url)}", f"HTTP {response.status}", said, advice) if part), response.status)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def message(body: bytes) -> str:
    """What a registry (JSON) or its storage (XML) says of an error. Anything else is left out: S3 for one repeats parts of the signature."""
    text = body.decode("utf-8", "replace")
    try:
        return "; ".join(f"{each.get('code')}: {each.get('message')}" for each in json.loads(text)["errors"])[:500]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ": ".join(re.findall(r"<(?:Code|Message)>([^<]{1,200})</", text)[:2])


def wait(retry_after: str, otherwise: float) -> float:
    """Seconds to wait before the next try. ``Retry-After`` is a number of seconds or a date (RFC 9110 10.2.3)."""
    if retry_after.strip().isdigit():
        return min(float(retry_after), LONGEST_WAIT)
    try:
        seconds = email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (TypeError, ValueError, IndexError):
        return otherwise
    return min(max(seconds, 0.0), LONGEST_WAIT)


def send(method: str, url: str, headers: t.Mapping[str, str], body: t.Any) -> Response:
    parts = urllib.parse.urlsplit(url)
    connection = _connect(parts)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.connect()
        connection.sock.settimeout(READ_TIMEOUT)
        try:
            connection.request(method, target, body=body, headers=dict(headers))
        except (BrokenPipeError, ConnectionResetError):
            # Who refuses a long upload answers before its end and hangs up: the answer says more than the broken pipe.
            if not hasattr(body, "read"):
                raise
        return Response(connection, connection.getresponse())
    except BaseException:
        connection.close()
        raise


def _connect(parts: urllib.parse.SplitResult) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", parts.port
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT, blocksize=CHUNK)
    context = ssl.create_default_context()
    proxy = urllib.request.getproxies().get("https", "")
    if not proxy or urllib.request.proxy_bypass(host):
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT, context=context, blocksize=CHUNK)
    through = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = http.client.HTTPSConnection(through.hostname or "", through.port or 8080, timeout=CONNECT_TIMEOUT, context=context, blocksize=CHUNK)
    user = urllib.parse.unquote(f"{through.username}:{through.password or ''}") if through.username else ""
    connection.set_tunnel(host, port or 443, {"Proxy-Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"} if user else {})
    return connection


def shown(url: str) -> str:
    """A URL without its query and user: upload and storage URLs carry signatures."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
