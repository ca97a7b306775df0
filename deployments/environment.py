"""The environment of what `cryptotrader up` starts: one local Prefect, on loopback, in our home folder."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path

from cryptotrader.runtime import Runtime
from cryptotrader.settings import Settings

STACK_VARIABLE = "CRYPTOTRADER_STACK"
"""Marks every process of one `up`, grandchildren included, with that start's own token."""

PROCESS_VARIABLE = "CRYPTOTRADER_PROCESS"
"""Names the process, or the one that it descends from: server, serve or watch."""

HOUSEKEEPING = ("LATE_RUNS", "PAUSE_EXPIRATIONS", "REPOSSESSOR", "CLEANUP_RECONCILER", "CANCELLATION_CLEANUP")
"""Services of the server that look around every 5 to 20 s by default, which one bot a minute does not need."""

TERMINAL_VARIABLE = "CRYPTOTRADER_TERMINAL"
"""1 when `up` writes to a terminal, so that the watch behind its pipe knows that it may use colours."""

RUN_RETENTION, EVENT_RETENTION = timedelta(days=2), timedelta(hours=2)
"""How long finished runs are kept, and the events that Prefect writes about them: at one run a minute that tends one
bot, runs grow by 70 MB a day and events by 200 MB. Prefect's own 90 and 7 days would be gigabytes."""


def server_url(settings: Settings) -> str:
    """Return the address of the local Prefect server."""
    return f"http://127.0.0.1:{settings.prefect_port}"


def stack_environment(settings: Settings, token: str) -> dict[str, str]:
    """Return the environment of all processes of the stack.

    Prefect variables of the surrounding shell are left out, so that a profile or a cloud address there cannot lead
    these processes elsewhere; only PREFECT_SERVER_API_AUTH_STRING is obeyed, by server and clients alike.
    """
    foreign = ("PREFECT_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return inherited | _own(settings, token) | _prefect(settings) | _auth()


def _own(settings: Settings, token: str) -> dict[str, str]:
    """Settings that must mean the same in every process, whatever its working folder."""
    candles = {"CANDLES": str(settings.candles.expanduser().resolve())} if settings.candles else {}
    packages = (str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", ""))
    return candles | {
        STACK_VARIABLE: token,
        "CRYPTOTRADER_HOME": str(settings.home),
        "DATABASE_URL": settings.database,
        "PREFECT_PORT": str(settings.prefect_port),
        "PYTHONPATH": os.pathsep.join(filter(None, packages)),
        "PYTHONUNBUFFERED": "1",
    }


def _prefect(settings: Settings) -> dict[str, str]:
    home = settings.home / "prefect"
    url = server_url(settings)
    housekeeping = {f"PREFECT_SERVER_SERVICES_{name}_LOOP_SECONDS": "30" for name in HOUSEKEEPING}
    return housekeeping | {
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(settings.prefect_port),
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{url},http://localhost:{settings.prefect_port}",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_ENCRYPTION_KEY": load_encryption_key(settings.home / "encryption.key"),
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs,orphans",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(int(RUN_RETENTION.total_seconds())),
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"PT{EVENT_RETENTION // timedelta(hours=1)}H",
        "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",  # it watches work pools; we have none
        "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT30S",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_INTERNAL_LEVEL": "ERROR",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    }


def _auth() -> dict[str, str]:
    secret = os.environ.get("PREFECT_SERVER_API_AUTH_STRING")
    return {"PREFECT_SERVER_API_AUTH_STRING": secret, "PREFECT_API_AUTH_STRING": secret} if secret else {}


def load_encryption_key(path: Path) -> str:
    """Return the key that encrypts Prefect's blocks; make it on the first start, for this user's eyes only.

    Without it Prefect keeps its key in the very database that the key protects.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(urlsafe_b64encode(Runtime().random.randbytes(32)).decode())
    return path.read_text().strip()
