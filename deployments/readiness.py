"""What must be right before the stack starts; each refusal is one line that says what to do."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from cryptotrader.errors import SettingsRefused, StoreError
from cryptotrader.settings import Settings
from deployments.processes import port_holder

OLDEST, TOO_NEW = (3, 11), (3, 14)


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Refuse a Python that the pinned packages were not made for."""
    if not OLDEST <= version < TOO_NEW:
        raise SettingsRefused(
            f"This is Python {version[0]}.{version[1]}; CryptoTrader needs 3.11, 3.12 or 3.13.",
            field="python",
            value=f"{version[0]}.{version[1]}",
            hint="Install one of them and run `make run PYTHON=python3.12`.",
        )


def prepare_home(home: Path) -> None:
    """Make the data folder, readable by this user only, and prove that it can be written.

    Raises:
        StoreError: it cannot; the message names the folder and the reason.
    """
    probe = home / ".writable"
    try:
        for folder in (home, home / "logs", home / "prefect"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StoreError(
            f"The folder {home} cannot be written ({os.strerror(error.errno or 0)}): set CRYPTOTRADER_HOME to another."
        ) from None


def check_port(settings: Settings) -> None:
    """Refuse a port that somebody listens on, and name them if that can be found out."""
    port = settings.prefect_port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            holder = port_holder(port)
            raise SettingsRefused(
                f"Port {port} cannot be used ({os.strerror(error.errno or 0)}{holder and f': {holder}'}).",
                field="PREFECT_PORT",
                value=port,
                hint="Set PREFECT_PORT to a free port, or end that process.",
            ) from None
