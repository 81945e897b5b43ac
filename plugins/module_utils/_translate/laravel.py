# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a PHP/Laravel application's settings say about state, logs and secrets. fargate-rules.md 4 (local disk state), runbook (The source)

A setting that comes from ``secrets`` or an ``.env`` inside the image isn't seen here.
"""

from __future__ import annotations

import re
import typing as t

from . import agent
from .context import Json
from .findings import Finding, found
from .secrets import MASK

# variable -> {value: finding}; the value None stands for any value.
SETTINGS: dict[str, tuple[frozenset[str], str]] = {
    "SESSION_DRIVER": (frozenset({"file", "array"}), "FG-SESSION-FILE"),
    "CACHE_DRIVER": (frozenset({"file", "array"}), "FG-CACHE-FILE"),
    "CACHE_STORE": (frozenset({"file", "array"}), "FG-CACHE-FILE"),
    "FILESYSTEM_DISK": (frozenset({"local", "public"}), "FG-FILESYSTEM-LOCAL"),
    "FILESYSTEM_DRIVER": (frozenset({"local", "public"}), "FG-FILESYSTEM-LOCAL"),
}
PLAIN_SECRETS = {"APP_KEY": "FG-APP-KEY", "AWS_SECRET_ACCESS_KEY": "FG-AWS-KEYS", "AWS_ACCESS_KEY_ID": "FG-AWS-KEYS"}

JOB_TIMEOUT = 60
"""Seconds that Laravel gives a job of ``queue:work``."""
# Channels that need no file of the container. A channel of the application's own tells by its name only. https://laravel.com/docs/12.x/logging
_SEEN = re.compile(r"std(err|out)|cloudwatch|^(errorlog|papertrail|slack|null)$")

_WORKER = re.compile(r"artisan\s+(queue:(work|listen)|horizon)\b")


def settings(draft: Json, path: str) -> t.Iterator[Finding]:
    """Sessions, caches and files on the local disk end with the task. fargate-rules.md 4"""
    for pair in draft.get("environment") or []:
        name, value = str(pair.get("name")), str(pair.get("value") or "")
        values, kind = SETTINGS.get(name, (frozenset(), ""))
        if value.lower() in values:
            yield found(kind, f"{path}.environment[{name}]", value)


def log_channel(draft: Json, path: str) -> t.Iterator[Finding]:
    """Logs in files are never seen; of a stack one channel that is seen is enough. fargate-rules.md 4"""
    given = {str(pair.get("name")): str(pair.get("value") or "") for pair in draft.get("environment") or []}
    channel = given.get("LOG_CHANNEL", "")
    channels = given.get("LOG_STACK", "").split(",") if channel.lower() == "stack" else [channel]
    if channel and not any(_SEEN.search(name.strip().lower()) for name in channels):
        yield found("FG-LOG-CHANNEL", f"{path}.environment[LOG_CHANNEL]", channel)


def secrets(draft: Json, path: str) -> t.Iterator[Finding]:
    """Keys in plain environment variables: everybody who may DescribeTaskDefinition reads them. fargate-rules.md 2 environment (b)"""
    for pair in draft.get("environment") or []:
        kind = PLAIN_SECRETS.get(str(pair.get("name")))
        if kind and pair.get("value"):
            yield found(kind, f"{path}.environment[{pair['name']}]", MASK)


def worker_shell(draft: Json, path: str) -> t.Iterator[Finding]:
    """``sh -c "php artisan queue:work"`` may keep SIGTERM from PHP: the job in hand is killed. fargate-rules.md 4 signals to workers"""
    words = [*(draft.get("entryPoint") or []), *(draft.get("command") or [])]
    shell = next((index for index, word in enumerate(words[:-1]) if re.search(r"(^|/)(ba|da)?sh$", str(word)) and words[index + 1] == "-c"), None)
    if shell is None or shell + 2 >= len(words):
        return
    script = str(words[shell + 2])
    if _WORKER.search(script) and not re.search(r"\bexec\s+\S*php\b", script):
        yield found("FG-WORKER-SHELL", f"{path}.command", script)


def worker_timeout(draft: Json, path: str) -> t.Iterator[Finding]:
    """``queue:work --timeout`` (60 by default, 0 is none) must be below ``stopTimeout`` (30), else a job is killed. fargate-rules.md 2 stopTimeout"""
    text = command(draft)
    if not re.search(r"artisan\s+queue:(work|listen)\b", text):
        return
    told = re.search(r"--timeout[= ](\d+)", text)
    limit, stop = int(told[1]) if told else JOB_TIMEOUT, draft.get("stopTimeout") or agent.STOP_TIMEOUT
    if not 0 < limit < stop:
        yield found("FG-WORKER-TIMEOUT", f"{path}.stopTimeout", draft.get("stopTimeout"), limit=f"{limit} seconds" if limit else "any time", stop=stop)


def worker_signal(draft: Json, image: str, path: str) -> t.Iterator[Finding]:
    """php-fpm images stop with SIGQUIT, which a worker may not heed: its job is killed after stopTimeout. fargate-rules.md 4 signals to workers

    The image's name is all that the plan knows of it: one that doesn't say ``fpm`` isn't judged.
    """
    text = command(draft)
    if re.search(r"(^|[^a-z])fpm([^a-z]|$)", image.partition("@")[0], re.IGNORECASE) and _WORKER.search(text):
        yield found("FG-WORKER-SIGNAL", f"{path}.command", text)


def command(draft: Json) -> str:
    return " ".join(str(word) for word in [*(draft.get("entryPoint") or []), *(draft.get("command") or [])])
