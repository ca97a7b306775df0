"""The path of the paper exchange: what fills, where, when, and that it never depends on how often one looks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.core.market import Side
from cryptotrader.core.orders import Ticker
from cryptotrader.runtime import from_ms
from cryptotrader.venue.paper.pace import Allowance, ReplayPace, SteppedPace, UnboundedPace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.venue import PaperVenue
from tests.feeds import MINUTE_MS, ListFeed, Ohlc
from tests.venue.paper_setup import RICH, SYMBOL, Desk, desk_of, fills, order

QUARTER_MS = MINUTE_MS // 4
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[Desk]]:
    desks: list[Desk] = []
    yield desks
    for desk in desks:
        desk.close()


def desk_with(tmp_path: Path, opened: list[Desk], candles: Sequence[Ohlc], **rules: int) -> Desk:
    desk = desk_of(tmp_path, candles)
    desk.rules = PaperRules(deposit=RICH, **rules)
    opened.append(desk)
    return desk


def price_of(venue: PaperVenue) -> tuple[Decimal, int]:
    ticker = venue.fetch_ticker(SYMBOL)
    return ticker.last, int(ticker.at.timestamp() * 1000)


# -- single cases


def test_market_is_entered_at_first_open(tmp_path: Path, opened: list[Desk]) -> None:
    venue = desk_with(tmp_path, opened, [(100, 110, 90, 105)]).open(SteppedPace(0))
    expected = Ticker(Decimal(100), Decimal(100), Decimal(100), from_ms(0))
    assert venue.fetch_ticker(SYMBOL) == expected
    assert venue.advance(SYMBOL) is False
    assert venue.fetch_ticker(SYMBOL) == expected


def test_rising_candle_dips_first(tmp_path: Path, opened: list[Desk]) -> None:
    venue = desk_with(tmp_path, opened, [(100, 110, 90, 105)]).open()
    order(venue, SELL, 108, name="s")
    order(venue, BUY, 95, name="b")
    assert venue.advance(SYMBOL) is True
    assert price_of(venue) == (Decimal(94), QUARTER_MS)
    assert venue.advance(SYMBOL) is True
    assert venue.advance(SYMBOL) is False
    assert fills(venue) == [
        ("2", BUY, Decimal(95), Decimal(1), QUARTER_MS),
        ("1", SELL, Decimal(108), Decimal(1), 2 * QUARTER_MS),
    ]
    assert price_of(venue) == (Decimal(105), MINUTE_MS)


@pytest.mark.parametrize("close", [100, 95])
def test_other_candles_rise_first(tmp_path: Path, opened: list[Desk], close: int) -> None:
    venue = desk_with(tmp_path, opened, [(100, 110, 90, close)]).open()
    order(venue, BUY, 92, name="b")
    order(venue, SELL, 108, name="s")
    while venue.advance(SYMBOL):
        pass
    assert [fill[1] for fill in fills(venue)] == [SELL, BUY]


def test_touch_fills_only_when_asked(tmp_path: Path, opened: list[Desk]) -> None:
    candles = [(100, 100, 90, 95)]
    for name, through, count in (("touch", 0, 1), ("through", 1, 0)):
        folder = tmp_path / name
        folder.mkdir()
        venue = desk_with(folder, opened, candles, through_ticks=through).open()
        order(venue, BUY, 90, name="b")
        assert venue.advance(SYMBOL) is bool(count)
        assert len(fills(venue)) == count


def test_gap_between_candles_is_walked(tmp_path: Path, opened: list[Desk]) -> None:
    venue = desk_with(tmp_path, opened, [(100, 100, 100, 100), (80, 80, 80, 80)]).open()
    order(venue, BUY, 90, name="b")
    assert venue.advance(SYMBOL) is True
    assert fills(venue) == [("1", BUY, Decimal(90), Decimal(1), MINUTE_MS)]
    assert price_of(venue) == (Decimal(89), MINUTE_MS)


def test_order_placed_within_fills_on_way_back(tmp_path: Path, opened: list[Desk]) -> None:
    venue = desk_with(tmp_path, opened, [(100, 110, 90, 105)]).open()
    order(venue, BUY, 95, name="b")
    assert venue.advance(SYMBOL) is True
    order(venue, SELL, 96, name="s")
    assert venue.advance(SYMBOL) is True
    order(venue, BUY, 96, name="again")
    assert venue.advance(SYMBOL) is False
    assert [(fill[1], fill[2], fill[4]) for fill in fills(venue)] == [
        (BUY, Decimal(95), QUARTER_MS),
        (SELL, Decimal(96), 2 * QUARTER_MS),
    ]


def test_one_point_fills_oldest_first(tmp_path: Path, opened: list[Desk]) -> None:
    venue = desk_with(tmp_path, opened, [(100, 100, 94, 95)]).open()  # turns exactly where they fill
    for name in ("second", "first", "third"):
        order(venue, BUY, 95, name=name)
    for count in (1, 2, 3):
        assert venue.advance(SYMBOL) is True
        assert [fill[0] for fill in fills(venue)] == ["1", "2", "3"][:count]
        assert price_of(venue) == (Decimal(94), 2 * QUARTER_MS)
    assert venue.advance(SYMBOL) is False


def test_watch_stops_a_tick_beyond(tmp_path: Path, opened: list[Desk]) -> None:
    venue = desk_with(tmp_path, opened, [(100, 110, 90, 105)]).open()
    watches = [Decimal(95), Decimal(100)]
    stops = []
    while venue.advance(SYMBOL, watches):
        stops.append(price_of(venue))
    assert stops == [
        (Decimal(99), QUARTER_MS),
        (Decimal(94), QUARTER_MS),
        (Decimal(96), 2 * QUARTER_MS),
        (Decimal(101), 2 * QUARTER_MS),
    ]


def test_unfinished_candle_is_not_walked(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_with(tmp_path, opened, [(100, 100, 90, 95)])
    venue = desk.open(ReplayPace(speed=1, head_start_ms=MINUTE_MS - 1))
    order(venue, BUY, 95, name="b")
    assert venue.advance(SYMBOL) is False
    desk.runtime.wall.sleep(1)
    assert venue.advance(SYMBOL) is True


def test_growing_feed_is_followed(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_with(tmp_path, opened, [(100, 100, 100, 100)])
    venue = desk.open()
    order(venue, BUY, 95, name="b")
    assert (venue.advance(SYMBOL), venue.at_end(SYMBOL)) == (False, True)
    desk.feed.append([(100, 100, 90, 90)])
    assert (venue.at_end(SYMBOL), venue.advance(SYMBOL)) == (False, True)


# -- how far the market may walk


def test_replay_time_stands_still_when_idle() -> None:
    pace = ReplayPace(speed=60, head_start_ms=7, idle_after_s=150)
    allowance = pace.allow(None, wall_ms=1000, timeframe_ms=MINUTE_MS)
    seen = [allowance.market_ms]
    for wall_ms in (1001, 151_001, 301_002, 301_000, 301_500):
        allowance = pace.allow(allowance, wall_ms=wall_ms, timeframe_ms=MINUTE_MS)
        seen.append(allowance.market_ms)
    assert seen == [7, 67, 9_000_067, 9_000_067, 9_000_067, 9_030_067]


def test_steps_never_go_back() -> None:
    assert SteppedPace(3).allow(Allowance(5 * MINUTE_MS, 0), wall_ms=9, timeframe_ms=MINUTE_MS) == Allowance(
        5 * MINUTE_MS, 9
    )


def test_slower_pace_goes_on_from_there(tmp_path: Path, opened: list[Desk]) -> None:
    desk = desk_with(tmp_path, opened, [(100, 100, 100, 100)] * 3)
    desk.open(UnboundedPace()).advance(SYMBOL)
    desk.feed.append([(100, 100, 100, 100)] * 3)
    desk.runtime.wall.sleep(1)
    venue = desk.open(ReplayPace(speed=60, head_start_ms=0))
    venue.advance(SYMBOL)
    assert price_of(venue) == (Decimal(100), 4 * MINUTE_MS)


# -- against a naive reference that steps tick by tick


Event = tuple[object, ...]


def ticks_of(feed: ListFeed) -> Iterator[tuple[int, int]]:
    """Yield every tick of the path with its market time."""
    last: int | None = None
    for opened_ms, open_, high, low, close in feed._rows:
        if last is None:
            last = open_
            yield last, opened_ms
        extremes = (low, high) if close > open_ else (high, low)
        for leg, target in enumerate((open_, *extremes, close)):
            step = 1 if target > last else -1
            for ticks in range(last + step, target + step, step) if target != last else ():
                yield ticks, opened_ms + leg * feed.timeframe_ms // 4
            last = target


def through(side: Side, price: int, ticks: int, by: int) -> bool:
    return ticks <= price - by if side is BUY else ticks >= price + by


def reference(
    feed: ListFeed, starting: Sequence[tuple[Side, int]], *, watches: frozenset[int], by: int, step: int
) -> list[Event]:
    """Return every fill and watch of the strategy that answers each fill with an order `step` away."""
    events: list[Event] = []
    resting: dict[int, tuple[Side, int]] = {}
    path = list(ticks_of(feed))
    ticks, _ = path[0]
    accepted = 0

    def offer(side: Side, price: int) -> None:
        nonlocal accepted
        if price >= 1 and (price < ticks if side is BUY else price > ticks):
            accepted += 1
            resting[accepted] = (side, price)

    for side, price in starting:
        offer(side, price)
    for (before, _), (here, at_ms) in pairwise(path):
        ticks, count = here, len(events)
        while reached := [name for name, (side, price) in resting.items() if through(side, price, ticks, by)]:
            side, price = resting.pop(min(reached))
            events.append((str(min(reached)), side, price, at_ms))
            offer(SELL if side is BUY else BUY, price + step if side is BUY else price - step)
        if len(events) == count and before in watches:
            events.append(("watch", ticks, at_ms))
    return events


def traded(
    desk: Desk,
    starting: Sequence[tuple[Side, int]],
    *,
    watches: frozenset[int],
    step: int,
    steps: Sequence[int] = (),
    reopen_every: int = 0,
) -> list[Event]:
    """Run the same strategy on the paper exchange, allowing candles in steps and reopening the book on the way."""
    pace = SteppedPace(0) if steps else UnboundedPace()
    venue = desk.open(pace)
    events: list[Event] = []
    serial = advances = 0

    def offer(side: Side, price: int) -> None:
        nonlocal serial
        last = int(venue.fetch_ticker(SYMBOL).last)
        if price >= 1 and (price < last if side is BUY else price > last):
            serial += 1
            order(venue, side, price, name=f"o{serial}")

    for side, price in starting:
        offer(side, price)
    for allowed in (*steps, None) if steps else (None,):
        if isinstance(pace, SteppedPace):
            pace.candles = pace.candles + allowed if allowed is not None else 10**6
        while venue.advance(SYMBOL, [Decimal(price) for price in sorted(watches)]):
            advances += 1
            if reopen_every and advances % reopen_every == 0:
                venue.close()
                venue = desk.open(pace)
            ticker = venue.fetch_ticker(SYMBOL)
            at_ms = int(ticker.at.timestamp() * 1000)
            done = sum(event[0] != "watch" for event in events)
            new = venue.fetch_trades(SYMBOL, done + 1)
            if not new:
                events.append(("watch", int(ticker.last), at_ms))
            for trade in new:
                assert trade.at == ticker.at
                events.append((trade.venue_order_id, trade.side, int(trade.price), at_ms))
                there = int(trade.price) + (step if trade.side is BUY else -step)
                offer(SELL if trade.side is BUY else BUY, there)
    *_, (last, _) = ticks_of(desk.feed)
    assert int(venue.fetch_ticker(SYMBOL).last) == last
    return events


@st.composite
def series(draw: st.DrawFn) -> list[Ohlc]:
    """Draw candles around 60 ticks: gaps, wicks, flat ones, and prices that never fall below 1."""
    candles, last = [], 60
    small, wick = st.integers(-9, 9), st.integers(0, 7)
    for gap, body, up, down in draw(st.lists(st.tuples(small, small, wick, wick), min_size=1, max_size=12)):
        open_ = max(1, last + gap * (gap % 2))  # half of them open where the last closed
        close = max(1, open_ + body)
        candles.append((open_, max(open_, close) + up, max(1, min(open_, close) - down), close))
        last = close
    return candles


ORDERS = st.lists(st.tuples(st.sampled_from([BUY, SELL]), st.integers(52, 68)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    candles=series(),
    starting=ORDERS,
    watches=st.frozensets(st.integers(45, 75), max_size=3),
    by=st.integers(0, 2),
    step=st.integers(1, 4),
    steps=st.lists(st.integers(0, 3), max_size=8),
    reopen_every=st.integers(0, 3),
    block_size=st.integers(1, 5),
    missing=st.frozensets(st.integers(1, 10), max_size=3),
)
def test_result_equals_a_tick_by_tick_walk(
    candles, starting, watches, by, step, steps, reopen_every, block_size, missing
) -> None:
    feed = ListFeed(candles, block_size=block_size, missing=missing)
    expected = reference(feed, starting, watches=watches, by=by, step=step)
    for schedule, reopening in (((), 0), (steps, reopen_every)):
        with TemporaryDirectory() as folder:
            desk = Desk(Path(folder) / "paper.db", feed, rules=PaperRules(deposit=RICH, through_ticks=by))
            try:
                events = traded(desk, starting, watches=watches, step=step, steps=schedule, reopen_every=reopening)
            finally:
                desk.close()
        assert events == expected


@pytest.mark.parametrize("index", [0, 1, 63, 64, 65, 319, 320, 321, 1343, 1344, 1345])
def test_no_candle_is_skipped_unseen(tmp_path: Path, opened: list[Desk], index: int) -> None:
    candles = [(100, 100, 100, 100)] * 1400
    candles[index] = (100, 100, 94, 100)
    venue = desk_with(tmp_path, opened, candles).open()
    order(venue, BUY, 95, name="b")
    assert venue.advance(SYMBOL) is True
    assert fills(venue) == [("1", BUY, Decimal(95), Decimal(1), index * MINUTE_MS + 2 * QUARTER_MS)]


def test_long_quiet_stretches_change_nothing(tmp_path: Path, opened: list[Desk]) -> None:
    chance, last, candles = random.Random(7), 1000, []
    for _ in range(6000):
        close = last + chance.randint(-3, 3)
        candles.append((last, max(last, close) + chance.randint(0, 2), min(last, close) - chance.randint(0, 2), close))
        last = close
    desk = desk_with(tmp_path, opened, candles)
    starting = [(BUY, 1000 - 40 * i) for i in range(1, 8)] + [(SELL, 1000 + 40 * i) for i in range(1, 8)]
    watches = frozenset({913, 1087})
    expected = reference(desk.feed, starting, watches=watches, by=1, step=40)
    assert len(expected) > 10
    assert traded(desk, starting, watches=watches, step=40) == expected


@pytest.mark.parametrize("seed", range(5))
def test_partial_fills_come_in_two_parts(tmp_path: Path, opened: list[Desk], seed: int) -> None:
    venue = desk_with(tmp_path, opened, [(100, 100, 90, 95)], partial_seed=seed).open()
    placed = order(venue, BUY, 95, name="b", quantity="0.017")
    order(venue, BUY, 95, name="two", quantity="0.002")
    order(venue, BUY, 95, name="three", quantity="0.003")
    assert venue.advance(SYMBOL) is True
    (first,) = venue.fetch_trades(SYMBOL, 1)
    assert Decimal(0) < first.quantity < placed.quantity
    assert first.quantity % Decimal("0.001") == 0
    assert venue.fetch_open_orders(SYMBOL)[0].filled_base == first.quantity
    while venue.advance(SYMBOL):
        pass
    parts = [(fill[0], fill[4]) for fill in fills(venue)]
    assert parts == [(name, 2 * QUARTER_MS) for name in ("1", "1", "2", "2", "3", "3")]
    assert sum(fill[3] for fill in fills(venue)) == Decimal("0.022")
    assert venue.fetch_balances()["USDT"].locked == 0
