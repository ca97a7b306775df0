"""Bring parked cells back to work."""

from __future__ import annotations

from cryptotrader.core.cells import CellStatus
from cryptotrader.execution.commands import needs_reason, record_audit
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.hold import holding, keep_lease
from cryptotrader.store.bots import get_bot, load_state, save_state


def resume_cells(desk: Desk, bot: str, *, reason: str) -> tuple[int, ...]:
    """Let the parked cells of a bot trade again from the next pass on; return them, () when none was parked.

    Raises:
        InputRefused: an unknown or closed bot, or no reason.
        LeaseHeld: another process kept the bot for longer than a lease lasts.
    """
    reason = needs_reason(reason)
    with holding(desk, bot) as job, desk.db.transaction("resume") as session:
        keep_lease(session, job)
        row = get_bot(session, job.bot_id)
        before = load_state(session, row)
        parked = tuple(cell.index for cell in before.cells if cell.status is CellStatus.PARKED)
        if parked:
            save_state(session, row, before, job.strategy.resume(before))
            cells = ", ".join(map(str, parked))
            record_audit(session, desk, "cells.resume", row.name, {"cells": cells, "reason": reason})
    return parked
