"""OpenDocument spreadsheets written by hand, for what no honest program writes and for what only some do."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

URN = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = (
    f'xmlns:office="{URN}:office:1.0" xmlns:table="{URN}:table:1.0" xmlns:text="{URN}:text:1.0" '
    f'xmlns:style="{URN}:style:1.0" xmlns:number="{URN}:datastyle:1.0" xmlns:draw="{URN}:drawing:1.0" '
    f'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)
MIME = "application/vnd.oasis.opendocument.spreadsheet"
STYLES = (
    '<number:date-style style:name="D"><number:year/><number:month/><number:day/></number:date-style>'
    '<number:date-style style:name="M"><number:year/><number:hours/></number:date-style>'
    '<number:time-style style:name="T"><number:hours/></number:time-style>'
    '<number:time-style style:name="L" number:truncate-on-overflow="false"><number:hours/></number:time-style>'
    + "".join(
        f'<style:style style:name="{name.lower()}" style:family="table-cell" style:data-style-name="{name}"/>'
        for name in "DMTL"
    )
    + '<style:style style:name="child" style:family="table-cell" style:parent-style-name="m"/>'
    '<style:style style:name="unseen" style:family="table"><style:table-properties table:display="false"/>'
    "</style:style>"
)


def cell(text: str, attributes: str = "") -> str:
    """A cell of text."""
    return f'<table:table-cell office:value-type="string"{attributes}><text:p>{text}</text:p></table:table-cell>'


def number(value: object, attributes: str = "") -> str:
    """A cell of a number."""
    return f'<table:table-cell office:value-type="float" office:value="{value}"{attributes}/>'


def row(*cells: str, attributes: str = "") -> str:
    """A row of cells."""
    return f"<table:table-row{attributes}>{''.join(cells)}</table:table-row>"


def table(*rows: str, name: str = "One", attributes: str = "") -> str:
    """A table of rows, and of whatever else stands in one."""
    return f'<table:table table:name="{name}"{attributes}>{"".join(rows)}</table:table>'


def content(*tables: str, styles: str = STYLES, before: str = "") -> str:
    """The document's content."""
    return (
        f"<office:document-content {SPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{before}{''.join(tables)}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )


def write_ods(path: Path, xml: str, **parts: str) -> Path:
    """Pack a document of this content; `parts` by name: `styles_xml`, or `manifest_xml`, which has its folder."""
    places = {"styles_xml": "styles.xml", "manifest_xml": "META-INF/manifest.xml"}
    return write_archive(path, {"content.xml": xml} | {places[name]: text for name, text in parts.items()})


def write_archive(path: Path, parts: Mapping[str, str]) -> Path:
    """Pack parts, by their paths, behind the part that tells what they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MIME)
        for part, text in parts.items():
            archive.writestr(part, text)
    return path


def write_fods(path: Path, *tables: str) -> Path:
    """Write the same as one XML document."""
    xml = content(*tables).replace("office:document-content", "office:document")
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}', encoding="utf-8")
    return path
