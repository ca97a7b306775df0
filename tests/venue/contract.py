"""What every venue must do, whatever stands behind it.

A test module takes part by subclassing `VenueContract` and giving three fixtures: `venue` (an account that holds at
least 100 BTC and 10,000,000 USDT or the like, with no open order), `symbol`, and `skip_seconds` (a function that lets
the server's clock go on).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from cryptotrader.core.market import Market, Side
from cryptotrader.core.orders import Balance, OrderRequest, OrderType, VenueOrder, VenueStatus
from cryptotrader.errors import InputRefused, OrderRefused, VenueError
from cryptotrader.venue.port import Venue

NOTHING = Balance(Decimal(0), Decimal(0))


def far_buy(venue: Venue, symbol: str, name: str = "far1") -> OrderRequest:
    """Return a small BUY at half the price, post-only."""
    market, ticker = venue.fetch_market(symbol), venue.fetch_ticker(symbol)
    return OrderRequest(
        client_order_id=name,
        symbol=symbol,
        side=Side.BUY,
        type=OrderType.POST_ONLY,
        price=market.floor_price(ticker.last / 2),
        quantity=small(market, ticker.last / 2),
        signed_at=venue.fetch_time(),
    )


def taking(venue: Venue, symbol: str, name: str, side: Side = Side.BUY) -> OrderRequest:
    """Return a small market order."""
    market, ticker = venue.fetch_market(symbol), venue.fetch_ticker(symbol)
    resting = far_buy(venue, symbol, name)
    return replace(resting, side=side, type=OrderType.MARKET, price=ticker.last, quantity=small(market, ticker.last))


def small(market: Market, price: Decimal) -> Decimal:
    """Return a quantity worth twice the smallest notional, at least a lot."""
    return max(market.lot_step, market.ceil_quantity(2 * market.min_notional / price))


class VenueContract:
    """The contract suite."""

    def test_resting_order_is_shown_everywhere(self, venue: Venue, symbol: str) -> None:
        request = far_buy(venue, symbol)
        placed = venue.place_order(request)
        expected = VenueOrder(
            venue_order_id=placed.venue_order_id,
            client_order_id=request.client_order_id,
            symbol=symbol,
            side=Side.BUY,
            type=OrderType.POST_ONLY,
            price=request.price,
            quantity=request.quantity,
            filled_base=Decimal(0),
            status=VenueStatus.OPEN,
            created_at=placed.created_at,
        )
        assert placed == expected
        assert venue.fetch_order(symbol, "far1") == expected
        assert venue.fetch_open_orders(symbol) == (expected,)

    def test_open_orders_come_oldest_first(self, venue: Venue, symbol: str) -> None:
        names = ["b2", "a1", "c3"]
        for name in names:
            venue.place_order(far_buy(venue, symbol, name))
        assert [order.client_order_id for order in venue.fetch_open_orders(symbol)] == names

    def test_resting_buy_locks_its_notional(self, venue: Venue, symbol: str) -> None:
        quote = venue.fetch_market(symbol).quote
        before = venue.fetch_balances()[quote]
        request = far_buy(venue, symbol)
        venue.place_order(request)
        notional = request.price * request.quantity
        assert venue.fetch_balances()[quote] == Balance(before.free - notional, before.locked + notional)

    def test_cancel_shows_it_and_frees_funds(self, venue: Venue, symbol: str) -> None:
        before = venue.fetch_balances()
        placed = venue.place_order(far_buy(venue, symbol))
        canceled = replace(placed, status=VenueStatus.CANCELED)
        assert venue.cancel_order(symbol, "far1") == canceled
        assert venue.fetch_order(symbol, "far1") == canceled
        assert venue.fetch_open_orders(symbol) == ()
        assert venue.fetch_balances() == before

    def test_cancel_of_no_open_order_is_none(self, venue: Venue, symbol: str) -> None:
        assert venue.cancel_order(symbol, "never") is None
        venue.place_order(far_buy(venue, symbol))
        venue.cancel_order(symbol, "far1")
        assert venue.cancel_order(symbol, "far1") is None

    def test_unknown_id_is_none(self, venue: Venue, symbol: str) -> None:
        assert venue.fetch_order(symbol, "never") is None

    def test_market_order_fills_and_trades(self, venue: Venue, symbol: str) -> None:
        before = venue.fetch_balances()
        request = taking(venue, symbol, "now1")
        placed = venue.place_order(request)
        assert (placed.status, placed.filled_base) == (VenueStatus.FILLED, request.quantity)
        (trade,) = venue.fetch_trades(symbol, 1)
        assert (trade.venue_order_id, trade.side, trade.quantity, trade.is_maker) == (
            placed.venue_order_id,
            Side.BUY,
            request.quantity,
            False,
        )
        market, after = venue.fetch_market(symbol), venue.fetch_balances()
        moved = {asset: after[asset].total - before.get(asset, NOTHING).total for asset in after}
        expected = {market.base: trade.quantity, market.quote: -trade.price * trade.quantity}
        expected[trade.fee_asset] = expected.get(trade.fee_asset, Decimal(0)) - trade.fee
        assert {asset: amount for asset, amount in moved.items() if amount} == expected

    def test_trades_page_by_inclusive_id(self, venue: Venue, symbol: str) -> None:
        for serial in range(4):
            venue.place_order(taking(venue, symbol, f"now{serial}"))
        trades = venue.fetch_trades(symbol, 1)
        ids = [trade.trade_id for trade in trades]
        assert len(ids) == 4
        assert ids == sorted(set(ids))
        assert venue.fetch_trades(symbol, ids[1], limit=2) == trades[1:3]
        assert venue.fetch_trades(symbol, ids[-1] + 1) == ()

    def test_crossing_post_only_is_refused(self, venue: Venue, symbol: str) -> None:
        ticker = venue.fetch_ticker(symbol)
        request = replace(taking(venue, symbol, "post1"), type=OrderType.POST_ONLY, price=ticker.ask)
        with pytest.raises(OrderRefused) as refusal:
            venue.place_order(request)
        assert refusal.value.code == "-2010"
        assert venue.fetch_order(symbol, "post1") is None

    def test_live_id_is_taken_once(self, venue: Venue, symbol: str) -> None:
        placed = venue.place_order(far_buy(venue, symbol))
        with pytest.raises(VenueError, match="Duplicate order sent"):
            venue.place_order(far_buy(venue, symbol))
        assert venue.fetch_open_orders(symbol) == (placed,)

    def test_finished_id_is_accepted_again(self, venue: Venue, symbol: str) -> None:
        venue.place_order(taking(venue, symbol, "again"))
        second = venue.place_order(taking(venue, symbol, "again"))
        assert venue.fetch_order(symbol, "again") == second
        assert len(venue.fetch_trades(symbol, 1)) == 2

    def test_filters_are_named(self, venue: Venue, symbol: str) -> None:
        market, good = venue.fetch_market(symbol), far_buy(venue, symbol)
        off_tick = replace(good, price=good.price + market.tick_size / 2)
        off_lot = replace(good, quantity=good.quantity + market.lot_step / 2)
        dust = replace(good, quantity=market.lot_step, price=market.tick_size)
        for request, name in ((off_tick, "PRICE_FILTER"), (off_lot, "LOT_SIZE"), (dust, "NOTIONAL")):
            with pytest.raises(OrderRefused, match=name) as refusal:
                venue.place_order(request)
            assert refusal.value.code == "-1013"
        assert venue.fetch_open_orders(symbol) == ()

    def test_missing_funds_are_refused(self, venue: Venue, symbol: str) -> None:
        market, good = venue.fetch_market(symbol), far_buy(venue, symbol)
        free = venue.fetch_balances()[market.quote].free
        request = replace(good, quantity=market.ceil_quantity(free / good.price) + market.lot_step)
        with pytest.raises(OrderRefused, match="insufficient balance") as refusal:
            venue.place_order(request)
        assert refusal.value.code == "-2010"
        assert venue.fetch_balances()[market.quote].free == free

    def test_stale_request_is_refused(self, venue: Venue, symbol: str, skip_seconds: Callable[[float], None]) -> None:
        request = far_buy(venue, symbol)
        skip_seconds(request.recv_window_ms / 1000 + 1)
        early = replace(request, signed_at=venue.fetch_time() + timedelta(seconds=10))
        for untimely in (request, early):
            with pytest.raises(OrderRefused) as refusal:
                venue.place_order(untimely)
            assert refusal.value.code == "-1021"
        assert venue.fetch_open_orders(symbol) == ()

    def test_unknown_symbol_names_what_trades(self, venue: Venue, symbol: str) -> None:
        with pytest.raises(InputRefused, match=symbol):
            venue.fetch_market("NO/SUCH")

    def test_ticker_is_a_market(self, venue: Venue, symbol: str) -> None:
        ticker = venue.fetch_ticker(symbol)
        assert 0 < ticker.bid <= ticker.ask
        assert venue.fetch_market(symbol).ticks(ticker.last) > 0
