"""A folder of its own for every test, and nothing of the developer's settings in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cryptotrader.settings import Settings
from deployments.cli import main
from tests.deployments import local_stack
from tests.deployments.command_line import Answer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, with a data folder named but not made."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRYPTOTRADER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run one command in this process and return its exit code and what it printed."""

    def run(*words: str) -> Answer:
        capsys.readouterr()
        code = main(words)
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return run


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    return local_stack.free_port()
