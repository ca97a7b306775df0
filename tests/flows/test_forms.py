"""What people see of a flow before and after a run, without a Prefect server."""

from __future__ import annotations

import asyncio

import pytest
from prefect.flows import Flow
from prefect.utilities.callables import parameter_schema
from pydantic import SecretStr

from blocks.exchange_credentials import ExchangeCredentials, credentials_environment, load_exchange_credentials
from blocks.trading_database import TradingDatabase, database_environment, load_trading_database
from cryptotrader.settings import load_settings
from deployments.serve import build_deployments
from flows.cache_ohlcv import cache_ohlcv
from flows.rebalance_grid import rebalance_grid
from flows.snapshot_balances import snapshot_balances
from flows.sweep_risk import sweep_risk
from tasks.record import plan_table, profit_text

FLOWS = (rebalance_grid, sweep_risk, snapshot_balances, cache_ohlcv)
BOTS = [
    {"name": "btc-usdt", "symbol": "BTC/USDT", "account": "paper"},
    {"name": "eth-usdt", "symbol": "ETH/USDT", "account": "paper"},
]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_parameter_is_described_bounded_and_has_a_default(flow: Flow) -> None:
    for name, field in parameter_schema(flow).model_dump()["properties"].items():
        assert field.get("description"), name
        assert "default" in field, name
        assert "pattern" in field or "enum" in field, name


def test_each_flow_is_deployed_under_the_name_people_type() -> None:
    settings = load_settings(tend_every_seconds=60)
    built = {f"{one.flow_name}/{one.name}": one for one in build_deployments(settings, BOTS)}
    assert sorted(built) == [
        "cache-ohlcv/btc-usdt",
        "cache-ohlcv/eth-usdt",
        "rebalance-grid/btc-usdt",
        "rebalance-grid/eth-usdt",
        "snapshot-balances/paper",
        "sweep-risk/btc-usdt",
        "sweep-risk/eth-usdt",
        "tend-bots/local",
    ]
    assert [name for name, one in built.items() if one.schedules] == ["tend-bots/local"]
    assert all(":" not in str(one.entrypoint) for one in built.values()), "entrypoints are modules, not files"


def test_plan_reads_like_an_order_book_with_reasons() -> None:
    level = {"side": "buy", "price": "1", "quantity": "2", "state": "empty", "cycle": 0}
    report = {"levels": [level | {"cell": 0, "reason": "below the minimum"}, level | {"cell": 1, "reason": ""}]}
    rows = plan_table(report)
    assert [(row["cell"], row["reason"]) for row in rows] == [(1, ""), (0, "below the minimum")]


def test_profit_shows_label_above_numbers_that_add_up() -> None:
    profit = {
        "grid_profit": "12.5",
        "inventory_pnl": "-3.25",
        "total_pnl": "9.25",
        "hold_pnl": "4.0",
        "equity": "9",
    }
    counts = {"fills": 2, "cycles": 1, "placed": 2, "cancelled": 0}
    report = {"market_label": "SYNTHETIC", "price": "4", "market_at": "now", "profit": profit, "fees": {"BTC": "0.1"}}
    text = profit_text(report | counts)
    assert text.index("SYNTHETIC") < text.index("12.50") < text.index("-3.25") < text.index("9.25")
    assert "0.1 BTC" in text


def test_profit_before_the_first_price_is_empty() -> None:
    counts = {"fills": 0, "cycles": 0, "placed": 0, "cancelled": 0}
    text = profit_text({"market_label": "", "price": None, "market_at": None, "profit": None, "fees": None} | counts)
    assert "| equity |  |" in text


def test_environment_beats_the_blocks() -> None:
    keys = {"exchange_api_key": SecretStr("key"), "exchange_api_secret": SecretStr("secret")}
    settings = load_settings(**keys, database_url="sqlite:///somewhere.db")
    credentials = asyncio.run(load_exchange_credentials(settings))
    database = asyncio.run(load_trading_database(settings))
    assert credentials is not None
    assert credentials_environment(credentials)["EXCHANGE_API_KEY"] == "key"
    assert database_environment(database) == {"DATABASE_URL": "sqlite:///somewhere.db"}


def test_empty_blocks_set_nothing() -> None:
    assert credentials_environment(ExchangeCredentials()) == credentials_environment(None) == {}
    assert database_environment(TradingDatabase()) == database_environment(None) == {}


def test_blocks_do_not_show_their_secrets() -> None:
    shown = repr(ExchangeCredentials(api_key=SecretStr("key-1"), api_secret=SecretStr("word-1")))
    assert "key-1" not in shown
    assert "word-1" not in shown
