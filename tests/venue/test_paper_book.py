"""The book of the paper exchange: it survives, it is shared, and it adds up to the last digit."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Thread

import pytest

from cryptotrader.core.market import FeeIn, Side
from cryptotrader.core.orders import Balance, OrderType, VenueStatus
from cryptotrader.errors import InputRefused, OrderRefused, StoreError
from cryptotrader.venue.paper.markets import paper_market
from cryptotrader.venue.paper.pace import UnboundedPace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.venue import PaperVenue
from tests.feeds import ListFeed, Ohlc
from tests.venue.paper_setup import SYMBOL, Desk, desk_of, fills, order, request, tick_market

BUY, SELL = Side.BUY, Side.SELL
SWING: list[Ohlc] = [(100, 110, 90, 105), (105, 112, 88, 95), (95, 111, 89, 104)]


@pytest.fixture
def opened() -> Iterator[list[Desk]]:
    desks: list[Desk] = []
    yield desks
    for desk in desks:
        desk.close()


def state_of(venue: PaperVenue) -> tuple[object, ...]:
    return (
        venue.fetch_ticker(SYMBOL),
        venue.fetch_balances(),
        venue.fetch_open_orders(SYMBOL),
        venue.fetch_trades(SYMBOL, 1),
    )


def test_everything_survives_a_restart(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_of(tmp_path, SWING)
    opened.append(desk)
    venue = desk.open()
    for price in (92, 95, 97):
        order(venue, BUY, price, name=f"b{price}")
    order(venue, SELL, 108, name="s108")
    assert venue.advance(SYMBOL)
    before = state_of(venue)
    venue.close()
    again = desk.open(rules=PaperRules(deposit={"USDT": Decimal(1)}))
    assert state_of(again) == before
    assert again.advance(SYMBOL)
    assert [fill[2] for fill in fills(again)] == [Decimal(97), Decimal(95)]


def test_connections_share_one_market(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_of(tmp_path, SWING)
    opened.append(desk)
    one, other = desk.open(), desk.open()
    order(one, BUY, 95, name="b")
    assert other.advance(SYMBOL) is True
    assert state_of(one) == state_of(other)
    with pytest.raises(OrderRefused, match="would immediately match"):
        order(one, SELL, 94, name="s")


def test_another_accounts_book_is_refused(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_of(tmp_path, SWING)
    opened.append(desk)
    desk.open()
    with pytest.raises(StoreError, match="'paper', not of 'other'"):
        PaperVenue(
            desk.path,
            account="other",
            feeds={},
            markets={},
            rules=desk.rules,
            runtime=desk.runtime,
            pace=UnboundedPace(),
        )


def test_unusable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "paper.db").write_bytes(b"not a database, by any means" * 100)
    for path in (tmp_path / "paper.db", tmp_path / "nowhere" / "paper.db"):
        with pytest.raises(StoreError, match=r"paper\.db"):
            Desk(path, ListFeed(SWING)).open()


ROUNDS, RESTING = 120, 30


def place_many(path: Path, who: str, start: Barrier) -> None:
    """Open the book in this process and place orders, as fast as it goes."""
    desk = Desk(path, ListFeed(SWING))
    desk.rules = PaperRules(deposit={"USDT": Decimal(100_000), "BTC": Decimal(10)})
    start.wait(60)
    venue = desk.open()
    for serial in range(ROUNDS):
        if serial < RESTING:
            order(venue, BUY, 50, name=f"{who}{serial}")
        order(venue, BUY, 100, name=f"{who}m{serial}", quantity="0.1", kind=OrderType.MARKET)
    desk.close()


def test_processes_share_one_book(tmp_path: Path, opened: list[Desk]) -> None:
    spawn, path = multiprocessing.get_context("spawn"), tmp_path / "paper.db"
    start = spawn.Barrier(3)
    racers = [spawn.Process(target=place_many, args=(path, who, start)) for who in ("a", "b", "c")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(120)
    assert [racer.exitcode for racer in racers] == [0, 0, 0]
    desk = Desk(path, ListFeed(SWING))
    opened.append(desk)
    venue = desk.open()
    trades = venue.fetch_trades(SYMBOL, 1)
    assert [trade.trade_id for trade in trades] == list(range(1, 3 * ROUNDS + 1))
    assert len(venue.fetch_open_orders(SYMBOL)) == 3 * RESTING
    paid, locked = sum(trade.price * trade.quantity for trade in trades), Decimal(50 * 3 * RESTING)
    assert venue.fetch_balances()["USDT"] == Balance(100_000 - paid - locked, locked)


def test_threads_share_one_connection(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_of(tmp_path, SWING, deposit={"USDT": Decimal(100_000)})
    opened.append(desk)
    venue = desk.open()

    def place(who: str) -> None:
        for serial in range(20):
            order(venue, BUY, 50, name=f"{who}{serial}")

    threads = [Thread(target=place, args=(who,)) for who in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert venue.fetch_balances()["USDT"] == Balance(Decimal(97_000), Decimal(3_000))


# -- money


def test_locked_funds_are_not_free(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_of(tmp_path, SWING, deposit={"USDT": Decimal(200), "BTC": Decimal(1)})
    opened.append(desk)
    venue = desk.open()
    order(venue, BUY, 99, name="b1")
    order(venue, BUY, 99, name="b2")
    order(venue, SELL, 101, name="s1")
    for side, price, kind in (
        (BUY, 3, OrderType.POST_ONLY),
        (SELL, 200, OrderType.POST_ONLY),
        (BUY, 100, OrderType.MARKET),
        (SELL, 100, OrderType.MARKET),
        (BUY, 150, OrderType.LIMIT),
    ):
        with pytest.raises(OrderRefused) as refusal:
            order(venue, side, price, name="no", kind=kind)
        assert str(refusal.value) == "-2010: Account has insufficient balance for requested action."
    assert venue.fetch_order(SYMBOL, "no") is None
    assert venue.fetch_balances() == {
        "BTC": Balance(Decimal(0), Decimal(1)),
        "USDT": Balance(Decimal(2), Decimal(198)),
    }


def test_third_asset_runs_out_half_way(tmp_path: Path, opened: list[Desk]) -> None:
    deposit = {"USDT": Decimal(1000), "BTC": Decimal(5), "BNB": Decimal("0.00000070")}
    desk = desk_of(tmp_path, SWING, deposit=deposit, market=tick_market(fee_in=FeeIn.THIRD))
    opened.append(desk)
    venue = desk.open()
    order(venue, BUY, 98, name="b98", quantity="0.001")
    order(venue, BUY, 95, name="b95", quantity="0.001")
    order(venue, BUY, 93, name="b93", quantity="0.001")
    order(venue, SELL, 107, name="s", quantity="0.001")
    while venue.advance(SYMBOL):
        pass
    # 0.098 USDT x 0.1 % / 300 = 3.267e-7, charged as 0.00000033; the third needs 0.00000031 and 0.00000005 are left.
    assert [(t.fee_asset, t.fee, t.fee_quote) for t in venue.fetch_trades(SYMBOL, 1)] == [
        ("BNB", Decimal("0.00000033"), Decimal("0.000099")),
        ("BNB", Decimal("0.00000032"), Decimal("0.000096")),
        ("BTC", Decimal("0.000001"), Decimal("0.000093")),
        ("USDT", Decimal("0.000107"), Decimal("0.000107")),
    ]
    assert venue.fetch_balances()["BNB"] == Balance(Decimal("0.00000005"), Decimal(0))


def test_traded_third_asset_has_its_own_price(tmp_path: Path, opened: list[Desk]) -> None:
    desk = Desk(tmp_path / "paper.db", ListFeed([(60_000, 60_000, 60_000, 60_000)], symbol="BNB/USDT"))
    desk.market = paper_market("BNB/USDT", fee_in=FeeIn.THIRD)
    desk.rules = PaperRules(deposit={"USDT": Decimal(1000)}, slippage=Decimal(0))
    opened.append(desk)
    venue = desk.open()
    placed = venue.place_order(replace(request(venue, BUY, 600, name="b", kind=OrderType.MARKET), symbol="BNB/USDT"))
    (trade,) = venue.fetch_trades("BNB/USDT", 1)
    assert (trade.venue_order_id, trade.fee_asset, trade.fee, trade.fee_quote) == (
        placed.venue_order_id,
        "BNB",
        Decimal("0.001"),
        Decimal("0.6"),
    )


def test_deposits_come_and_go(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_of(tmp_path, SWING, deposit={"USDT": Decimal(200)})
    opened.append(desk)
    venue = desk.open()
    order(venue, BUY, 99, name="b")
    venue.deposit("BNB", Decimal("0.5"))
    venue.deposit("USDT", Decimal(-101))
    assert venue.fetch_balances() == {
        "BNB": Balance(Decimal("0.5"), Decimal(0)),
        "BTC": Balance(Decimal(0), Decimal(0)),
        "USDT": Balance(Decimal(0), Decimal(99)),
    }
    for amount in (Decimal(-1), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(InputRefused, match="0 free"):
            venue.deposit("USDT", amount)


def test_cancel_after_a_part_frees_the_rest(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_of(tmp_path, SWING, deposit={"USDT": Decimal(200)}, market=tick_market(fee_in=FeeIn.QUOTE))
    desk.rules = PaperRules(deposit={"USDT": Decimal(200)}, partial_seed=3)
    opened.append(desk)
    venue = desk.open()
    placed = order(venue, BUY, 95, name="b")
    assert venue.advance(SYMBOL)
    (trade,) = venue.fetch_trades(SYMBOL, 1)
    rest = placed.quantity - trade.quantity
    assert venue.fetch_balances()["USDT"].locked == rest * placed.price * Decimal("1.001")
    canceled = venue.cancel_order(SYMBOL, "b")
    assert canceled is not None
    assert (canceled.status, canceled.filled_base) == (VenueStatus.CANCELED, trade.quantity)
    assert 0 < rest < placed.quantity
    assert venue.fetch_balances() == {
        "BTC": Balance(trade.quantity, Decimal(0)),
        "USDT": Balance(200 - trade.price * trade.quantity - trade.fee, Decimal(0)),
    }


@pytest.mark.parametrize("fee_in", list(FeeIn))
@pytest.mark.parametrize("partial_seed", [None, 11])
def test_every_asset_is_conserved(tmp_path: Path, opened: list[Desk], fee_in: FeeIn, partial_seed: int | None) -> None:
    chance, last, candles = random.Random(5), 1000, []
    for _ in range(400):
        close = max(500, last + chance.randint(-30, 30))
        candles.append((last, max(last, close) + 9, min(last, close) - 9, close))
        last = close
    deposit = {"USDT": Decimal(50_000), "BTC": Decimal(7), "BNB": Decimal("0.00512345")}
    desk = desk_of(tmp_path, candles, deposit=deposit, market=tick_market(fee_in=fee_in))
    desk.rules = PaperRules(deposit=deposit, partial_seed=partial_seed)
    opened.append(desk)
    venue = desk.open()
    venue.deposit("USDT", Decimal("0.123456789012345678"))
    trade_at_random(venue, chance)
    trades = venue.fetch_trades(SYMBOL, 1)
    assert len(trades) > 100
    expected = {**deposit, "USDT": deposit["USDT"] + Decimal("0.123456789012345678")}
    for trade in trades:
        sign = 1 if trade.side is BUY else -1
        expected["BTC"] += sign * trade.quantity
        expected["USDT"] -= sign * trade.price * trade.quantity
        expected[trade.fee_asset] -= trade.fee
    locks = {"USDT": Decimal(0), "BTC": Decimal(0), "BNB": Decimal(0)}
    for resting in venue.fetch_open_orders(SYMBOL):
        rest = resting.quantity - resting.filled_base
        with_fee = Decimal("1.001") if fee_in is FeeIn.QUOTE else 1
        locks["BTC" if resting.side is SELL else "USDT"] += (
            rest if resting.side is SELL else rest * resting.price * with_fee
        )
    held = venue.fetch_balances()
    assert {asset: balance.total for asset, balance in held.items()} == expected
    assert {asset: balance.locked for asset, balance in held.items()} == locks


def trade_at_random(venue: PaperVenue, chance: random.Random) -> None:
    """Place orders of every kind, cancel some, and walk, until the market ends."""
    for serial in range(600):
        last = int(venue.fetch_ticker(SYMBOL).last)
        side, kind = chance.choice([BUY, SELL]), chance.choice(list(OrderType))
        price = max(1, last + chance.randint(-40, 40))
        quantity = f"0.{chance.randint(1, 999):03}"
        with suppress(OrderRefused):  # crossing post-only, or funds that ran out
            order(venue, side, price, name=f"o{serial}", quantity=quantity, kind=kind)
        if serial % 7 == 0:
            venue.cancel_order(SYMBOL, f"o{chance.randint(0, serial)}")
        venue.advance(SYMBOL)
