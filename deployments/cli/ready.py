"""Open the desk of an installation that is ready, and find the bots that a command means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cryptotrader.errors import InputRefused
from cryptotrader.execution.commands import list_bots
from cryptotrader.execution.desk import Desk, open_desk
from cryptotrader.settings import Settings, load_settings
from cryptotrader.store.database import explained
from cryptotrader.store.migrate import require_newest


@contextmanager
def open_ready_desk(settings: Settings | None = None) -> Iterator[Desk]:
    """Open database and venues; whatever the database refuses later becomes one sentence.

    Raises:
        SettingsRefused: a setting.
        StoreError: no database yet, one of another revision, or one that cannot be used.
    """
    settings = settings or load_settings()
    require_newest(settings.database)
    with explained(settings.database), open_desk(settings) as desk:
        yield desk


def chosen_bots(desk: Desk, bot: str | None, *, everything: bool) -> tuple[str, ...] | None:
    """Return the bots that --bot and --all mean; None for all of them, those added later included.

    Raises:
        InputRefused: both, or neither while there are several bots to choose from.
    """
    if bot is not None and everything:
        raise InputRefused("--bot and --all contradict each other.", field="bot", value=bot, hint="Give one of them.")
    if everything:
        return None
    if bot is not None:
        return (bot,)
    names = [line.name for line in list_bots(desk)]
    if len(names) != 1:
        known = ", ".join(names) or "none yet"
        raise InputRefused("bot is missing.", field="bot", hint=f"Give --all, or --bot with one of: {known}.")
    return (names[0],)
