"""Each row becomes a record and all its problems, never an exception; what a column must settle first is left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, final
from zoneinfo import ZoneInfo

from msgspec import Struct

from bulkzcrm.cells import column_letter, is_blank
from bulkzcrm.convert.columns import ColumnMap
from bulkzcrm.convert.dates import DateOrder, DateRule
from bulkzcrm.convert.evidence import ColumnEvidence, Decision, reading_in_force, told
from bulkzcrm.convert.money import DecimalMark
from bulkzcrm.convert.readers import CLEAR_TEXT, Reader, Rules, compile_reader
from bulkzcrm.convert.recall import ReadQuickly, Recall, SaidPlainly, plainly, quickly
from bulkzcrm.convert.values import Clear, Finding, Open, Refusal, plain_text
from bulkzcrm.convert.words import MANDATORY_BLANK, MANDATORY_CLEARED, MANDATORY_WITHOUT_COLUMN, SURPLUS
from bulkzcrm.errors import UsageError
from bulkzcrm.model import CellValue, Column, Json, Problem, Record, Row
from bulkzcrm.spec.fields import Field

__all__ = ["Clears", "ConvertOptions", "Converted", "Origin", "RowConverter", "Settled"]

_NOTHING: frozenset[str] = frozenset()
_NO_VALUE = (Refusal, Open, Clear)

Clears: TypeAlias = Literal["null", "left out"]
"""What `#CLEAR` does: a record that says `None`, or one without the field (a new record has nothing to clear)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """How the user wants texts to be read; None means that each column proves it."""

    decimal: DecimalMark | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    time_zone: ZoneInfo | None = None
    """For date-times without an offset; None leaves them without one (`localise` adds it later)."""


class Converted(Struct, frozen=True):
    """One row converted: the fields that it gives, what is wrong with it, and which fields its columns must settle.

    A field stands in at most one of the three; `record` holds None for a field to be cleared. `problems` come in the
    order of the operation's fields, behind what is wrong with the shape of the whole row. The record is the caller's,
    the values in it are not: rows share them, and nobody changes them.
    """

    record: Record
    problems: tuple[Problem, ...] = ()
    open: frozenset[str] = _NOTHING


@dataclass(frozen=True, slots=True)
class _Setup:
    """What a converter is made of, for another one that knows more."""

    fields: Sequence[Field]
    column_map: ColumnMap
    options: ConvertOptions
    clears: Clears


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the whole source has proved."""

    decisions: Mapping[str, Decision]
    """By field: how its column is read."""
    notes: tuple[str, ...]
    """Sentences for the user: how open rows were settled, and because of which row."""
    reading: Mapping[str, str]
    """Options that make another run read alike, as far as all columns agree: `date_format`, `decimal`."""
    setup: _Setup = field(repr=False)

    def converter(self) -> RowConverter:
        """Return a converter for the rows that were open; it leaves none open."""
        setup = self.setup
        return RowConverter(
            setup.fields, setup.column_map, setup.options, clears=setup.clears, decisions=self.decisions
        )


@final
class Origin(Struct, frozen=True):
    """A field, the column that gives it, and what reads its cells."""

    field: Field
    column: Column
    reader: Reader
    recall: Recall
    read_quickly: ReadQuickly
    """Reads most texts at once."""
    said_plainly: SaidPlainly

    def problem(self, refusal: Refusal, number: int) -> Problem:
        """Return what is wrong with the cell in the row of that number."""
        return refusal.problem(self.field, f"{self.column.letter}{number}")


class RowConverter:
    """Converts the rows of one source, in any order, and collects what they prove about their columns.

    `decisions` are those of `settle`; a converter that has them leaves nothing open. `UsageError` if a constant of the
    column map cannot be converted.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        column_map: ColumnMap,
        options: ConvertOptions,
        *,
        clears: Clears,
        decisions: Mapping[str, Decision] | None = None,
    ) -> None:
        self._setup = _Setup(fields, column_map, options, clears)
        self._rank = {one.name: rank for rank, one in enumerate(fields)}
        self.constants: Record = {}
        """What every row has in the fields that no column gives."""
        self.standing: list[Problem] = []
        """Problems that every row has."""
        self.origins: list[Origin] = []
        """Of the fields that columns give, in the order of the operation's fields."""
        self.evidence: dict[str, ColumnEvidence] = {}
        """By field: what the rows seen so far prove about its column."""
        for one in fields:
            column = column_map.fields.get(one.name)
            if column is not None:
                rules = _rules(options, (decisions or {}).get(one.name), is_report=bool(column_map.report_columns))
                reader, recall = compile_reader(one, rules), Recall()
                self.evidence[one.name] = ColumnEvidence(column, one.kind)
                as_said = plainly(one.kind, with_comma=rules.decimal == ",")
                self.origins.append(Origin(one, column, reader, recall, quickly(one.kind, recall), as_said))
            elif one.name in column_map.constants:
                self._take_constant(one, column_map.constants[one.name].strip())
            elif one.mandatory:
                self.standing.append(Refusal(MANDATORY_WITHOUT_COLUMN, "").problem(one))

    def __call__(self, row: Row) -> Converted:
        """Convert one row."""
        record = self.constants.copy()
        problems: list[Problem] = []
        left_open: list[str] = []
        for origin in self.origins:
            name, read = origin.field.name, self.read(origin, row.cells[origin.column.index], row.number)
            match read:
                case None:
                    pass
                case Refusal():
                    problems.append(origin.problem(read, row.number))
                case Open():
                    left_open.append(name)
                case Clear():
                    if self._setup.clears == "null":
                        record[name] = None
                case _:
                    record[name] = read
        if self.standing or row.surplus:
            problems = self._in_order(problems, row)
        return Converted(record, tuple(problems), frozenset(left_open) if left_open else _NOTHING)

    def read(self, origin: Origin, value: CellValue, number: int) -> Json | Refusal | Open | Clear:
        """Read a cell of the row of that number, and note what it proves about its column; `None` for a blank one."""
        if isinstance(value, str):
            # A text that was read before is nearly all there is.
            if (known := origin.read_quickly(value)) is not None:
                return known
            text: CellValue = value.strip() or None
        else:
            text = value
        if text is None:
            return Refusal(MANDATORY_BLANK, "") if origin.field.mandatory else None
        read = origin.reader.text(text) if isinstance(text, str) else origin.reader.cell(text)
        result = read.value if isinstance(read, Finding) else read
        if isinstance(read, Finding):
            self._note(origin.field.name, number, text, read)
        if not isinstance(result, _NO_VALUE):
            # What a text proves about its column has been noted by now, and is not news the next time.
            origin.recall.keep(value, result)
        elif isinstance(result, Clear) and (origin.field.mandatory or origin.field.never_empty):
            return Refusal(MANDATORY_CLEARED, CLEAR_TEXT)
        return result

    def settle(self) -> Settled:
        """Return what the rows converted so far prove; call it behind the last row of the source."""
        decisions = {name: evidence.decide() for name, evidence in self.evidence.items()}
        notes = [told(evidence, decisions[name]) for name, evidence in self.evidence.items()]
        return Settled(
            decisions=decisions,
            notes=tuple(note for note in notes if note is not None),
            reading=reading_in_force(self.evidence),
            setup=self._setup,
        )

    def _note(self, name: str, number: int, value: CellValue, finding: Finding) -> None:
        is_open = isinstance(finding.value, Open)
        self.evidence[name].note(finding.evidence, number, plain_text(value) or "", is_open=is_open)

    def _take_constant(self, one: Field, text: str) -> None:
        """Convert a constant; it stands alone, so that no other row settles what it leaves open."""
        if not text:
            raise UsageError(
                f"--set gives the field {one.name} no value.",
                f"Leave it out, or write --set {one.name}={CLEAR_TEXT} to empty the field.",
            )
        alone = Decision(date_order=None, decimal=".", decimal_is_proved=False)
        read = compile_reader(one, _rules(self._setup.options, alone)).text(text)
        match read.value if isinstance(read, Finding) else read:
            case Refusal() as refusal:
                raise UsageError(f"--set: {refusal.message(one.label)}", refusal.complaint.remedy)
            case Clear() if one.mandatory or one.never_empty:
                self.standing.append(Refusal(MANDATORY_CLEARED, CLEAR_TEXT).problem(one))
            case Clear():
                if self._setup.clears == "null":
                    self.constants[one.name] = None
            case Open():
                raise AssertionError("a reader that is told all leaves nothing open")
            case value:
                self.constants[one.name] = value

    def _in_order(self, problems: list[Problem], row: Row) -> list[Problem]:
        if self.standing:
            problems = sorted([*problems, *self.standing], key=lambda problem: self._rank[problem.field])
        return [*_surplus(row), *problems]


def _rules(options: ConvertOptions, decision: Decision | None, *, is_report: bool = False) -> Rules:
    if options.date_order is not None:
        dates = DateRule(DateOrder(options.date_order), demanded=True)
    else:
        dates = DateRule(decision.date_order, settled=True) if decision else DateRule()
    return Rules(
        date=dates,
        decimal=options.decimal or (decision.decimal if decision else None),
        decimal_is_proved=options.decimal is not None or decision is None or decision.decimal_is_proved,
        is_report=is_report,
        zone=options.time_zone,
    )


def _surplus(row: Row) -> list[Problem]:
    """Return the problem of a row that is longer than the header; its first cell too many tells where to look."""
    for place, value in enumerate(row.surplus, len(row.cells)):
        if not is_blank(value):
            refusal = Refusal(SURPLUS, plain_text(value) or "a very long number")
            cell = f"{column_letter(place)}{row.number}"
            return [Problem(code=SURPLUS.code, field="", message=refusal.message(""), remedy=SURPLUS.remedy, cell=cell)]
    return []
