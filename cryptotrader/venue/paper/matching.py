"""The matching engine of the paper exchange: what becomes of an order, and what an execution does to the balances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from hashlib import sha256

from cryptotrader.core.market import Market, Side
from cryptotrader.core.orders import OrderRequest, OrderType, VenueStatus, VenueTrade
from cryptotrader.errors import OrderRefused
from cryptotrader.runtime import from_ms
from cryptotrader.venue.paper.book import Rows
from cryptotrader.venue.paper.fees import EXACT, Execution, fee_of, lock_of, needed_for
from cryptotrader.venue.paper.filters import check_filters
from cryptotrader.venue.paper.records import OrderRow
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.walk import Point

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Matching:
    """Matches orders of one symbol within one request; every amount is exact or an error."""

    rows: Rows
    market: Market
    rules: PaperRules

    def admit(self, request: OrderRequest, point: Point, now_ms: int) -> OrderRow:
        """Take an order: refuse it, fill it at once, or let it rest.

        Raises:
            OrderRefused: by a filter, as a duplicate, as a post-only order that would take, or for want of funds.
        """
        with localcontext(EXACT):
            resting = self.rows.count_open_orders(request.symbol)
            check_filters(request, self.market, last_ticks=point.ticks, resting=resting)
            earlier = self.rows.load_newest_order(request.symbol, request.client_order_id)
            if earlier is not None and earlier.status is VenueStatus.OPEN:
                raise OrderRefused("-2010", "Duplicate order sent.")
            order = self._new_order(request, now_ms)
            taken_at = self._taking_price(order, point.ticks)
            return self._rest(order) if taken_at is None else self._take(order, taken_at, point.at_ms)

    def _new_order(self, request: OrderRequest, now_ms: int) -> OrderRow:
        is_market = request.type is OrderType.MARKET
        return OrderRow(
            id=0,
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            price=request.price,
            price_ticks=0 if is_market else int(request.price / self.market.tick_size),
            quantity=request.quantity,
            filled=ZERO,
            locked=ZERO,
            status=VenueStatus.OPEN,
            created_ms=now_ms,
        )

    def _taking_price(self, order: OrderRow, last: int) -> Decimal | None:
        """Return the price at which an order trades at once, None when it rests."""
        buys = order.side is Side.BUY
        if order.type is OrderType.MARKET:
            worse = last * (1 + (self.rules.slippage if buys else -self.rules.slippage))
            away = worse.to_integral_value(ROUND_CEILING if buys else ROUND_FLOOR)
            return self.market.price(max(1, int(away)))
        if order.price_ticks < last if buys else order.price_ticks > last:
            return None
        if order.type is OrderType.POST_ONLY:
            raise OrderRefused("-2010", "Order would immediately match and take.")
        return self.market.price(last)

    def _rest(self, order: OrderRow) -> OrderRow:
        asset, amount = lock_of(self.market, order.side, order.price, order.quantity)
        self._require_free(asset, amount)
        self.rows.move(asset, free=-amount, locked=amount)
        return self.rows.add_order(replace(order, locked=amount))

    def _take(self, order: OrderRow, price: Decimal, at_ms: int) -> OrderRow:
        execution = Execution(order.side, price, order.quantity, is_maker=False)
        asset, at_limit = lock_of(self.market, order.side, order.price, order.quantity)
        needed = needed_for(self.market, execution)
        # A real exchange locks a limit order at its own price before it matches it at a better one.
        self._require_free(asset, needed if order.type is OrderType.MARKET else max(needed, at_limit))
        return self._execute(self.rows.add_order(order), execution, at_ms)

    def _require_free(self, asset: str, amount: Decimal) -> None:
        if self.rows.load_balance(asset).free < amount:
            raise OrderRefused("-2010", "Account has insufficient balance for requested action.")

    def fill_reached(self, point: Point) -> bool:
        """Fill the oldest order that the path has gone through at this point, as maker; False when there is none."""
        order = self.rows.load_oldest_reached(
            self.market.symbol, ticks=point.ticks, through_ticks=self.rules.through_ticks
        )
        if order is None:
            return False
        with localcontext(EXACT):
            execution = Execution(order.side, order.price, self._part_of(order), is_maker=True)
            self._execute(order, execution, point.at_ms)
        return True

    def _part_of(self, order: OrderRow) -> Decimal:
        """Return how much of a reached order trades: all that is left, or a first part when a seed asks for parts."""
        lots = int(order.quantity / self.market.lot_step)
        if self.rules.partial_seed is None or order.filled or lots < 2:
            return order.unfilled
        digest = sha256(f"{self.rules.partial_seed}:{order.id}".encode()).digest()
        return (1 + int.from_bytes(digest[:8], "big") % (lots - 1)) * self.market.lot_step

    def _execute(self, order: OrderRow, execution: Execution, at_ms: int) -> OrderRow:
        """Book one trade: principal, fee, trade row and order row."""
        after = self._filled(order, execution)
        self._move_principal(execution, released=order.locked - after.locked)
        third_free = self.rows.load_balance(self.market.third_asset).free
        fee = fee_of(self.market, execution, third_price=self.rules.third_price, third_free=third_free)
        self.rows.move(fee.asset, free=-fee.amount)
        self.rows.add_trade(
            VenueTrade(
                trade_id=self.rows.next_trade_id(order.symbol),
                venue_order_id=str(order.id),
                symbol=order.symbol,
                side=order.side,
                price=execution.price,
                quantity=execution.quantity,
                fee_asset=fee.asset,
                fee=fee.amount,
                fee_quote=fee.quote,
                is_maker=execution.is_maker,
                at=from_ms(at_ms),
            )
        )
        self.rows.save_order(after)
        return after

    def _filled(self, order: OrderRow, execution: Execution) -> OrderRow:
        filled = order.filled + execution.quantity
        if filled == order.quantity:
            return replace(order, filled=filled, locked=ZERO, status=VenueStatus.FILLED)
        _, share = lock_of(self.market, order.side, order.price, execution.quantity)
        return replace(order, filled=filled, locked=max(ZERO, order.locked - share))

    def _move_principal(self, execution: Execution, *, released: Decimal) -> None:
        base, quote = self.market.base, self.market.quote
        if execution.side is Side.BUY:
            self.rows.move(quote, free=released - execution.notional, locked=-released)
            self.rows.move(base, free=execution.quantity)
        else:
            self.rows.move(base, free=released - execution.quantity, locked=-released)
            self.rows.move(quote, free=execution.notional)

    def cancel(self, order: OrderRow) -> OrderRow:
        """Take an open order out of the book and free what it locks."""
        with localcontext(EXACT):
            asset, _ = lock_of(self.market, order.side, order.price, order.unfilled)
            self.rows.move(asset, free=order.locked, locked=-order.locked)
            after = replace(order, locked=ZERO, status=VenueStatus.CANCELED)
            self.rows.save_order(after)
            return after
