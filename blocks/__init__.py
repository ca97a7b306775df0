"""Prefect blocks: secrets that people keep in Prefect's own store, one kind a file.

The environment comes first, a block second: what the environment sets is never overridden by a block.
"""

BLOCK_NAME = "cryptotrader"
"""The one document of each block type that CryptoTrader looks for."""
