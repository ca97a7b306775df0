"""CryptoTrader's domain: the grid, the order protocol, the ledger, the paper venue.

Imports nothing of Prefect, Streamlit or Plotly. Money is `Decimal` with 50 digits, so that every sum and product
in here is exact; the two divisions there are (a lot split, a fee priced in a third asset) are quantised where
they stand.
"""

import decimal

__version__ = "0.1.0"

decimal.DefaultContext.prec = 50  # threads started later
decimal.setcontext(decimal.Context(prec=50, traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]))
