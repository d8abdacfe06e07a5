"""The currency marks that may stand beside an amount; anything else beside it means that it is no amount."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["is_currency"]

_CODES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
    VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - 153 words as a list would fill the screen
)
"""ISO 4217, in use. A closed list: `60 min` in a price column is a mistake, and no sixty of some money."""

_ABBREVIATIONS = frozenset({"rs", "kr", "zł", "kč", "ft", "fr", "sfr", "r"})
_SIGN = re.compile(r"[A-Za-z]{0,3}(.)", re.DOTALL)


def is_currency(mark: str) -> bool:
    """Tell whether a mark beside an amount is a currency: a sign (`€`, `US$`), an ISO code, an abbreviation."""
    if mark.upper() in _CODES or mark.removesuffix(".").casefold() in _ABBREVIATIONS:
        return True
    signed = _SIGN.fullmatch(mark)
    return signed is not None and unicodedata.category(signed[1]) == "Sc"
