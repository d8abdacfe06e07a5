"""The only hosts that may see a credential: the vendor's, one row for each data centre, and this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = [
    "DATA_CENTRES",
    "LOOPBACK",
    "DataCentre",
    "allowed",
    "closest",
    "data_centre_of_accounts",
    "data_centre_of_api",
    "is_loopback",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCentre:
    """One of the vendor's data centres; an organisation lives in exactly one.

    `accounts` is the origin that gives tokens, `apis` those that take them: production, sandbox, developer.
    """

    name: str
    accounts: str
    apis: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where it is, in the middle of a sentence."""
        return "this computer" if self is LOOPBACK else f"data centre {self.name}"


def _centre(name: str, accounts_host: str, domain: str) -> DataCentre:
    apis = tuple(f"https://{kind}.{domain}" for kind in ("www", "sandbox", "developer"))
    return DataCentre(name=name, accounts=f"https://{accounts_host}", apis=apis)


# From the vendor's SDK and its multi-DC page; AE and UK are known from third parties only.
DATA_CENTRES: tuple[DataCentre, ...] = (
    _centre("US", "accounts.zoho.com", "zohoapis.com"),
    _centre("EU", "accounts.zoho.eu", "zohoapis.eu"),
    _centre("IN", "accounts.zoho.in", "zohoapis.in"),
    _centre("AU", "accounts.zoho.com.au", "zohoapis.com.au"),
    _centre("JP", "accounts.zoho.jp", "zohoapis.jp"),
    _centre("CN", "accounts.zoho.com.cn", "zohoapis.com.cn"),
    _centre("CA", "accounts.zohocloud.ca", "zohoapis.ca"),
    _centre("SA", "accounts.zoho.sa", "zohoapis.sa"),
    _centre("AE", "accounts.zoho.ae", "zohoapis.ae"),
    _centre("UK", "accounts.zoho.uk", "zohoapis.uk"),
)

LOOPBACK = DataCentre(name="loopback", accounts="http://127.0.0.1", apis=("http://127.0.0.1",))
"""This machine is a data centre of its own: a token from here goes nowhere else, and no other comes here."""

_BY_ACCOUNTS = {centre.accounts: centre for centre in DATA_CENTRES}
_BY_API = {api: centre for centre in DATA_CENTRES for api in centre.apis}

_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_PORT = r"(?::(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]?\d{1,4}))?"
_LOOPBACK_ORIGIN = re.compile(rf"https?://(?:127(?:\.{_BYTE}){{3}}|localhost|\[::1\]){_PORT}", re.ASCII)


def _origin(url: str) -> str:
    # One form for comparing; whatever else is in the text (userinfo, port, path) simply equals no known origin.
    return url.removesuffix("/").lower()


def is_loopback(url: str) -> bool:
    """Tell whether a URL is an origin on this machine, with or without a port and TLS."""
    return _LOOPBACK_ORIGIN.fullmatch(_origin(url)) is not None


def data_centre_of_api(url: str) -> DataCentre | None:
    """Return the data centre whose API is at this origin, `LOOPBACK` for this machine, None for any other text."""
    return LOOPBACK if is_loopback(url) else _BY_API.get(_origin(url))


def data_centre_of_accounts(url: str) -> DataCentre | None:
    """Return the data centre whose tokens this origin gives, `LOOPBACK` for this machine, None for any other text."""
    return LOOPBACK if is_loopback(url) else _BY_ACCOUNTS.get(_origin(url))


def allowed(url: str, *, loopback_ok: bool = True) -> bool:
    """Tell whether a credential may be sent to an origin: one of the vendor's exactly as listed, or this machine."""
    if is_loopback(url):
        return loopback_ok
    return _origin(url) in _BY_API or _origin(url) in _BY_ACCOUNTS


def closest(url: str, known: Iterable[str]) -> str | None:
    """Return the known origin that a mistaken one most likely meant, None if none is near."""
    text = re.sub(r"^[a-z]*:?/*", "", url.strip().lower()) if "://" in url else url.strip().lower()
    host = text.rpartition("@")[2].partition("/")[0].partition(":")[0]
    near = get_close_matches(f"https://{host}", list(known), n=1, cutoff=0.8)
    return near[0] if near else None
