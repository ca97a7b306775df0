"""An abstract exchange and the loop around a strategy, in whole ticks and exact fractions; it checks as it goes.

Nothing of the paper venue is in here: orders fill at their own price when the walk trades through them, a plain limit
order that is already passed and a market order fill at once. Balances are fractions, so that any digit that the core
rounds away shows as a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from random import Random

from cryptotrader.core.cells import BotState
from cryptotrader.core.market import FeeIn, Market, Side
from cryptotrader.core.orders import OrderType, Purpose
from cryptotrader.core.profit import Profit, Purse, compute_profit
from cryptotrader.core.reconcile import Control, LiveOrder, Plan, buy_cost, reconcile
from cryptotrader.core.strategy import Desired, Facts, Slot, Strategy, Wanted
from tests.core.grids import fill

MAX_ROUNDS = 60


@dataclass(frozen=True)
class Troubles:
    """How often, of 100 times, something goes other than a grid would like."""

    partial: int = 0  # a fill is only a part
    unknown: int = 0  # the answer to an order is lost; every other such order never arrived
    refused: int = 0  # an order is refused and its slot cools down
    cancelled: int = 0  # somebody cancels one of our orders
    fee_switch: int = 0  # the fee is taken in what is received instead of the third asset


CALM = Troubles()


@dataclass
class Exchange:
    """One bot on one symbol. `price` is in ticks."""

    strategy: Strategy
    price: int
    quote: Fraction
    base: Fraction = Fraction(0)
    troubles: Troubles = CALM
    chance: Random = field(default_factory=lambda: Random(0))
    control: Control = Control.ACTIVE
    state: BotState = field(default_factory=BotState)
    live: dict[Slot, LiveOrder] = field(default_factory=dict)
    ghosts: set[Slot] = field(default_factory=set)  # orders of unknown outcome that never arrived
    cooling: dict[Slot, str] = field(default_factory=dict)
    third_fees: Fraction = Fraction(0)
    fills: int = 0
    serial: int = 0

    def __post_init__(self) -> None:
        self.investment, self.entry_base = self.quote, self.base

    @property
    def market(self) -> Market:
        """The symbol's rules."""
        return self.strategy.market

    @property
    def last(self) -> Decimal:
        """The price in quote."""
        return self.market.price(self.price)

    # -- the bot

    def decide(self) -> tuple[Desired, Plan]:
        """Decide once, changing nothing."""
        desired = self.strategy.desired(self.state, Facts(self.last, self.last, self.last, frozenset(self.live)))
        return desired, reconcile(
            desired.wanted, self.live.values(), market=self.market, control=self.control,
            quote=decimal(self.quote), cooling=self.cooling,
        )  # fmt: skip

    def run_pass(self) -> None:
        """Learn what became of unknown orders; then decide and act until nothing is left to do."""
        self._resolve()
        for _ in range(MAX_ROUNDS):
            desired, plan = self.decide()
            quiet = plan.is_quiet and desired.state == self.state
            self.state = desired.state
            for order, _reason in plan.cancel:
                assert order.is_known
                del self.live[order.slot]
            for want in plan.place:
                self._place(want)
            self.check()
            if quiet:
                return
        raise AssertionError(f"still not quiet after {MAX_ROUNDS} rounds: {plan}")

    def _resolve(self) -> None:
        for slot in self.ghosts:
            del self.live[slot]
        self.ghosts.clear()
        self.live = {slot: replace(order, is_known=True) for slot, order in self.live.items()}
        self.cooling.clear()

    def _place(self, want: Wanted) -> None:
        assert want.slot not in self.live, "two live orders in one slot"
        assert self.market.is_sellable(want.quantity, want.price), f"below the filters: {want}"
        assert self.market.floor_quantity(want.quantity) == want.quantity
        if self._happens(self.troubles.refused):
            self.cooling[want.slot] = "refused"
            return
        self.serial += 1
        known = not self._happens(self.troubles.unknown)
        order = LiveOrder(f"o{self.serial}", want.slot, want.side, want.price, want.quantity, Decimal(0), known)
        self.live[want.slot] = order
        if not known and self._happens(50):
            self.ghosts.add(want.slot)
        elif want.type is OrderType.MARKET or self._passed(order):
            assert want.type is not OrderType.POST_ONLY, "a post-only order that would take"
            self._execute(order, order.quantity, self.last, is_maker=False)

    # -- the market

    def step(self, price: int) -> None:
        """Let the price trade at another tick: every order that it passed fills, the nearest first."""
        rising, self.price = price > self.price, price
        passed = sorted((o for o in self.live.values() if self._passed(o)), key=lambda o: o.price)
        for order in passed if rising else reversed(passed):
            self._execute(order, self._part_of(order), order.price, is_maker=True)
        if self.live and self._happens(self.troubles.cancelled):
            self._cancel_by_somebody()
        self.check()

    def _passed(self, order: LiveOrder) -> bool:
        if order.slot in self.ghosts:
            return False
        return order.price > self.last if order.side is Side.BUY else order.price < self.last

    def _part_of(self, order: LiveOrder) -> Decimal:
        if not self._happens(self.troubles.partial):
            return order.remaining
        lots = int(order.remaining / self.market.lot_step)
        return self.chance.randint(1, lots) * self.market.lot_step

    def _execute(self, order: LiveOrder, quantity: Decimal, price: Decimal, *, is_maker: bool) -> None:
        switched = self._happens(self.troubles.fee_switch) and self.market.fee_in is FeeIn.THIRD
        execution = fill(
            order.slot, order.side, price, quantity, market=self.market, completes=quantity == order.remaining,
            is_maker=is_maker, fee_in=FeeIn.BASE if switched else None,
        )  # fmt: skip
        sign = 1 if order.side is Side.BUY else -1
        self.base += sign * Fraction(quantity)
        self.quote -= sign * Fraction(price) * Fraction(quantity)
        if execution.fee_asset == self.market.base:
            self.base -= Fraction(execution.fee)
        elif execution.fee_asset == self.market.quote:
            self.quote -= Fraction(execution.fee)
        else:
            self.third_fees += Fraction(execution.fee_quote)
        self.live[order.slot] = replace(order, filled=order.filled + quantity, is_known=True)
        if execution.completes:
            del self.live[order.slot]
        self.state = self.strategy.apply(self.state, execution).state
        self.fills += 1

    def _cancel_by_somebody(self) -> None:
        slot = self.chance.choice(sorted(self.live, key=str))
        if slot not in self.ghosts and slot.purpose is Purpose.CELL:
            del self.live[slot]
            self.state = self.strategy.park(self.state, slot)

    def _happens(self, of_100: int) -> bool:
        return of_100 > 0 and self.chance.randrange(100) < of_100

    # -- what must hold at every moment

    def check(self) -> None:
        """Hold the books, the capital rule, and the orders against each other."""
        buys = [o for o in self.live.values() if o.side is Side.BUY]
        sells = [o for o in self.live.values() if o.side is Side.SELL]
        open_buys = sum((Fraction(buy_cost(self.market, o.price, o.remaining)) for o in buys), Fraction(0))
        assert self.quote >= open_buys, "own quote does not cover the open buys"
        cost, realised = Fraction(self.state.inventory_cost), Fraction(self.state.realised)
        given = self.investment + Fraction(self.state.entry_cost)
        assert self.quote - self.third_fees == given + realised - cost, "the books have lost quote"
        if self.state.start_price is not None:
            assert self.base == Fraction(self.state.base), "the books have lost base"
        if self.market.fee_in is not FeeIn.THIRD:
            assert open_buys + cost <= given + realised, "the capital rule is broken"
        assert sum((o.remaining for o in sells), Decimal(0)) <= self.base, "more on sale than there is"
        lowest_sell = min((o.price for o in sells), default=None)
        highest_buy = max((o.price for o in buys), default=None)
        assert None in (lowest_sell, highest_buy) or highest_buy < lowest_sell, "a buy at or above an own sell"

    def profit(self) -> Profit:
        """Return the profit by the core; it raises when balances and lots disagree."""
        purse = Purse(
            quote=decimal(self.quote), base=decimal(self.base), investment=decimal(self.investment),
            entry_base=decimal(self.entry_base), entry_cost=self.state.entry_cost,
            third_fees=decimal(self.third_fees),
        )  # fmt: skip
        return compute_profit(
            purse, realised=self.state.realised, inventory_cost=self.state.inventory_cost, mark=self.last,
            start_price=self.state.start_price,
        )  # fmt: skip


def decimal(number: Fraction) -> Decimal:
    """Return a fraction as a decimal; it has to be one, to the last digit."""
    text = Decimal(number.numerator) / Decimal(number.denominator)
    assert Fraction(text) == number, f"{number} is not a decimal of 28 digits"
    return text
