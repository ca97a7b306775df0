"""How figures are written where programs read them: exact, plain, and the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal

EIGHTEEN_DIGITS = Context(prec=18)


def money(amount: Decimal) -> str:
    """Write an exact amount or price as a plain decimal: no exponent, no zeros behind the last digit that counts."""
    if not amount:
        return "0"
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ratio(value: Decimal) -> str:
    """Write a quotient with at most 18 significant digits."""
    return money(EIGHTEEN_DIGITS.plus(value))


def moment(at: datetime) -> str:
    """Write an aware time as ISO 8601 in UTC, ending in Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def money_or_none(amount: Decimal | None) -> str | None:
    """Write an amount that may be missing."""
    return None if amount is None else money(amount)


def moment_or_none(at: datetime | None) -> str | None:
    """Write a time that may be missing."""
    return None if at is None else moment(at)


def amounts(by_asset: Mapping[str, Decimal]) -> dict[str, str]:
    """Write amounts by asset, in the order of their names."""
    return {asset: money(by_asset[asset]) for asset in sorted(by_asset)}


def for_people(amount: Decimal) -> str:
    """Round money for a screen: thousands apart, two digits, or six significant ones below 10."""
    if amount and abs(amount) < 10:
        return money(Context(prec=6).plus(amount))
    return f"{amount:,.2f}"


def signed(amount: Decimal) -> str:
    """Round money for a screen, its sign always shown."""
    return f"{'+' if amount >= 0 else ''}{for_people(amount)}"
