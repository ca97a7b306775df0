"""A grid checked against a market and a price: levels, sizes, first orders, or a refusal with what would work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from cryptotrader.core.grid.config import GridConfig, Sizing, StartMode, StartOutside
from cryptotrader.core.grid.levels import level_ticks
from cryptotrader.core.market import FeeIn, Market, Side
from cryptotrader.errors import GridRefused

NOTIONAL_MARGIN = Decimal("1.05")  # an order planned on the edge is refused after the first fee or price step


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One of the orders that rest once the grid has started."""

    cell: int
    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class GridPlan:
    """A grid that passed every check, started at `price`.

    Attributes:
        levels: N + 1 prices, lowest first.
        gap: index g of the level without an order: the first level >= price, N when there is none.
        quantities: base per cell, N of them.
        start_quantity: base of the START order, grossed up by its fee; 0 when nothing is bought.
        net_returns: per cell, after both maker fees.
    """

    config: GridConfig
    market: Market
    price: Decimal
    levels: tuple[Decimal, ...]
    gap: int
    quantities: tuple[Decimal, ...]
    start_quantity: Decimal
    net_returns: tuple[Decimal, ...]

    @property
    def is_inside(self) -> bool:
        """Whether the start price lies within the range."""
        return self.levels[0] <= self.price <= self.levels[-1]

    @property
    def cost(self) -> Decimal:
        """The quote that the plan needs, its reserve included."""
        return _cost(self.config, self.market, self.price, self.levels, self.gap, self.quantities)

    @property
    def investment(self) -> Decimal:
        """What the bot may use: the investment asked for, or the cost of the quantity asked for."""
        return self.cost if self.config.investment is None else self.config.investment

    def funded_cells(self) -> int:
        """Return how many cells, from the gap on, start with base to sell."""
        held = len(self.quantities) - self.gap
        match self.config.start:
            case StartMode.MARKET | StartMode.LIMIT:
                return held
            case StartMode.CASH:
                return 0
        left, funded = self.config.holdings, 0
        for quantity in self.quantities[self.gap :]:
            if left < quantity:
                break
            left, funded = left - quantity, funded + 1
        return funded

    def orders(self) -> tuple[PlannedOrder, ...]:
        """Return the orders that rest right after the start, lowest price first."""
        buys = (PlannedOrder(i, Side.BUY, self.levels[i], self.quantities[i]) for i in range(self.gap))
        funded = range(self.gap, self.gap + self.funded_cells())
        return (*buys, *(PlannedOrder(i, Side.SELL, self.levels[i + 1], self.quantities[i]) for i in funded))

    def waiting(self) -> tuple[int, ...]:
        """Return the cells that should hold base but start without."""
        return tuple(range(self.gap + self.funded_cells(), len(self.quantities)))

    def warnings(self) -> tuple[str, ...]:
        """Return what a careful trader would want to know before starting, as plain sentences."""
        found = []
        lowest = min(range(len(self.net_returns)), key=self.net_returns.__getitem__)
        gross = self.levels[lowest + 1] / self.levels[lowest] - 1
        if self.net_returns[lowest] < gross / 2:
            found.append(
                f"Fees eat over half of the gross step: cell {lowest} earns {self.net_returns[lowest]:.4%} "
                f"of {gross:.4%}."
            )
        if not self.is_inside:
            action = "waits" if self.config.start_outside is StartOutside.WAIT else "starts all the same"
            found.append(
                f"The price {self.price} is outside the range {self.levels[0]} .. {self.levels[-1]}: the bot {action}."
            )
        return tuple(found)


def plan_grid(config: GridConfig, market: Market, price: Decimal) -> GridPlan:
    """Plan a grid at a start price.

    Sources of the formulas: the project's docs/strategy.md.

    Raises:
        GridRefused: any input that cannot trade as asked; the message has the numbers, the hint what would work.
    """
    check_inputs(config, market, price)
    if config.num_grids > market.max_orders:
        raise _too_many(config, market, price)
    plan = _lay_out(config, market, price)
    refusal = _first_problem(plan)
    if refusal is None:
        return plan
    raise GridRefused(refusal.message, field=refusal.field, value=refusal.value, hint=_what_would_work(plan))


def check_inputs(config: GridConfig, market: Market, price: Decimal) -> None:
    """Refuse single values that no grid can have, before anything is computed from them."""
    lower, upper = market.ticks(config.lower, field="lower"), market.ticks(config.upper, field="upper")
    if lower >= upper:
        raise GridRefused(
            f"lower {config.lower} is not below upper {config.upper}.", field="lower", value=config.lower,
            hint="Swap them, or widen the range.",
        )  # fmt: skip
    if config.num_grids < 2:
        raise GridRefused(
            f"{config.num_grids} grids are too few.", field="grids", value=config.num_grids, hint="Use 2 or more."
        )
    if not price.is_finite() or price <= 0:
        raise GridRefused(f"price is {price}; a price is a positive number.", field="price", value=price)
    if market.fee_in is FeeIn.THIRD and market.third_asset in (market.base, market.quote):
        raise GridRefused(
            f"fees in {market.third_asset} on {market.symbol} are not fees in a third asset.", field="fee_in",
            value=market.fee_in, hint="Take them in base or quote.",
        )  # fmt: skip
    _check_money(config, market)
    _check_fractions(config, market)


def _check_money(config: GridConfig, market: Market) -> None:
    if config.investment is None and config.quantity is None:
        raise GridRefused("investment is missing.", field="investment", hint="Give --investment or --quantity.")
    for name in ("investment", "quantity", "trigger_price", "stop_loss_price", "take_profit_price"):
        value: Decimal | None = getattr(config, name)
        if value is not None and (not value.is_finite() or value <= 0):
            raise GridRefused(f"{name} is {value}; it must be positive.", field=name, value=value)
    if not config.holdings.is_finite() or config.holdings < 0:
        raise GridRefused(f"holdings are {config.holdings}.", field="holdings", value=config.holdings, hint="Use >= 0.")
    if config.quantity is not None and market.floor_quantity(config.quantity) != config.quantity:
        raise GridRefused(
            f"quantity {config.quantity} is not on the lot step of {market.symbol}, {market.lot_step}.",
            field="quantity", value=config.quantity, hint=f"Use {market.ceil_quantity(config.quantity)}.",
        )  # fmt: skip


def _check_fractions(config: GridConfig, market: Market) -> None:
    named = {"maker_fee": market.maker_fee, "taker_fee": market.taker_fee,
             "slippage": config.slippage, "reserve": config.reserve}  # fmt: skip
    for name, value in named.items():
        if not value.is_finite() or not 0 <= value < 1:
            raise GridRefused(
                f"{name} is {value}, which is not a fraction from 0 to 1.", field=name, value=value,
                hint="0.02 means 2 %.",
            )  # fmt: skip


def _lay_out(config: GridConfig, market: Market, price: Decimal) -> GridPlan:
    ticks = level_ticks(market.ticks(config.lower), market.ticks(config.upper), config.num_grids, config.spacing)
    levels = tuple(market.price(t) for t in ticks)
    gap = next((i for i, level in enumerate(levels) if level >= price), config.num_grids)
    quantities = _quantities(config, market, price, levels, gap)
    start = Decimal(0)
    if config.start in (StartMode.MARKET, StartMode.LIMIT):
        start = start_quantity(market, sum(quantities[gap:], Decimal(0)))
    returns = tuple(net_return(market, low, high) for low, high in pairwise(levels))
    return GridPlan(config, market, price, levels, gap, quantities, start, returns)


def net_return(market: Market, low: Decimal, high: Decimal) -> Decimal:
    """Return what one round trip between two levels earns, as a fraction, both fees maker fees."""
    f = market.maker_fee
    if market.fee_in is FeeIn.QUOTE:
        return (1 - f) * high / (low * (1 + f)) - 1
    return (1 - f) * (1 - f) * high / low - 1


def start_quantity(market: Market, base: Decimal) -> Decimal:
    """Return the base to buy so that `base` is left after the taker fee, rounded up to the lot."""
    lost = market.taker_fee if market.fee_in is FeeIn.BASE else Decimal(0)
    return market.ceil_quantity(base / (1 - lost))


def base_denominator(
    config: GridConfig, market: Market, price: Decimal, levels: tuple[Decimal, ...], gap: int
) -> Decimal:
    """Return the quote that one unit of base in every cell costs: buys below, the START order above."""
    start = price * (1 + config.slippage) * (1 + market.taker_fee)
    return sum(levels[:gap], Decimal(0)) + (config.num_grids - gap) * start


def _quantities(
    config: GridConfig, market: Market, price: Decimal, levels: tuple[Decimal, ...], gap: int
) -> tuple[Decimal, ...]:
    if config.quantity is not None:
        return (config.quantity,) * config.num_grids
    usable = (config.investment or Decimal(0)) * (1 - config.reserve)
    if config.sizing is Sizing.QUOTE:
        return tuple(market.floor_quantity(usable / config.num_grids / low) for low in levels[:-1])
    return (market.floor_quantity(usable / base_denominator(config, market, price, levels, gap)),) * config.num_grids


def _cost(
    config: GridConfig, market: Market, price: Decimal,
    levels: tuple[Decimal, ...], gap: int, quantities: tuple[Decimal, ...],
) -> Decimal:  # fmt: skip
    start = price * (1 + config.slippage) * (1 + market.taker_fee)
    buys = sum((q * low for q, low in zip(quantities[:gap], levels, strict=False)), Decimal(0))
    held = sum(quantities[gap:], Decimal(0))
    return market_cents((buys + held * start) / (1 - config.reserve))


def market_cents(amount: Decimal) -> Decimal:
    """Round money up for people: to cents from 10 on, to 1e-8 below."""
    return amount.quantize(Decimal("0.01") if amount >= 10 else Decimal("1e-8"), rounding="ROUND_CEILING")


# ---- refusals --------------------------------------------------------------------------------------------------


def _first_problem(plan: GridPlan) -> GridRefused | None:
    """Return what makes this plan untradable, the cheapest check first; None when it can trade."""
    config, market = plan.config, plan.market
    if any(low >= high for low, high in pairwise(plan.levels)):
        return GridRefused(
            f"{config.num_grids} grids do not fit between {config.lower} and {config.upper} "
            f"on a tick of {market.tick_size}: levels coincide.", field="grids", value=config.num_grids,
        )  # fmt: skip
    if min(plan.net_returns) <= 0:
        worst = min(range(config.num_grids), key=plan.net_returns.__getitem__)
        return GridRefused(
            f"fees eat the step: cell {worst}, {plan.levels[worst]} to {plan.levels[worst + 1]}, would return "
            f"{plan.net_returns[worst]:.4%} after fees of {market.maker_fee:.4%} on each side.",
            field="grids", value=config.num_grids,
        )  # fmt: skip
    return _size_problem(plan)


def _size_problem(plan: GridPlan) -> GridRefused | None:
    config, market = plan.config, plan.market
    least = NOTIONAL_MARGIN * market.min_notional
    field, value = ("quantity", config.quantity) if config.quantity is not None else ("investment", config.investment)
    for i, quantity in enumerate(plan.quantities):
        sell = market.floor_quantity(quantity * (1 - market.base_fee_on_buy))
        buy_notional, sell_notional = quantity * plan.levels[i], sell * plan.levels[i + 1]
        if sell < market.lot_step or min(buy_notional, sell_notional) < least:
            return GridRefused(
                f"{field} {value} is too small for {config.num_grids} grids: cell {i} would buy {quantity} "
                f"{market.base} ({buy_notional:.2f} {market.quote}) and sell {sell}; an order needs {least} "
                f"{market.quote} and {market.lot_step} {market.base}.", field=field, value=value,
            )  # fmt: skip
    if config.quantity is not None and config.investment is not None and plan.cost > config.investment:
        return GridRefused(
            f"quantity {config.quantity} in {config.num_grids} cells costs {plan.cost} {market.quote}, more than "
            f"the investment {config.investment}.", field="quantity", value=config.quantity,
        )  # fmt: skip
    if config.start_outside is StartOutside.REFUSE and not plan.is_inside:
        return GridRefused(
            f"the price {plan.price} is outside the range {config.lower} .. {config.upper}.",
            field="price", value=plan.price,
        )  # fmt: skip
    return None


def _too_many(config: GridConfig, market: Market, price: Decimal) -> GridRefused:
    """Refuse more orders than may rest, before a million levels are laid out."""
    grids = max_grids(config, market, price)
    works = (
        "No number of grids works with these settings" if grids is None else f"At most --grids {grids} pass every check"
    )
    return GridRefused(
        f"{config.num_grids} grids rest {config.num_grids} orders; {market.symbol} takes at most "
        f"{market.max_orders}.", field="grids", value=config.num_grids, hint=f"{works}.",
    )  # fmt: skip


def _what_would_work(plan: GridPlan) -> str:
    grids = max_grids(plan.config, plan.market, plan.price)
    smallest = min_investment(plan.config, plan.market, plan.price)
    advice = []
    if smallest is not None and plan.config.quantity is None and smallest > (plan.config.investment or 0):
        advice.append(f"--investment {smallest} is enough for {plan.config.num_grids} grids")
    if grids is not None:
        advice.append(f"at most --grids {grids} pass every check with these settings")
    if not advice:
        return "No number of grids works with these settings: widen the range or raise the investment."
    return "; ".join(advice).capitalize() + "."


def min_investment(config: GridConfig, market: Market, price: Decimal) -> Decimal | None:
    """Return the smallest investment, rounded up, with which every order is large enough; None if levels coincide."""
    plan = _lay_out(replace(config, quantity=market.lot_step), market, price)
    if len(set(plan.levels)) < len(plan.levels):
        return None
    needs = [_least_quantity(market, low, high) for low, high in pairwise(plan.levels)]
    if config.sizing is Sizing.QUOTE and config.quantity is None:
        per_cell = max(q * low for q, low in zip(needs, plan.levels, strict=False))
        return market_cents(per_cell * config.num_grids / (1 - config.reserve))
    unit = base_denominator(config, market, price, plan.levels, plan.gap)
    return market_cents(max(*needs, config.quantity or Decimal(0)) * unit / (1 - config.reserve))


def _least_quantity(market: Market, low: Decimal, high: Decimal) -> Decimal:
    """Return the smallest quantity of a cell whose buy and whose first sell, after a fee in base, are large enough."""
    least = NOTIONAL_MARGIN * market.min_notional
    sell = max(market.ceil_quantity(least / high), market.lot_step)
    return max(market.ceil_quantity(least / low), market.ceil_quantity(sell / (1 - market.base_fee_on_buy)))


def max_grids(config: GridConfig, market: Market, price: Decimal) -> int | None:
    """Return the largest number of grids for which every check passes with all else equal; None if none does.

    Looks from the top down, because checks need not pass on one side of a single number only.
    """
    room = market.ticks(config.upper) - market.ticks(config.lower)
    for grids in range(min(market.max_orders, room), 1, -1):
        if _first_problem(_lay_out(replace(config, num_grids=grids), market, price)) is None:
            return grids
    return None
