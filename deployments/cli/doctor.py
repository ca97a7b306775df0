"""`cryptotrader doctor`: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.cli.checks import Check, failed, passed, show_checks, warned
from deployments.cli.output import AsJson

if TYPE_CHECKING:
    from cryptotrader.settings import Settings

LITTLE_SPACE, NO_SPACE = 1_000_000_000, 100_000_000
WRITTEN = datetime(2025, 1, 1, tzinfo=UTC)
"""No clock that is right shows less: this code is younger."""
SKEW = timedelta(seconds=2)


def doctor(as_json: AsJson = False) -> None:
    """Check Python, folders, database, disk, port, Prefect, candles and clock."""
    from cryptotrader.errors import SettingsRefused
    from cryptotrader.settings import load_settings

    checks = [_python()]
    try:
        settings = load_settings()
    except SettingsRefused as refused:
        show_checks([*checks, failed("settings", str(refused))], as_json=as_json)
        return
    checks += [passed("settings", "Each can be used."), _folder(settings.home), _database(settings)]
    checks += [_disk(settings.home), *_stack(settings), _candles(settings), _clock(settings)]
    show_checks(checks, as_json=as_json)


def _python() -> Check:
    from cryptotrader.errors import SettingsRefused
    from deployments.readiness import check_python

    try:
        check_python()
    except SettingsRefused as refused:
        return failed("python", str(refused))
    return passed("python", f"{sys.version_info.major}.{sys.version_info.minor} at {sys.executable}")


def _folder(home: Path) -> Check:
    from cryptotrader.errors import StoreError
    from deployments.readiness import prepare_home

    if not home.exists():
        return warned("folder", f"{home} is not there yet: `cryptotrader init` makes it.")
    try:
        prepare_home(home)
    except StoreError as refused:
        return failed("folder", str(refused))
    if home.stat().st_mode & 0o077:
        return warned("folder", f"Others on this machine can look into {home}: chmod 700 keeps them out.")
    return passed("folder", f"{home}, for you alone.")


def _database(settings: Settings) -> Check:
    from cryptotrader.errors import StoreError
    from cryptotrader.store.migrate import find_revision, newest_revision, require_newest

    try:
        if find_revision(settings.database) is None:
            return warned("database", "There is none yet: `cryptotrader init` makes it.")
        require_newest(settings.database)
    except StoreError as refused:
        return failed("database", str(refused))
    return passed("database", f"At revision {newest_revision()}, the newest.")


def _disk(home: Path) -> Check:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    message = f"{free / 10**9:.1f} GB free for {home}."
    if free < NO_SPACE:
        return failed("disk", f"{message} Make room: a full disk stops trading.")
    return warned("disk", message) if free < LITTLE_SPACE else passed("disk", message)


def _stack(settings: Settings) -> Iterator[Check]:
    """Check the port, and that Prefect's server answers when the stack runs."""
    from cryptotrader.errors import SettingsRefused
    from deployments.cli.running import running_processes
    from deployments.environment import server_url
    from deployments.readiness import check_port

    processes, url = running_processes(settings), server_url(settings)
    if any(process.is_healthy for process in processes):
        yield passed("port", f"{settings.prefect_port}, in use by this installation.")
        silent = ", ".join(process.name for process in processes if not process.is_healthy)
        yield failed("prefect", f"{silent} does not answer.") if silent else passed("prefect", f"Answers at {url}.")
        return
    try:
        check_port(settings)
    except SettingsRefused as refused:
        yield failed("port", str(refused))
    else:
        yield passed("port", f"{settings.prefect_port} is free.")
    yield warned("prefect", f"Nothing answers at {url}: `cryptotrader up` starts it.")


def _candles(settings: Settings) -> Check:
    from cryptotrader.errors import InputRefused
    from cryptotrader.settings import MarketSource
    from cryptotrader.venue.candle_file import read_candles

    if settings.trading_market is MarketSource.LIVE:
        return passed("candles", f"Not needed: prices come from {settings.exchange_name}.")
    if settings.candles is None:
        return passed("candles", f"The SYNTHETIC series, seed {settings.replay_seed}.")
    try:
        file = read_candles(settings.candles, symbol=settings.trading_symbol, tick_size=None)
    except InputRefused as refused:
        return failed("candles", str(refused))
    message = " ".join([f"{len(file.block)} candles in {file.label}.", *file.warnings])
    return warned("candles", message) if file.warnings else passed("candles", message)


def _clock(settings: Settings) -> Check:
    """Compare this machine's clock to what was written before, and to the exchange where one is asked for prices."""
    from cryptotrader.errors import CryptoTraderError
    from cryptotrader.runtime import Runtime
    from cryptotrader.settings import MarketSource
    from cryptotrader.venue.live_prices import LivePrices

    now = Runtime().wall.now()
    earliest = max(WRITTEN, _last_pass(settings))
    if now < earliest:
        return failed("clock", f"It shows {now:%Y-%m-%d %H:%M:%S} UTC, before {earliest:%Y-%m-%d %H:%M:%S}.")
    if settings.trading_market is MarketSource.REPLAY:
        return passed("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC; a replay needs no other.")
    try:
        prices = LivePrices(settings.exchange_name, rest_url=settings.exchange_rest_url)
        off = abs(prices.fetch_time() - Runtime().wall.now())
        prices.close()
    except CryptoTraderError as silent:
        return warned("clock", f"It could not be compared: {silent}")
    message = f"{off.total_seconds():.1f} s from {settings.exchange_name}'s."
    return passed("clock", message) if off <= SKEW else failed("clock", message)


def _last_pass(settings: Settings) -> datetime:
    """Return when the last pass was, by the clock of that time."""
    from cryptotrader.errors import StoreError
    from cryptotrader.store.bots import open_bots
    from deployments.cli.ready import open_ready_desk

    try:
        with open_ready_desk(settings) as desk, desk.db.reading() as session:
            return max((bot.last_pass_at for bot in open_bots(session) if bot.last_pass_at), default=WRITTEN)
    except StoreError:
        return WRITTEN
