"""What the processes of the stack are told, and what is kept from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryptotrader.settings import Settings, load_settings
from deployments.environment import load_encryption_key, stack_environment


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(cryptotrader_home=tmp_path, prefect_port=4999, database_url="")


def test_points_every_process_to_the_local_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere.example/api")
    monkeypatch.setenv("PREFECT_PROFILE", "cloud")
    environment = stack_environment(settings, "token")
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:4999/api"
    assert environment["PREFECT_SERVER_API_HOST"] == "127.0.0.1"
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert "PREFECT_PROFILE" not in environment


def test_fixes_paths_whatever_the_working_folder(settings: Settings, tmp_path: Path) -> None:
    environment = stack_environment(settings, "token")
    assert environment["CRYPTOTRADER_HOME"] == str(tmp_path)
    assert environment["DATABASE_URL"] == settings.database
    assert "PYTHONDONTWRITEBYTECODE" not in environment


def test_obeys_a_password_for_the_api(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "user:word")
    environment = stack_environment(settings, "token")
    assert environment["PREFECT_SERVER_API_AUTH_STRING"] == environment["PREFECT_API_AUTH_STRING"] == "user:word"


def test_encryption_key_is_made_once_for_its_owner(tmp_path: Path) -> None:
    first = load_encryption_key(tmp_path / "encryption.key")
    assert load_encryption_key(tmp_path / "encryption.key") == first
    assert (tmp_path / "encryption.key").stat().st_mode & 0o777 == 0o600
    assert len(first) == 44
