"""What a run leaves for people to read: Prefect artifacts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

LEVEL_COLUMNS = ("cell", "side", "price", "quantity", "state", "reason")


def plan_table(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row a level, highest price first, as an order book is read."""
    rows = [{name: level[name] for name in LEVEL_COLUMNS} for level in report["levels"]]
    return sorted(rows, key=lambda row: row["cell"], reverse=True)


def profit_text(report: dict[str, Any]) -> str:
    """Return the profit of a bot as markdown, the market's label above the numbers."""
    profit = report["profit"] or {}
    fees = ", ".join(f"{amount} {asset}" for asset, amount in (report["fees"] or {}).items()) or "none"
    lines = (
        f"**{report['market_label']}**, price {report['price']} at {report['market_at']}\n",
        "| | quote |",
        "|---|--:|",
        f"| grid profit | {_rounded(profit.get('grid_profit'))} |",
        f"| + inventory P&L | {_rounded(profit.get('inventory_pnl'))} |",
        f"| **= total P&L** | **{_rounded(profit.get('total_pnl'))}** |",
        f"| holding instead | {_rounded(profit.get('hold_pnl'))} |",
        f"| equity | {_rounded(profit.get('equity'))} |",
        f"\nFees paid: {fees}. Round trips so far: {report['cycles']}. This run: {report['fills']} fills,"
        f" {report['placed']} orders placed, {report['cancelled']} cancelled.",
    )
    return "\n".join(lines)


def _rounded(amount: str | None) -> str:
    """Return an exact amount as people read it; empty before the first price."""
    return "" if amount is None else f"{Decimal(amount):,.2f}"


@task(
    name="record",
    task_run_name="record {report[bot]}",
    retries=2,
    retry_delay_seconds=1,
    tags=["artifacts"],
    persist_result=False,
)
async def record_report(report: dict[str, Any]) -> None:
    """Write the plan and the profit of a bot as artifacts."""
    bot = report["bot"]
    why = f"{bot}: every level, and why it is empty if it is."
    await acreate_table_artifact(plan_table(report), key=f"plan-{bot}", description=why)
    await acreate_markdown_artifact(profit_text(report), key=f"profit-{bot}", description=f"{bot}: profit and fees.")


@task(
    name="record findings",
    task_run_name="record findings {bot}",
    retries=2,
    retry_delay_seconds=1,
    tags=["artifacts", "risk"],
    persist_result=False,
)
async def record_findings(bot: str, findings: list[dict[str, str]]) -> None:
    """Write what the risk sweep of a bot found as an artifact."""
    await acreate_table_artifact(findings, key=f"risk-{bot}", description=f"{bot}: findings of the risk sweep.")
