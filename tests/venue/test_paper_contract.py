"""The paper exchange keeps the contract of every venue, and says no in Binance's words."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cryptotrader.core.candles import Candle
from cryptotrader.core.market import FeeIn, Market, Side
from cryptotrader.core.orders import Balance, OrderType, VenueStatus
from cryptotrader.errors import InputRefused, OrderRefused, OutcomeUnknown, VenueUnavailable
from cryptotrader.runtime import EPOCH, from_ms
from cryptotrader.venue.paper.markets import paper_market
from cryptotrader.venue.paper.pace import SteppedPace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.venue import PaperVenue
from cryptotrader.venue.port import Venue
from tests.feeds import ListFeed
from tests.venue.contract import VenueContract
from tests.venue.paper_setup import SYMBOL, Desk, desk_of, order, request, tick_market

CANDLES = [(10_000, 10_050, 9_950, 10_020), (10_020, 10_100, 10_000, 10_010), (10_010, 10_060, 9_990, 10_000)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = desk_of(tmp_path, CANDLES, deposit={"USDT": Decimal(10_000_000), "BTC": Decimal(100)})
    yield desk
    desk.close()


@pytest.fixture
def venue(desk: Desk) -> Venue:
    return desk.open()


@pytest.fixture
def symbol() -> str:
    return SYMBOL


@pytest.fixture
def skip_seconds(desk: Desk) -> Callable[[float], None]:
    return desk.runtime.wall.sleep


class TestPaperContract(VenueContract):
    """The contract suite, on the paper exchange."""


def test_a_new_book_is_private(desk: Desk) -> None:
    desk.open()
    assert stat.S_IMODE(os.stat(desk.path).st_mode) == 0o600
    assert sorted(path.name for path in desk.path.parent.iterdir()) == ["paper.db", "paper.db-shm", "paper.db-wal"]


def test_it_says_what_it_is(desk: Desk) -> None:
    venue = desk.open()
    assert (venue.account, venue.mode, venue.market_label, venue.recv_window_ms) == (
        "paper",
        "paper",
        "test candles",
        5000,
    )
    assert venue.fetch_time() == EPOCH


def test_market_order_slips_and_pays_taker(desk: Desk) -> None:
    venue = desk.open()
    order(venue, Side.BUY, 10_000, name="b", kind=OrderType.MARKET)
    order(venue, Side.SELL, 10_000, name="s", kind=OrderType.MARKET)
    trades = venue.fetch_trades(SYMBOL, 1)
    assert [(t.trade_id, t.price, t.fee_asset, t.fee, t.fee_quote, t.at) for t in trades] == [
        (1, Decimal(10_010), "BTC", Decimal("0.002"), Decimal("20.02"), EPOCH),
        (2, Decimal(9_990), "USDT", Decimal("19.98"), Decimal("19.98"), EPOCH),
    ]


def test_crossing_limit_takes_last_price(desk: Desk) -> None:
    venue = desk.open()
    placed = order(venue, Side.BUY, 10_500, name="b", kind=OrderType.LIMIT)
    (trade,) = venue.fetch_trades(SYMBOL, 1)
    assert (placed.status, placed.price, trade.price, trade.is_maker) == (
        VenueStatus.FILLED,
        Decimal(10_500),
        Decimal(10_000),
        False,
    )


def test_quote_fees_are_locked_too(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, CANDLES, deposit={"USDT": Decimal(100_000)}, market=tick_market(fee_in=FeeIn.QUOTE))
    venue = desk.open()
    order(venue, Side.BUY, 9_990, name="b")
    assert venue.fetch_balances()["USDT"] == Balance(Decimal("90000.01"), Decimal("9999.99"))
    assert venue.advance(SYMBOL)
    assert venue.fetch_balances() == {
        "BTC": Balance(Decimal(1), Decimal(0)),
        "USDT": Balance(Decimal("90000.01"), Decimal(0)),
    }
    desk.close()


@pytest.mark.parametrize("bad", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-1", "1E+400", "1E-400", "1E+16"])
@pytest.mark.parametrize("kind", list(OrderType))
def test_impossible_numbers_are_refused(desk: Desk, bad: str, kind: OrderType) -> None:
    venue = desk.open()
    good = request(venue, Side.BUY, 9_000, name="b", kind=kind)
    for broken in (replace(good, price=Decimal(bad)), replace(good, quantity=Decimal(bad))):
        with pytest.raises(OrderRefused) as refusal:
            venue.place_order(broken)
        assert refusal.value.code == "-1013"
    assert venue.fetch_open_orders(SYMBOL) == ()


@pytest.mark.parametrize("name", ["", "a-b", "x" * 37, "né", "a\n"])
def test_odd_client_ids_are_refused(desk: Desk, name: str) -> None:
    venue = desk.open()
    with pytest.raises(OrderRefused) as refusal:
        order(venue, Side.BUY, 9_000, name=name)
    assert refusal.value.code == "-1100"


def test_unknown_symbol_order_is_refused(desk: Desk) -> None:
    venue = desk.open()
    with pytest.raises(OrderRefused) as refusal:
        venue.place_order(replace(request(venue, Side.BUY, 9_000, name="b"), symbol="NO/SUCH"))
    assert refusal.value.code == "-1121"


def test_resting_orders_are_counted(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, CANDLES, market=tick_market(max_orders=2))
    venue = desk.open()
    for serial in range(2):
        order(venue, Side.BUY, 9_000, name=f"b{serial}")
    with pytest.raises(OrderRefused) as refusal:
        order(venue, Side.BUY, 9_000, name="b2")
    assert (refusal.value.code, refusal.value.message) == ("-1013", "Filter failure: MAX_NUM_ORDERS")
    order(venue, Side.BUY, 9_000, name="m", kind=OrderType.MARKET)
    desk.close()


def test_window_ends_exactly(desk: Desk) -> None:
    venue = desk.open()
    on_time = request(venue, Side.BUY, 9_000, name="b")
    desk.runtime.wall.sleep(5)
    assert venue.place_order(on_time).status is VenueStatus.OPEN
    ahead = replace(on_time, client_order_id="c", signed_at=venue.fetch_time() + timedelta(seconds=1))
    assert venue.place_order(ahead).status is VenueStatus.OPEN


def test_candles_never_look_ahead(desk: Desk) -> None:
    venue = desk.open(SteppedPace(2))
    assert venue.fetch_candles(SYMBOL, "1m", EPOCH) == ()
    assert venue.advance(SYMBOL) is False
    numbers = [[Decimal(price) for price in candle] for candle in CANDLES]
    seen = tuple(Candle(from_ms(60_000 * i), *numbers[i], volume=Decimal(0)) for i in range(2))
    assert venue.fetch_candles(SYMBOL, "1m", EPOCH) == seen
    assert venue.fetch_candles(SYMBOL, "1m", from_ms(1)) == seen[1:]
    assert venue.fetch_candles(SYMBOL, "1m", EPOCH, limit=1) == seen[:1]
    with pytest.raises(VenueUnavailable, match="1m"):
        venue.fetch_candles(SYMBOL, "1h", EPOCH)


def test_feed_without_candles_is_unavailable(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, [])
    venue = desk.open()
    with pytest.raises(VenueUnavailable, match="no candle yet"):
        venue.fetch_ticker(SYMBOL)
    with pytest.raises(OutcomeUnknown):
        order(venue, Side.BUY, 9_000, name="b")
    assert venue.fetch_open_orders(SYMBOL) == ()
    desk.close()


def test_feeds_and_markets_must_match(tmp_path: Path, desk: Desk) -> None:
    with pytest.raises(InputRefused, match="ETH/USDT has no feed"):
        PaperVenue(
            tmp_path / "p.db",
            feeds={},
            markets={"ETH/USDT": paper_market("ETH/USDT")},
            rules=PaperRules(deposit={}),
            runtime=desk.runtime,
            pace=SteppedPace(1),
        )


def test_another_feed_is_refused(desk: Desk) -> None:
    desk.open().advance(SYMBOL)
    desk.feed = ListFeed(CANDLES, label="other candles")
    with pytest.raises(InputRefused, match="other candles"):
        desk.open()


def test_built_in_markets_take_overrides() -> None:
    assert paper_market("ETH/BTC", tick_size=Decimal("0.000001"), lot_step=None) == Market(
        "ETH/BTC", Decimal("0.000001"), Decimal("0.0001"), Decimal("0.0001")
    )
    units = {"tick_size": Decimal(1), "lot_step": Decimal(2), "min_notional": Decimal(3)}
    assert paper_market("A/B", **units) == Market("A/B", Decimal(1), Decimal(2), Decimal(3))


@pytest.mark.parametrize("symbol", ["A/B", "BTCUSDT", "/", "A/B/C"])
def test_unknown_markets_name_the_flags(symbol: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        paper_market(symbol)
    assert refusal.value.field == "symbol"
    if symbol == "A/B":
        assert "--tick, --lot and --min-notional" in str(refusal.value)


def test_impossible_units_are_refused() -> None:
    for units in ({"tick_size": Decimal(0)}, {"lot_step": Decimal("NaN")}, {"maker_fee": Decimal(1)}):
        with pytest.raises(InputRefused):
            paper_market("BTC/USDT", **units)
    with pytest.raises(InputRefused, match="slippage"):
        PaperRules(deposit={}, slippage=Decimal(1))
