"""Rows that follow each other, kept column by column: what many of them say is said once, and is read once for all.

A block is what the journal keeps of a piece of the source, and what stages work on that look at every row. Few cells of
a column differ; so what is done to each different one, instead of to each row, costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

import msgspec
from msgspec import Struct, field

from bulkzcrm.cells import StoredCell, joined, restored, stored
from bulkzcrm.model import CellValue, Json, Record

__all__ = ["LONGEST", "Apart", "Block", "Said", "Strip", "decode_block", "encode_block", "strip_of"]

LONGEST: Final = 500
"""Rows of a block at most; where they share cells, half as many differ at most, and a byte tells them apart."""

_T = TypeVar("_T")

Said: TypeAlias = Literal["", "text", "amount"]
"""How texts say the values of a field themselves; blank: they do not."""

_SAMPLE: Final = 32
"""So many cells tell by themselves whether those of a column differ."""
_READ: Final[dict[Said, Callable[[Any], Json]]] = {"text": str, "amount": Decimal}


class Strip(Struct, omit_defaults=True):
    """One column of a block.

    `cells` are its different cells, and `codes` tell for each row the place of its own among them, by a byte. Without
    `codes` there is one cell for each row, or one that all rows have. Where the column gives a `field`, `values` has
    for each of the `cells` what it was converted to: `None` where it is blank, or was not converted. With
    `said_plainly` there are no `values`: every cell that is not blank is a text that says its value itself, a text or
    an amount.
    """

    cells: list[StoredCell]
    codes: bytes | None = None
    field: str = ""
    values: list[Any] | None = None
    said_plainly: Said = ""

    def spread(self, things: Sequence[_T], rows: int) -> Sequence[_T]:
        """Return for each row of the block what `things` has for its cell; they come in the order of `cells`."""
        if self.codes is not None:
            return list(map(things.__getitem__, self.codes))
        return things if len(self.cells) == rows else list(things) * rows

    def place(self, row: int) -> int:
        """Return which of the `cells` the row at that place of the block has."""
        if self.codes is not None:
            return self.codes[row]
        return row if len(self.cells) > 1 else 0

    def row(self, cell: int) -> int:
        """Return the place of the first row that has one of the `cells`."""
        return self.codes.index(cell) if self.codes is not None else cell

    def value(self, cell: int) -> Json:
        """Return what one of the `cells` was converted to."""
        if self.said_plainly:
            text = self.cells[cell]
            return None if text is None else _READ[self.said_plainly](text)
        return cast("Json", self.values[cell]) if self.values is not None else None

    def all_values(self) -> Sequence[Json]:
        """Return what each of the `cells` was converted to."""
        if self.said_plainly == "text":
            return cast("list[str | None]", self.cells)
        if self.values is not None:
            return cast("list[Json]", self.values)
        return [self.value(cell) for cell in range(len(self.cells))]

    def restored(self) -> list[CellValue]:
        """Return the values of the `cells`."""
        return list(map(restored, self.cells))


class Apart(Struct, omit_defaults=True):
    """What a row has that its strips do not tell: a record of its own, and cells to the right of the last column."""

    record: dict[str, Any] | None = None
    surplus: list[StoredCell] = field(default_factory=list)


class Block(Struct, omit_defaults=True):
    """Up to `LONGEST` rows that follow each other; `first` is the place of the first one in its run, from 1.

    `strips` has one for each column of the source. A row's record is what its cells were converted to, beside the
    `constants`; for the rows `apart` (by their places in the block) it is told there.
    """

    first: int
    rows: int
    strips: list[Strip]
    constants: dict[str, Any] = field(default_factory=dict)
    apart: dict[int, Apart] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The place of the last row in its run."""
        return self.first + self.rows - 1

    def cells(self, row: int) -> tuple[CellValue, ...]:
        """Return the cells of one row, one for each column."""
        return tuple(restored(strip.cells[strip.place(row)]) for strip in self.strips)

    def all_cells(self) -> Iterator[tuple[CellValue, ...]]:
        """Yield the cells of each row."""
        if not self.strips:
            return iter([()] * self.rows)
        return zip(*(strip.spread(strip.restored(), self.rows) for strip in self.strips), strict=True)

    def surplus(self, row: int) -> tuple[CellValue, ...]:
        """Return what stands to the right of a row's last column."""
        apart = self.apart.get(row)
        return tuple(map(restored, apart.surplus)) if apart is not None else ()

    def record(self, row: int) -> Record | None:
        """Return the record of one row, `None` where there is none."""
        apart = self.apart.get(row)
        if apart is not None:
            return apart.record
        record: Record = dict(self.constants)
        for strip in self.strips:
            if strip.field and (value := strip.value(strip.place(row))) is not None:
                record[strip.field] = value
        return record

    def each(self, name: str, of: Callable[[Sequence[Json]], Sequence[_T]]) -> Sequence[_T]:
        """Return for each row what `of` makes of its value of a field; for rows apart that tells nothing.

        `of` is given all the different values, or more, and returns as many things.
        """
        strip = self.told().get(name)
        if strip is None:
            return list(of([self.constants.get(name)])) * self.rows
        return strip.spread(of(strip.all_values()), self.rows)

    def told(self) -> dict[str, Strip]:
        """Return the strips that give a field, by its name."""
        return {strip.field: strip for strip in self.strips if strip.field}


def strip_of(cells: Sequence[CellValue]) -> Strip:
    """Make a strip of a column's cells, one for each row."""
    kept = stored(cells) if joined(cells) is None else cast("Sequence[str]", cells)
    if len(kept) > _SAMPLE and len(set(kept[:_SAMPLE])) == _SAMPLE:
        # Hardly two are alike; it is not worth the while to look for them.
        return Strip(list(kept))
    different = dict.fromkeys(kept)
    if len(different) == 1:
        return Strip(list(different))
    if len(different) * 2 > len(kept):
        return Strip(list(kept))
    places = dict(zip(different, range(len(different)), strict=True))
    return Strip(list(different), bytes(map(places.__getitem__, kept)))


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(Block, float_hook=Decimal)


def encode_block(block: Block) -> str:
    """Encode a block as JSON; decimals are written with all their digits."""
    return _encoder.encode(block).decode()


def decode_block(text: str) -> Block:
    """Decode what `encode_block` made. A whole `Decimal` comes back as the equal `int`."""
    return _decoder.decode(text)
