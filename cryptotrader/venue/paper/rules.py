"""How the simulated exchange behaves: every assumption that a real exchange would make for us, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cryptotrader.errors import InputRefused

LONGEST_RECV_WINDOW_MS = 60_000  # Binance refuses more


@dataclass(frozen=True, slots=True)
class PaperRules:
    """Deposits and assumptions of the paper exchange.

    Attributes:
        deposit: balances at the birth of the book, by asset; a book that exists keeps what it has.
        slippage: a market order fills this fraction worse than the last price walked, rounded away to the tick.
        through_ticks: 1: price must trade through an order by a tick; 0: a touch fills.
        third_price: price of the third fee asset (BNB) in quote. An assumption: no series of it is walked.
        recv_window_ms: how long after its timestamp a request is accepted, as the venue announces it.
        partial_seed: when set, resting orders fill in two parts, split by a hash of this and the order's id.
    """

    deposit: Mapping[str, Decimal]
    slippage: Decimal = Decimal("0.001")
    through_ticks: int = 1
    third_price: Decimal = Decimal("300")
    recv_window_ms: int = 5000
    partial_seed: int | None = None

    def __post_init__(self) -> None:
        """Refuse assumptions that would make money out of nothing.

        Raises:
            InputRefused: naming the field.
        """
        for asset, amount in self.deposit.items():
            _require(amount.is_finite() and amount >= 0, f"deposit {asset}", amount, "a deposit is 0 or more")
        _require(self.slippage.is_finite() and 0 <= self.slippage < 1, "slippage", self.slippage, "0 <= slippage < 1")
        _require(self.through_ticks >= 0, "through_ticks", self.through_ticks, "0 (a touch) or more")
        _require(self.third_price.is_finite() and self.third_price > 0, "third_price", self.third_price, "above 0")
        window_fits = 0 < self.recv_window_ms <= LONGEST_RECV_WINDOW_MS
        _require(window_fits, "recv_window_ms", self.recv_window_ms, f"1 to {LONGEST_RECV_WINDOW_MS}")


def _require(holds: bool, field: str, value: object, hint: str) -> None:
    if not holds:
        raise InputRefused(f"{field} is {value}.", field=field, value=value, hint=f"It must be: {hint}.")
