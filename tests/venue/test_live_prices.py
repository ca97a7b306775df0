"""Public prices through ccxt, against a loopback exchange that speaks as much of Binance as is asked of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from cryptotrader.core.candles import Candle
from cryptotrader.core.market import Market
from cryptotrader.errors import InputRefused, VenueUnavailable
from cryptotrader.venue.live_feed import LiveFeed
from cryptotrader.venue.live_prices import LivePrices
from tests.venue.public_exchange import MINUTE, START, kline

BTC = Market("BTC/USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5))


@pytest.fixture
def prices(origin):
    live = LivePrices("binance", rest_url=origin)
    yield live
    live.close()


@pytest.fixture
def feed(prices):
    return LiveFeed(prices, BTC, anchor_ms=START)


def columns(block):
    return [c.tolist() for c in (block.opened_at_ms, block.open, block.high, block.low, block.close)]


def minutes(first, last):
    return [START + minute * MINUTE for minute in range(first, last + 1)]


def test_market_has_the_exchange_units(prices):
    assert prices.fetch_market("BTC/USDT") == Market(
        symbol="BTC/USDT",
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.00001"),
        min_notional=Decimal(5),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.001"),
        max_orders=150,
    )


def test_only_the_symbol_itself_is_asked_for_once(prices, exchange):
    for symbol in ("BTC/USDT", "ETH/BTC", "BTC/USDT"):
        prices.fetch_market(symbol)
    assert exchange.asked == [
        ("/api/v3/exchangeInfo", {"symbols": '["BTCUSDT"]'}),
        ("/api/v3/exchangeInfo", {"symbols": '["ETHBTC"]'}),
    ]


def test_units_read_as_plain_numbers(prices):
    market = prices.fetch_market("ETH/BTC")
    assert (f"{market.tick_size}", f"{market.lot_step}", f"{market.min_notional}") == ("0.00001", "0.0001", "0.0001")


@pytest.mark.parametrize(
    ("symbol", "hint"),
    [("BTC/USD", "BTC/USDT"), ("BTCUSDT", "BTC/USDT"), ("B-C/USDT", "BTC/USDT"), ("DOGE/EUR", "")],
)
def test_unknown_symbol_is_refused_with_near_ones(prices, symbol, hint):
    with pytest.raises(InputRefused) as refusal:
        prices.fetch_market(symbol)
    assert refusal.value.message == f"There is no symbol {symbol!r}."
    assert (refusal.value.field, refusal.value.value) == ("symbol", symbol)
    assert hint in refusal.value.hint


def test_symbol_on_a_break_is_refused(prices):
    with pytest.raises(InputRefused, match="OLD/USDT does not trade on binance now"):
        prices.fetch_market("OLD/USDT")


def test_market_without_units_is_unavailable(prices, exchange):
    exchange.listings[0]["filters"][0]["tickSize"] = "0"
    with pytest.raises(VenueUnavailable, match="does not state the units of BTC/USDT"):
        prices.fetch_market("BTC/USDT")


def test_time_is_the_server_time(prices, exchange):
    exchange.now_minute = 1.5
    assert prices.fetch_time() == datetime(2024, 1, 1, 0, 1, 30, tzinfo=UTC)


def test_minutes_are_exact_candles(prices, exchange):
    exchange.klines, exchange.now_minute = [kline(0, close="100.51")], 5
    since = datetime(2024, 1, 1, tzinfo=UTC)
    expected = Candle(since, *map(Decimal, ("100.00", "101.00", "99.50", "100.51", "2")))
    assert prices.fetch_minutes("BTC/USDT", since) == (expected,)
    assert prices.fetch_minute_until("BTC/USDT", since + timedelta(hours=1)) == expected
    assert prices.fetch_minute_until("BTC/USDT", since - timedelta(hours=1)) is None


def test_feed_gives_finished_minutes_in_ticks(feed, exchange):
    exchange.klines, exchange.now_minute = [kline(0), kline(1, close="101.00"), kline(2)], 2.9
    assert (feed.label, feed.symbol, feed.timeframe_ms) == ("binance", "BTC/USDT", MINUTE)
    assert columns(feed.block(0)) == [
        minutes(0, 1),
        [10_000, 10_000],
        [10_100, 10_100],
        [9_950, 9_950],
        [10_050, 10_100],
    ]
    assert columns(feed.block(1)) == [[START + MINUTE], [10_000], [10_100], [9_950], [10_100]]


def test_minute_is_finished_at_its_last_millisecond(feed, exchange):
    exchange.klines = [kline(0)]
    exchange.now_minute = 1 - 1 / MINUTE
    assert feed.block(0) is None
    exchange.now_minute = 1
    assert len(feed.block(0)) == 1


def test_future_position_costs_no_candles(feed, exchange):
    assert feed.block(100) is None
    assert [path for path, _ in exchange.asked] == ["/api/v3/time"]


def test_lacking_minutes_become_flat_candles(feed, exchange):
    exchange.klines, exchange.now_minute = [kline(0), kline(3, opened="101.00", close="100.75"), kline(5)], 6
    assert columns(feed.block(0)) == [
        minutes(0, 5),
        [10_000, 10_050, 10_050, 10_100, 10_075, 10_000],
        [10_100, 10_050, 10_050, 10_100, 10_075, 10_100],
        [9_950, 10_050, 10_050, 9_950, 10_075, 9_950],
        [10_050, 10_050, 10_050, 10_075, 10_075, 10_050],
    ]


def test_position_means_the_same_from_anywhere(feed, exchange):
    exchange.klines, exchange.now_minute = [kline(0), kline(3, opened="101.00", close="100.75"), kline(5)], 6
    whole = columns(feed.block(0))
    assert [columns(feed.block(index)) for index in (1, 2, 4)] == [[c[index:] for c in whole] for index in (1, 2, 4)]


def test_hole_at_the_anchor_takes_the_last_close_before(feed, exchange):
    exchange.klines, exchange.now_minute = [kline(-2000, close="99.75"), kline(1)], 2
    assert columns(feed.block(0))[1:] == [[9_975, 10_000], [9_975, 10_100], [9_975, 9_950], [9_975, 10_050]]


def test_symbol_listed_after_the_anchor_starts_flat(feed, exchange):
    exchange.klines, exchange.now_minute = [kline(2)], 3
    assert feed.block(0).close.tolist() == [10_000, 10_000, 10_050]


def test_trailing_hole_waits_for_the_next_candle(feed, exchange):
    exchange.klines, exchange.now_minute = [kline(0)], 10
    assert len(feed.block(0)) == 1
    assert feed.block(1) is None


def test_long_history_comes_in_pages(feed, exchange):
    exchange.klines, exchange.now_minute = [kline(minute) for minute in range(1_500)], 1_500
    first = feed.block(0)
    second = feed.block(len(first))
    assert (len(first), len(second)) == (1_000, 500)
    assert np.concatenate([first.opened_at_ms, second.opened_at_ms]).tolist() == minutes(0, 1_499)


def test_price_off_the_tick_is_not_rounded(feed, exchange):
    exchange.klines, exchange.now_minute = [kline(0, close="100.501")], 1
    with pytest.raises(
        VenueUnavailable, match=r"^binance, candle of 2024-01-01 00:00 UTC: price 100\.5010* is not on the tick"
    ):
        feed.block(0)


def test_anchor_must_be_a_whole_minute(prices):
    with pytest.raises(InputRefused) as refusal:
        LiveFeed(prices, BTC, anchor_ms=START + 1)
    assert refusal.value.field == "anchor_ms"


def test_negative_position_does_not_exist(feed):
    with pytest.raises(IndexError):
        feed.block(-1)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (("/klines", 500, "{}"), "asked for candles: it is not available, or not from here (ExchangeNotAvailable)"),
        (("/klines", 429, "{}"), "asked for candles: it wants fewer requests (DDoSProtection)"),
        (("/klines", 418, "{}"), "asked for candles: it wants fewer requests (DDoSProtection)"),
        (("/klines", 451, "{}"), "asked for candles: it is not available, or not from here (ExchangeNotAvailable)"),
        (("/klines", 400, '{"code": -1003, "msg": "x"}'), "asked for candles: it wants fewer requests"),
        (("/klines", 400, '{"code": -1099, "msg": "x"}'), "asked for candles: it answered with an error"),
        (("/klines", 200, '[[1, "2"'), "asked for candles: the answer made no sense"),
        (("/klines", 200, "<html>maintenance</html>"), "asked for candles: the answer made no sense"),
        (("/klines", 200, "[[1704067200000, null, null, null, null, null]]"), "candle"),
        (("/klines", 200, '[[1704067200000, "NaN", "1", "1", "1", "1"]]'), "candle"),
        (("/time", 503, ""), "asked for its time: it is not available"),
        (("/time", 200, "<html>maintenance</html>"), "asked for its time: the answer made no sense"),
        (("/exchangeInfo", 503, ""), "asked for its symbols: it is not available"),
    ],
)
def test_every_failure_is_unavailable_without_address(feed, exchange, origin, fault, said):
    exchange.klines, exchange.now_minute, exchange.fault = [kline(0)], 1, fault
    with pytest.raises(VenueUnavailable) as failure:
        feed.block(0)
    text = str(failure.value)
    assert text.startswith("binance")
    assert said in text
    assert len(text) < 120
    assert not any(part in text for part in ("http", origin, "127.0.0.1", "/api"))


def test_absent_exchange_cannot_be_reached():
    prices = LivePrices("binance", rest_url="http://127.0.0.1:1")
    with pytest.raises(
        VenueUnavailable, match=r"^binance, asked for its time: it cannot be reached \(NetworkError\)\.$"
    ):
        prices.fetch_time()
    prices.close()


def test_unknown_exchange_is_refused_with_near_ones():
    with pytest.raises(InputRefused) as refusal:
        LivePrices("binanc")
    assert (refusal.value.field, "binance" in refusal.value.hint) == ("exchange", True)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "ftp://host", "http://", "https://user:secret@host", "https://host/api/v3"]
)
def test_rest_url_must_be_an_origin(url):
    with pytest.raises(InputRefused) as refusal:
        LivePrices("binance", rest_url=url)
    assert (refusal.value.field, "secret" in str(refusal.value)) == ("rest_url", False)


def test_other_exchanges_have_their_own_host_only():
    with pytest.raises(InputRefused, match="Another host works for binance, not for kraken"):
        LivePrices("kraken", rest_url="http://127.0.0.1:1")
