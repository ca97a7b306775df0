"""What one pass works with: a bot, its venue, its lease, and a tally of what was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptotrader.core.market import Market
from cryptotrader.core.strategies import find_strategy
from cryptotrader.core.strategy import Strategy
from cryptotrader.runtime import Runtime
from cryptotrader.store.bots import find_bot, read_market
from cryptotrader.store.database import Database, Session
from cryptotrader.store.lease import Lease
from cryptotrader.venue.port import Venue

CLOCK_SKEW = timedelta(seconds=1)  # how far the venue's clock may run behind ours


@dataclass(slots=True)
class Tally:
    """What a pass, or several, did."""

    rounds: int = 0
    fills: int = 0
    placed: int = 0
    cancelled: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        """How many things changed."""
        return self.fills + self.placed + self.cancelled + self.refused


@dataclass(frozen=True, slots=True)
class Job:
    """One bot's doors, opened for one pass."""

    db: Database
    venue: Venue
    runtime: Runtime
    bot_id: int
    name: str
    incarnation: str
    symbol: str
    strategy: Strategy
    market: Market
    lease: Lease | None = None
    tally: Tally = field(default_factory=Tally)

    @property
    def now(self) -> datetime:
        """Wall time."""
        return self.runtime.wall.now()

    def checkpoint(self, name: str) -> None:
        """Pass a named point at which a simulation may crash."""
        self.db.checkpoint(name)


def open_job(db: Database, venue: Venue, runtime: Runtime, name: str) -> Job:
    """Look a bot up and build its strategy from what was stored when it was added.

    Raises:
        InputRefused: there is no such bot, or its strategy refuses its configuration.
    """
    with db.reading() as session:
        return job_of(session, db, venue, runtime, name)


def job_of(session: Session, db: Database, venue: Venue, runtime: Runtime, name: str) -> Job:
    """Do the same within a transaction that is open already."""
    bot = find_bot(session, name)
    market = read_market(bot.market)
    strategy = find_strategy(bot.strategy, bot.config, market)
    return Job(db, venue, runtime, bot.id, bot.name, bot.incarnation, bot.symbol, strategy, market)
