"""OpenDocument files that would do harm, are damaged, or are no spreadsheets are refused by name, with a cure."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ods_parts import cell, content, number, row, table, write_archive, write_ods

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest import open_source

HEADER = row(*(cell(letter) for letter in "abc"))


ODD = "<>/='&;0 az9-:PT" + '"'


def read(path):
    with open_source(path) as opened:
        for _ in opened.rows:
            pass


def timed(value):
    return f'<table:table-cell office:value-type="time" office:time-value="{value}"/>'


BOMBS = {
    "values beyond the last column": [row(number(1, ' table:number-columns-repeated="16385"'))],
    "values beyond the last row": [row(number(1), attributes=' table:number-rows-repeated="1048576"')],
    "more values than anybody has": [
        row(number(1, ' table:number-columns-repeated="16000"'), attributes=' table:number-rows-repeated="1000000"')
    ],
    "many of them": [row(number(1, ' table:number-columns-repeated="16000"'))] * 4000,
    "a cell far out": [row('<table:table-cell table:number-columns-repeated="99999999999"/>', number(1))],
    "a text of blanks": [row(cell('<text:s text:c="999999999"/>'))],
    "no number": [row(number(1, ' table:number-columns-repeated="x"'))],
    "less than one": [row(number(1), attributes=' table:number-rows-repeated="-5"')],
}


@pytest.mark.parametrize("what", BOMBS)
def test_what_would_fill_the_memory_is_refused(tmp_path, what):
    with pytest.raises(SourceError, match=r"(Row|Cell).* of the sheet 'One' of .*a\.ods"):
        read(write_ods(tmp_path / "a.ods", content(table(HEADER, *BOMBS[what]))))


ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
GOOD = content(table(HEADER, row(number(5))))
REFUSED = {
    "a cut document": (lambda path: write_ods(path, GOOD[:-40]), "damaged"),
    "entities": (lambda path: write_ods(path, ENTITIES + GOOD), "attack"),
    "entities elsewhere": (lambda path: write_ods(path, GOOD, styles_xml=ENTITIES + "<x/>"), "attack"),
    "entities in a flat document": (
        lambda path: path.write_text(ENTITIES + GOOD.replace("document-content", "document"), encoding="utf-8"),
        "attack",
    ),
    "a password": (
        lambda path: write_ods(path, "\x01\x02", manifest_xml="<manifest:encryption-data/>"),
        "password",
    ),
    "a password, as LibreOffice 24.8 keeps it": (
        lambda path: write_archive(path, {"encrypted-package": "x"}),
        "password",
    ),
    "a text document": (
        lambda path: write_ods(path, GOOD.replace("office:spreadsheet", "office:text")),
        "no spreadsheet",
    ),
    "a document of OpenOffice 1": (lambda path: write_ods(path, GOOD.replace("opendocument", "old")), "no spreadsheet"),
    "no sheet at all": (lambda path: write_ods(path, content()), "no worksheet"),
    "an empty sheet": (lambda path: write_ods(path, content(table(row()))), "no row with a value"),
    "a number that is none": (lambda path: write_ods(path, content(table(HEADER, row(number("1,5"))))), "Cell A2"),
    "a time that is none": (
        lambda path: write_ods(path, content(table(HEADER, row(cell("x"), timed("P"))))),
        "Cell B2",
    ),
    "elements inside one another without end": (
        lambda path: write_ods(path, content(table(HEADER, row("<x>" * 2000 + "</x>" * 2000)))),
        "inside one another",
    ),
    "one endless attribute": (
        lambda path: write_ods(path, content(table(HEADER, row(cell("x", f' table:x="{"ab" * 20_000_000}"'))))),
        "zip bomb|one element of more than",
    ),
    "one endless text": (
        lambda path: write_ods(path, content(table(HEADER, row(cell("ab" * 600_000))))),
        "longer than",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, what):
    write, words = REFUSED[what]
    path = tmp_path / "a.ods"
    write(path)
    with pytest.raises(SourceError, match=words) as caught:
        read(path)
    assert "a.ods" in caught.value.message
    assert caught.value.cure


def test_a_flipped_byte_is_damage_and_found_before_the_first_row(tmp_path):
    path = write_ods(tmp_path / "a.ods", content(table(HEADER, *(row(number(n * 7919)) for n in range(3000)))))
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(SourceError, match="damaged"), open_source(path):
        pass


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(ODD)), min_size=1, max_size=4))
def test_whatever_characters_are_wrong_it_is_read_or_refused(tmp_path_factory, changes):
    xml = list(GOOD)
    for place, character in changes:
        xml[place % len(xml)] = character
    path = write_ods(tmp_path_factory.mktemp("odd") / "a.ods", "".join(xml))
    try:
        read(path)
    except SourceError as error:
        is_told = "a.ods" in error.message
    else:
        is_told = True
    assert is_told
