"""The book of the paper exchange: rows in SQLite, one BEGIN IMMEDIATE a request. Money is added in Python only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from cryptotrader.core.market import Side
from cryptotrader.core.orders import Balance, OrderType, VenueStatus, VenueTrade
from cryptotrader.errors import BooksDisagree
from cryptotrader.runtime import from_ms, to_ms
from cryptotrader.venue.paper.pace import Allowance
from cryptotrader.venue.paper.records import FeedIdentity, MarketRow, OrderRow
from cryptotrader.venue.paper.schema import Synchronous, open_book
from cryptotrader.venue.paper.walk import Point

Row = tuple[Any, ...]  # as sqlite3 gives it, in the types of the schema
NOTHING = Balance(Decimal(0), Decimal(0))
ORDER = "id, client_order_id, symbol, side, type, price, price_ticks, quantity, filled, locked, status, created_ms"
OPEN_ORDERS = f"SELECT {ORDER} FROM orders WHERE symbol = ? AND status = 'open' ORDER BY id"  # noqa: S608 - constant
NEWEST_ORDER = f"SELECT {ORDER} FROM orders WHERE symbol = ? AND client_order_id = ? ORDER BY id DESC LIMIT 1"  # noqa: S608
OLDEST_REACHED = f"""SELECT {ORDER} FROM orders WHERE symbol = :symbol AND status = 'open' AND (
    (side = 'buy' AND price_ticks >= :buy) OR (side = 'sell' AND price_ticks <= :sell)) ORDER BY id LIMIT 1"""  # noqa: S608
NEAREST = """SELECT
    (SELECT max(price_ticks) FROM orders WHERE symbol = :symbol AND status = 'open' AND side = 'buy'),
    (SELECT min(price_ticks) FROM orders WHERE symbol = :symbol AND status = 'open' AND side = 'sell')"""


class Book:
    """A connection to the book's file. Threads may share it: requests wait for each other, as processes do."""

    def __init__(self, path: Path, *, account: str, deposit: Mapping[str, Decimal], synchronous: Synchronous) -> None:
        self._connection = open_book(path, account=account, deposit=deposit, synchronous=synchronous)
        self._one_at_a_time = Lock()

    @contextmanager
    def request(self) -> Iterator[Rows]:
        """Open one transaction: committed at the end, rolled back when anything is raised."""
        with self._one_at_a_time, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield Rows(self._connection)

    def close(self) -> None:
        """Close the connection; the book stays."""
        self._connection.close()


class Rows:
    """What can be read and changed within one request."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    def load_market(self, symbol: str) -> MarketRow | None:
        """Return how far a market has walked; None when it was never entered."""
        row = self._run("SELECT * FROM market WHERE symbol = ?", (symbol,)).fetchone()
        if row is None:
            return None
        _, label, timeframe_ms, tick_size, first_ms, candle, leg, ticks, at_ms, allowed_ms, wall_ms = row
        return MarketRow(
            symbol=symbol,
            feed=FeedIdentity(label, timeframe_ms, Decimal(tick_size), first_ms),
            point=Point(candle, leg, ticks, at_ms),
            allowance=None if allowed_ms is None else Allowance(allowed_ms, wall_ms),
        )

    def save_market(self, row: MarketRow) -> None:
        """Write how far a market has walked."""
        feed, point, allowance = row.feed, row.point, row.allowance
        self._run(
            "INSERT OR REPLACE INTO market VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (row.symbol, feed.label, feed.timeframe_ms, str(feed.tick_size), feed.first_ms)
            + (point.candle, point.leg, point.ticks, point.at_ms)
            + ((allowance.market_ms, allowance.wall_ms) if allowance else (None, None)),
        )

    def load_balances(self) -> dict[str, Balance]:
        """Return every asset of the account."""
        rows = self._run("SELECT asset, free, locked FROM balance ORDER BY asset")
        return {asset: Balance(Decimal(free), Decimal(locked)) for asset, free, locked in rows}

    def load_balance(self, asset: str) -> Balance:
        """Return one asset, zero when it was never held."""
        row = self._run("SELECT free, locked FROM balance WHERE asset = ?", (asset,)).fetchone()
        return NOTHING if row is None else Balance(Decimal(row[0]), Decimal(row[1]))

    def move(self, asset: str, *, free: Decimal, locked: Decimal = NOTHING.locked) -> None:
        """Add to an asset's free and locked amounts.

        Raises:
            BooksDisagree: one of them would fall below zero, which the checks before must have prevented.
        """
        before = self.load_balance(asset)
        after = Balance(before.free + free, before.locked + locked)
        if after.free < 0 or after.locked < 0:
            raise BooksDisagree(f"paper book: {asset} would be {after.free} free, {after.locked} locked.")
        values = (asset, format(after.free, "f"), format(after.locked, "f"))
        self._run("INSERT OR REPLACE INTO balance (asset, free, locked) VALUES (?, ?, ?)", values)

    def add_external_move(self, asset: str, amount: Decimal) -> None:
        """Note a deposit, or a withdrawal below zero."""
        self._run("INSERT INTO external_move (asset, amount) VALUES (?, ?)", (asset, format(amount, "f")))

    def add_order(self, order: OrderRow) -> OrderRow:
        """Insert an order (its id is given here) and return it."""
        cursor = self._run(
            "INSERT INTO orders (client_order_id, symbol, side, type, price, price_ticks, quantity, filled, locked,"
            " status, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _order_values(order),
        )
        return replace(order, id=cursor.lastrowid or 0)

    def save_order(self, order: OrderRow) -> None:
        """Write what can change of an order: filled, locked, status."""
        values = (format(order.filled, "f"), format(order.locked, "f"), order.status, order.id)
        self._run("UPDATE orders SET filled = ?, locked = ?, status = ? WHERE id = ?", values)

    def load_open_orders(self, symbol: str) -> tuple[OrderRow, ...]:
        """Return the open orders, oldest first."""
        return tuple(_order(row) for row in self._run(OPEN_ORDERS, (symbol,)))

    def count_open_orders(self, symbol: str) -> int:
        """Return how many orders are open."""
        count = self._run("SELECT count(*) FROM orders WHERE symbol = ? AND status = 'open'", (symbol,))
        return int(count.fetchone()[0])

    def load_newest_order(self, symbol: str, client_order_id: str) -> OrderRow | None:
        """Return the newest order that carried this id. (An older one with it is never open.)"""
        row = self._run(NEWEST_ORDER, (symbol, client_order_id)).fetchone()
        return None if row is None else _order(row)

    def load_nearest(self, symbol: str) -> tuple[int | None, int | None]:
        """Return the price, in ticks, of the highest open BUY and of the lowest open SELL."""
        buy, sell = self._run(NEAREST, {"symbol": symbol}).fetchone()
        return buy, sell

    def load_oldest_reached(self, symbol: str, *, ticks: int, through_ticks: int) -> OrderRow | None:
        """Return the oldest open order that a path standing at `ticks` has gone through."""
        reach = {"symbol": symbol, "buy": ticks + through_ticks, "sell": ticks - through_ticks}
        row = self._run(OLDEST_REACHED, reach).fetchone()
        return None if row is None else _order(row)

    def load_trades(self, symbol: str, from_id: int, limit: int) -> tuple[VenueTrade, ...]:
        """Return trades from an id on, oldest first."""
        rows = self._run(
            "SELECT trade_id, order_id, symbol, side, price, quantity, fee_asset, fee, fee_quote, is_maker, at_ms"
            " FROM trade WHERE symbol = ? AND trade_id >= ? ORDER BY trade_id LIMIT ?",
            (symbol, from_id, limit),
        )
        return tuple(_trade(row) for row in rows)

    def next_trade_id(self, symbol: str) -> int:
        """Return the id after the last: 1 at first."""
        last = self._run("SELECT max(trade_id) FROM trade WHERE symbol = ?", (symbol,)).fetchone()[0]
        return int(last or 0) + 1

    def add_trade(self, trade: VenueTrade) -> None:
        """Insert a trade."""
        numbers = (trade.price, trade.quantity, trade.fee, trade.fee_quote)
        price, quantity, fee, fee_quote = (format(number, "f") for number in numbers)
        who = (trade.symbol, trade.trade_id, int(trade.venue_order_id), trade.side)
        how = (trade.fee_asset, fee, fee_quote, int(trade.is_maker), to_ms(trade.at))
        self._run("INSERT INTO trade VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*who, price, quantity, *how))


def _order_values(order: OrderRow) -> tuple[str | int, ...]:
    prices = (format(order.price, "f"), order.price_ticks, format(order.quantity, "f"))
    state = (format(order.filled, "f"), format(order.locked, "f"), order.status, order.created_ms)
    return (order.client_order_id, order.symbol, order.side, order.type, *prices, *state)


def _order(row: Row) -> OrderRow:
    id_, client_order_id, symbol, side, type_, price, price_ticks, quantity, filled, locked, status, created_ms = row
    return OrderRow(
        id=id_,
        client_order_id=client_order_id,
        symbol=symbol,
        side=Side(side),
        type=OrderType(type_),
        price=Decimal(price),
        price_ticks=price_ticks,
        quantity=Decimal(quantity),
        filled=Decimal(filled),
        locked=Decimal(locked),
        status=VenueStatus(status),
        created_ms=created_ms,
    )


@lru_cache(maxsize=1024)  # a trade never changes, and every pass reads the last hundred again
def _trade(row: Row) -> VenueTrade:
    trade_id, order_id, symbol, side, price, quantity, fee_asset, fee, fee_quote, is_maker, at_ms = row
    return VenueTrade(
        trade_id=trade_id,
        venue_order_id=str(order_id),
        symbol=symbol,
        side=Side(side),
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee_asset=fee_asset,
        fee=Decimal(fee),
        fee_quote=Decimal(fee_quote),
        is_maker=bool(is_maker),
        at=from_ms(at_ms),
    )
