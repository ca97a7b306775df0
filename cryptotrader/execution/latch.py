"""A file that means HALTED when the database cannot be reached, and becomes a row when it is back.

Nothing can be sent without the database (an intent has to be committed first), so the file only has to outlive the
outage: the first pass afterwards finds it before it does anything else.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptotrader.core.reconcile import Control
from cryptotrader.execution.commands import record_audit
from cryptotrader.execution.desk import Desk
from cryptotrader.store.control import GLOBAL, set_control


def latch_path(desk: Desk) -> Path:
    """Return where the file lies: beside the database's file, in the data folder."""
    return desk.settings.data / "halt"


def write_latch(desk: Desk, reason: str) -> None:
    """Write the file, so that it is there after a power cut too."""
    path = latch_path(desk)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{desk.actor}: {reason}\n")
        file.flush()
        os.fsync(file.fileno())


def fold_latch_in(desk: Desk) -> bool:
    """Turn a latch that was left behind into the global HALTED row; return whether there was one.

    The file goes only after the commit: a crash in between repeats the row, it never loses the halt.
    """
    path = latch_path(desk)
    if not path.exists():
        return False
    reason = path.read_text(encoding="utf-8").strip() or "halted while the database could not be reached"
    at = desk.runtime.wall.now()
    with desk.db.transaction("latch") as session:
        set_control(session, GLOBAL, Control.HALTED, actor=desk.actor, reason=reason, at=at)
        record_audit(session, desk, "stop", GLOBAL, {"reason": reason, "latch": str(path.name)})
    path.unlink(missing_ok=True)
    return True
