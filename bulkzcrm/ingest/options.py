"""How a person says a source is to be read, and which of it makes sense for which format."""

from __future__ import annotations

from dataclasses import dataclass

from bulkzcrm.errors import UsageError

__all__ = ["ReadOptions", "refuse_options"]

_FLAGS = {"sheet": "--sheet", "header_row": "--header-row", "encoding": "--encoding", "delimiter": "--delimiter"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What overrides detection; `None` means detect.

    `sheet` is a worksheet's name. `header_row` counts as a spreadsheet program does, from 1. `encoding` is any name
    that Python knows. `delimiter` is one character, or the word `tab`.
    """

    sheet: str | None = None
    header_row: int | None = None
    encoding: str | None = None
    delimiter: str | None = None

    def __post_init__(self) -> None:
        if self.header_row is not None and self.header_row < 1:
            raise UsageError(
                f"There is no row {self.header_row}.", "Rows are counted from 1; give --header-row 1 or more."
            )


def refuse_options(options: ReadOptions, *names: str, name: str, what: str) -> None:
    """Raise `UsageError` if one of the options `names` is given for a source that is `what` (`a CSV file`)."""
    for option in names:
        if getattr(options, option) is not None:
            flag = _FLAGS[option]
            raise UsageError(f"{flag} makes no sense for {name}, which is {what}.", f"Leave {flag} out.")
