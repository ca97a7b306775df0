"""`cryptotrader trades`: every fill, once; to the screen, as JSON, or as CSV for a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cryptotrader.errors import InputRefused
from deployments.cli.figures import moment, money
from deployments.cli.output import AsJson, note, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.store.read import FillLine

EVERYTHING = 2**31 - 1
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet run a cell instead of showing it."""


def trades(
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write all of them to this file.", dir_okay=False)
    ] = None,
    bot: Annotated[str | None, typer.Option(help="Only those of this bot.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest; a CSV file gets all.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List fills, oldest first."""
    from cryptotrader.store.bots import find_bot
    from cryptotrader.store.read import recent_fills
    from deployments.cli.ready import open_ready_desk

    with open_ready_desk() as desk, desk.db.reading() as session:
        name = None if bot is None else find_bot(session, bot).name
        fills = recent_fills(session, name, limit=limit if csv_file is None else EVERYTHING)
    documents = [_document(fill) for fill in fills]
    if csv_file is not None:
        write_csv(csv_file, documents)
        note(f"{len(fills)} trades written to {csv_file}")
    if as_json:
        write_json(documents)
    elif csv_file is None:
        _draw(fills)


def _document(fill: FillLine) -> dict[str, object]:
    return {
        "id": fill.trade_id,
        "at": moment(fill.at),
        "bot": fill.bot,
        "symbol": fill.symbol,
        "side": fill.side,
        "price": money(fill.price),
        "quantity": money(fill.quantity),
        "notional": money(fill.notional),
        "fee": money(fill.fee),
        "fee_asset": fill.fee_asset,
        "realised": money(fill.realised),
        "cell": fill.cell,
        "purpose": fill.purpose,
        "order_id": fill.order_id,
        "maker": fill.is_maker,
    }


NUMBERS = ("price", "quantity", "notional", "fee", "realised")
HEADINGS = ("id", "at", "bot", "symbol", "side", *NUMBERS[:4], "fee_asset", "realised", "cell", "purpose",
            "order_id", "maker")  # fmt: skip


def write_csv(path: Path, documents: list[dict[str, object]]) -> None:
    """Write trades as CSV.

    Raises:
        InputRefused: the file cannot be written.
    """
    try:
        with path.expanduser().open("w", newline="", encoding="utf-8") as file:
            sheet = csv.writer(file)
            sheet.writerow(HEADINGS)
            sheet.writerows([safe_cell(name, row[name]) for name in HEADINGS] for row in documents)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror})."
        raise InputRefused(message, field="csv", value=path, hint="Name another file.") from None


def safe_cell(name: str, value: object) -> object:
    """Return a cell that a spreadsheet shows and never runs; numbers of ours stay numbers, below zero too."""
    if isinstance(value, str) and name not in NUMBERS and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _draw(fills: tuple[FillLine, ...]) -> None:
    from deployments.watch import fill_line

    console = screen()
    for fill in fills:
        console.print(fill_line(fill), soft_wrap=True)
    if not fills:
        console.print("No trades yet.")
