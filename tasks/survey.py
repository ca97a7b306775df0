"""Looking before a run makes tasks: plain functions, because a pass with nothing to do should leave no trace."""

from __future__ import annotations

import asyncio

from cryptotrader.execution.commands import list_bots
from cryptotrader.execution.desk import open_desk
from cryptotrader.execution.tend import Survey, survey
from cryptotrader.settings import load_settings


def _survey(bot: str) -> Survey:
    with open_desk(load_settings()) as desk:
        return survey(desk, bot)


def _bots() -> list[dict[str, str]]:
    with open_desk(load_settings()) as desk:
        return [{"name": bot.name, "symbol": bot.symbol, "account": bot.account} for bot in list_bots(desk)]


async def survey_bot(bot: str) -> Survey:
    """Return what there is to do for a bot and who holds its lease; moves the paper market on, changes nothing."""
    return await asyncio.to_thread(_survey, bot)


async def survey_bots() -> list[dict[str, str]]:
    """Return name, symbol and account of every bot of this host."""
    return await asyncio.to_thread(_bots)
