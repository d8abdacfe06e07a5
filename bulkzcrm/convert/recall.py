"""What a column's texts were converted to is remembered, because most come again; never more than a little of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, final

from bulkzcrm.convert.ids import is_id
from bulkzcrm.model import CellValue, Json
from bulkzcrm.spec.fields import Kind

__all__ = ["LONGEST", "MOST", "ReadQuickly", "Recall", "quickly"]

MOST: Final = 2_000
"""Texts of one column that are remembered at a time. Sorted columns repeat a value nearby, others a few for ever."""

LONGEST: Final = 80
"""Characters of a text that is remembered; longer ones are seldom written twice."""

ReadQuickly: TypeAlias = Callable[[CellValue], Json]
"""Reads a cell that is not blank if that can be done at once; None tells that it has to be read the whole way."""


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


def _plain_text(value: CellValue) -> str | None:
    if isinstance(value, str) and (text := value.strip()) and text[0] not in "#=":
        return text
    return None


def _plain_id(value: CellValue) -> str | None:
    return value if isinstance(value, str) and is_id(value) else None
