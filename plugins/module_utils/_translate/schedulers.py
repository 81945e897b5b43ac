# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Services that may run on one side only: their containers run a scheduler, and two of them do every job twice. fargate-rules.md 7 desiredCount

Such a service *changes hands*. While the source's has tasks, the target's is *held* at none; ``scale_in`` stops the source's, sees its tasks stopped, and gives
the target's its number; a rollback the other way round. Who has it is told by the two desired counts, and by nothing else.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .context import DESIRED_COUNT_TAG, Context, Json, as_int
from .findings import Finding, found

# Programs that start other programs by a clock, and what follows their name where they do so in one of several modes.
PROGRAMS: dict[str, str] = {
    "cron": "",
    "crond": "",
    "fcron": "",
    "go-crond": "",
    "supercronic": "",
    "yacron": "",
    "ofelia": "daemon",
    "clockwork": "",
    "rqscheduler": "",
    "celerybeat": "",
    "airflow": "scheduler",
}
# A framework's own program -> its commands that look for what is due.
COMMANDS: dict[str, re.Pattern[str]] = {
    "artisan": re.compile(r"(short-)?schedule:(work|run)"),  # https://laravel.com/docs/scheduling#running-the-scheduler
    "magento": re.compile(r"cron:run"),  # https://experienceleague.adobe.com/docs/commerce-operations/configuration-guide/cli/configure-cron-jobs.html
    "drush": re.compile(r"(core:|core-)?cron"),
    "rake": re.compile(r"resque:scheduler"),
}
# What starts the program that is meant: it and its options stand before it. The number is how many words it takes for itself.
LAUNCHERS: dict[str, int] = {
    **dict.fromkeys(("exec", "env", "nohup", "nice", "sudo", "tini", "dumb-init", "busybox", "docker-php-entrypoint", "command", "time"), 0),
    **dict.fromkeys(("gosu", "su-exec", "timeout", "bundle", "python", "python3"), 1),
}
SUPERVISORS = frozenset({"supervisord", "s6-svscan", "runsvdir", "monit", "circusd", "honcho", "foreman", "pm2-runtime"})

_ENDS = re.compile(r"&&|\|\||[;&|\n()]|\b(?:do|then|else|while|until|if)\b")
_SHELL = re.compile(r"(^|/)(ba|da|a|z)?sh$")
# Options of celery that take the next word. https://docs.celeryq.dev/en/stable/reference/cli.html
_CELERY_VALUES = frozenset({"-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir"})


def scheduler(container: t.Mapping[str, t.Any]) -> str | None:
    """The command that proves it, or None. An image's own ``CMD`` isn't seen, and what only a configuration file says neither."""
    return _first(container, _schedules)


def supervisor(container: t.Mapping[str, t.Any]) -> str | None:
    """The command that starts programs of which only a file in the image tells."""
    return _first(container, lambda words: _name(words[0]) in SUPERVISORS)


def _first(container: t.Mapping[str, t.Any], judge: t.Callable[[t.Sequence[str]], bool]) -> str | None:
    entry_point, command = ([str(word) for word in container.get(key) or []] for key in ("entryPoint", "command"))
    # An entry point of an image is usually a script that ends by ``exec "$@"``: the command is a program of its own.
    programs = [*_programs([*entry_point, *command]), *(_programs(command) if entry_point else [])]
    return " ".join([*entry_point, *command]) if any(judge(words) for words in programs) else None


def _programs(words: t.Sequence[str]) -> list[list[str]]:
    """Every simple command that is started, without what only starts it: ``sh -c "service cron start && exec php-fpm"`` has two."""
    shell = next((index for index, word in enumerate(words[:-2]) if _SHELL.search(word) and re.fullmatch(r"-\w*c", words[index + 1])), None)
    simple = [list(words)] if shell is None else [part.split() for part in _ENDS.split(re.sub(r"[\"'\\]", " ", words[shell + 2]))]
    return [program for program in map(_unwrapped, simple) if program]


def _unwrapped(words: list[str]) -> list[str]:
    """Without launchers, their options and assignments of variables."""
    while words:
        name = _name(words[0])
        if name in LAUNCHERS and not (name.startswith("python") and words[1:2] != ["-m"]):
            words = words[1:]
            while words and words[0] != "-m" and words[0].startswith("-"):
                words = words[1:]
            words = words[LAUNCHERS[name] :]
        elif re.match(r"[A-Za-z_]\w*=", words[0]):
            words = words[1:]
        else:
            break
    return words


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _schedules(words: t.Sequence[str]) -> bool:
    name, rest = _name(words[0]), list(words[1:])
    plain = [word for word in rest if not word.startswith("-")]
    if name in PROGRAMS:
        return not PROGRAMS[name] or PROGRAMS[name] in plain[:1]
    if name == "service":
        return plain[:1] in (["cron"], ["crond"])
    if name == "wp":
        return plain[:3] == ["cron", "event", "run"]
    if name == "celery":
        return _beats(rest)
    return _framework([name, *rest])


def _beats(words: t.Sequence[str]) -> bool:
    """``celery -A shop beat``, ``celery -A shop worker -B``; not a queue of that name."""
    own = [word for index, word in enumerate(words) if index == 0 or words[index - 1] not in _CELERY_VALUES]
    command = next((word for word in own if not word.startswith("-")), "")
    return command == "beat" or (command == "worker" and bool({"-B", "--beat"} & set(own)))


def _framework(words: t.Sequence[str]) -> bool:
    """``php artisan schedule:work``: the framework's program, its options, its command."""
    for index, word in enumerate(words):
        name, plain = _name(word), [each for each in words[index + 1 :] if not each.startswith("-")]
        if name in COMMANDS and plain and COMMANDS[name].fullmatch(plain[0]):
            return True
        # https://symfony.com/doc/current/scheduler.html#consuming-messages
        if name == "console" and plain[:1] == ["messenger:consume"] and any(each.startswith("scheduler_") for each in plain[1:]):
            return True
    return False


@dataclass(frozen=True)
class Hands:
    """A scheduler and how many tasks each side wants of it now. ``source`` is None when the source's is gone, ``target`` when there is none yet."""

    name: str
    source: int | None
    target: int | None

    def told(self) -> str:
        """Who has it, in words."""
        if self.source and self.target:
            return "runs on source and target, every job is done twice"
        if self.source or self.target:
            return f"runs on the {'source' if self.source else 'target'}"
        return "runs on neither side" + (", run scale_in again or rollback" if self.source is not None and self.target is not None else "")


def hands(system: t.Mapping[str, t.Any]) -> list[Hands]:
    """Every scheduler of a system and who has it, by name; also those that serve the web and so run on both sides."""
    source, target = (
        {str(each["serviceName"]): int(each.get("desiredCount") or 0) for each in (system.get(side) or {}).get("services") or [] if command_of(each)}
        for side in ("source", "target")
    )
    return [Hands(name, source.get(name), target.get(name)) for name in sorted({*source, *target})]


def command_of(service: t.Mapping[str, t.Any]) -> str | None:
    """The scheduler's command among the containers of a service as it is found."""
    containers = (service.get("TaskDefinition") or {}).get("containerDefinitions") or []
    return next((command for command in map(scheduler, containers) if command), None)


def explicit(service: t.Mapping[str, t.Any], context: Context) -> bool:
    """The inventory gives this very service a number: it is taken at its word. One number for all services isn't about schedulers."""
    given = context.intent.get("desired_count")
    return isinstance(given, t.Mapping) and service.get("serviceName") in given


def switched_off(service: t.Mapping[str, t.Any], count: int, context: Context) -> bool:
    """A scheduler of which the source has no task even when it is up: one number for all services doesn't switch it on."""
    return bool(count == 0 and command_of(service) and not service.get("loadBalancers") and not explicit(service, context))


def changes_hands(service: t.Mapping[str, t.Any], count: int, context: Context) -> bool:
    """Whether it may run on one side only: a scheduler that serves nobody, of which the source has ``count`` tasks when it is up."""
    return bool(count > 0 and command_of(service) and not service.get("loadBalancers") and not explicit(service, context))


def held(service: t.Mapping[str, t.Any], count: int, context: Context) -> bool:
    """Whether the target's has to have no task now: all the time until the source's has none and the target's got its number."""
    return changes_hands(service, count, context) and not (_target(service, context) and not service.get("desiredCount"))


def tasks(entry: t.Mapping[str, t.Any]) -> int:
    """How many tasks a planned service will have when all of it has moved: room for those of a held one must be there too."""
    return int(entry.get("held_count") or entry["desired_count"])


def _target(service: t.Mapping[str, t.Any], context: Context) -> int:
    return int((context.target_services.get(str(service.get("serviceName"))) or {}).get("desiredCount") or 0)


def findings(service: Json, entry: Json, containers: t.Sequence[Json], path: str, context: Context) -> t.Iterator[Finding]:
    """``entry`` is the plan's service, ``path`` that of its task definition. fargate-rules.md 7 desiredCount"""
    for container in containers:
        where = f"{path}.containerDefinitions[{container.get('name')}].command"
        unseen, text = supervisor(container), scheduler(container)
        if unseen:
            yield found("FG-SUPERVISOR", where, unseen)
        if text:
            others = [str(each.get("name")) for each in containers if each is not container]
            yield from _of_web(service, where, text) if entry["kind"] == "web" else _of_worker(service, entry, where, text, others, context)
            if max(entry["desired_count"], entry["held_count"] or 0) > 1:
                yield found("FG-SCHEDULER-MANY", where, text)


def _of_web(service: Json, path: str, text: str) -> t.Iterator[Finding]:
    """It has to serve on both sides. Where the source has several tasks, its schedulers know how to live with each other."""
    if service.get("desiredCount") == 1:
        yield found("FG-SCHEDULER-WEB", path, text)


def _of_worker(service: Json, entry: Json, path: str, text: str, others: t.Sequence[str], context: Context) -> t.Iterator[Finding]:
    source, target = service.get("desiredCount") or 0, _target(service, context)
    wanted = entry["desired_count"] if explicit(service, context) else target
    if source and wanted:
        yield found("FG-SCHEDULER-TWICE", path, text, f"{source} on the source, {wanted} on the target")
    elif not source and entry["held_count"] is None and _scaled_up(service):
        yield found("FG-SCHEDULER-TWICE", path, text, f"0 on the source now, and up to {_scaled_up(service)} on each side when it is scaled up")
    elif entry["held_count"] is not None and source:
        waiting = f" So does what else its task does: {', '.join(others)}." if others else ""
        yield found("FG-SCHEDULER", path, text, f"0 tasks, {entry['held_count']} when scale_in has stopped the source's", others=waiting)
    elif (entry["held_count"] is not None) or (explicit(service, context) and not wanted):
        yield found("FG-SCHEDULER-NOWHERE", path, text)


def _scaled_up(service: Json) -> int:
    """How many tasks scaling may give a scheduler that has none now, as at night: it is not handed over: nobody knows its number. 0 after the scale-in."""
    if DESIRED_COUNT_TAG in (service.get("Tags") or {}):
        return 0
    return max((as_int(each.get("MaxCapacity")) or 0 for each in service.get("ScalableTargets") or []), default=0)
