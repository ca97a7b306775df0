"""What a scope may do: rows that every send obeys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from cryptotrader.core.market import Side
from cryptotrader.core.orders import Purpose
from cryptotrader.core.reconcile import Control
from cryptotrader.store.schema import ControlRow

_RULES = select(ControlRow.state, ControlRow.exit_order).where(
    ControlRow.scope.in_(bindparam("scopes", expanding=True))
)

GLOBAL = "global"
_STRICTNESS = (Control.ACTIVE, Control.REDUCING, Control.HALTED)


def scopes_of(account: str, bot_name: str) -> tuple[str, str, str]:
    """Return the scopes that rule a bot."""
    return GLOBAL, f"account:{account}", f"bot:{bot_name}"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a bot may do now.

    Attributes:
        control: the strictest of its scopes.
        may_exit: a person ordered, with the stop itself, to sell what the bot owns: one EXIT order may pass.
    """

    control: Control = Control.ACTIVE
    may_exit: bool = False

    def allows(self, purpose: Purpose, side: Side) -> bool:
        """Whether an order of this kind may be sent."""
        if self.control is Control.HALTED:
            return self.may_exit and purpose is Purpose.EXIT
        return self.control is Control.ACTIVE or side is Side.SELL


def load_ruling(session: Session, account: str, bot_name: str) -> Ruling:
    """Return what a bot may do now."""
    rows = session.execute(_RULES, {"scopes": scopes_of(account, bot_name)}).all()
    strictest = max((Control(state) for state, _ in rows), key=_STRICTNESS.index, default=Control.ACTIVE)
    return Ruling(strictest, may_exit=any(exit_order for _, exit_order in rows))


def set_control(
    session: Session, scope: str, state: Control, *, actor: str, reason: str, at: datetime, exit_order: bool = False
) -> None:
    """Write what a scope may do from now on, by whom and why."""
    row = session.get(ControlRow, scope, with_for_update=True)
    if row is None:
        row = ControlRow(scope=scope, state=state.value, version=0, actor=actor, reason=reason, at=at)
        session.add(row)
    row.state, row.actor, row.reason, row.at, row.exit_order = state.value, actor, reason, at, exit_order
    row.version += 1
