# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Peers: the containers that a link named. On Fargate the containers of a task share one network namespace, so a peer is at 127.0.0.1."""

from __future__ import annotations

import re
import typing as t

from .context import Json
from .findings import Finding, found
from .secrets import mask_value

LOCAL = "127.0.0.1"

# A variable whose whole value is the peer's name holds an address only if its own name says so: QUEUE_CONNECTION=redis is a driver.
# A virtual host is one of a web server or a broker, not a machine.
_HOST_NAME = re.compile(r"(?<!v)(?<!virtual_)host|addr", re.IGNORECASE)
_ADDRESS_NAME = re.compile(r"server|upstream|endpoint|backend|ur[il]|peer|_nodes?$|fpm|fastcgi|proxy", re.IGNORECASE)
_WORD_NAME = re.compile(
    r"driver|connection|store|client|(^|_)name$|channel|mailer|broker|adapter|engine|disk|type|(cache|session|queue|result|storage|e?mail|auth\w*|task)_?backend",
    re.IGNORECASE,
)
# What comes before an address, and what comes after one: a port that is written down in full or well known.
_HOST_OPTION = r"(?:-h|-H|--(?:[a-z]+-)*(?:host(?:name)?|server|addr(?:ess)?))"
_PORT = r"(?:80|443|\d{4,5})"
# ``mysql:host=name;dbname=shop`` and ``Server=name;Database=shop``: the keys of PDO, libpq and ADO.NET that hold a host.
_HOST_KEY = r"(?i:(?:host(?:name|addr)?|server|data source|addr(?:ess)?)\s*=\s*)"
_FETCH = r"\b(?:curl|wget)(?:\s+-[fsSLkIqv]+)*\s+"


def linked(container: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """``["php-fpm:app", "redis"]`` -> ``[("php-fpm", "app"), ("redis", "redis")]``. fargate-rules.md 2 links"""
    pairs = (str(link).partition(":") for link in container.get("links") or [])
    return [(name, alias or name) for name, _colon, alias in pairs if name]


def hosts(container: t.Mapping[str, t.Any]) -> set[str]:
    """Every host name that a link made resolvable: both the name and the alias stop resolving."""
    return {host for pair in linked(container) for host in pair}


def mapping(container: t.Mapping[str, t.Any], definition: t.Mapping[str, t.Any]) -> dict[str, str]:
    """For the image part: host -> address, for the linked names and for every other container of the task."""
    others = {str(other.get("name")) for other in definition.get("containerDefinitions") or [] if other.get("name") != container.get("name")}
    return dict.fromkeys(sorted(hosts(container) | others), LOCAL)


def rewrite_text(text: str, names: t.Iterable[str]) -> str:
    """Put 127.0.0.1 where text uses a name as an address: ``name:9000``, ``http://name/``, ``user@name``, ``host=name;``. Other words stay."""
    for name in sorted(names, key=len, reverse=True):
        host = re.escape(name)
        text = re.sub(rf"(?<![\w.\-/]){host}(?=:\d)|(?<=://){host}(?=[:/?#\s\"',;]|$)|(?<=@){host}(?=[:/?\s\"',;)]|$)", LOCAL, text)
        text = re.sub(rf"(?<![\w-])({_HOST_KEY}){host}(?![\w.\-/])", rf"\g<1>{LOCAL}", text)
    return text


def rewrite_list(text: str, names: t.Iterable[str]) -> str:
    """As ``rewrite_text``, for the value of a variable that holds addresses: ``name``, ``name,other``, ``["name"]``, ``name/path``."""
    text = rewrite_text(text, names)
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![^\s,;|\"'\[]){re.escape(name)}(?![^\s,;|\"'\]/])", LOCAL, text)
    return text


def rewrite_command(text: str, names: t.Iterable[str]) -> str:
    """As ``rewrite_text``, and what a shell's command calls an address: ``nc -z name 3306``, ``mysql -h name``, ``curl -f name/ping``, ``DB_HOST=name php``."""
    text = rewrite_text(text, names)
    for name in sorted(names, key=len, reverse=True):
        host = re.escape(name)
        text = re.sub(rf"(?<![\w.\-/=:$]){host}(?=\s+{_PORT}(?![\w.:-]))", LOCAL, text)
        text = re.sub(rf"(?<![\w-])({_HOST_OPTION}[ =]){host}(?![\w.\-/])", rf"\g<1>{LOCAL}", text)
        text = re.sub(rf"({_FETCH}){host}(?=[/\s]|$)", rf"\g<1>{LOCAL}", text)
        text = re.sub(rf"(?<![\w-])(\w+)=(['\"]?){host}(?![\w.\-/:])", _assigned, text)
    return text


def _assigned(match: re.Match[str]) -> str:
    """``DB_HOST=name`` in a script says as much as the same in the environment."""
    return f"{match[1]}={match[2]}{LOCAL}" if _holds_address(match[1]) else match[0]


def addressed(definition: t.Mapping[str, t.Any]) -> list[tuple[str, int]]:
    """(container, port) of every linked peer that an environment value or a command names with its port: it listens there, mapped or not."""
    found: list[tuple[str, int]] = []
    for container in definition.get("containerDefinitions") or []:
        check = container.get("healthCheck") or {}
        words = [str(pair.get("value") or "") for pair in container.get("environment") or []]
        words += [str(word) for holder, key in ((container, "entryPoint"), (container, "command"), (check, "command")) for word in holder.get(key) or []]
        targets = {host: name for name, alias in linked(container) for host in (name, alias)}
        for host, name in targets.items():
            pattern = re.compile(rf"(?:(?<![\w.\-/])|(?<=://)){re.escape(host)}:(\d{{2,5}})\b")
            found += [(name, int(port)) for word in words for port in pattern.findall(word)]
    return list(dict.fromkeys(found))


def _is_address(words: t.Sequence[str], index: int) -> bool:
    """Whether a word that is a peer's name stands where an address does: after ``-h`` and the like, or before a port."""
    before, after = words[index - 1] if index else "", words[index + 1] if index + 1 < len(words) else ""
    return bool(re.fullmatch(_HOST_OPTION, before) or re.fullmatch(_PORT, after))


def environment(draft: Json, names: set[str], path: str, addresses: t.Collection[str] = ()) -> t.Iterator[Finding]:
    """Environment values that name a linked peer become 127.0.0.1. fargate-rules.md 2 environment (a), nginx-rules.md 6

    ``addresses`` are variables of which a person says that they hold one (``fargate_peer_variables``).
    """
    for pair in draft.get("environment") or []:
        name, value = str(pair.get("name")), str(pair.get("value") or "")
        where = f"{path}.environment[{name}]"
        is_address = _holds_address(name) or name in addresses
        if value in names and not is_address and not _WORD_NAME.search(name):
            yield found("FG-PEER-WORD", where, value)
        changed = rewrite_list(value, names) if is_address else rewrite_text(value, names)
        if changed != value:
            pair["value"] = changed
            yield found("FG-PEER", where, mask_value(name, value), mask_value(name, changed))


def _holds_address(name: str) -> bool:
    return bool(_HOST_NAME.search(name) or (_ADDRESS_NAME.search(name) and not _WORD_NAME.search(name)))


def commands(draft: Json, names: set[str], path: str) -> t.Iterator[Finding]:
    """Health check, command and entry point that name a linked peer. fargate-rules.md 2 entryPoint, command, healthCheck"""
    places: list[tuple[Json, str, str]] = [(draft, "entryPoint", path), (draft, "command", path)]
    if draft.get("healthCheck"):
        places.append((draft["healthCheck"], "command", f"{path}.healthCheck"))
    for holder, key, where in places:
        words = [str(word) for word in holder.get(key) or []]
        for index, word in enumerate(words):
            changed = LOCAL if word in names and _is_address(words, index) else _fetched(words, index, names) or rewrite_command(word, names)
            if changed != word:
                holder[key][index] = changed
                yield found("FG-PEER", f"{where}.{key}[{index}]", word, changed)
            elif word in names:
                yield found("FG-PEER-WORD", f"{where}.{key}[{index}]", word)


def _fetched(words: t.Sequence[str], index: int, names: set[str]) -> str | None:
    """``["curl", "-f", "name/ping"]``: the word with 127.0.0.1; None for every other."""
    host, slash, rest = words[index].partition("/")
    fetches = any(word.rpartition("/")[2] in ("curl", "wget") for word in words[:index])
    return f"{LOCAL}/{rest}" if slash and host in names and fetches else None


def variables(draft: Json, path: str) -> t.Iterator[Finding]:
    """``$PHP_FPM_PORT_9000_TCP_ADDR``: what Docker injects for a link isn't there any more, unless set by hand. fargate-rules.md 2 links"""
    own = {str(pair.get("name")) for key in ("environment", "secrets") for pair in draft.get(key) or []}
    prefixes = "|".join(sorted({re.escape(re.sub(r"\W", "_", alias).upper()) for _name, alias in linked(draft)}))
    if not prefixes:
        return
    pattern = re.compile(rf"\$[({{]?((?:{prefixes})_(?:PORT(?:_\d\w*)?|NAME|ENV_\w+))\b")
    check = draft.get("healthCheck") or {}
    words = [(f"environment[{pair.get('name')}]", str(pair.get("value") or "")) for pair in draft.get("environment") or []]
    for key, values in (("entryPoint", draft.get("entryPoint")), ("command", draft.get("command")), ("healthCheck.command", check.get("command"))):
        words += [(f"{key}[{index}]", str(word)) for index, word in enumerate(values or [])]
    for where, word in words:
        used = sorted(set(pattern.findall(word)) - own)
        if used:
            yield found("FG-LINK-VARIABLE", f"{path}.{where}", ", ".join(used))


def start_order(draft: Json, definition: t.Mapping[str, t.Any], path: str) -> t.Iterator[Finding]:
    """A link also ordered start-up: ``dependsOn START`` for its target, unless present or a cycle. fargate-rules.md 2 (implied by links)"""
    present = {str(container.get("name")) for container in definition.get("containerDefinitions") or []}
    for target in dict.fromkeys(name for name, _alias in linked(draft)):
        depends = draft.get("dependsOn") or []
        if any(item.get("containerName") == target for item in depends):
            continue
        if target not in present:
            yield found("FG-LINK-UNKNOWN", f"{path}.links", target)
        elif _reaches(target, str(draft.get("name")), definition):
            yield found("FG-LINK-CYCLE", f"{path}.dependsOn", target)
        else:
            draft["dependsOn"] = [*depends, {"containerName": target, "condition": "START"}]


def links(draft: Json, path: str) -> t.Iterator[Finding]:
    """``links`` exist in bridge mode only ("Links are not supported when networkMode=awsvpc"): dropped. fargate-rules.md 2 links"""
    for index, link in enumerate(draft.pop("links", None) or []):
        yield found("FG-LINKS", f"{path}.links[{index}]", link, LOCAL)


def _reaches(start: str, goal: str, definition: t.Mapping[str, t.Any]) -> bool:
    """Whether ``start`` already waits for ``goal``, directly or through others."""
    waits = {
        str(container.get("name")): [str(item.get("containerName")) for item in container.get("dependsOn") or []]
        for container in definition.get("containerDefinitions") or []
    }
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            todo += waits.get(name, [])
    return False
