"""Views with the names and fields that users of the original know: one book, no copies.

`trade`, `orders` and so on are read by pages, exports and people with a SQL prompt. Amounts are text on SQLite.
"""

from __future__ import annotations

from typing import Final

# {json} is json_object on SQLite and json_build_object on PostgreSQL.
VIEWS: Final[dict[str, str]] = {
    "trades": """
        SELECT f.trade_id AS id, f.client_order_id AS order_id, f.symbol, f.side, f.quantity AS amount, f.price,
               f.notional AS cost, f.fee, f.fee_asset, f.fee_quote, f.realised, f.cell, f.at AS timestamp,
               b.name AS bot, f.account
        FROM fill f LEFT JOIN bot b ON b.id = f.bot_id""",
    "orders": """
        SELECT i.client_order_id AS id, b.symbol, i.side, i.type, i.state AS status, i.price, i.quantity AS amount,
               i.filled_base AS filled, i.venue_order_id, i.purpose, i.cell, i.created_at AS timestamp, b.name AS bot,
               b.account
        FROM intent i JOIN bot b ON b.id = i.bot_id""",
    "strategy_states": """
        SELECT b.strategy AS strategy_name, b.symbol, {json}('phase', b.phase, 'start_price', b.start_price,
               'realised', b.realised, 'cycles', b.cycles, 'config', b.config) AS state_data,
               b.last_pass_at AS updated_at, b.name AS bot
        FROM bot b""",
    "balance_snapshots": """
        SELECT s.at AS timestamp, s.asset AS currency, s.free, s.locked AS used, s.total, s.account FROM snapshot s""",
    "ohlcv_cache": """
        SELECT c.symbol, c.timeframe, c.opened_at AS timestamp, c.open, c.high, c.low, c.close, c.volume
        FROM candle c""",
    "alert_log": """
        SELECT o.id, o.at AS timestamp, o.severity, o.channel, o.message, o.delivered_at IS NOT NULL AS delivered,
               o.error
        FROM outbox o""",
}


def create_statements(dialect: str) -> tuple[str, ...]:
    """Return one CREATE VIEW a view, in the dialect's words."""
    json = "json_object" if dialect == "sqlite" else "json_build_object"
    return tuple(f"CREATE VIEW {name} AS {body.format(json=json)}" for name, body in VIEWS.items())


def drop_statements() -> tuple[str, ...]:
    """Return the way back."""
    return tuple(f"DROP VIEW IF EXISTS {name}" for name in VIEWS)
