"""The trading desk: settings, database, clock and venues, put together in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from getpass import getuser

from cryptotrader.core.candles import MINUTE_MS
from cryptotrader.core.market import Market
from cryptotrader.errors import InputRefused
from cryptotrader.runtime import Runtime, to_ms
from cryptotrader.settings import MarketSource, Settings
from cryptotrader.store.database import Database
from cryptotrader.venue.candle_file import read_candles
from cryptotrader.venue.feed import Feed
from cryptotrader.venue.file_feed import FileFeed
from cryptotrader.venue.live_feed import LiveFeed
from cryptotrader.venue.live_prices import LivePrices
from cryptotrader.venue.paper.markets import paper_market
from cryptotrader.venue.paper.pace import Pace, ReplayPace, UnboundedPace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.schema import first_candle_ms
from cryptotrader.venue.paper.venue import PaperVenue
from cryptotrader.venue.port import Venue
from cryptotrader.venue.synthetic import SyntheticFeed

HEAD_START_MS = 6 * 3_600_000  # market time that a new replay may walk at once, so that there is something to see
THIRD_DEPOSIT = Decimal(1)  # BNB in a new paper account, for fees taken in it


@dataclass(frozen=True)
class Desk:
    """Everything that trading needs, assembled once per process and handed to functions.

    Attributes:
        actor: who acts, for the audit log.
        open_venue: makes the venue of an account; `venue` keeps what it made.
    """

    settings: Settings
    db: Database
    runtime: Runtime
    open_venue: Callable[[str], Venue]
    actor: str = "system"
    _venues: dict[str, Venue] = field(default_factory=dict, repr=False)

    def venue(self, account: str) -> Venue:
        """Return the venue of an account, opening it on first use."""
        if account not in self._venues:
            self._venues[account] = self.open_venue(account)
        return self._venues[account]


@contextmanager
def open_desk(settings: Settings, runtime: Runtime | None = None) -> Iterator[Desk]:
    """Open database and venues as the settings say, and close them at the end."""
    runtime = runtime or Runtime()
    with ExitStack() as stack:
        db = Database(settings.database)
        stack.callback(db.close)

        def open_venue(account: str) -> Venue:
            if account != "paper":
                raise InputRefused(
                    f"There is no account {account!r}.", field="account", value=account, hint="There is: paper."
                )
            return stack.enter_context(open_paper(settings, runtime))

        yield Desk(settings, db, runtime, open_venue, actor=getuser())


def open_paper(settings: Settings, runtime: Runtime) -> PaperVenue:
    """Open the paper exchange with the market that the settings choose."""
    source = _live_source if settings.trading_market is MarketSource.LIVE else _replay_source
    market, feed, pace = source(settings, runtime)
    rules = PaperRules(deposit={market.quote: settings.trading_deposit, market.third_asset: THIRD_DEPOSIT})
    return PaperVenue(
        settings.paper_book, feeds={market.symbol: feed}, markets={market.symbol: market}, rules=rules,
        runtime=runtime, pace=pace,
    )  # fmt: skip


def _replay_source(settings: Settings, _runtime: Runtime) -> tuple[Market, Feed, Pace]:
    """Return a file's market, or the synthetic one, at the speed that was chosen."""
    pace = ReplayPace(settings.replay_speed, HEAD_START_MS)
    market = paper_market(settings.trading_symbol, fee_in=settings.trading_fee_in)
    if settings.candles is None:
        return market, SyntheticFeed(market.symbol, market.tick_size, seed=settings.replay_seed), pace
    candles = read_candles(settings.candles, symbol=market.symbol, tick_size=market.tick_size)
    return market, FileFeed(candles), pace


def _live_source(settings: Settings, runtime: Runtime) -> tuple[Market, Feed, Pace]:
    """Return public prices of an exchange; the minute in which the book was born stays its first candle."""
    prices = LivePrices(settings.exchange_name, rest_url=settings.exchange_rest_url)
    market = replace(prices.fetch_market(settings.trading_symbol), fee_in=settings.trading_fee_in)
    anchor_ms = first_candle_ms(settings.paper_book, market.symbol)
    if anchor_ms is None:
        anchor_ms = to_ms(runtime.wall.now()) // MINUTE_MS * MINUTE_MS - MINUTE_MS  # the last finished minute
    return market, LiveFeed(prices, market, anchor_ms=anchor_ms), UnboundedPace()
