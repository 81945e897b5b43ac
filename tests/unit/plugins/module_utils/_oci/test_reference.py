"""Image names as Docker reads them."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._oci.reference import Reference, parse

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", Reference("", "nginx", "latest")),
        ("nginx:1.25", Reference("", "nginx", "1.25")),
        ("library/nginx:1.25", Reference("", "library/nginx", "1.25")),
        ("localhost:5000/a/b", Reference("localhost:5000", "a/b", "latest")),
        ("localhost:5000/a/b:t", Reference("localhost:5000", "a/b", "t")),
        (f"{ECR}/shop/nginx:v1", Reference(ECR, "shop/nginx", "v1")),
        (f"{ECR}/shop/nginx@sha256:{'0' * 64}", Reference(ECR, "shop/nginx", "", f"sha256:{'0' * 64}")),
        (f"{ECR}/shop/nginx:v1@sha256:{'0' * 64}", Reference(ECR, "shop/nginx", "v1", f"sha256:{'0' * 64}")),
    ],
)
def test_parse(image: str, expected: Reference) -> None:
    assert parse(image) == expected


@pytest.mark.parametrize(
    ("host", "account", "region"),
    [
        (ECR, "123456789012", "eu-west-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "123456789012", "us-gov-west-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "123456789012", "cn-north-1"),
        ("registry.example.com", None, None),
        ("public.ecr.aws", None, None),
    ],
)
def test_ecr(host: str, account: str | None, region: str | None) -> None:
    image = parse(f"{host}/a:b")
    assert (image.ecr_account, image.ecr_region) == (account, region)
