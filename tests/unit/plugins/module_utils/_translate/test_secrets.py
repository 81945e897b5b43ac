from __future__ import annotations

import json

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import comparison, report, secrets
from unit.plugins.module_utils._translate import systems

HIDDEN = ["correct-horse", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AKIAIOSFODNN7EXAMPLE", "wYJpvK5x0u3mJ0mV2n7cQk0l1D7b9ZP4f5s8a6R1t0E="]


@pytest.mark.parametrize(
    "name", ["APP_KEY", "DB_PASSWORD", "REDIS_PASSWORD", "MAIL_PASS", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "STRIPE_API_KEY", "JWT_TOKEN", "SENTRY_DSN", "PRIVATE_KEY"]
)
def test_secret_names(name: str) -> None:
    assert secrets.mask_value(name, "value") == secrets.MASK


@pytest.mark.parametrize("name", ["DB_HOST", "KMS_KEY", "SESSION_DRIVER", "TOKEN_LIFETIME", "PUBLIC_KEY", "KEYBOARD", "AUTHOR", "FASTCGI_PASS", "kms_key_id", "PASSWORD_DRIVER"])
def test_plain_names(name: str) -> None:
    assert secrets.mask_value(name, "value") == "value"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("mysql://shop:hunter2@db/shop", "hunter2"),
        ("redis://:hunter2@cache", "hunter2"),
        ("mysqldump --password=hunter2 shop", "hunter2"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("base64:wYJpvK5x0u3mJ0mV2n7cQk0l1D7b9ZP4", "wYJpvK5x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ],
)
def test_shapes_of_secrets(text: str, gone: str) -> None:
    assert gone not in secrets.mask_text(text)


@pytest.mark.parametrize("text", ["http://app:8080/x", "arn:aws:iam::123456789012:role/secret-reader", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx:1.4.2"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert secrets.mask_text(text) == text


def test_the_name_of_a_secret_is_none() -> None:
    assert secrets.mask_value("DB_PASSWORD", "arn:aws:secretsmanager:x") == "arn:aws:secretsmanager:x"


@pytest.mark.parametrize("case", systems.CASES)
def test_nothing_printable_holds_a_secret(case: str) -> None:
    system = systems.system(case)
    plan = systems.plan(system, **systems.intent(case))
    shown = json.dumps([report.summary(plan), report.verdict(plan), report.blockers(plan), comparison.diff(system, plan), plan["findings"], secrets.mask(plan)])
    assert [secret for secret in HIDDEN if secret in shown] == []


def test_masking_a_plan_keeps_everything_else() -> None:
    plan = systems.plan()
    masked = secrets.mask(plan)
    assert {key: value for key, value in masked.items() if key != "task_definitions"} == {key: value for key, value in plan.items() if key != "task_definitions"}
    variables = {pair["name"]: pair["value"] for pair in systems.planned_containers(masked)["php-fpm"]["environment"]}
    assert variables["DB_PASSWORD"] == variables["APP_KEY"] == secrets.MASK
    assert variables["SESSION_DRIVER"] == "redis"
