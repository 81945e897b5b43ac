# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Ready-made probes, as data: ``{set: laravel, ...}`` in ``fargate_probes`` becomes the probes of that set.

In the tables ``$name`` is a parameter. In a list, a parameter that is a list is put in place. A probe whose parameter (``needs``) is not given is left out.
Nothing here writes unless the inventory gives a form or steps of its own.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .model import Json

ANSWERS = "200-399"


@dataclass(frozen=True)
class ProbeSet:
    """``parameters``: name -> default; None is not given."""

    parameters: t.Mapping[str, t.Any]
    probes: t.Sequence[Json]


HTTP = ProbeSet(
    parameters={"paths": ["/"], "status": ANSWERS},
    probes=(
        {"name": "GET $path", "each": "$paths", "steps": [{"path": "$path", "expect": {"status": "$status"}}]},
        {"name": "GET $path", "each": "$health_paths", "steps": [{"path": "$path"}]},
    ),
)

# Where Laravel shows the CSRF token of a session: @csrf in a form, or the meta tag of its layouts. https://laravel.com/docs/csrf
CSRF = r"""(?:name=["']_token["'][^>]*?\bvalue|name=["']csrf-token["'][^>]*?\bcontent)=["']([^"']+)"""
TOKEN_PAGE: Json = {"path": "$token_page", "expect": {"status": 200}, "capture": {"csrf": {"regex": CSRF}, "xsrf": {"cookie": "XSRF-TOKEN"}}}
LOGIN_PAGE: Json = {**TOKEN_PAGE, "path": "$login.page"}
# A login that is refused is answered with a redirect too, so what tells is the page behind it.
LOGIN: Json = {"name": "log in", "path": "$login.path", "form": "$login.form", "expect": {"status": ANSWERS}}
HOME: Json = {"path": "$login.home", "expect": {"status": 200, "body_contains": "$login.shows"}, "capture": {"xsrf": {"cookie": "XSRF-TOKEN"}}}

LARAVEL = ProbeSet(
    parameters={"front": "/", "session_cookie": ".+[_-]session", "token_page": "/login", "login": None, "database": None, "redis": None, "queue": None},
    probes=(
        {
            "name": "the front page opens a session",
            "steps": [{"path": "$front", "expect": {"status": ANSWERS, "cookie": ["XSRF-TOKEN", "$session_cookie"]}}],
        },
        # The token is kept in the session, and the session is found by a cookie that APP_KEY encrypts: both must be the same to see the same token.
        {
            "name": "a session of the source continues on the target and back",
            "needs": "token_page",
            "steps": [
                {**TOKEN_PAGE, "on": "source"},
                {"path": "$token_page", "on": "target", "expect": {"status": 200, "body_contains": "{csrf}"}},
                {"path": "$token_page", "on": "source", "expect": {"status": 200, "body_contains": "{csrf}"}},
            ],
        },
        {
            "name": "a login on the source continues on the target and back",
            "needs": "login",
            "steps": [{**step, "on": side} for step, side in ((LOGIN_PAGE, "source"), (LOGIN, "source"), (HOME, "source"), (HOME, "target"), (HOME, "source"))],
        },
        {"name": "login", "needs": "login", "steps": [LOGIN_PAGE, LOGIN, HOME]},
        {"name": "database write", "needs": "database", "steps": ["$session", "$database"]},
        {"name": "Redis session", "needs": "redis", "steps": ["$session", "$redis"]},
        {"name": "queue job", "needs": "queue", "steps": ["$session", "$queue"]},
    ),
)

SETS: dict[str, ProbeSet] = {"http": HTTP, "laravel": LARAVEL}
# Parameters that are a path, a step or steps of the user's own.
OWN_STEPS = ("database", "redis", "queue")
LOGIN_KEYS = ("form", "page", "path", "home", "shows")


# --- what was misspelt


def misspelt(where: str, item: t.Mapping[str, t.Any]) -> str | None:
    name = item["set"]
    if name not in SETS:
        return f"{where}.set is {name!r}. It should be one of: {', '.join(SETS)}."
    known = SETS[name].parameters
    extra = sorted(str(key) for key in set(item) - {"set", *known})
    if extra:
        return f"{where} has the unknown key {extra[0]}. It should be one of: set, {', '.join(known)}."
    paths = item.get("paths", [])
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return f"{where}.paths is {paths!r}. It should be a list of paths, for example [/, /about]."
    return _misspelt_login(f"{where}.login", item["login"]) if item.get("login") is not None else None


def _misspelt_login(where: str, login: t.Any) -> str | None:
    """The value is not quoted: it holds a password."""
    if not isinstance(login, t.Mapping) or not isinstance(login.get("form"), t.Mapping):
        return f"{where} should be a mapping with form, the fields of the login form (without the token), and optionally {', '.join(LOGIN_KEYS[1:])}."
    extra = sorted(str(key) for key in set(login) - set(LOGIN_KEYS))
    return f"{where} has the unknown key {extra[0]}. It should be one of: {', '.join(LOGIN_KEYS)}." if extra else None


# --- what becomes of a set


def expand(item: Json, health_paths: t.Sequence[str]) -> list[Json]:
    """The set's probes with the parameters filled in."""
    chosen = SETS[str(item["set"])]
    values = {**chosen.parameters, **{key: value for key, value in item.items() if key != "set"}}
    values.update(_computed(values, health_paths))
    probes: list[Json] = []
    for template in chosen.probes:
        if "needs" in template and not values.get(str(template["needs"])):
            continue
        for more in [{"path": path} for path in values[str(template["each"])[1:]]] if "each" in template else [{}]:
            filled = {**values, **more}
            probes.append({"name": _fill_text(str(template["name"]), filled), "steps": _fill(template["steps"], filled)})
    return probes


def _computed(values: Json, health_paths: t.Sequence[str]) -> Json:
    """What follows from parameters: names with a dot, and the steps that open a session."""
    paths = values.get("paths") or []
    found: Json = {"health_paths": [path for path in dict.fromkeys(health_paths) if path not in paths]}
    login = values.get("login")
    if login is not None:
        page = login.get("page", "/login")
        form = {"_token": "{csrf}", **login["form"]}
        found.update({"login.page": page, "login.path": login.get("path", page), "login.form": form})
        found.update({"login.home": login.get("home", "/home"), "login.shows": login.get("shows", [])})
    opening = [LOGIN_PAGE, LOGIN, HOME] if login is not None else [TOKEN_PAGE] if values.get("token_page") else []
    for name in OWN_STEPS:
        found[name] = [_with_token(step, bool(opening)) for step in own_steps(values.get(name))]
    return {**found, "session": _fill(opening, {**values, **found})}


def own_steps(given: t.Any) -> t.Any:
    """A path, a step or a list of both -> list of steps. A path must answer 2xx: a redirect to the login would be no proof."""
    if given is None:
        return []
    entries = given if isinstance(given, list) else [given]
    return [{"path": entry, "expect": {"status": "2xx"}} if isinstance(entry, str) else entry for entry in entries]


def _with_token(step: Json, known: bool) -> Json:
    """Laravel takes the CSRF token of forms in this header too."""
    return {**step, "headers": {"X-XSRF-TOKEN": "{xsrf}", **(step.get("headers") or {})}} if known else step


def _fill(value: t.Any, values: Json) -> t.Any:
    if isinstance(value, str):
        return values[value[1:]] if value.startswith("$") else value
    if isinstance(value, t.Mapping):
        return {key: _fill(entry, values) for key, entry in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    filled: list[t.Any] = []
    for entry in value:
        put = _fill(entry, values)
        filled += put if isinstance(put, list) else [put]
    return filled


def _fill_text(text: str, values: Json) -> str:
    return text.replace("$path", str(values.get("path", "")))
