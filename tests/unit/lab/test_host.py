"""One clear error before anything is touched."""

from __future__ import annotations

import pytest
from lab import host


def test_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(host.HostError, match="needs root"):
        host.preflight()


def test_not_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(host.HostError, match="Linux only"):
        host.preflight()


def test_a_missing_program_names_its_package_and_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(host, "PROGRAMS", {"no-such-program": "some-package", "sh": "dash"})
    with pytest.raises(host.HostError, match=r"not installed: some-package\. .*apt-get install --no-install-recommends some-package"):
        host.preflight()


def test_a_missing_python_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(host, "PROGRAMS", {})
    monkeypatch.setattr(host, "MODULES", {"no_such_module": "some-distribution"})
    with pytest.raises(host.HostError, match="some-distribution"):
        host.preflight()
