"""What a person has said about columns, kept in a file for the next sheet of the same form: `--save-map`, `--map-file`.

The file is TOML with the words of a job's step: `map` (column = field), `set` (field = value), `ignore_column`.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO

from bulkzcrm.errors import OutputError, UsageError
from bulkzcrm.events import ColumnsMatched
from bulkzcrm.report import write_aside

__all__ = ["ColumnWords", "naming_map_file", "read_map_file", "refuse_other_file", "write_map_file"]

_KEYS = ("map", "set", "ignore_column")
_FIRST_LINE = "# Which column is which field, for --map-file; written by bulkzcrm."


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnWords:
    """What a file says about columns, as the options of a run say it."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read_map_file(path: str) -> ColumnWords:
    """Read what `write_map_file` (or a person) wrote. Raises `UsageError` naming the file, the key and the cure."""
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"There is no file {path} for --map-file.", "--save-map FILE writes one.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no valid TOML: {error}.", "Mend that line.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not in UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}.", "Give a TOML file in UTF-8.") from None
    for key in table:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            cure = f"Did you mean {near[0]}?" if near else f"What there is: {', '.join(_KEYS)}."
            raise UsageError(f"{path} has the key “{key}”, which means nothing here.", cure)
    return ColumnWords(
        mapping=_texts(path, table, "map"), constants=_texts(path, table, "set"), ignored=_names(path, table)
    )


@contextmanager
def naming_map_file(path: str | None) -> Iterator[None]:
    """Have what is wrong with a word about columns say that it may stand in this file."""
    try:
        yield
    except UsageError as error:
        if path is None or not error.message.startswith(("--map ", "--set ", "--ignore-column ")):
            raise
        raise UsageError(error.message, f"{error.cure} What {path} says counts as if it had been typed.") from error


def refuse_other_file(path: str) -> None:
    """Raise `UsageError` where `write_map_file` would overwrite something else, or there is no place for a file."""
    there = Path(path).absolute()
    nearest = next(each for each in (there, *there.parents) if each.exists() or each == each.parent)
    if nearest != there:
        if not nearest.is_dir():
            raise UsageError(f"--save-map {path} cannot be written: {nearest} is no folder.", "Name another place.")
        _refuse_unwritable(path, nearest)
        return
    if not there.is_file():
        raise UsageError(f"--save-map {path} is no file.", "Name one, such as columns.toml.")
    if not _is_map_file(path):
        raise UsageError(
            f"--save-map {path} would overwrite a file that holds something else.",
            "Name a new file, such as columns.toml; it is --map-file that reads one.",
        )
    _refuse_unwritable(path, there.parent)


def _refuse_unwritable(path: str, folder: Path) -> None:
    if not os.access(folder, os.W_OK):
        raise UsageError(
            f"--save-map {path} cannot be written: this user may not write in {folder}.", "Name another place."
        )


def _is_map_file(path: str) -> bool:
    try:
        return read_map_file(path) != ColumnWords() or Path(path).read_text(encoding="utf-8").startswith(_FIRST_LINE)
    except (UsageError, OSError, UnicodeDecodeError):
        return False


def write_map_file(path: str, matched: ColumnsMatched) -> None:
    """Write how the columns of a source were matched; an older file is replaced. Raises `OutputError`."""
    lines = [_FIRST_LINE]
    if matched.ignored:
        lines.append(f"ignore_column = [{', '.join(map(_quoted, matched.ignored))}]")
    for key, pairs in (("map", matched.mapping), ("set", matched.constants)):
        if pairs:
            lines += ["", f"[{key}]", *(f"{_quoted(name)} = {_quoted(value)}" for name, value in pairs.items())]
    content = "\n".join([*lines, ""]).encode()
    there = Path(path).absolute()
    aside = write_aside(there.parent, there.name, lambda stream: _write(stream, content))
    try:
        placed = aside.put_in_place()
    finally:
        aside.discard()
    if placed.path != there:
        raise OutputError(placed.note or f"{there} cannot be written.", "Close it in other programs.")


def _write(stream: BinaryIO, content: bytes) -> None:
    stream.write(content)


def _quoted(text: str) -> str:
    """Return a TOML string; JSON's are, but for the one control character that JSON lets stand."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(path: str, table: Mapping[str, object], key: str) -> dict[str, str]:
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        raise UsageError(f"{key} in {path} is no table.", f'Write [{key}] and below it "Name" = "Value".')
    for name, value in found.items():
        if not isinstance(value, str):
            raise UsageError(f"{name} below [{key}] in {path} is no text.", "Put it in quotes.")
    return {str(name): str(value) for name, value in found.items()}


def _names(path: str, table: Mapping[str, object]) -> tuple[str, ...]:
    found = table.get("ignore_column", [])
    names: Sequence[object] = [found] if isinstance(found, str) else found if isinstance(found, list) else [None]
    if not all(isinstance(name, str) for name in names):
        raise UsageError(f"ignore_column in {path} is no list of names.", 'Write ignore_column = ["Name"].')
    return tuple(str(name) for name in names)
