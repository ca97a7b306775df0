"""A candle file as a feed: what replays of a paper venue walk along."""

from __future__ import annotations

from cryptotrader.venue.candle_file import CandleFile
from cryptotrader.venue.feed import CandleBlock


class FileFeed:
    """The candles of a file by position, each a row of the file; a gap takes no positions."""

    def __init__(self, candles: CandleFile) -> None:
        self._candles = candles

    @property
    def label(self) -> str:
        """The file's name."""
        return self._candles.label

    @property
    def symbol(self) -> str:
        """What the candles are of."""
        return self._candles.symbol

    @property
    def timeframe_ms(self) -> int:
        """The length of a candle."""
        return self._candles.timeframe_ms

    def block(self, index: int) -> CandleBlock | None:
        """Return the candles from position `index` to the end of the file, as views; None past the end."""
        if index < 0:
            raise IndexError(f"a feed has no position {index}")
        block = self._candles.block
        if index >= len(block):
            return None
        rest = slice(index, None)
        return CandleBlock(
            opened_at_ms=block.opened_at_ms[rest],
            open=block.open[rest],
            high=block.high[rest],
            low=block.low[rest],
            close=block.close[rest],
        )
