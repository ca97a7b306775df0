"""`cryptotrader ledger verify` and `cryptotrader audit verify`: do the books add up, and is the log whole?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from deployments.cli.checks import Check, failed, passed, show_checks
from deployments.cli.output import AsJson

if TYPE_CHECKING:
    from cryptotrader.execution.verify import Finding

ledger_app = typer.Typer(help="The ledger: double entries with running balances.")
audit_app = typer.Typer(help="The audit log: who did what, chained by hashes.")


@ledger_app.callback()
def ledger() -> None:
    """The ledger: double entries with running balances."""


@audit_app.callback()
def audit() -> None:
    """The audit log: who did what, chained by hashes."""


@ledger_app.command("verify")
def verify_books(as_json: AsJson = False) -> None:
    """Add the ledger up again, compare it to the venue's balances, and compute the profit anew."""
    from cryptotrader.execution.verify import verify_ledger
    from deployments.cli.ready import open_ready_desk

    with open_ready_desk() as desk:
        findings = verify_ledger(desk)
    show_checks(map(_check, findings), as_json=as_json)


@audit_app.command("verify")
def verify_log(as_json: AsJson = False) -> None:
    """Check that no row of the audit log was changed, removed or put in."""
    from cryptotrader.execution.verify import verify_chain
    from deployments.cli.ready import open_ready_desk

    with open_ready_desk() as desk:
        finding = verify_chain(desk)
    show_checks([_check(finding)], as_json=as_json)


def _check(finding: Finding) -> Check:
    return (passed if finding.is_ok else failed)(finding.name, finding.message)
