"""The paper exchange: a `Venue` whose prices are a series of candles and whose account is a file of its own.

It is another system, as a real exchange is: nothing of it is shared with the bot's database, and no key, signature or
network is within its reach.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from decimal import Decimal, localcontext
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptotrader.core.candles import Candle
from cryptotrader.core.market import Market
from cryptotrader.core.orders import Balance, OrderRequest, Ticker, VenueOrder, VenueStatus, VenueTrade
from cryptotrader.errors import InputRefused, OrderRefused, OutcomeUnknown, VenueUnavailable
from cryptotrader.runtime import Runtime, from_ms, to_ms
from cryptotrader.venue.feed import Feed
from cryptotrader.venue.paper.book import NOTHING, Book, Rows
from cryptotrader.venue.paper.candles import candles_between, timeframe_name
from cryptotrader.venue.paper.course import Course
from cryptotrader.venue.paper.fees import EXACT
from cryptotrader.venue.paper.filters import check_identity
from cryptotrader.venue.paper.matching import Matching
from cryptotrader.venue.paper.pace import Pace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.schema import Synchronous

LARGEST_PAGE = 1000


class PaperVenue:
    """An account at the simulated exchange. Several processes and threads may use one book at once."""

    def __init__(
        self,
        path: Path | str,
        *,
        account: str = "paper",
        feeds: Mapping[str, Feed],
        markets: Mapping[str, Market],
        rules: PaperRules,
        runtime: Runtime,
        pace: Pace,
        synchronous: Synchronous = "FULL",
    ) -> None:
        """Open the book, or give birth to it with the deposits of the rules.

        Args:
            path: the book's file, created with mode 0600.
            account: whose book it is.
            feeds: what moves the prices, by symbol.
            markets: units, limits and fees, for the same symbols.
            rules: how the exchange behaves.
            runtime: the server's clock.
            pace: how far the market may walk.
            synchronous: "FULL" survives a power cut; "OFF" is for simulations.

        Raises:
            InputRefused: feeds and markets are not of the same symbols, or a feed is not the one walked before.
            StoreError: the book cannot be used.
        """
        for symbol in sorted(feeds.keys() ^ markets.keys()):
            lacks = "feed" if symbol in markets else "market"
            raise InputRefused(f"{symbol} has no {lacks}.", field="symbol", value=symbol)
        self.account, self.mode, self.recv_window_ms = account, "paper", rules.recv_window_ms
        self.market_label = ", ".join(dict.fromkeys(feed.label for feed in feeds.values()))
        self._feeds, self._markets, self._rules = dict(feeds), dict(markets), rules
        self._runtime, self._pace = runtime, pace
        self._book = Book(Path(path), account=account, deposit=rules.deposit, synchronous=synchronous)
        with ExitStack() as on_refusal:
            on_refusal.callback(self.close)
            self._check_feeds()
            on_refusal.pop_all()

    def _check_feeds(self) -> None:
        with self._request() as rows:
            for symbol in self._feeds:
                self._course(rows, symbol).check_feed()

    def close(self) -> None:
        """Close the connection to the book."""
        self._book.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def advance(self, symbol: str, watches: Sequence[Decimal] = ()) -> bool:
        """Let the market move to the next single fill, the next watched price traded through, or now.

        A watch is left by a tick: the market then stands one tick above or below it.

        Returns:
            True when it stopped at a fill or a watch, so that there may be more before now.

        Raises:
            InputRefused: unknown symbol, or a watch that is not on the tick.
            VenueUnavailable: the feed has no candle yet, or the book is locked.
        """
        market = self.fetch_market(symbol)
        watched = tuple(sorted({market.ticks(price, field="watch") for price in watches}))
        with self._request() as rows:
            wall_ms = to_ms(self.fetch_time())  # read under the lock: time never runs backwards between processes
            course = self._course(rows, symbol)
            return course.advance(rules=self._rules, pace=self._pace, wall_ms=wall_ms, watches=watched)

    def at_end(self, symbol: str) -> bool:
        """Return whether every candle that the feed has was walked."""
        self.fetch_market(symbol)
        with self._request() as rows:
            point = self._course(rows, symbol).load().point
        return self._feeds[symbol].block(point.candle) is None

    def fetch_market(self, symbol: str) -> Market:
        """Return units, limits and fees. Raises `InputRefused` for a symbol that does not trade here."""
        market = self._markets.get(symbol)
        if market is None:
            traded = ", ".join(self._markets)
            raise InputRefused(
                f"{symbol} does not trade here.", field="symbol", value=symbol, hint=f"What does: {traded}."
            )
        return market

    def fetch_time(self) -> datetime:
        """Return the server's wall time."""
        return self._runtime.wall.now()

    def fetch_ticker(self, symbol: str) -> Ticker:
        """Return the last price as bid, ask and last, with its market time."""
        market = self.fetch_market(symbol)
        with self._request() as rows:
            point = self._course(rows, symbol).load().point
        price = market.price(point.ticks)
        return Ticker(bid=price, ask=price, last=price, at=from_ms(point.at_ms))

    def fetch_balances(self) -> Mapping[str, Balance]:
        """Return free and locked amounts of every asset held or traded."""
        traded = {asset: NOTHING for market in self._markets.values() for asset in (market.base, market.quote)}
        with self._request() as rows:
            return traded | rows.load_balances()

    def fetch_open_orders(self, symbol: str | None) -> tuple[VenueOrder, ...]:
        """Return every open order of the symbol, oldest first; None: of all symbols, one after the other."""
        symbols = self._markets if symbol is None else (self.fetch_market(symbol).symbol,)
        with self._request() as rows:
            return tuple(order.shown() for name in symbols for order in rows.load_open_orders(name))

    def fetch_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the newest order with this id in any state, or None."""
        self.fetch_market(symbol)
        with self._request() as rows:
            order = rows.load_newest_order(symbol, client_order_id)
        return order.shown() if order else None

    def fetch_trades(self, symbol: str, from_id: int, limit: int = LARGEST_PAGE) -> tuple[VenueTrade, ...]:
        """Return executions with `trade_id >= from_id`, oldest first, at most `limit` (and 1000)."""
        self.fetch_market(symbol)
        with self._request() as rows:
            return rows.load_trades(symbol, from_id, _page(limit))

    def place_order(self, request: OrderRequest) -> VenueOrder:
        """Take an order once.

        Raises:
            OrderRefused: proven; the code and words are Binance's.
            OutcomeUnknown: the book failed, perhaps at the commit.
        """
        try:
            with self._book.request() as rows:
                now = self.fetch_time()  # read under the lock: who waited for it past the window is too late
                check_identity(request, now)
                market = self._markets.get(request.symbol)
                if market is None:
                    raise OrderRefused("-1121", "Invalid symbol.")
                point = self._course(rows, request.symbol).load().point
                return Matching(rows, market, self._rules).admit(request, point, to_ms(now)).shown()
        except (sqlite3.Error, VenueUnavailable) as error:
            raise OutcomeUnknown(f"{request.client_order_id}: the paper exchange failed: {error}.") from error

    def cancel_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Cancel an order and return it as it stands then; None when it is not open."""
        market = self.fetch_market(symbol)
        with self._request() as rows:
            order = rows.load_newest_order(symbol, client_order_id)
            if order is None or order.status is not VenueStatus.OPEN:
                return None
            return Matching(rows, market, self._rules).cancel(order).shown()

    def fetch_candles(
        self, symbol: str, timeframe: str, since: datetime, limit: int = LARGEST_PAGE
    ) -> tuple[Candle, ...]:
        """Return candles walked to their close, from `since` on, oldest first; volumes are 0.

        Raises:
            VenueUnavailable: another time frame than the feed's.
        """
        market, feed = self.fetch_market(symbol), self._feeds[symbol]
        offered = timeframe_name(feed.timeframe_ms)
        if timeframe != offered:
            raise VenueUnavailable(f"{symbol}: this paper market has candles of {offered}, not of {timeframe}.")
        with self._request() as rows:
            walked = self._course(rows, symbol).load().point.candle
        return candles_between(feed, market, since_ms=to_ms(since), walked=walked, limit=_page(limit))

    def deposit(self, asset: str, amount: Decimal) -> None:
        """Bring an amount in from outside; below zero, take it out.

        Raises:
            InputRefused: not finite, or more is taken out than is free.
        """
        with self._request() as rows, localcontext(EXACT):
            free = rows.load_balance(asset).free
            if not amount.is_finite() or free + amount < 0:
                raise InputRefused(f"{asset}: {amount} with {free} free.", field="amount", value=amount)
            rows.move(asset, free=amount)
            rows.add_external_move(asset, amount)

    @contextmanager
    def _request(self) -> Iterator[Rows]:
        """Open a request in which a failure of the book means that nothing was changed."""
        try:
            with self._book.request() as rows:
                yield rows
        except sqlite3.Error as error:
            raise VenueUnavailable(f"The paper exchange's book failed: {error}.") from error

    def _course(self, rows: Rows, symbol: str) -> Course:
        return Course(rows, self._feeds[symbol], self._markets[symbol])


def _page(limit: int) -> int:
    return max(0, min(limit, LARGEST_PAGE))
