"""The services of an organisation, however many they are, at hand by id and by name without being held in memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, ValuesView
from decimal import Decimal
from typing import final

import msgspec

from bulkzcrm.journal import Aside, Kept
from bulkzcrm.model import Json
from bulkzcrm.spec.organisation import Current, Named
from bulkzcrm.spec.values import folded, name_of

__all__ = ["Shelf"]

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder: msgspec.json.Decoder[tuple[int, dict[str, object]]] = msgspec.json.Decoder(
    tuple[int, dict[str, object]], float_hook=Decimal
)


@final
class Shelf(Named):
    """Records by their ids, in the order in which they were put there; `named_by` is the field that holds the name.

    What is taken off it is a copy each time.
    """

    def __init__(self, named_by: str) -> None:
        self._named_by = named_by
        self._aside = Aside()
        # Of what is silent there are few kinds.
        self._silences: list[frozenset[str]] = []
        self._kin = array("q")
        """Marks of all names that there are."""
        self._is_sorted = True

    def put(self, records: Iterable[Mapping[str, Json]], silences: Iterable[frozenset[str]]) -> None:
        """Put records there, each with the names of what is silent about it."""
        self._aside.put([self._kept(*each) for each in zip(records, silences, strict=True)])

    def _kept(self, record: Mapping[str, Json], silent: frozenset[str]) -> Kept:
        if silent not in self._silences:
            self._silences.append(silent)
        content = _encoder.encode((self._silences.index(silent), record))
        kin = name_of(record, self._named_by)
        self._kin.append(hash(kin))
        self._is_sorted = False
        return Kept(str(record.get("id")), folded(str(record.get(self._named_by) or "")), kin, content)

    def _current(self, content: bytes) -> Current:
        silent, record = _decoder.decode(content)
        return Current(record, self._silences[silent])  # type: ignore[arg-type]  # it was Json when it was put there

    def __getitem__(self, record_id: str) -> Current:
        content = self._aside.content(record_id)
        if content is None:
            raise KeyError(record_id)
        return self._current(content)

    def __iter__(self) -> Iterator[str]:
        return self._aside.ids()

    def __len__(self) -> int:
        return len(self._aside)

    def values(self) -> ValuesView[Current]:
        """Return the records, which are read as they are asked for."""
        return _Walk(self)

    def named(self, name: str) -> list[Current]:
        """Return the records of that name, as far as `folded` tells names apart."""
        wanted = folded(name)
        return [self._current(content) for content in self._aside.named(wanted)] if wanted else []

    def namesakes(self, record: Mapping[str, Json]) -> list[str]:
        """Return the ids of the records that have the name of this one, as far as `name_of` tells names apart."""
        name = name_of(record, self._named_by)
        if not self._is_sorted:
            self._kin = array("q", sorted(self._kin))
            self._is_sorted = True
        mark = hash(name)
        at = bisect_left(self._kin, mark)
        # Most have none, and that shall cost next to nothing.
        return self._aside.kin(name) if at < len(self._kin) and self._kin[at] == mark else []

    def walk(self) -> Iterator[Current]:
        """Yield every record."""
        return (self._current(content) for _, content in self._aside.walk())


class _Walk(ValuesView[Current]):
    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf)
        self._shelf = shelf

    def __iter__(self) -> Iterator[Current]:
        return self._shelf.walk()
