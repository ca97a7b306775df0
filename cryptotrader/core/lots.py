"""Lots: base that was bought together, with its exact cost. First in, first out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from cryptotrader.errors import BooksDisagree

COST_QUANTUM = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Lot:
    """Base bought by one fill; `cost_quote` includes the buy's fee. `seq` orders lots within a bot."""

    seq: int
    base: Decimal
    cost_quote: Decimal


def total_base(lots: tuple[Lot, ...]) -> Decimal:
    """Return the base in all lots."""
    return sum((lot.base for lot in lots), Decimal(0))


def total_cost(lots: tuple[Lot, ...]) -> Decimal:
    """Return the quote that all lots cost."""
    return sum((lot.cost_quote for lot in lots), Decimal(0))


def take(lots: tuple[Lot, ...], base: Decimal) -> tuple[tuple[Lot, ...], tuple[Lot, ...]]:
    """Split `base` off the oldest lots.

    The cost of the part of a split lot is quantised to 1e-12; the part that stays keeps the difference, so that
    costs add up exactly for ever.

    Returns:
        What was taken, and what stays, both oldest first.

    Raises:
        BooksDisagree: the lots hold less than `base`.
    """
    taken: list[Lot] = []
    rest = list(lots)
    while base > 0:
        if not rest:
            raise BooksDisagree(f"{base} more base was sold than the lots of this cell hold")
        lot = rest.pop(0)
        if lot.base > base:
            cost = (lot.cost_quote * base / lot.base).quantize(COST_QUANTUM)
            rest.insert(0, replace(lot, base=lot.base - base, cost_quote=lot.cost_quote - cost))
            lot = replace(lot, base=base, cost_quote=cost)
        taken.append(lot)
        base -= lot.base
    return tuple(taken), tuple(rest)
