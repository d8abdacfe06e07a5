"""JSON in which money stays exact: what has a point or an exponent is a `Decimal`, and keeps all its digits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

__all__ = ["decode_exactly", "encode_exactly"]

encode_exactly: Final[Callable[[object], bytes]] = msgspec.json.Encoder(decimal_format="number").encode
"""Writes plain values, `Struct`s and data classes."""

decode_exactly: Final[Callable[[bytes | str], Any]] = msgspec.json.Decoder(float_hook=Decimal).decode
"""Reads them; a `Decimal` that was whole comes back as the equal `int`."""
