"""The parameters that flows take: ids and configuration, checked before a run.

Prefect shows them as a form. It takes their descriptions from the flow's docstring and drops those of a Field.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

BotName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
AccountName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Symbol = Annotated[str, Field(pattern=r"^[A-Z0-9]+/[A-Z0-9]+$")]
Timeframe = Literal["1m", "5m", "15m", "1h", "4h", "1d"]
