"""Bring one bot's orders to where its grid wants them."""

from __future__ import annotations

from prefect import flow
from prefect.states import Completed, State

from flows.parameters import BotName
from tasks.record import record_report
from tasks.survey import survey_bot
from tasks.trade import trade_bot


@flow(name="rebalance-grid", flow_run_name="rebalance {bot}", validate_parameters=True, persist_result=False)
async def rebalance_grid(bot: BotName = "btc-usdt") -> State:
    """Book the fills of a bot, then cancel and place orders until its grid stands as planned.

    Ends as Skipped when another process trades the bot, and as Idle, without a task, when there is nothing to do.

    Args:
        bot: Name of the bot, as `cryptotrader status` shows it.
    """
    seen = await survey_bot(bot)
    if seen.held_by:
        return Completed(name="Skipped", message=f"{bot}: {seen.held_by} is trading it; nothing was done.")
    if not seen.work:
        return Completed(name="Idle", message=f"{bot}: the grid stands as planned.")

    report = await trade_bot(bot)
    if report["outcome"] == "skipped":
        return Completed(name="Skipped", message=f"{bot}: {report['skipped_because']}; nothing was done.")

    if report["outcome"] == "traded":
        await record_report(report)
    done = "{fills} fills, {placed} orders placed, {cancelled} cancelled".format_map(report)
    return Completed(message=f"{bot}: {done}.")
