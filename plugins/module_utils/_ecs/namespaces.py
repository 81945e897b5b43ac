# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Namespaces of Service Connect: looked up by name or ARN, and made where the target needs one of its own.

ECS calls a namespace by its HTTP name, which Cloud Map keeps unique in an account and region; its plain name needn't be. [B ListNamespaces]
"""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import Answer, Call, Clock, Ref
from .._aws.clients import Clients
from .._aws.errors import CutoverError

SERVICE = "servicediscovery"
OPERATION_SECONDS = 300.0
"""How long the making of a namespace is waited for: seconds for one without DNS."""
IN_PROGRESS = (("DuplicateRequest", ""),)
"""A run that was killed left the making of it under way. [B DuplicateRequest]"""
NEW_NAMESPACE = (("NamespaceNotFoundException", ""),)
"""ECS may not see a namespace at once that was just made."""

Wanted = t.Mapping[str, t.Any]


def find(clients: Clients, name: str) -> dict[str, t.Any] | None:
    """The namespace that ECS calls so."""
    filters = [{"Name": "HTTP_NAME", "Values": [name], "Condition": "EQ"}]
    pages = clients(SERVICE).get_paginator("list_namespaces").paginate(Filters=filters)
    return next((item for page in pages for item in page["Namespaces"] if http_name(item) == name), None)


def http_name(namespace: t.Mapping[str, t.Any]) -> str:
    return str(((namespace.get("Properties") or {}).get("HttpProperties") or {}).get("HttpName") or namespace["Name"])


def arn_of(clients: Clients, reference: str) -> str | None:
    """The ARN of a namespace by its name; an ARN is taken as it is: it may be of another account."""
    if reference.startswith("arn:"):
        return reference
    found = find(clients, reference)
    return str(found["Arn"]) if found else None


def read(clients: Clients, wanted: t.Sequence[Wanted]) -> dict[str, str]:
    """Name -> ARN of those that exist. One that isn't ours is used only where the inventory names it."""
    found = {item["name"]: find(clients, item["name"]) for item in wanted}
    for item in wanted:
        present = found[item["name"]]
        if present and not item.get("shared"):
            refuse_foreign(item, present, clients)
    return {name: str(present["Arn"]) for name, present in found.items() if present}


def refuse_foreign(wanted: Wanted, present: t.Mapping[str, t.Any], clients: Clients) -> None:
    owner, name = (wanted.get("tags") or {}).get(tagging.SYSTEM), wanted["name"]
    if owner is not None and tags_of(clients, present["Arn"]).get(tagging.SYSTEM) != owner:
        raise CutoverError(
            f"The namespace {name} ({present['Id']}) exists without the tag {tagging.SYSTEM}={owner}, so it is not ours. fargate_names.namespaces should give "
            "the target's another name, or fargate_service_connect_namespace should name this one to use it as it is. Nothing was changed."
        )


def tags_of(clients: Clients, arn: str) -> dict[str, str]:
    return tagging.to_dict(clients(SERVICE).list_tags_for_resource(ResourceARN=arn)["Tags"])


def compare(wanted: t.Sequence[Wanted], present: t.Mapping[str, str], clock: Clock) -> list[Call]:
    return [_create(item, clock) for item in wanted if item["name"] not in present]


def _create(wanted: Wanted, clock: Clock) -> Call:
    """An HTTP namespace: Service Connect needs no DNS. CreateHttpNamespace only begins; the ARN is known at its end."""
    name = wanted["name"]

    def taken(clients: Clients) -> Answer:
        """Somebody was faster, or a killed run's own call has ended meanwhile."""
        found = find(clients, name)
        if found is None:
            raise CutoverError(f"The namespace {name} exists by Cloud Map's words, and is not in its list. Nothing was changed by that. Run again.")
        refuse_foreign(wanted, found, clients)
        return found

    params = {"Name": name, "Description": wanted.get("description"), "Tags": tagging.to_list(wanted.get("tags") or {})}
    return Call(
        f"create namespace {name}",
        SERVICE,
        "create_http_namespace",
        {key: value for key, value in params.items() if value},
        gives={Ref("namespace", name): ("Arn",)},
        done={"NamespaceAlreadyExists": taken},
        again=IN_PROGRESS,
        completed=lambda clients, answer: _completed(name, answer, clients, clock),
    )


def _completed(name: str, answer: Answer, clients: Clients, clock: Clock) -> Answer:
    """The namespace, once its making has ended."""
    deadline = clock.now() + OPERATION_SECONDS
    while True:
        operation = clients(SERVICE).get_operation(OperationId=answer["OperationId"])["Operation"]
        status = operation.get("Status")
        if status == "SUCCESS":
            return t.cast(Answer, clients(SERVICE).get_namespace(Id=operation["Targets"]["NAMESPACE"])["Namespace"])
        if status == "FAIL":
            reason = f"{operation.get('ErrorCode')}: {operation.get('ErrorMessage')}"
            raise CutoverError(f"Cloud Map could not make namespace {name}: {reason}. Nothing else was changed.")
        if clock.now() >= deadline:
            raise CutoverError(f"Cloud Map still makes namespace {name} after {OPERATION_SECONDS:g} s ({status}). Nothing else was changed. Run again later.")
        clock.sleep(2.0)
