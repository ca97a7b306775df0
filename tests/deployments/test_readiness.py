"""Refusals before anything starts: one line each, with what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cryptotrader.errors import SettingsRefused, StoreError
from cryptotrader.settings import load_settings
from deployments.readiness import check_port, check_python, prepare_home
from deployments.stack import main


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_refuses_other_pythons(version: tuple[int, int]) -> None:
    with pytest.raises(SettingsRefused, match=rf"This is Python {version[0]}\.{version[1]}; .*3\.11, 3\.12 or 3\.13"):
        check_python(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 13)])
def test_accepts_supported_pythons(version: tuple[int, int]) -> None:
    check_python(version)


def test_names_port_and_its_holder() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(SettingsRefused) as refused:
            check_port(load_settings(prefect_port=port))
    assert f"Port {port}" in str(refused.value)
    assert "(pid " in str(refused.value)
    assert (refused.value.field, refused.value.value) == ("PREFECT_PORT", str(port))


def test_accepts_a_free_port() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    check_port(load_settings(prefect_port=port))


def test_makes_home_for_its_owner_only(tmp_path: Path) -> None:
    prepare_home(tmp_path / "home")
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["logs", "prefect"]


def test_names_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    in_the_way = tmp_path / "home"
    in_the_way.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=rf"{in_the_way} cannot be written .*CRYPTOTRADER_HOME"):
        prepare_home(in_the_way)


def test_refusal_is_one_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("")
    monkeypatch.setenv("CRYPTOTRADER_HOME", str(tmp_path / "home"))
    assert main() == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
