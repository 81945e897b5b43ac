"""Who changes a variable that a conf needs changed: the derived image its own, the translation those of the task definition, and nobody else's."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._ecr import environment
from ansible_collections.cutover.fargate.plugins.module_utils._nginx.rewrite import rewrite
from ansible_collections.cutover.fargate.plugins.module_utils._translate import image, peers

CONF = {"etc/nginx/templates/a.template": b"fastcgi_pass ${BACKEND}:9000;"}
PEERS = {"php-fpm": "127.0.0.1"}


def settled(own: dict[str, str], **wanted: t.Any) -> environment.Settled:
    values = environment.of_container(own, wanted)
    return environment.settle(rewrite(CONF, PEERS, environment=values), wanted)


def test_a_variable_of_the_image_is_changed_in_the_image() -> None:
    done = settled({"BACKEND": "php-fpm", "PATH": "/bin"})
    assert [(edit.name, edit.after) for edit in done.image] == [("BACKEND", "127.0.0.1")]
    assert (done.definition, done.findings) == ((), ())


def test_a_variable_that_the_translation_changes_is_settled() -> None:
    done = settled({"BACKEND": "other"}, environment={"BACKEND": "php-fpm"}, target_environment={"BACKEND": "127.0.0.1"})
    assert [(edit.name, edit.after) for edit in done.definition] == [("BACKEND", "127.0.0.1")]
    assert (done.image, done.findings) == ((), ())


@pytest.mark.parametrize(
    ("target", "said"), [({}, "it says php-fpm"), ({"BACKEND": "10.0.0.1"}, "it says 10.0.0.1")], ids=["not changed", "changed to something else"]
)
def test_a_variable_that_the_new_definition_does_not_have_as_needed_is_refused(target: dict[str, str], said: str) -> None:
    (finding,) = settled({"BACKEND": "127.0.0.1"}, environment={"BACKEND": "php-fpm"}, target_environment=target).findings
    assert (finding.id, finding.severity, finding.path, finding.line, finding.column) == ("NGX-ENVIRONMENT-KEPT", "BLOCKER", *CONF, 1, 14)
    assert said in finding.why
    assert "name BACKEND in fargate_peer_variables" in finding.fix


def test_the_definition_comes_before_the_image() -> None:
    done = settled({"BACKEND": "php-fpm"}, environment={"BACKEND": "127.0.0.1"})
    assert (done.image, done.definition, done.findings) == ((), (), ())


def test_a_secret_hides_the_images_value_and_stays_unknown() -> None:
    (finding,) = settled({"BACKEND": "127.0.0.1"}, unknown_environment=["BACKEND"]).findings
    assert (finding.id, finding.severity) == ("NGX-PLACEHOLDER", "BLOCKER")


@pytest.mark.parametrize(
    ("name", "value", "addresses"),
    [("PHP_HOST", "php-fpm", ()), ("UPSTREAM", "php-fpm:9000", ()), ("API", "http://php-fpm:8080/x", ()), ("PHP_SERVICE", "php-fpm", ("PHP_SERVICE",))],
)
def test_the_translation_and_the_rewrite_make_the_same_of_a_value(name: str, value: str, addresses: tuple[str, ...]) -> None:
    """The plan is made without the image: what it does must be what the conf needs, in every form that a value has."""
    source = {"name": "nginx", "links": ["php-fpm"], "environment": [{"name": name, "value": value}]}
    target = {**source, "environment": [{"name": name, "value": value}]}
    assert list(peers.environment(target, peers.hosts(source), "p", addresses))
    wanted = {"environment": image.environment(source), "target_environment": image.changed_environment(source, target)}
    directive = {"UPSTREAM": "fastcgi_pass ${UPSTREAM};", "API": "proxy_pass ${API};"}.get(name, f"fastcgi_pass ${{{name}}}:9000;")
    done = rewrite({"a.template": directive.encode()}, PEERS, environment=environment.of_container({}, wanted))
    settled = environment.settle(done, wanted)
    assert [edit.after for edit in settled.definition] == [value.replace("php-fpm", "127.0.0.1")]
    assert settled.findings == ()
