"""Doors to exchanges: one Protocol (`port`), the paper venue, and feeds of candles. Knows nothing of the store."""
