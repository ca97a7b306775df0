"""A process that trades, for tests of races: `python -m tests.execution.racer HOME DATABASE_URL NAME [CHECKPOINT]`.

With a checkpoint it stops itself there the first time, as by SIGSTOP from outside. Every pass is told in one line.
SIGTERM ends it after the pass at hand.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from cryptotrader.errors import CryptoTraderError
from cryptotrader.execution.desk import Desk, open_desk
from cryptotrader.execution.tend import trade_until_now
from cryptotrader.runtime import Runtime
from cryptotrader.settings import Settings, load_settings

BOT = "btc"


def racing_settings(home: Path, url: str) -> Settings:
    """Return the settings that all racers of one race share: the synthetic market, two hours in a second."""
    return load_settings(cryptotrader_home=home, database_url=url, replay_speed=7200, trading_deposit="2000")


def stop_at(desk: Desk, checkpoint: str) -> None:
    """Let this process stop itself at a checkpoint, once."""

    def stop(name: str) -> None:
        if name == checkpoint:
            desk.db.checkpoint = lambda _name: None
            os.kill(os.getpid(), signal.SIGSTOP)

    desk.db.checkpoint = stop


def main(home: str, url: str, name: str, checkpoint: str = "") -> None:
    """Tend the bot until told to end."""
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    with open_desk(racing_settings(Path(home), url), Runtime(holder=name)) as desk:
        if checkpoint:
            stop_at(desk, checkpoint)
        while not ended:
            try:
                told = trade_until_now(desk, BOT).outcome
            except CryptoTraderError as error:
                told = f"{type(error).__name__}: {error}"
            print(told, flush=True)  # noqa: T201
            time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
