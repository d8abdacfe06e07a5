"""What went wrong, told once for all rows that it went wrong in: how many there are, which come first, what to do.

Rows that did not succeed are one cause if status, code and field are the same, and what their messages say, apart from
the values in them. Every such row is counted in exactly one cause, and memory does not grow with their number. What is
told of a cause holds no value of a row, so that it may stand in logs; `exact` texts, which do, are for the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias, final

from bulkzcrm.model import Status
from bulkzcrm.report.masking import GAP, without_values
from bulkzcrm.report.rows import ReportPage, ReportRow

__all__ = ["Cause", "Causes"]

_WELL: Final = frozenset({Status.SUCCEEDED.value, Status.UNCHANGED.value, Status.VALID.value})
_MOST_ROWS_NAMED: Final = 5
_MOST_BY_MESSAGE: Final = 200
"""Causes that are told apart by their messages; what comes later is told apart by status, code and field."""
_MOST: Final = 300
"""Causes in all, but for the last one, in which all that comes later is counted."""
_LONGEST: Final = 1_000
"""Characters of a message that are looked at."""
_MOST_REMEMBERED: Final = 1_000
_SHORT: Final = 300
_LEAST_WORDS: Final = 3

_OTHERS: Final = "Other causes; results.csv tells the cause of every row."
_SEVERAL: Final = "Several kinds, told for every row in results.csv. The first: "
_SEE: Final = "What to do is told for every row in results.csv."

_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"])")
_VARYING = re.compile(
    r"“[^“”]*”|\"[^\"]*\"|(?<![^\s@()<>“”\";,])[^\s@()<>“”\";,]+@[^\s@()<>“”\";,]+|\d(?:[\d.,:/+TZ-]*\d)?", re.ASCII
)
"""Values in a message: what is quoted, addresses, numbers, dates and times."""

_Key: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause of rows that did not succeed; code, field and status are blank for the rest of all causes.

    `rows` are the first of them by their numbers, `cell` is the cell of the first. Every value is `…` in message and
    remedy; in the exact ones those are told that are the same in all rows.
    """

    status: str
    code: str
    field: str
    count: int
    rows: tuple[int, ...]
    cell: str
    message: str
    remedy: str
    exact_message: str
    exact_remedy: str

    def to_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "code": self.code,
            "field": self.field,
            "status": self.status,
            "count": self.count,
            "rows": list(self.rows),
            "cell": self.cell,
            "message": self.message,
            "remedy": self.remedy,
        }


@final
class Causes:
    """Counts rows by their causes, in source order, while they are on their way elsewhere."""

    def __init__(self) -> None:
        self._kinds: dict[_Key, _Kind] = {}
        self._known: dict[tuple[str, ...], _Kind] = {}
        self._places: dict[int, int] = {}

    def watching(self, pages: Iterable[ReportPage]) -> Iterator[ReportPage]:
        """Pass all rows on, and count those that did not succeed."""
        for page in pages:
            for place, result in enumerate(page.results):
                if result[1] not in _WELL:
                    self.add(page.without_cells(place))
            yield page

    def add(self, row: ReportRow) -> None:
        """Count a row that did not succeed."""
        kind = self._kind(row)
        kind.count += 1
        if len(kind.rows) < _MOST_ROWS_NAMED:
            kind.rows.append(row.result[0])

    def told(self) -> tuple[Cause, ...]:
        """Return the causes, the largest first; equal ones as their first rows come, and the rest of all last."""
        kinds = sorted(self._kinds.values(), key=lambda kind: (not kind.key[0], -kind.count, kind.rows))
        self._places = {id(kind): place for place, kind in enumerate(kinds)}
        return tuple(kind.told() for kind in kinds)

    def place(self, row: ReportRow) -> int | None:
        """Return which of the causes that were `told` a row that was counted belongs to; `None` for a good row."""
        return None if row.result[1] in _WELL else self._places.get(id(self._kind(row)))

    def _kind(self, row: ReportRow) -> _Kind:
        _, status, code, name, cell, *_ = row.result
        message, remedy = (row.problems[0].message, row.problems[0].remedy) if row.problems else ("", "")
        said = (status, code, name, message, remedy)
        kind = self._known.get(said)
        if kind is None:
            kind = self._found(status, code, name, message[:_LONGEST], remedy[:_LONGEST], cell)
            if len(message) + len(remedy) <= _SHORT:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[said] = kind
        return kind

    def _found(self, status: str, code: str, name: str, message: str, remedy: str, cell: str) -> _Kind:
        bare, bare_remedy = _sense(without_values(message)), _without_values(remedy)
        key = (status, code, name, _kept(bare))
        if key not in self._kinds and len(self._kinds) >= _MOST_BY_MESSAGE:
            key = (status, code, name, _SEVERAL)
        if key not in self._kinds and len(self._kinds) >= _MOST:
            key = ("", "", "", _OTHERS)
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _Kind(
                key,
                cell,
                (_Text(bare, otherwise=key[3]), _Text(bare_remedy), _Text(message, otherwise=key[3]), _Text(remedy)),
            )
        else:
            for text, joined in zip(kind.texts, (bare, bare_remedy, message, remedy), strict=True):
                text.join(joined)
        return kind


@lru_cache(_MOST_REMEMBERED)
def _without_values(remedy: str) -> str:
    return without_values(remedy, numbers=False)


def _sense(bare: str) -> str:
    """Return a message without further sentences that lost a value: without it they tell nothing."""
    first, *rest = _SENTENCES.split(bare)
    return " ".join([first, *(sentence for sentence in rest if GAP not in sentence)])


def _kept(bare: str) -> str:
    """Return what is the same in all messages of a cause: the first sentence without values, and without a list."""
    first = _SENTENCES.split(bare, maxsplit=1)[0]
    before, colon, _ = first.partition(": ")
    return before if colon and len(before.split()) >= _LEAST_WORDS else first


@dataclass(slots=True)
class _Kind:
    """A cause that is being counted."""

    key: _Key
    cell: str
    texts: tuple[_Text, _Text, _Text, _Text]
    """Message and remedy without values, and both as they are."""
    count: int = 0
    rows: list[int] = field(default_factory=list)

    def told(self) -> Cause:
        status, code, name, kind = self.key
        message, remedy, exact_message, exact_remedy = (text.text() for text in self.texts)
        cell = self.cell
        if kind == _SEVERAL:
            message, exact_message = (_SEVERAL + self.texts[place].first for place in (0, 2))
            remedy = exact_remedy = _SEE
        elif kind == _OTHERS:
            message, exact_message, remedy, exact_remedy, cell = _OTHERS, _OTHERS, _SEE, _SEE, ""
        return Cause(
            status=status,
            code=code,
            field=name,
            count=self.count,
            rows=tuple(self.rows),
            cell=cell,
            message=message,
            remedy=remedy or _SEE,
            exact_message=exact_message,
            exact_remedy=exact_remedy or _SEE,
        )


class _Text:
    """What several texts have in common: the first sentence but for its values, and each further one they all have.

    Where more differs in the first sentence than values, something else stands in its place.
    """

    def __init__(self, text: str, *, otherwise: str = "") -> None:
        self.first = text
        self._otherwise = otherwise
        beginning, *self._rest = _SENTENCES.split(text)
        self._words = _VARYING.split(beginning)
        self._values: list[str] = _VARYING.findall(beginning)
        self._is_bare = False
        """Whether nothing is left that a further text could take away."""

    def join(self, text: str) -> None:
        if text == self.first or self._is_bare:
            return
        beginning, *rest = _SENTENCES.split(text)
        self._rest = [sentence for sentence in self._rest if sentence in rest]
        words = _VARYING.split(beginning)
        if words == self._words:
            values = _VARYING.findall(beginning)
            self._values = [mine if mine == other else GAP for mine, other in zip(self._values, values, strict=True)]
        else:
            self._words, self._values = [self._otherwise], []
        self._is_bare = not self._rest and all(value == GAP for value in self._values)

    def text(self) -> str:
        """Return it; nothing where the texts have nothing in common."""
        return " ".join(filter(None, ["".join(_woven(self._words, self._values)), *self._rest]))


def _woven(words: list[str], values: list[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        yield word
        if place < len(values):
            yield values[place]
