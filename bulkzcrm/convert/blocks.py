"""Many rows converted at once: each different cell of a column is read once, and rows are looked at only where needed.

What comes of a row is what `RowConverter` makes of it, and whatever is not plain is given to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast, final

from msgspec import Struct

from bulkzcrm.blocks import Apart, Block, Strip, strip_of
from bulkzcrm.cells import StoredCell, joined, restored, stored
from bulkzcrm.convert.rows import Converted, Origin, RowConverter
from bulkzcrm.convert.values import Clear, Open, Refusal
from bulkzcrm.model import Json, Row, Slab

__all__ = ["BlockConverter", "ConvertedBlock"]


class ConvertedBlock(Struct, frozen=True):
    """A block of rows with their records; `odd` are the rows, by their places in it, that are not plain.

    A plain row has no problem, leaves nothing open, and gives what its cells were read as.
    """

    block: Block
    odd: Mapping[int, Converted]


@final
class BlockConverter:
    """Converts the rows of one source, block by block, with what converts them one by one."""

    def __init__(self, convert: RowConverter) -> None:
        self._convert = convert
        self._origins = {origin.field.name: origin for origin in convert.origins}

    def __call__(self, first: int, slab: Slab) -> ConvertedBlock:
        """Convert as many rows as a block holds; `first` is the place of the first of them."""
        rows, strips = len(slab.numbers), list(map(strip_of, slab.columns))
        for strip in strips:
            strip.cells = _blank_is_none(strip.cells)
        block = Block(first=first, rows=rows, strips=strips, constants=self._convert.constants)
        odd = set(range(rows)) if self._convert.standing else set(slab.surplus)
        for origin in self._origins.values():
            strip = strips[origin.column.index]
            odd.update(_rows_with(strip, self._read(strip, origin, slab.numbers), rows))
        converted: dict[int, Converted] = {}
        for place in sorted(odd):
            surplus = slab.surplus.get(place, ())
            converted[place] = self._convert(Row(slab.numbers[place], block.cells(place), surplus))
            block.apart[place] = Apart(converted[place].record, stored(surplus))
        return ConvertedBlock(block, converted)

    def again(self, block: Block, numbers: Mapping[int, int]) -> ConvertedBlock:
        """Convert rows of a block once more whose columns had to be known as a whole, and change it accordingly.

        `numbers` are those of these rows, by their places in the block. All others say what they said before.
        """
        for strip in block.strips:
            origin = self._origins.get(strip.field)
            for place, value in enumerate(strip.values or ()):
                if value is None and origin is not None and strip.values is not None:
                    strip.values[place] = _value(self._convert.read(origin, restored(strip.cells[place]), 0))
        odd: dict[int, Converted] = {}
        for place, number in numbers.items():
            converted = self._convert(Row(number, block.cells(place), block.surplus(place)))
            apart = block.apart.pop(place)
            if converted.problems or apart.surplus or block.record(place) != converted.record:
                block.apart[place] = Apart(converted.record, apart.surplus)
                odd[place] = converted
        return ConvertedBlock(block, odd)

    def _read(self, strip: Strip, origin: Origin, numbers: Sequence[int]) -> set[int]:
        """Read the different cells of a column, and return the places of those that give no value."""
        strip.field = origin.field.name
        if self._is_said_plainly(strip, origin, numbers):
            return (
                {place for place, cell in enumerate(strip.cells) if cell is None} if origin.field.mandatory else set()
            )
        values: list[Json] = []
        unread = set()
        for place, cell in enumerate(strip.cells):
            known = origin.read_quickly(cell) if isinstance(cell, str) else None
            if known is None and (cell is not None or origin.field.mandatory):
                known = _value(self._convert.read(origin, restored(cell), numbers[strip.row(place)]))
                if known is None:
                    unread.add(place)
            values.append(known)
        strip.values = values
        return unread

    def _is_said_plainly(self, strip: Strip, origin: Origin, numbers: Sequence[int]) -> bool:
        """Tell whether all cells of a column say their values themselves."""
        texts = cast("list[str]", [cell for cell in strip.cells if cell is not None])
        if joined(texts) is None:
            return False
        strip.said_plainly = origin.said_plainly(texts)
        if strip.said_plainly == "amount":
            # The first one with a point proves that this is the decimal mark.
            place = next((place for place, text in enumerate(strip.cells) if text is not None and "." in text), None)
            if place is not None:
                self._convert.read(origin, restored(strip.cells[place]), numbers[strip.row(place)])
        return bool(strip.said_plainly)


def _value(read: Json | Refusal | Open | Clear) -> Json:
    """Return what was read if it is a value."""
    return None if isinstance(read, Refusal | Open | Clear) else read


def _blank_is_none(cells: list[StoredCell]) -> list[StoredCell]:
    if joined(cells) is not None and all(map(str.strip, cast("list[str]", cells))):
        return cells
    return [None if cell is None or (isinstance(cell, str) and not cell.strip()) else cell for cell in cells]


def _rows_with(strip: Strip, cells: set[int], rows: int) -> Iterable[int]:
    """Return the rows that have one of these cells."""
    if not cells:
        return ()
    if strip.codes is None:
        return cells if len(strip.cells) == rows else range(rows)
    return [row for row, code in enumerate(strip.codes) if code in cells]
