"""Texts that need not be read the whole way: what they were converted to is remembered, or they say it themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final, TypeAlias, final

from bulkzcrm.blocks import Said
from bulkzcrm.convert.ids import is_id
from bulkzcrm.model import CellValue, Json
from bulkzcrm.spec.fields import Kind

__all__ = ["LONGEST", "MOST", "ReadQuickly", "Recall", "SaidPlainly", "plainly", "quickly"]

MOST: Final = 2_000
"""Texts of one column that are remembered at a time. Sorted columns repeat a value nearby, others a few for ever."""

LONGEST: Final = 80
"""Characters of a text that is remembered; longer ones are seldom written twice."""

ReadQuickly: TypeAlias = Callable[[CellValue], Json]
"""Reads a cell that is not blank if that can be done at once; None tells that it has to be read the whole way."""


SaidPlainly: TypeAlias = Callable[[Sequence[str]], Said]
"""Tells whether all texts of a column say their values themselves, and how; blank, if not, or there are none."""

_AMOUNT: Final = r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,2})?"
_AMOUNTS: Final = re.compile(rf"{_AMOUNT}(?:\n{_AMOUNT})*")
_IDS: Final = re.compile(r"[0-9]{15,20}(?:\n[0-9]{15,20})*")
_BETWEEN: Final = "\n"
_SIGNS: Final = frozenset("#=")
"""What begins so may be a marker, an error value or a formula."""
_first = itemgetter(0)


@final
class Recall:
    """The values of one column's texts. The same text always has the same value, so that forgetting changes nothing."""

    __slots__ = ("_values", "value_of")

    def __init__(self) -> None:
        self._values: dict[CellValue, Json] = {}
        self.value_of: ReadQuickly = self._values.get
        """Returns the value of a text, None where it is not remembered. (Typed cells never are: 1 equals TRUE.)"""

    def keep(self, text: CellValue, value: Json) -> None:
        """Remember the value of a text."""
        if isinstance(text, str) and len(text) <= LONGEST:
            if len(self._values) >= MOST:
                self._values.clear()
            self._values[text] = value


def quickly(kind: Kind, recall: Recall) -> ReadQuickly:
    """Return what reads most cells of a column of that kind."""
    match kind:
        case Kind.TEXT:
            return _plain_text
        case Kind.ID:
            return _plain_id
        case _:
            return recall.value_of


def plainly(kind: Kind, *, with_comma: bool) -> SaidPlainly:
    """Return what looks at all texts of a column of that kind; `with_comma`: amounts have a decimal comma."""
    match kind:
        case Kind.TEXT:
            return _texts
        case Kind.ID:
            return _ids
        case Kind.MONEY if not with_comma:
            return _amounts
        case _:
            return _nothing


def _texts(texts: Sequence[str]) -> Said:
    stripped = list(map(str.strip, texts))
    are_plain = stripped == texts and all(stripped) and _SIGNS.isdisjoint(map(_first, texts))
    return "text" if texts and are_plain else ""


def _ids(texts: Sequence[str]) -> Said:
    return "text" if _all_match(_IDS, texts) else ""


def _amounts(texts: Sequence[str]) -> Said:
    return "amount" if _all_match(_AMOUNTS, texts) else ""


def _all_match(pattern: re.Pattern[str], texts: Sequence[str]) -> bool:
    """Tell whether each text matches; the pattern is that of many, one a line."""
    together = _BETWEEN.join(texts)
    # A cell may hold several lines itself.
    return together.count(_BETWEEN) == len(texts) - 1 and pattern.fullmatch(together) is not None


def _nothing(texts: Sequence[str]) -> Said:
    del texts
    return ""


def _plain_text(value: CellValue) -> str | None:
    if isinstance(value, str) and (text := value.strip()) and text[0] not in _SIGNS:
        return text
    return None


def _plain_id(value: CellValue) -> str | None:
    return value if isinstance(value, str) and is_id(value) else None
