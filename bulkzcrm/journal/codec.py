"""Structured values as JSON text and back: what was written reads back equal, and money stays exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from bulkzcrm.exact_json import decode_exactly, encode_exactly
from bulkzcrm.model import Column, Json, Problem, Record

__all__ = [
    "columns_from",
    "json_text",
    "object_from",
    "problems_from",
    "texts_from",
]

_problems = msgspec.json.Decoder(tuple[Problem, ...])
_columns = msgspec.json.Decoder(tuple[Column, ...])
_texts = msgspec.json.Decoder(tuple[str, ...])


def json_text(value: Json | Sequence[Problem] | Sequence[Column]) -> str:
    """Encode as JSON; decimals are written with all their digits."""
    return encode_exactly(value).decode()


def object_from(text: str) -> Record:
    """Decode a JSON object."""
    return cast("Record", decode_exactly(text))


def problems_from(text: str | None) -> tuple[Problem, ...]:
    """Decode problems; none where nothing was written."""
    return _problems.decode(text) if text else ()


def columns_from(text: str) -> tuple[Column, ...]:
    """Decode columns."""
    return _columns.decode(text)


def texts_from(text: str) -> tuple[str, ...]:
    """Decode an array of texts."""
    return _texts.decode(text)
