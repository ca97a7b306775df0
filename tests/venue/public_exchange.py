"""A loopback exchange that speaks as much of Binance's public API as the tests ask of it."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

START = 1_704_067_200_000
MINUTE = 60_000


def listing(base, quote, tick, lot, minimum, status="TRADING"):
    return {
        "symbol": base + quote,
        "status": status,
        "baseAsset": base,
        "quoteAsset": quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "permissions": ["SPOT"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000.00000000", "stepSize": lot},
            {"filterType": "NOTIONAL", "minNotional": minimum, "applyMinToMarket": True},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 150},
        ],
    }


def kline(minute, opened="100.00", high="101.00", low="99.50", close="100.50"):
    at = START + minute * MINUTE
    prices = [f"{price}000000" for price in (opened, high, low, close)]
    return [at, *prices, "2.00000000", at + MINUTE - 1, "200.00000000", 9, "1.0", "100.0", "0"]


@dataclass
class Exchange:
    """What the loopback exchange knows, and how it misbehaves."""

    listings: list = field(
        default_factory=lambda: [
            listing("BTC", "USDT", "0.01000000", "0.00001000", "5.00000000"),
            listing("ETH", "BTC", "0.00001000", "0.00010000", "0.00010000"),
            listing("OLD", "USDT", "1.00000000", "10.00000000", "10.00000000", status="BREAK"),
        ]
    )
    klines: list = field(default_factory=list)
    now_minute: float = 0
    fault: tuple[str, int, str] | None = None  # path ending, status, body
    asked: list = field(default_factory=list)

    def answer(self, path, query):
        self.asked.append((path, query))
        if self.fault and path.endswith(self.fault[0]):
            return self.fault[1], self.fault[2]
        return getattr(self, "_" + path.rpartition("/")[2])(query)

    def _time(self, query):
        return 200, json.dumps({"serverTime": START + int(self.now_minute * MINUTE)})

    def _exchangeInfo(self, query):
        wanted = json.loads(query["symbols"]) if "symbols" in query else None
        found = [one for one in self.listings if wanted is None or one["symbol"] in wanted]
        if wanted and not wanted[0].isalnum():
            return 400, json.dumps({"code": -1100, "msg": "Illegal characters found in parameter 'symbols'."})
        if not found:
            return 400, json.dumps({"code": -1121, "msg": "Invalid symbol."})
        return 200, json.dumps({"timezone": "UTC", "rateLimits": [], "symbols": found})

    def _klines(self, query):
        since, until = int(query.get("startTime", 0)), int(query.get("endTime", 2**60))
        rows = [row for row in self.klines if since <= row[0] <= until and row[0] <= START + self.now_minute * MINUTE]
        limit = int(query["limit"])
        return 200, json.dumps(rows[:limit] if since else rows[-limit:])


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
def origin(exchange):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urlsplit(self.path)
            status, text = exchange.answer(parts.path, dict(parse_qsl(parts.query)))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
