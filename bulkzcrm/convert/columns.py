"""Every column of the source has exactly one use, and every field that rows must give has exactly one origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bulkzcrm.convert.headers import FieldNames, by_field, called, called_first, columns_called, nearest_columns
from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.model import Column, Table
from bulkzcrm.spec.fields import Field

__all__ = ["RESULT_HEADERS", "ColumnMap", "MapOptions", "match_columns"]

_SHOWN = 12
"""How many headers a message shows."""

RESULT_HEADERS = frozenset(
    {
        "result_row",
        "result_status",
        "result_code",
        "result_field",
        "result_cell",
        "result_message",
        "result_fix",
        "result_record_id",
        "result_batch",
        "result_attempts",
    }
)
"""The columns that a report adds; they are skipped when a report comes back as a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOptions:
    """What the user says about columns; a column is named by its header or its letter, a field by API name or label."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    """Column to field (`--map`)."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Field to the text that every row has in it (`--set`)."""
    ignored: frozenset[str] = frozenset()
    """Columns that need not match any field (`--ignore-column`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Where the values of each field come from, and what the other columns are."""

    fields: Mapping[str, Column]
    """By API name: the column that gives the field."""
    constants: Mapping[str, str]
    """By API name: the text that every row has in the field."""
    carried: tuple[Column, ...]
    """Columns that match no field; the report shows them untouched."""
    ignored: tuple[Column, ...]
    """Columns that the user told us not to mind; the report shows them untouched, too."""
    report_columns: tuple[Column, ...]
    """Columns that an earlier report added."""
    notes: tuple[str, ...] = ()
    """Sentences about carried columns that look like a misspelt field."""

    @property
    def letters(self) -> dict[str, str]:
        """The letter of each field's column."""
        return {name: column.letter for name, column in self.fields.items()}


def match_columns(
    fields: Sequence[Field],
    table: Table,
    options: MapOptions,
    *,
    need_one_of: Sequence[tuple[str, ...]] = (),
) -> ColumnMap:
    """Match the columns of a source to the fields of an operation.

    Each group of field names in `need_one_of` needs a column or constant for at least one of them. `UsageError` if the
    options do not fit the fields or the columns; `SourceError` if two columns mean one field, a field that every row
    must give has no origin, or another row than the one taken looks like the header.
    """
    names = FieldNames(fields)
    _refuse_title_row(table, names, len(options.mapping))
    constants = by_field(options.constants, names, "--set")
    report_columns = _report_columns(table.columns)
    mapped = _mapped(options, table, names, report_columns)
    ignored = _ignored(options, table, mapped)
    free = [column for column in table.columns if column not in {*report_columns, *ignored, *mapped}]
    by_name = {name: [column] for column, name in mapped.items()}
    for column in free:
        matched = names.get(column.name)
        if matched is not None:
            by_name.setdefault(matched.name, []).append(column)
    carried = tuple(column for column in free if names.get(column.name) is None)

    _refuse_two_columns(by_name)
    _refuse_column_and_constant(by_name, constants)
    if not by_name and not constants:
        raise _nothing_matches(fields, table)
    given = {*by_name, *constants}
    _refuse_missing([(one.name,) for one in fields if one.mandatory], fields, table, carried, given)
    _refuse_missing(need_one_of, fields, table, carried, given)
    return ColumnMap(
        fields={one.name: by_name[one.name][0] for one in fields if one.name in by_name},
        constants={one.name: constants[one.name] for one in fields if one.name in constants},
        carried=carried,
        ignored=ignored,
        report_columns=report_columns,
        notes=_misspelt([one for one in fields if one.name not in given], carried),
    )


def _report_columns(columns: Sequence[Column]) -> tuple[Column, ...]:
    if not any(column.name == "result_row" for column in columns):
        return ()
    return tuple(column for column in columns if column.name in RESULT_HEADERS)


def _mapped(
    options: MapOptions, table: Table, names: FieldNames, report_columns: Iterable[Column]
) -> dict[Column, str]:
    """Return the field of each column that `--map` names."""
    mapped: dict[Column, str] = {}
    for reference, name in options.mapping.items():
        target = names.named(name, "--map").name
        found = _existing(reference, table, "--map")
        if len(found) > 1:
            letters = " and ".join(column.letter for column in found)
            raise UsageError(
                f'--map names the column "{reference}", but columns {letters} both have this header.',
                f'Name the column by its letter, such as --map "{found[0].letter}={target}".',
            )
        column = found[0]
        if column in report_columns:
            raise UsageError(
                f"--map names {called(column)}, which an earlier report added and every report writes anew.",
                "Give the column another header in the source, and map that.",
            )
        if mapped.get(column, target) != target:
            raise UsageError(
                f"--map gives {called(column)} two fields, {mapped[column]} and {target}.", "Leave one of the two out."
            )
        mapped[column] = target
    for target in mapped.values():
        twice = [column for column, name in mapped.items() if name == target]
        if len(twice) > 1:
            raise UsageError(
                f"--map gives the field {target} two columns, {twice[0].letter} and {twice[1].letter}.",
                "Leave one of the two out.",
            )
    return mapped


def _ignored(options: MapOptions, table: Table, mapped: Mapping[Column, str]) -> tuple[Column, ...]:
    found = {column for reference in options.ignored for column in _existing(reference, table, "--ignore-column")}
    for column in found:
        if column in mapped:
            raise UsageError(
                f"{called_first(column)} is both ignored and mapped to {mapped[column]}.",
                "Leave out --ignore-column or --map for this column.",
            )
    return tuple(column for column in table.columns if column in found)


def _existing(reference: str, table: Table, option: str) -> list[Column]:
    found = columns_called(reference, table.columns)
    if found:
        return found
    listed = ", ".join(called(column) for column in table.columns) or "none"
    raise UsageError(
        f'{option} names the column "{reference}", which {table.name} does not have.', f"The columns are: {listed}."
    )


def _refuse_title_row(table: Table, names: FieldNames, mapped: int) -> None:
    """Refuse a header that names fewer fields than some row below it; the earliest of the best is the guess."""
    if not table.header_row:
        return  # JSON Lines name their values, no row does
    matched = names.count(column.name for column in table.columns) + mapped
    below = [(number, names.count(texts)) for number, texts in table.preview if number > table.header_row]
    row, best = max(below, key=lambda candidate: candidate[1], default=(0, 0))
    if best > matched:
        raise SourceError(
            f"Row {table.header_row} of {table.name} was taken for the header, but it names "
            f"{matched or 'none'} of the operation's fields, while row {row} names {best}.",
            f"Run again with --header-row {row} if row {row} holds the headers.",
        )


def _refuse_two_columns(by_name: Mapping[str, Sequence[Column]]) -> None:
    for name, columns in by_name.items():
        if len(columns) > 1:
            raise SourceError(
                f"The field {name} has {len(columns)} columns: {', '.join(called(column) for column in columns)}.",
                f"Keep one of them, or leave one out with --ignore-column {columns[-1].letter}.",
            )


def _refuse_column_and_constant(by_name: Mapping[str, Sequence[Column]], constants: Mapping[str, str]) -> None:
    for name in constants:
        if name in by_name:
            column = by_name[name][0]
            raise UsageError(
                f"--set gives the field {name} one value for all rows, and {called(column)} gives it a value for each.",
                f"Leave out --set, or leave out the column with --ignore-column {column.letter}.",
            )


def _nothing_matches(fields: Sequence[Field], table: Table) -> SourceError:
    listed = ", ".join(one.name for one in fields)
    sheet = f", sheet “{table.sheet}”," if table.sheet else ""
    found = ", ".join(column.name for column in table.columns[:_SHOWN] if column.name)
    where = f"; the header was taken from row {table.header_row}: {found}" if table.header_row else f": {found}"
    cure = 'Rename the columns, match them with --map "Column=Field", or name their row with --header-row.'
    return SourceError(
        f"No column of {table.name}{sheet} names a field of this operation{where}.",
        " ".join((f"The fields are: {listed}.", cure, *table.notes)),
    )


def _refuse_missing(
    groups: Iterable[tuple[str, ...]],
    fields: Sequence[Field],
    table: Table,
    carried: Sequence[Column],
    given: set[str],
) -> None:
    missing = [group for group in groups if not given.intersection(group)]
    if not missing:
        return
    listed = ", ".join(" or ".join(group) for group in missing)
    plural = len(missing) > 1
    hints = [
        f'Did you mean {called(column)}? Then add --map "{column.name.strip()}={name}".'
        for group in missing
        for name in group
        for one in fields
        if one.name == name
        for column in nearest_columns(one, carried)[:1]
    ]
    example = missing[0][0]
    general = (
        f'Add {"the columns" if plural else "the column"}, match an existing one with --map "Column={example}", or '
    )
    raise SourceError(
        f"{table.name} has no {'columns' if plural else 'column'} for {listed}, which every row must give.",
        " ".join([*hints, f'{general}give one value for all rows with --set "{example}=value".']),
    )


def _misspelt(unused: Sequence[Field], carried: Sequence[Column]) -> tuple[str, ...]:
    return tuple(
        f"{called_first(column)} is only carried through to the report; if it is meant for {one.name}, "
        f'add --map "{column.name.strip()}={one.name}".'
        for one in unused
        for column in nearest_columns(one, carried)[:1]
    )
