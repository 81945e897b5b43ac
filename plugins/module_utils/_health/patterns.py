# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What AWS, Nginx, PHP-FPM, PHP and Laravel write when something is wrong: tables, no code but the lookup.

AWS rewords its messages and Fargate cuts long ones short, so rows match stable substrings, never whole sentences. Sources: the stopped-task error pages of the
ECS guide (2023 and 2024+ wordings), amazon-ecs-agent, nginx, php-fpm and Laravel. diagnosis-rules.md 3, 4, 5, 6
"""

from __future__ import annotations

import re
import typing as t

# Words that tell a network problem from a refusal, in every wording known.
_NET = (
    r"i/o timeout|connection issue between the task and|request canceled while waiting for connection|context deadline exceeded|RequestCanceled|"
    r"send request failed|exceeded maximum number of attempts|check your (task )?network configuration|net/http: request canceled|signal: killed"
)
_DENIED = r"AccessDenied|is not authorized to perform|not authorized to perform"


class StartRow(t.NamedTuple):
    """All of ``needs`` must be found in the text."""

    id: str
    needs: tuple[str, ...]


# These pass by themselves: ECS retries, capacity comes back, a new role becomes visible.
TRANSIENT_IDS = ("ROLE", "CAPACITY", "THROTTLE", "AGENT_ERR", "ENI", "QUOTA", "AZ_UNSUPPORTED", "PULL_RATE")

# runtimePlatform.cpuArchitecture -> the platform that registries know.
PLATFORMS: dict[str, str] = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}

# Texts of stoppedReason, containers[].reason and "was unable to place a task. Reason: ...".
# First hit wins: rows with a decisive tail stand before the general ones.
START_FAILURES: tuple[StartRow, ...] = (
    StartRow("LOG_NET", ("failed to validate logger args", _NET)),
    StartRow("LOG_DENIED", ("failed to validate logger args", rf"{_DENIED}|logs:Create")),
    StartRow(
        "LOG_GROUP", ("failed to validate logger args", r"ResourceNotFoundException|log group does not exist|cannot find the Amazon CloudWatch log group")
    ),
    StartRow("LOG_ARGS", (r"awslogs-[a-z-]+ is required|missing required option.*awslogs|failed to validate logger args",)),
    StartRow(
        "SECRET_DENIED",
        (r"unable to retrieve secret|execution resource retrieval failed|retrieve the secret", r"ssm:GetParameter|secretsmanager:GetSecretValue|kms:Decrypt"),
    ),
    StartRow("SECRET_MISSING", (r"invalid ssm parameters|did not contain json key",)),
    StartRow("SECRET_MISSING", ("ResourceNotFoundException", r"secret|ssm|parameter")),
    StartRow("PULL_NET", (r"CannotPull\w+|unable to pull secrets or registry auth|cannot pull|can't pull|unable to pull image", _NET)),
    StartRow("PULL_ARCH", (r"does not contain descriptor matching platform",)),
    StartRow("PULL_RATE", (r"toomanyrequests|reached your (unauthenticated )?pull rate limit",)),
    StartRow("PULL_DISK", (r"no space left on device",)),
    StartRow("PULL_AUTH", (r"ecr:(GetAuthorizationToken|BatchGetImage|GetDownloadUrlForLayer|BatchCheckLayerAvailability)",)),
    StartRow(
        "PULL_AUTH", (r"CannotPull\w+|failed to resolve ref|registry auth|pull", r"403 Forbidden|AccessDeniedException|has the permissions to pull images")
    ),
    StartRow(
        "PULL_NOTFOUND",
        (r"manifest unknown|repository .{0,200}does not exist|pull access denied|requested access to the resource is denied|check whether the image exists",),
    ),
    StartRow("PULL_NOTFOUND", (r"failed to resolve ref", r"not found")),
    StartRow("PULL_NOTFOUND", (r"CannotPull\w+", r"(manifest|image)\b.{0,300}not found")),
    StartRow("PULL_COPY", (r"failed to copy: httpRead(er)?Seeker|ref pull has been retried",)),
    StartRow("PULL_S3", (r"pull command failed: panic: runtime error",)),
    StartRow("PULL_STABLE", (r"pull image manifest has been retried", r"failed to resolve ref")),
    StartRow("PULL_OTHER", (r"CannotPull(Container|ImageManifest|ECRContainer|ContainerAuth)\w*",)),
    StartRow("SECRET_DENIED", (r"unable to retrieve secret|execution resource retrieval failed|unable to pull secrets", _DENIED)),
    StartRow("EFS", (r"failed to invoke EFS utils commands|mount\.nfs4|Failed to resolve \"fs-",)),
    StartRow("ROLE", (r"ECS was unable to assume the role|unable to assume the service.linked role",)),
    StartRow("OOM", (r"OutOfMemoryError|Container killed due to memory usage",)),
    StartRow("DEP", (r"TaskDependencyError|dependent container|dependency .{0,80}(failed|stopped before|did not)",)),
    StartRow("HC_ELB", (r"Task failed ELB health checks",)),
    StartRow("HC_CONTAINER", (r"Task failed container health checks",)),
    StartRow(
        "CREATE",
        (r"CannotCreateContainerError|CannotStartContainer(Exec)?Error|failed to create task for container|executable file not found in|exec format error",),
    ),
    StartRow(
        "ENI",
        (
            r"Unexpected EC2 error while attempting to Create Network Interface|InsufficientFreeAddressesInSubnet|"
            r"Timeout waiting for network interface provisioning|still in DETACHED",
        ),
    ),
    StartRow("COMPUTE", (r"not compatible with the selected compute strategy",)),
    StartRow("EC2_TYPE", (r"no container instance met all of its requirements|No Container Instances were found",)),
    StartRow("CAPACITY", (r"Capacity is unavailable at this time",)),
    StartRow("QUOTA", (r"limit on the number of (vCPUs|tasks)|configuration is above your limit",)),
    StartRow("AZ_UNSUPPORTED", (r"Reason: Internal error",)),
    StartRow("THROTTLE", (r"operations are being throttled|Rate exceeded",)),
    StartRow(
        "AGENT_ERR",
        (
            r"ContainerRuntime(Timeout)?Error|HostConfigError|DockerTimeoutError|ContainerNetworkingError|CannotStopContainerError|CannotInspectContainerError|"
            r"ContainerVanishedError|InvalidVolumeError|InternalError",
        ),
    ),
)


class LogRow(t.NamedTuple):
    """``symptom`` rows name what broke, not why: they count only when no other row matches. ``fatal`` rows end the process that writes them.

    ``codes`` are the answers that the row explains: seeing both the line and such an answer makes the cause certain. Time-outs have none, they need
    the groups' word.
    """

    id: str
    pattern: str
    symptom: bool = False
    fatal: bool = False
    codes: tuple[int, ...] = ()


LOG_ROWS: tuple[LogRow, ...] = (
    # Nginx, error log
    LogRow("NGX_HOST", r'\[emerg\].*host not found in upstream "(?P<h>[^"]+)"', fatal=True),
    LogRow("NGX_NOPORT", r"\[emerg\].*no port in upstream", fatal=True),
    LogRow("NGX_BIND", r"bind\(\) to .* failed \(98: Address (already )?in use\)", fatal=True),
    LogRow("NGX_BINDPERM", r"bind\(\) to .* failed \(13: Permission denied\)", fatal=True),
    LogRow("EXEC_FORMAT", r"exec format error", fatal=True),
    LogRow("NGX_RO", r'(nginx|\[emerg\]|\[crit\]).*Read-only file system|mkdir\(\) "/var/(cache|lib)/nginx.*failed', fatal=True),
    LogRow("NGX_RESOLVE", r"could not be resolved \((2|3|110)|no resolver defined to resolve", codes=(502,)),
    LogRow("NGX_SOCK", r"connect\(\) to unix:(?P<u>\S+) failed \((2: No such file|13: Permission denied)", codes=(502,)),
    # PHP-FPM
    LogRow("FPM_BIND", r"unable to bind listening socket for address '.*': Address already in use", fatal=True),
    LogRow("FPM_SIG9", r"child \d+.* exited on signal 9", codes=(502,)),
    LogRow("FPM_SIG11", r"exited on signal 11", codes=(502,)),
    LogRow("FPM_ALLOWED", r"Connection disallowed: IP address '(?P<u>[^']+)' has been dropped", codes=(502,)),
    LogRow("FPM_CHILDREN", r"server reached (pm\.)?max_children setting"),
    LogRow("FPM_SCRIPT", r"Primary script unknown", codes=(404,)),
    LogRow("PHP_MEM", r"Allowed memory size of \d+ bytes exhausted", codes=(500,)),
    # Laravel and PHP
    LogRow("DB_TIMEOUT", r"SQLSTATE\[HY000\] \[2002\] (Connection|Operation) timed out|SQLSTATE\[08006\].*(timeout expired|timed out)"),
    LogRow(
        "DB_REFUSED",
        r"\[2002\] (Connection refused|No route to host|Network is unreachable|No such file or directory)|SQLSTATE\[08006\].*Connection refused",
        codes=(500,),
    ),
    LogRow("REDIS_DNS", r"getaddrinfo.*redis|RedisException.*getaddrinfo|(Redis|Predis).*getaddrinfo", codes=(500,)),
    LogRow("DB_DNS", r"getaddrinfo.*failed: (Name or service not known|Temporary failure|Try again|No address)|getaddrinfo for .* failed", codes=(500,)),
    LogRow("DB_AUTH", r"\[1045\] Access denied for user|password authentication failed", codes=(500,)),
    LogRow("DB_MANY", r"\[1040\] Too many connections|remaining connection slots", codes=(500,)),
    LogRow(
        "REDIS_TIMEOUT",
        r"RedisException.{0,80}?(Connection timed out|Operation timed out|read error on connection)|Predis.*Connection.*timed out|Connection timed out \[tcp://",
    ),
    LogRow("REDIS_REFUSED", r"RedisException.{0,80}?(Connection refused|No route to host)|Connection refused \[tcp://", codes=(500,)),
    LogRow("REDIS_AUTH", r"NOAUTH Authentication required|WRONGPASS", codes=(500,)),
    LogRow(
        "APP_KEY",
        r"No application encryption key has been specified|The MAC is invalid|DecryptException|Unsupported cipher or incorrect key length",
        codes=(500,),
    ),
    LogRow(
        "STORAGE",
        r"could not be opened in append mode.*Permission denied|failed to open stream: Permission denied|"
        r"bootstrap/cache directory must be present and writable",
        codes=(500,),
    ),
    LogRow("VIEW", r"Please provide a valid cache path", codes=(500,)),
    LogRow("AWS_CRED", r"Error retrieving credentials from the instance profile metadata service", codes=(500,)),
    LogRow("AWS_NET", r"cURL error (28|7|6)\b(?:.*//(?P<service>[a-z0-9.-]+?)\.[a-z]{2}-[a-z-]+-\d\.amazonaws\.com|.*amazonaws\.com)"),
    LogRow("AWS_DENY", r"is not authorized to perform:|AccessDenied(Exception)?\b", codes=(500,)),
    LogRow("QUEUE_KILL", r"^\s*Killed\s*$"),
    # Nginx rows that only tell that the upstream did not answer well
    LogRow(
        "NGX_STALE",
        r'(connect\(\) failed \((111|113|110): [^)]*\)|upstream timed out \(110: [^)]*\)) while connecting to upstream.*upstream: "fastcgi://(?!127\.|localhost|\[::1\])(?P<u>[^"]+)"',
        codes=(502, 504),
    ),
    LogRow(
        "NGX_REFUSED", r'connect\(\) failed \(111: Connection refused\) while connecting to upstream.*upstream: "(fastcgi|http)://(?P<u>[^"]+)"', symptom=True
    ),
    LogRow("FPM_SLOW", r"executing too slow|execution timed out", symptom=True),
    LogRow("NGX_TIMEOUT", r"upstream timed out \(110: [^)]*\) while (connecting to|reading response header from) upstream", symptom=True),
    LogRow("NGX_NOLIVE", r"no live upstreams while connecting to upstream", symptom=True),
    LogRow("NGX_RESET", r"recv\(\) failed \(104: Connection reset by peer\) while [a-z ]*upstream|upstream prematurely closed connection", symptom=True),
    LogRow("NGX_BIGHDR", r"upstream sent too big header", symptom=True),
    LogRow("NGX_BODY", r"client intended to send too large body", symptom=True),
    LogRow("NGX_TPL", r"/etc/nginx/templates exists, but .* is not writable", symptom=True),
    LogRow(
        "APP_500",
        r"(?:\b\w+\.(?:ERROR|CRITICAL|ALERT|EMERGENCY): (?P<message>.+)|PHP Fatal error:\s+(?P<fatal>.+))",
        symptom=True,
        codes=(500,),
    ),
)

# Nginx's default and combined formats, and most others, quote the user agent.
HEALTH_CHECK_LINE = r"ELB-HealthChecker/"
CHECK_STATUS = r'" (\d{3}) .*ELB-HealthChecker/'
# Nginx's status for a client that went away before it was answered.
GAVE_UP = "499"

# Laravel's channels that write a file, or nothing: no line of them reaches the container's log. ``stack`` leads wherever the application says.
LOG_FILES = ("single", "daily", "null")

# What servers write once they listen: PHP-FPM; Nginx (master process; the official image's entry point); Apache; many others.
FPM_READY = r"ready to handle connections"
READY = rf"{FPM_READY}|start worker processes|ready for start up|resuming normal operations|\b[Ll]istening (on|at)\b|Server running on"

TARGET_EVENT = r"is unhealthy in \(?target-group (?P<tg>[^\s)]+)\)? due to \(reason (?P<reason>.*)\)"
START_EVENT = r"was unable to place a task|failed to launch a task|operations are being throttled"
HEALTH_CODE = r"\[(?P<code>\d{3})\]"

# Exit codes of the container that ended the task, when neither its reason nor its log says why.
EXIT_CODES: dict[int, str] = {
    0: "EXIT_0",
    78: "EXIT_78",
    126: "EXIT_126",
    127: "EXIT_127",
    134: "EXIT_134",
    137: "EXIT_137",
    139: "EXIT_139",
    143: "EXIT_143",
    255: "EXIT_255",
}

# The status that the load balancer's health check got, when no log line says more.
TARGET_CODES: dict[int, str] = {
    400: "HC_400", 401: "HC_401", 403: "HC_403", 404: "HC_404", 419: "HC_419", 429: "HC_419", 500: "HC_500", 502: "HC_502", 503: "HC_503", 504: "HC_504",
    301: "HC_REDIRECT", 302: "HC_REDIRECT", 307: "HC_REDIRECT", 308: "HC_REDIRECT",
}  # fmt: skip


def start_failure(text: str) -> str | None:
    """The id of the first row whose parts are all in the text."""
    return next((row.id for row in START_FAILURES if all(re.search(part, text, re.IGNORECASE | re.DOTALL) for part in row.needs)), None)


def log_match(text: str) -> tuple[LogRow, t.Match[str]] | None:
    """The first row that a log line matches."""
    found = ((row, re.search(row.pattern, text)) for row in LOG_ROWS)
    return next(((row, match) for row, match in found if match), None)
