"""The command line as a test uses it: words in, an answer out."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

Ohlc = tuple[str, str, str, str]

GOLDEN = (
    "--lower", "24323.5", "--upper", "33444.8", "--grids", "6", "--tick", "0.1", "--lot", "1e-8",
    "--investment", "100", "--price", "30478.1",
)  # fmt: skip

SWING = ("--lower", "90", "--upper", "110", "--grids", "10", "--investment", "1000",
         "--tick", "0.01", "--lot", "0.001", "--min-notional", "5")  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The refusal on stdout."""
        assert self.document.keys() == {"error"}
        assert self.document["error"].keys() == {"field", "value", "message", "hint"}
        return self.document["error"]


def changed(flags: tuple[str, ...], **new: str) -> list[str]:
    """Return flags with some values replaced or added, by the flag's name."""
    words = list(flags)
    for name, value in new.items():
        flag = f"--{name.replace('_', '-')}"
        if flag in words:
            words[words.index(flag) + 1] = value
        else:
            words += [flag, value]
    return words


def write_candles(path: Path, candles: Iterable[Ohlc], *, minutes: int = 1) -> Path:
    """Write a candle file from (open, high, low, close)."""
    with path.open("w", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(("timestamp", "open", "high", "low", "close", "volume"))
        for number, candle in enumerate(candles):
            sheet.writerow((1_700_000_040_000 + number * minutes * 60_000, *candle, "1"))
    return path


def swing(rounds: int) -> list[Ohlc]:
    """Return candles that walk from 101 down to 93, up to 107 and back, a step of 0.5 each."""
    halves = [*range(202, 186, -1), *range(186, 214), *range(214, 202, -1)] * rounds
    prices = [f"{half / 2:.2f}" for half in [*halves, 202]]
    return [
        (a, max(a, b, key=lambda text: (len(text), text)), min(a, b, key=lambda text: (len(text), text)), b)
        for a, b in pairwise(prices)
    ]
