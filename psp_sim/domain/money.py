"""Amounts in minor units: 1099 EUR is €10.99, 1099 JPY is ¥1099, 1099 KWD is 1.099 dinar."""

from __future__ import annotations

from dataclasses import dataclass

from psp_sim.domain.errors import InvalidAmount, UnknownCurrency

AMOUNT_MINOR_MAX = 999_999_999_999

# ISO 4217, active codes by number of decimals.
_DECIMALS_0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DECIMALS_2 = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN "
    "QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP "
    "TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG"
)
_DECIMALS_3 = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS: dict[str, int] = {
    code: decimals
    for decimals, codes in ((0, _DECIMALS_0), (2, _DECIMALS_2), (3, _DECIMALS_3))
    for code in codes.split()
}


@dataclass(frozen=True, slots=True)
class Money:
    """A positive amount in the smallest unit of its currency."""

    amount_minor: int
    currency: str

    def __str__(self) -> str:
        decimals = DECIMALS[self.currency]
        whole, rest = divmod(self.amount_minor, 10**decimals)
        return (
            f"{whole}.{rest:0{decimals}} {self.currency}"
            if decimals
            else f"{whole} {self.currency}"
        )


def parse_money(amount: object, currency: object) -> Money:
    """Check both and put them together. Raises InvalidAmount or UnknownCurrency."""
    if not isinstance(currency, str) or currency not in DECIMALS:
        raise UnknownCurrency(
            f"the currency {currency!r} is not known: use an ISO 4217 code in capitals, like EUR"
        )
    return Money(parse_amount(amount), currency)


def parse_amount(amount: object) -> int:
    """Check an amount of minor units. Raises InvalidAmount."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise InvalidAmount(
            f"amount must be a whole number of minor units, not {amount!r}: 1099 means 10.99 EUR"
        )
    if not 1 <= amount <= AMOUNT_MINOR_MAX:
        raise InvalidAmount(f"amount must be between 1 and {AMOUNT_MINOR_MAX}, not {amount}")
    return amount
