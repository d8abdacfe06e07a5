"""What a workbook holds around its cells: which sheets there are, shared texts, and which number formats are dates."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from defusedxml.ElementTree import fromstring

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest.guard import open_part
from bulkzcrm.ingest.number_formats import BUILTIN_CODES, Shape, counting_from, shape_of
from bulkzcrm.ingest.shared_texts import Texts, kept_texts, shared_texts
from bulkzcrm.ingest.xml_text import local_name, unescaped

__all__ = ["Sheet", "Workbook", "parts_of", "read_workbook", "relations_of"]

_LARGEST_PART = 32_000_000
"""Bytes of a part that is parsed as a whole (not sheets, nor shared texts)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One worksheet: its name, whether it is shown, and the archive's part that holds it."""

    name: str
    visible: bool
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    """All that the cells of a sheet refer to: `shapes` by the index of their style, `strings` by that of their text.

    A text of white space only is `None` among the `strings`.
    """

    archive: ZipFile
    sheets: tuple[Sheet, ...]
    strings: Texts
    shapes: tuple[Shape, ...]
    epoch: datetime


def read_workbook(archive: ZipFile, name: str) -> Workbook:
    """Read everything but the sheets, in the order of the workbook; chart sheets are left out. Raises `SourceError`."""
    parts = parts_of(archive)
    top = relations_of(archive, parts, "", name)
    path = next((target for kind, target in top.values() if kind == "officeDocument"), "xl/workbook.xml")
    root = _parse(archive, parts, path, name)
    if root is None or local_name(root) != "workbook":
        raise SourceError(f"{name} is no workbook.", "Open it in a spreadsheet program and save it as .xlsx.")
    relations = relations_of(archive, parts, path, name)
    targets = {kind: parts.get(target.casefold()) for kind, target in relations.values()}
    styles = _parse(archive, parts, targets.get("styles") or "", name)
    return Workbook(
        archive=archive,
        sheets=tuple(_sheets(root, relations, parts)),
        strings=_strings(archive, targets.get("sharedStrings"), name),
        shapes=_shapes(styles) if styles is not None else (),
        epoch=counting_from(is_1904=_counts_from_1904(root)),
    )


def _parse(archive: ZipFile, parts: dict[str, str], path: str, name: str) -> Element | None:
    part = parts.get(path.casefold())
    if part is None:
        return None
    if archive.getinfo(part).file_size > _LARGEST_PART:
        cure = "Copy its table into a new workbook."
        raise SourceError(f"{name} has an unreasonably large part {part!r}.", cure)
    with open_part(archive, part, name) as stream:
        root: Element = fromstring(stream.read(), forbid_dtd=True)
    return root


def parts_of(archive: ZipFile) -> dict[str, str]:
    """Return the paths of an archive's parts by what they are looked up by: in small letters, with slashes."""
    return {part.replace("\\", "/").casefold(): part for part in archive.namelist()}


def relations_of(archive: ZipFile, parts: dict[str, str], path: str, name: str) -> dict[str, tuple[str, str]]:
    """Return what a part refers to: by id, the last word of the relation's type and the path of the other part.

    `parts` is what `parts_of` returns, `path` the part's, blank for the archive as a whole. Raises `SourceError`.
    """
    folder, _, file = path.rpartition("/")
    root = _parse(archive, parts, posixpath.join(folder, "_rels", f"{file}.rels"), name)
    relations: dict[str, tuple[str, str]] = {}
    for relation in root if root is not None else ():
        target = relation.get("Target", "").replace("\\", "/")
        full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        relations[relation.get("Id", "")] = relation.get("Type", "").rpartition("/")[2], full
    return relations


def _sheets(root: Element, relations: dict[str, tuple[str, str]], parts: dict[str, str]) -> Iterator[Sheet]:
    for element in _children(root, "sheets"):
        reference = next((value for key, value in element.items() if key.endswith("}id")), "")
        kind, path = relations.get(reference, ("", ""))
        if kind == "worksheet" and path.casefold() in parts:
            visible = element.get("state", "visible") == "visible"
            yield Sheet(name=unescaped(element.get("name", "")), visible=visible, part=parts[path.casefold()])


def _counts_from_1904(root: Element) -> bool:
    return any(local_name(part) == "workbookPr" and part.get("date1904") in {"1", "true"} for part in root)


def _children(root: Element, container: str) -> Iterator[Element]:
    for part in root:
        if local_name(part) == container:
            yield from part


def _strings(archive: ZipFile, part: str | None, name: str) -> Texts:
    if part is None:
        return ()
    with open_part(archive, part, name) as stream:
        return kept_texts(shared_texts(stream, f"the table of texts of {name}"))


def _shapes(styles: Element) -> tuple[Shape, ...]:
    codes = dict(BUILTIN_CODES)
    for own in _children(styles, "numFmts"):
        codes[int(own.get("numFmtId", "0"))] = unescaped(own.get("formatCode", ""))
    return tuple(shape_of(codes.get(int(style.get("numFmtId", "0")), "")) for style in _children(styles, "cellXfs"))
