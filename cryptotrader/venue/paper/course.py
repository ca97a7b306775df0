"""The course of one market through its candles, kept in the book: entering it, and going on to the next stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cryptotrader.core.market import Market
from cryptotrader.errors import InputRefused, VenueUnavailable
from cryptotrader.venue.feed import Feed
from cryptotrader.venue.paper.book import Rows
from cryptotrader.venue.paper.matching import Matching
from cryptotrader.venue.paper.pace import FOREVER_MS, Allowance, Pace
from cryptotrader.venue.paper.records import FeedIdentity, MarketRow
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.walk import NOWHERE_ABOVE, NOWHERE_BELOW, Stops, born, walk


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one market within one request."""

    rows: Rows
    feed: Feed
    market: Market

    def load(self) -> MarketRow:
        """Return how far the market has walked, entering it at the open of its first candle when it is new.

        Raises:
            VenueUnavailable: the feed has no candle yet.
        """
        known = self.rows.load_market(self.market.symbol)
        if known is not None:
            return known
        identity = self._identity()
        first = self.feed.block(0)
        if identity is None or first is None:
            raise VenueUnavailable(f"{self.market.symbol}: {self.feed.label} has no candle yet.")
        entered = MarketRow(self.market.symbol, identity, born(first), None)
        self.rows.save_market(entered)
        return entered

    def check_feed(self) -> None:
        """Refuse another feed than the one that the book has walked: positions in it would mean other candles.

        Raises:
            InputRefused: the feed's label, time frame, tick or first candle differ.
        """
        known = self.rows.load_market(self.market.symbol)
        here = self._identity() if known is not None else None
        if known is not None and here is not None and known.feed != here:
            raise InputRefused(
                f"{self.market.symbol}: this paper book has walked {known.feed}, and not {here}.",
                field="feed",
                value=here.label,
                hint="Use the same market again, or a new book.",
            )

    def _identity(self) -> FeedIdentity | None:
        first = self.feed.block(0)
        if first is None:
            return None
        return FeedIdentity(self.feed.label, self.feed.timeframe_ms, self.market.tick_size, int(first.opened_at_ms[0]))

    def advance(self, *, rules: PaperRules, pace: Pace, wall_ms: int, watches: tuple[int, ...]) -> bool:
        """Go on to the next fill (and book it), the next watch, or now; return whether it was a fill or a watch.

        Args:
            rules: how orders are reached and filled.
            pace: how far "now" is.
            wall_ms: the wall time of this advance.
            watches: sorted prices in ticks.
        """
        row = self.load()
        allowance = pace.allow(row.allowance, wall_ms=wall_ms, timeframe_ms=row.feed.timeframe_ms)
        matching = Matching(self.rows, self.market, rules)
        point, stopped = row.point, matching.fill_reached(row.point)
        if not stopped:
            stops = self._stops(rules.through_ticks, watches)
            point, stopped = walk(self.feed, point, stops, row.feed.first_ms + allowance.market_ms)
            if stopped:
                matching.fill_reached(point)
        if allowance.market_ms >= FOREVER_MS:  # keep what was walked: a slower pace may go on from here
            allowance = Allowance(point.at_ms - row.feed.first_ms, wall_ms)
        self.rows.save_market(replace(row, point=point, allowance=allowance))
        return stopped

    def _stops(self, through_ticks: int, watches: tuple[int, ...]) -> Stops:
        buy, sell = self.rows.load_nearest(self.market.symbol)
        return Stops(
            buy=NOWHERE_BELOW if buy is None else buy - through_ticks,
            sell=NOWHERE_ABOVE if sell is None else sell + through_ticks,
            watches=watches,
        )
