"""ccxt for public readings only: no keys, no orders, and none of its exceptions leave this door.

Their texts carry the whole request, so what went wrong is told in our own words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from cryptotrader.errors import InputRefused, VenueUnavailable

OPTIONS = {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False}
MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError)  # ccxt on a strange answer


class PublicClient:
    """A connection to one exchange's public readings. Every method may raise `VenueUnavailable`."""

    def __init__(self, exchange: str, *, rest_url: str = "", timeout_ms: int = 10_000) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            exchange: ccxt's name of it ("binance").
            rest_url: the origin of another host that speaks Binance's REST ("http://127.0.0.1:8080"), or empty.
            timeout_ms: how long to wait for an answer.

        Raises:
            InputRefused: an unknown exchange, or a host that cannot be used with it.
        """
        import ccxt  # 76 MB and a second: only the process that talks to an exchange pays it

        if exchange not in ccxt.exchanges:
            raise unknown("exchange", exchange, ccxt.exchanges)
        self._ccxt, self.name = ccxt, exchange
        self._markets: dict[str, Mapping[str, Any]] = {}
        settings = {"number": str, "timeout": timeout_ms, "enableRateLimit": True, "options": OPTIONS}
        self._client: Any = getattr(ccxt, exchange)({**settings, "enableLastJsonResponse": True})
        self._client.has["fetchCurrencies"] = False  # ccxt would ask for them with the markets, some need keys
        self._speaks_binance = exchange.startswith("binance")
        if rest_url:
            self._point_at(rest_url)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def fetch_time_ms(self) -> int:
        """Return the server's time."""
        with self._asking("its time"):
            return int(self._client.fetch_time())

    def fetch_listing(self, symbol: str) -> Mapping[str, Any]:
        """Return ccxt's market of a spot symbol, asking for this symbol only where the exchange can.

        Raises:
            InputRefused: no such spot symbol; the hint names near ones.
        """
        if symbol not in self._markets:
            found = self._load(json.dumps([symbol.replace("/", "")], separators=(",", ":")))
            if symbol not in found:
                raise unknown("symbol", symbol, self._load())
            self._markets[symbol] = found[symbol]
        return self._markets[symbol]

    def fetch_minutes(
        self, symbol: str, *, since_ms: int | None = None, until_ms: int | None = None
    ) -> list[list[Any]]:
        """Return one-minute candles [ms, open, high, low, close, volume]: up to 1000 from `since_ms` on, oldest
        first, or the last one that opened at or before `until_ms`. Prices are the exchange's own text.
        """
        self.fetch_listing(symbol)
        with self._asking("candles"):
            if since_ms is not None:
                return list(self._client.fetch_ohlcv(symbol, "1m", since_ms, 1000))
            return list(self._client.fetch_ohlcv(symbol, "1m", None, 1, {"until": until_ms}))

    def _load(self, symbols: str = "") -> dict[str, Mapping[str, Any]]:
        """Return the spot markets by symbol: those asked for, or all; none when the exchange knows no such symbol."""
        params = {"symbols": symbols} if symbols and self._speaks_binance else {}
        with self._asking("its symbols"):
            try:
                markets = self._client.load_markets(True, params)
            except (self._ccxt.BadSymbol, self._ccxt.BadRequest):  # BadRequest: characters no symbol has
                if not params:
                    raise
                return {}
            spot = {symbol: market for symbol, market in markets.items() if market["spot"]}
            self._client.set_markets([*spot.values(), *self._markets.values()])  # a scoped load forgets the others
            return spot

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        try:
            yield
            if self._client.last_json_response is None:  # ccxt reads a page of HTML or half an answer as "no rows"
                raise ValueError
        except self._ccxt.BaseError as error:
            raise VenueUnavailable(f"{self.name}, asked for {what}: {self._reason(error)}.") from None
        except MALFORMED as error:
            reason = f"the answer made no sense ({type(error).__name__})"
            raise VenueUnavailable(f"{self.name}, asked for {what}: {reason}.") from None

    def _reason(self, error: Exception) -> str:
        ccxt = self._ccxt
        reasons = {
            ccxt.RequestTimeout: "no answer in time",
            ccxt.RateLimitExceeded: "it wants fewer requests",
            ccxt.DDoSProtection: "it wants fewer requests",
            ccxt.ExchangeNotAvailable: "it is not available, or not from here",
            ccxt.NetworkError: "it cannot be reached",
        }
        said = next((said for kind, said in reasons.items() if isinstance(error, kind)), "it answered with an error")
        return f"{said} ({type(error).__name__})"

    def _point_at(self, rest_url: str) -> None:
        parts = urlsplit(rest_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.path.strip("/"):
            hint = 'Give scheme, host and port only: "https://gateway.example:8443".'
            raise InputRefused("The REST URL is not an origin.", field="rest_url", hint=hint)
        if not self._speaks_binance:
            message = f"Another host works for binance, not for {self.name}."
            raise InputRefused(message, field="rest_url", hint="Leave it empty.")
        origin = f"{parts.scheme}://{parts.netloc}"
        urls = self._client.urls["api"]
        urls.update(dict.fromkeys(("public", "private", "v1"), f"{origin}/api/v3"))
        urls.update({name: f"{origin}/sapi/v1" for name in urls if name.startswith("sapi")})
        # ccxt picks its error table by host name, and knows only the exchange's own
        self._client.exceptions["exact"].update(self._client.exceptions["spot"]["exact"])


def unknown(field: str, value: str, known: Iterable[str]) -> InputRefused:
    """Return the refusal of a name that is not among the known ones, with those most like it."""
    near = get_close_matches(value, list(known), n=3)
    hint = f"Did you mean {', '.join(near)}?" if near else ""
    return InputRefused(f"There is no {field} {value!r}.", field=field, value=value, hint=hint)
