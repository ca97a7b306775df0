"""Strategies by name."""

from __future__ import annotations

from collections.abc import Mapping

from cryptotrader.core.grid.strategy import Grid
from cryptotrader.core.market import Market
from cryptotrader.core.strategy import Strategy, StrategyMaker
from cryptotrader.errors import InputRefused

STRATEGIES: dict[str, StrategyMaker] = {"grid": Grid.from_record}


def find_strategy(name: str, config: Mapping[str, str], market: Market) -> Strategy:
    """Build the strategy of this name.

    Raises:
        InputRefused: there is none of this name, or it refuses the configuration.
    """
    if name not in STRATEGIES:
        known = ", ".join(sorted(STRATEGIES))
        raise InputRefused(f"There is no strategy {name!r}.", field="strategy", value=name, hint=f"Known: {known}.")
    return STRATEGIES[name](config, market)
