"""Money as whole minor units and a currency code; decimals appear only when a person reads it."""

from __future__ import annotations

# ISO 4217 lists the number of decimals per currency; every one not named here has two.
_DECIMALS = {
    "BHD": 3,
    "JOD": 3,
    "KWD": 3,
    "OMR": 3,
    "TND": 3,
    "CLP": 0,
    "ISK": 0,
    "JPY": 0,
    "KRW": 0,
}


def decimals_of(currency: str) -> int:
    """How many decimals the currency has: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217)."""
    return _DECIMALS.get(currency, 2)


def written_out(amount_minor: int, currency: str) -> str:
    """The amount as people write it: ``(1250, "EUR")`` is ``12.50 EUR``. No float is involved."""
    decimals = decimals_of(currency)
    sign = "-" if amount_minor < 0 else ""
    if decimals == 0:
        return f"{sign}{abs(amount_minor)} {currency}"
    whole, part = divmod(abs(amount_minor), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}d} {currency}"
