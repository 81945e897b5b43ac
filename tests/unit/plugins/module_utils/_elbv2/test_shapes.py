"""Shapes of Elastic Load Balancing: what Describe gives back equals what was planned, whatever it adds."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2 import shapes
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2.common import full_name

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-web/73e2d6bc24d8a067"
BY_NAME = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupName": "shop-web", "Weight": 1}]}}

SAME_ACTIONS: dict[str, tuple[t.Any, t.Any]] = {
    "arn beside config": (
        [BY_NAME],
        [
            {
                "Type": "forward",
                "TargetGroupArn": ARN,
                "Order": 1,
                "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": ARN, "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": False}},
            }
        ],
    ),
    "only an arn": ([BY_NAME], [{"Type": "forward", "TargetGroupArn": ARN}]),
    "redirect defaults": (
        [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}],
        [
            {
                "Type": "redirect",
                "Order": 1,
                "RedirectConfig": {
                    "Protocol": "HTTPS",
                    "Port": "443",
                    "Host": "#{host}",
                    "Path": "/#{path}",
                    "Query": "#{query}",
                    "StatusCode": "HTTP_301",
                },
            }
        ],
    ),
    "order": (
        [{"Type": "authenticate-cognito", "AuthenticateCognitoConfig": {"UserPoolArn": "a"}}, BY_NAME],
        [
            {**BY_NAME, "Order": 2},
            {
                "Type": "authenticate-cognito",
                "Order": 1,
                "AuthenticateCognitoConfig": {"UserPoolArn": "a", "Scope": "openid", "SessionTimeout": 604800, "SessionCookieName": "AWSELBAuthSessionCookie"},
            },
        ],
    ),
}


@pytest.mark.parametrize("name", SAME_ACTIONS)
def test_described_actions_equal_planned_ones(name: str) -> None:
    planned, described = SAME_ACTIONS[name]
    assert shapes.actions(planned) == shapes.actions(described)


@pytest.mark.parametrize(
    "other",
    [
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupName": "shop-web", "Weight": 2}]}},
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupName": "other", "Weight": 1}]}},
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupName": "shop-web"}, {"TargetGroupName": "other"}]}},
        {
            "Type": "forward",
            "ForwardConfig": {"TargetGroups": [{"TargetGroupName": "shop-web"}], "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}},
        },
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}},
    ],
)
def test_weights_groups_and_stickiness_make_a_difference(other: dict[str, t.Any]) -> None:
    """The stock module compares only one target group of a forward action."""
    assert shapes.actions([BY_NAME]) != shapes.actions([other])


def test_weight_zero_is_a_weight() -> None:
    assert shapes.actions([{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": ARN, "Weight": 0}]}}]) != shapes.actions([BY_NAME])


def test_a_client_secret_is_never_described_and_so_not_compared() -> None:
    planned = [{"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"Issuer": "i", "ClientSecret": "s"}}]
    described = [{"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"Issuer": "i"}}]
    assert shapes.comparable(shapes.actions(planned)) == shapes.comparable(shapes.actions(described))


def test_conditions_in_the_old_and_the_new_way_are_the_same() -> None:
    old = [{"Field": "path-pattern", "Values": ["/b", "/a"]}, {"Field": "host-header", "Values": ["x"]}]
    both = [
        {"Field": "host-header", "Values": ["x"], "HostHeaderConfig": {"Values": ["x"]}},
        {"Field": "path-pattern", "Values": ["/a", "/b"], "PathPatternConfig": {"Values": ["/a", "/b"]}},
    ]
    assert shapes.conditions(old) == shapes.conditions(both)
    assert all("Values" not in item for item in shapes.conditions(both))  # AWS refuses both ways in one condition


@pytest.mark.parametrize(
    "condition",
    [
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["1"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "b", "Value": "2"}, {"Value": "1"}]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"]}},
    ],
)
def test_every_kind_of_condition_survives(condition: dict[str, t.Any]) -> None:
    (shown,) = shapes.conditions([condition])
    assert shown["Field"] == condition["Field"]
    assert len(shown) == 2


def test_mutual_authentication_that_is_off_is_off() -> None:
    off = {"Mode": "off", "IgnoreClientCertificateExpiry": False, "AdvertiseTrustStoreCaNames": "off"}
    assert shapes.mutual_authentication(None) == shapes.mutual_authentication(off)
    described = {"Mode": "verify", "TrustStoreArn": "arn", "TrustStoreAssociationStatus": "active", "IgnoreClientCertificateExpiry": False}
    assert shapes.mutual_authentication(described) == {"Mode": "verify", "TrustStoreArn": "arn"}


def test_attributes_of_a_plan_and_of_describe_are_the_same() -> None:
    assert shapes.attributes({"a": True, "b": 60, "c": None}) == shapes.attributes([{"Key": "a", "Value": "true"}, {"Key": "b", "Value": "60"}])


def test_names_of_cloudwatch_dimensions() -> None:
    assert full_name("arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188") == "app/shop/50dc6c495c0c9188"
    assert full_name(ARN) == "targetgroup/shop-web/73e2d6bc24d8a067"
