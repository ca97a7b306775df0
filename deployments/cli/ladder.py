"""A grid drawn as a ladder: highest level on top, the price marked between its rungs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cryptotrader.core.grid.plan import GridPlan, PlannedOrder, max_grids, min_investment
from cryptotrader.core.market import Side
from cryptotrader.core.resolution import Resolution
from deployments.cli.figures import for_people, money

COLOURS = {Side.BUY: "green", Side.SELL: "red"}


def draw(console: Console, plan: GridPlan, resolution: Resolution | None, warnings: Sequence[str]) -> None:
    """Print the ladder, what it costs and earns, and what to be careful about."""
    console.print(_ladder(plan))
    for line in _summary(plan, resolution):
        console.print(line, soft_wrap=True)
    for warning in warnings:
        console.print(f"[yellow]Careful:[/] {escape(warning)}", soft_wrap=True)


def _ladder(plan: GridPlan) -> Table:
    config, market = plan.config, plan.market
    table = Table(title=f"{market.symbol}, {config.num_grids} grids, {config.spacing}", title_justify="left")
    for heading, side in (("level", "right"), ("order", "left"), ("quantity", "right"), ("net return", "right")):
        table.add_column(heading, justify=side)
    at_level = {order.price: order for order in plan.orders()}
    waiting = {plan.levels[cell + 1]: cell for cell in plan.waiting()}
    is_marked = False
    for index in range(config.num_grids, -1, -1):
        level = plan.levels[index]
        if not is_marked and level < plan.price:
            is_marked = _mark(table, plan)
        if level in at_level:
            table.add_row(money(level), *_order(plan, at_level[level]))
        elif level in waiting:
            table.add_row(money(level), f"[dim]waits, cell {waiting[level]}[/]", "", "")
        else:
            table.add_row(money(level), "[dim]gap[/]" if index == plan.gap else "", "", "")
    if not is_marked:
        _mark(table, plan)
    return table


def _mark(table: Table, plan: GridPlan) -> bool:
    table.add_row(f"[bold cyan]{money(plan.price)}[/]", "[bold cyan]◂ price[/]", "", "")
    return True


def _order(plan: GridPlan, order: PlannedOrder) -> tuple[str, str, str]:
    colour = COLOURS[order.side]
    earned = f"{plan.net_returns[order.cell]:.4%}"
    return f"[{colour}]{order.side.upper():<4}[/] cell {order.cell}", money(order.quantity), earned


def _summary(plan: GridPlan, resolution: Resolution | None) -> list[str]:
    market, config = plan.market, plan.config
    low, high = min(plan.net_returns), max(plan.net_returns)
    smallest = min_investment(config, market, plan.price)
    lines = [
        f"A round trip earns [bold]{low:.4%}[/] to [bold]{high:.4%}[/] after fees.",
        f"Uses {for_people(plan.cost)} of {for_people(plan.investment)} {market.quote}, reserve included; "
        f"the least for this grid is {'-' if smallest is None else for_people(smallest)}, "
        f"and at most {max_grids(config, market, plan.price)} grids pass every check.",
    ]
    if plan.start_quantity:
        lines.insert(0, f"Starts by buying {money(plan.start_quantity)} {market.base} for the cells above the price.")
    if resolution is not None:
        lines.append(f"The median candle spans {resolution.ratio:.2f} grid steps (R).")
    return lines
