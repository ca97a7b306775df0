"""Two real processes race over one bot: stopped, continued and killed. The clock is real, and so is every wait.

All races run at once, because a lease that is not given back takes its thirty seconds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

from sqlalchemy import select

from cryptotrader.core.grid.config import GridConfig
from cryptotrader.execution.commands import add_bot
from cryptotrader.execution.desk import open_desk
from cryptotrader.runtime import Runtime
from cryptotrader.store.schema import IntentRow
from tests.databases import POSTGRESQL, SQLITE, fresh_database
from tests.execution.oracle import accepted_orders, judge
from tests.execution.racer import racing_settings
from tests.execution.world import BOT, SYMBOL, is_unproven, tend_once

LEASE_S = 30


@dataclass
class Racer:
    """A process of a race, and what it told."""

    process: subprocess.Popen[bytes]
    log: Path

    def told(self) -> list[str]:
        return self.log.read_text().splitlines()

    def is_stopped(self) -> bool:
        status = Path(f"/proc/{self.process.pid}/stat").read_text()
        return status.rpartition(")")[2].split()[0] == "T"


@dataclass
class Race:
    """One bot, one database, one paper book, and processes over them."""

    home: Path
    database: str
    racers: list[Racer] = field(default_factory=list)

    def prepare(self) -> None:
        self.home.mkdir()
        self.url = fresh_database(self.database, self.home)
        self.settings = racing_settings(self.home, self.url)
        self.settings.data.mkdir(parents=True, exist_ok=True)
        with open_desk(self.settings, Runtime(holder="referee")) as desk:
            price = desk.venue("paper").fetch_ticker(SYMBOL).last.quantize(Decimal(1))
            grid = GridConfig(SYMBOL, price * Decimal("0.98"), price * Decimal("1.02"), 8, Decimal(1000))
            add_bot(desk, name=BOT, account="paper", config=grid)

    def start(self, name: str, checkpoint: str = "") -> Racer:
        log = self.home / f"{name}.log"
        with log.open("wb") as output:
            command = [sys.executable, "-m", "tests.execution.racer", str(self.home), self.url, name, checkpoint]
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        self.racers.append(Racer(process, log))
        return self.racers[-1]

    def finish(self) -> None:
        """End all racers after their passes; then a referee trades on until all is proven, and judges."""
        for racer in self.racers:
            racer.process.send_signal(SIGCONT)
            racer.process.send_signal(SIGTERM)
        for racer in self.racers:
            racer.process.wait(20)
        with open_desk(self.settings, Runtime(holder="referee")) as desk:
            wait_for(lambda: tend_once(desk).tally.total == 0 and not is_unproven(desk), 25, every_s=1)
            judge(desk, self.settings.paper_book.parent, {"USDT": Decimal(2000), "BNB": Decimal(1)})

    def end(self) -> None:
        for racer in self.racers:
            racer.process.kill()
            racer.process.wait()


def wait_for(condition: Callable[[], bool], seconds: float, *, every_s: float = 0.1) -> float:
    """Wait until something holds; return the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(every_s)
    return time.monotonic() - began


def stop_past_the_lease(race: Race, checkpoint: str) -> None:
    """A process that was stopped with the lease in its hand sends nothing that is accepted when it goes on."""
    paused = race.start("paused", checkpoint)
    wait_for(paused.is_stopped, 20)
    accepted = len(accepted_orders(race.settings.paper_book.parent))
    rival = race.start("rival")
    waited = wait_for(lambda: "traded" in rival.told(), LEASE_S + 15)
    assert waited > LEASE_S - 10  # it stepped back as long as the lease was the other's
    assert set(rival.told()[:5]) == {"skipped"}
    before = {order.client_order_id for order in accepted_orders(race.settings.paper_book.parent)}
    assert len(before) > accepted
    paused.process.send_signal(SIGCONT)
    wait_for(lambda: paused.told() != [], 10)
    assert paused.told()[0].startswith("LeaseLost")
    with open_desk(race.settings) as desk, desk.db.reading() as session:
        tokens = {i.client_order_id: i.token for i in session.scalars(select(IntentRow))}
    late = {order.client_order_id for order in accepted_orders(race.settings.paper_book.parent)} - before
    assert all(tokens[order_id] > 1 for order_id in late)  # token 1 was the paused one's
    race.finish()


def stop_and_kill_at_random(race: Race, seed: int) -> None:
    """Two processes are stopped and continued at random moments; then one is killed, and the other follows it."""
    draw = Random(seed)
    first, second = race.start("first"), race.start("second")
    wait_for(lambda: "traded" in first.told() + second.told(), 25)
    end = time.monotonic() + 8
    while time.monotonic() < end:
        victim = draw.choice((first, second)).process
        victim.send_signal(SIGSTOP)
        time.sleep(draw.uniform(0.02, 0.5))
        victim.send_signal(SIGCONT)
        time.sleep(draw.uniform(0.02, 0.3))
    killed, left = draw.sample((first, second), 2)
    killed.process.send_signal(SIGKILL)
    killed.process.wait()
    told = len(left.told())
    wait_for(lambda: bool({"traded", "idle"} & set(left.told()[told:])), LEASE_S + 10)
    assert {line.partition(":")[0] for line in left.told()} <= {"traded", "idle", "skipped"}
    race.finish()


def test_processes_that_are_stopped_and_killed_never_order_twice(tmp_path: Path) -> None:
    races: list[tuple[Race, Callable[[Race], None]]] = [
        (Race(tmp_path / "signed", SQLITE), lambda race: stop_past_the_lease(race, "send:before")),
        (Race(tmp_path / "intended", POSTGRESQL), lambda race: stop_past_the_lease(race, "intend:after")),
        (Race(tmp_path / "random", SQLITE), lambda race: stop_and_kill_at_random(race, 1)),
        (Race(tmp_path / "random-pg", POSTGRESQL), lambda race: stop_and_kill_at_random(race, 2)),
    ]
    try:
        for race, _ in races:
            race.prepare()
        with ThreadPoolExecutor(len(races)) as pool:
            for done in [pool.submit(run, race) for race, run in races]:
                done.result()
    finally:
        for race, _ in races:
            race.end()
