"""The equity curve's running figures."""

from __future__ import annotations

from decimal import Decimal

DRAWDOWN_QUANTUM = Decimal("1e-12")


def draw_down(high_water: Decimal, equity: Decimal) -> tuple[Decimal, Decimal]:
    """Return the new high-water mark and the drawdown from it.

    Args:
        high_water: highest equity so far, in quote; the starting capital is the first peak.
        equity: equity now, in quote.

    Returns:
        The high-water mark, and the drawdown as a fraction of it (0 at a new high), rounded up to 1e-12.
    """
    peak = max(high_water, equity)
    if peak <= 0:
        return peak, Decimal(0)
    return peak, ((peak - equity) / peak).quantize(DRAWDOWN_QUANTUM, rounding="ROUND_CEILING")
