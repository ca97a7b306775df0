"""The error tree: everything that CryptoTrader raises on purpose, as a table of contents.

CryptoTraderError
├── InputRefused            a value from outside was refused before anything happened
│   ├── GridRefused         ... a grid that could not trade as asked
│   ├── CandlesRefused      ... a candle file or series
│   └── SettingsRefused     ... a setting or the environment
├── VenueError              the exchange, or the way to it
│   ├── OrderRefused        a *proven* refusal: this order does not exist and never will
│   ├── OutcomeUnknown      the order may or may not exist: never send it again, look it up
│   └── VenueUnavailable    a reading failed; nothing was changed; try again later
├── LeaseHeld               another process trades this account and symbol
├── LeaseLost               the lease ended under us: stop before the next send
├── BooksDisagree           an invariant of the books is broken: halt and say so
└── StoreError              the database: missing, newer than the code, not writable
"""

from __future__ import annotations


class CryptoTraderError(Exception):
    """Base of every error of this project; catch it at the rim only."""


class InputRefused(CryptoTraderError, ValueError):
    """A value from outside was refused before anything happened.

    Args:
        message: one plain sentence with the numbers.
        field: the name of the input as the user knows it ("lower", "GRID_LOWER").
        value: the value that was given, as text.
        hint: what would work instead.
    """

    def __init__(self, message: str, *, field: str, value: object = "", hint: str = "") -> None:
        super().__init__(message)
        self.message, self.field, self.value, self.hint = message, field, str(value), hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.field, self.value, self.hint)


def _rebuild(cls: type[InputRefused], message: str, field: str, value: str, hint: str) -> InputRefused:
    return cls(message, field=field, value=value, hint=hint)


class GridRefused(InputRefused):
    """A grid that could not trade as asked."""


class CandlesRefused(InputRefused):
    """A candle file or series with contents that would make results wrong."""


class SettingsRefused(InputRefused):
    """A setting, or a combination of settings, that cannot be used."""


class VenueError(CryptoTraderError):
    """The exchange, or the way to it, failed."""


class OrderRefused(VenueError):
    """The venue proved that it refused the order: it does not exist and never will.

    Args:
        code: the venue's own code, as text ("-2010").
        message: the venue's own words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class OutcomeUnknown(VenueError):
    """The order may or may not have reached the book: look it up, never send it again."""


class VenueUnavailable(VenueError):
    """A reading failed; nothing was changed; a later pass tries again."""


class LeaseHeld(CryptoTraderError):
    """Another process holds the lease of this account and symbol; the message names it."""


class LeaseLost(CryptoTraderError):
    """The lease ended, or was taken over, before a send: nothing was sent."""


class BooksDisagree(CryptoTraderError):
    """An invariant of the books is broken; the message gives both numbers."""


class StoreError(CryptoTraderError):
    """The database cannot be used; the message says which and why."""
