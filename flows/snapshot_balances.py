"""Write down what an account holds."""

from __future__ import annotations

from prefect import flow
from prefect.states import Completed, State

from flows.parameters import AccountName
from tasks.balances import snapshot_account


@flow(name="snapshot-balances", flow_run_name="snapshot {account}", validate_parameters=True, persist_result=False)
async def snapshot_balances(account: AccountName = "paper") -> State:
    """Record free, locked and total of every asset of an account, for the history of its equity.

    Args:
        account: Name of the account; "paper" is the paper exchange's.
    """
    lines = await snapshot_account(account)
    held = ", ".join(f"{line['total']} {line['asset']}" for line in lines)
    return Completed(message=f"{account}: {held or 'nothing held'}.")
