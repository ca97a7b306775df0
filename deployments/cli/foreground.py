"""`cryptotrader run --dry-run`: tend one paper bot in the foreground, without Prefect, until Ctrl-C."""

from __future__ import annotations

from cryptotrader.errors import InputRefused, VenueUnavailable
from cryptotrader.execution.commands import BotLine, add_bot, ensure_default_bot
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.tend import survey, trade_until_now
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


class Tender:
    """Trades one bot again and again, and tells what happened."""

    def __init__(self, desk: Desk, bot: BotLine, *, as_json: bool) -> None:
        self.desk, self.bot, self.as_json = desk, bot, as_json
        self.last_fill, self.last_words = 0, ""
        with desk.db.reading() as session:
            fills = recent_fills(session, bot.name, limit=1)
        self.last_fill = max((fill.trade_id for fill in fills), default=0)

    def look(self) -> int:
        """Trade what there is to trade and return the bot's round trips so far."""
        try:
            if survey(self.desk, self.bot.name).work:
                report = trade_until_now(self.desk, self.bot.name)
                self._say_once(report.skipped_because or "")
        except VenueUnavailable as silent:
            self._say_once(f"{silent} The next look tries again.")
        with self.desk.db.reading() as session:
            fills = recent_fills(session, self.bot.name, after_id=self.last_fill)
            cycles = find_bot(session, self.bot.name).cycles
            status = bot_status(session, self.bot.name)
        self._tell([*map(fill_line, fills), *([status_line(status)] if fills else [])])
        self.last_fill = max((fill.trade_id for fill in fills), default=self.last_fill)
        return cycles

    def _say_once(self, words: str) -> None:
        if words and words != self.last_words:
            note(words)
        self.last_words = words

    def _tell(self, lines: list[str]) -> None:
        """Print lines as they happen: to stdout for people, to stderr when stdout belongs to the result."""
        if not lines:
            return
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
        try:
            _tend(tender, flags.cycles)
        finally:
            note(f"{bot.name} rests: its orders stay in the paper exchange's book, the next run continues.")
        if as_json:
            with desk.db.reading() as session:
                write_json(bot_document(bot_status(session, bot.name), desk.runtime.wall.now()))


def _tend(tender: Tender, cycles: int | None) -> None:
    first = tender.look()
    done = first
    while cycles is None or done - first < cycles:
        tender.desk.runtime.wall.sleep(LOOK_SECONDS)
        done = tender.look()


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
