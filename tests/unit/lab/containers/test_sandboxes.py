"""What a podman store tells of the namespaces podman made."""

from __future__ import annotations

from pathlib import Path

from lab.containers import sandboxes

ONE, OTHER = "netns-d02c49a2-fe6a-902f-6787-a654c2a774b5", "netns-444aa8a9-9f2b-9610-77b5-d98be89175f5"


def test_names_come_from_the_database_and_from_each_containers_specification(tmp_path: Path) -> None:
    (tmp_path / "root/libpod").mkdir(parents=True)
    (tmp_path / "root/libpod/bolt_state.db").write_bytes(b"\x00\xffnetns\x00/run/netns/" + ONE.encode() + b"\x01\x02 /run/netns/lab-i-0123456789")
    (tmp_path / "root/overlay-containers/c1/userdata").mkdir(parents=True)
    (tmp_path / "root/overlay-containers/c1/userdata/config.json").write_text(f'{{"type": "network", "path": "/run/netns/{OTHER}"}}')
    assert sandboxes.known(tmp_path) == {ONE, OTHER}


def test_a_lab_s_own_namespaces_and_an_empty_store_give_none(tmp_path: Path) -> None:
    (tmp_path / "root/libpod").mkdir(parents=True)
    (tmp_path / "root/libpod/bolt_state.db").write_bytes(b"/run/netns/netns-short /run/netns/lab-vpc")
    assert sandboxes.known(tmp_path) == set()
    assert sandboxes.known(tmp_path / "gone") == set()
