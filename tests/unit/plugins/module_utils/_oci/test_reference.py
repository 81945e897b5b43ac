"""Image names as Docker reads them."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._oci.reference import BadReferenceError, Reference, parse

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", Reference("", "nginx", "latest")),
        ("nginx:1.25", Reference("", "nginx", "1.25")),
        ("docker.io/library/nginx:1.25", Reference("", "library/nginx", "1.25")),
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


@pytest.mark.parametrize(
    "image", ["", "Nginx", "a/b:", "a//b", "a/b:t@sha256:12", "user:word@registry.example.com/a", "https://registry.example.com/a", "a b", f"{ECR}/", f"{ECR}/a/b:{'t' * 129}"]
)
def test_what_is_no_image_name(image: str) -> None:
    with pytest.raises(BadReferenceError, match="is not an image name; it should read host/repository:tag"):
        parse(image)


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("nginx", "https://registry-1.docker.io"),
        (f"{ECR}/a:b", f"https://{ECR}"),
        ("localhost:5000/a", "http://localhost:5000"),
        ("127.0.0.1:5000/a", "http://127.0.0.1:5000"),
        ("127.0.0.1.example.com/a", "https://127.0.0.1.example.com"),
        ("registry.example.com:5000/a", "https://registry.example.com:5000"),
    ],
)
def test_only_this_machine_is_asked_in_plain_text(image: str, url: str) -> None:
    assert parse(image).url == url
