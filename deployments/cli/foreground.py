"""`cryptotrader run --dry-run`: tend one paper bot in the foreground, without Prefect, until Ctrl-C."""

from __future__ import annotations

import typer

from cryptotrader.errors import InputRefused, LeaseHeld, VenueUnavailable
from cryptotrader.execution.commands import BotLine, add_bot, ensure_default_bot
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.trading_pass import run_pass
from cryptotrader.settings import Settings, load_settings
from cryptotrader.store.bots import find_bot
from cryptotrader.store.migrate import upgrade
from cryptotrader.store.read import bot_status, recent_fills
from deployments.cli.grid_flags import GridFlags
from deployments.cli.output import note, screen, write_json
from deployments.cli.ready import open_ready_desk
from deployments.cli.run import RunFlags
from deployments.cli.status import bot_document
from deployments.readiness import prepare_home
from deployments.watch import fill_line, status_line

LOOK_SECONDS = 1
INTERRUPTED = 130


class Tender:
    """Trades one bot again and again, and tells what happened."""

    def __init__(self, desk: Desk, bot: BotLine, *, as_json: bool) -> None:
        self.desk, self.bot, self.as_json = desk, bot, as_json
        with desk.db.reading() as session:
            fills = recent_fills(session, bot.name, limit=1)
            self.cycles = find_bot(session, bot.name).cycles
        self._status = ""
        self.last_fill, self.last_words = max((fill.trade_id for fill in fills), default=0), ""

    def trade(self) -> bool:
        """Run one pass and let the market move on; return whether there may be more to do at once."""
        name, venue = self.bot.name, self.desk.venue(self.bot.account)
        try:
            result = run_pass(self.desk.db, venue, self.desk.runtime, name)
            self.tell_fills()
            return venue.advance(self.bot.symbol, result.watches) or result.tally.total > 0
        except (LeaseHeld, VenueUnavailable) as obstacle:
            self._say_once(f"{obstacle}. The next look tries again.")
            return False

    def tell_fills(self) -> None:
        """Print the fills that were not printed yet."""
        with self.desk.db.reading() as session:
            fills = recent_fills(session, self.bot.name, after_id=self.last_fill)
            status = bot_status(session, self.bot.name)
        self.cycles = status.cycles
        if fills:
            self.last_fill = fills[-1].trade_id
            self._status = status_line(status)
            self._tell([*map(fill_line, fills)])

    def tell_status(self) -> None:
        """Print where the bot stands, once after its last fill."""
        if self._status:
            self._tell([self._status])
        self._status = ""

    def _say_once(self, words: str) -> None:
        if words and words != self.last_words:
            note(words)
        self.last_words = words

    def _tell(self, lines: list[str]) -> None:
        """Print lines as they happen: to stdout for people, to stderr when stdout belongs to the result."""
        from rich.console import Console

        console = Console(stderr=True, highlight=False) if self.as_json else screen()
        for line in lines:
            console.print(line, soft_wrap=True)


def trade(grid: GridFlags, flags: RunFlags, settings: Settings, *, as_json: bool) -> None:
    """Tend the bot that the flags describe, or the first one, until Ctrl-C or so many round trips."""
    _refuse_replay_flags(flags)
    settings = _with_grid(grid, settings)
    prepare_home(settings.home)
    upgrade(settings.database)
    with open_ready_desk(settings) as desk:
        bot = _bot(desk, grid)
        tender = Tender(desk, bot, as_json=as_json)
        note(f"{bot.name} trades {bot.symbol} on paper money, {desk.venue(bot.account).market_label}. Ctrl-C ends it.")
        was_interrupted = _tend(tender, flags.cycles)
        tender.tell_status()
        note(f"{bot.name} rests: its orders stay in the paper exchange's book, the next run continues.")
        if as_json:
            with desk.db.reading() as session:
                write_json(bot_document(bot_status(session, bot.name), desk.runtime.wall.now()))
    if was_interrupted:
        raise typer.Exit(INTERRUPTED)


def _tend(tender: Tender, cycles: int | None) -> bool:
    """Trade until so many more round trips are done, or until Ctrl-C; return whether it was Ctrl-C."""
    enough = None if cycles is None else tender.cycles + cycles
    try:
        while enough is None or tender.cycles < enough:
            if not tender.trade():
                tender.tell_status()
                tender.desk.runtime.wall.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        return True
    return False


def _bot(desk: Desk, grid: GridFlags) -> BotLine:
    if not grid.names_a_grid:
        return ensure_default_bot(desk)
    return add_bot(desk, name=grid.symbol.lower().replace("/", "-"), account="paper", config=grid.config())


def _with_grid(grid: GridFlags, settings: Settings) -> Settings:
    """Return the settings with the symbol and fee asset of the flags, when they name a grid."""
    if grid.names_market_units:
        raise InputRefused(
            "--tick, --lot, --min-notional and fees belong to --until-end.", field="tick",
            hint="In the foreground the paper exchange has rules of its own.",
        )  # fmt: skip
    if not grid.names_a_grid:
        return settings
    grid.config()  # refused before anything is made
    kept = {name: getattr(settings, name) for name in ("trading_market", "candles")}
    return load_settings(**kept, trading_symbol=grid.symbol, trading_fee_in=grid.fee_in)


def _refuse_replay_flags(flags: RunFlags) -> None:
    given = {"passes-every": flags.passes_every, "touch": flags.touch or None}
    for name, value in given.items():
        if value is not None:
            raise InputRefused(f"--{name} belongs to --until-end.", field=name, value=value)
