"""Names of the lab's namespaces and links."""

from __future__ import annotations

import pytest
from lab.network.namespace import Namespace, check_name, link_name


@pytest.mark.parametrize("name", ["lab", "dp", "ci2"])
def test_plain_names_are_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "my-lab", "Lab", "2lab", "averyverylongname", "a/b"])
def test_a_name_that_could_claim_another_labs_namespaces_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="CUTOVER_LAB"):
        check_name(name)


def test_link_names_fit_the_kernel_and_differ() -> None:
    names = {link_name(f"lab-eni-{number:017x}") for number in range(500)}
    assert len(names) == 500
    assert max(map(len, names)) <= 15


def test_commands_enter_the_namespace_without_new_mounts() -> None:
    assert Namespace("lab-op").command(["id"]) == ["nsenter", "--net=/run/netns/lab-op", "id"]
