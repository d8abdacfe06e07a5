"""A workbook that would harm is refused before it is parsed."""

from __future__ import annotations

import struct
import warnings
import zipfile

import pytest
from xlsx_parts import parts, sheet, write_parts

from bulkzcrm.errors import SourceError
from bulkzcrm.ingest import open_source

SHEET = "xl/worksheets/sheet1.xml"
BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'


def refused(path):
    with pytest.raises(SourceError) as caught, open_source(path) as table:
        list(table.rows)
    return str(caught.value)


def test_a_zip_bomb_is_refused_by_ratio(tmp_path):
    path = write_parts(tmp_path / "bomb.xlsx", parts(**{SHEET: sheet("", after=" " * 30_000_000)}))
    assert "zip bomb" in refused(path)


def test_parts_that_claim_more_than_the_file_has_are_refused(tmp_path):
    path = write_parts(tmp_path / "big.xlsx", parts(**{"a.bin": "x", "b.bin": "y"}))
    content = bytearray(path.read_bytes())
    for name in (b"a.bin", b"b.bin"):
        at = content.rindex(name) - 46  # the entry in the directory; at 20 the packed, at 24 the unpacked size
        struct.pack_into("<II", content, at + 20, 200_000_000, 400_000_000)
    path.write_bytes(content)
    assert "lie over each other" in refused(path)


def test_an_honest_workbook_may_unpack_to_any_size(tmp_path):
    picture = b"\0" * 9_000_000
    path = write_parts(tmp_path / "big.xlsx", parts(**{f"xl/media/{n}.bin": picture for n in range(60)}))
    with open_source(path) as table:
        assert [column.name for column in table.columns] == ["a", "b"]


def test_a_size_that_understates_the_content_is_damage(tmp_path):
    path = write_parts(tmp_path / "lie.xlsx", parts("<!-- " + "long " * 1000 + "-->"))
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rindex(SHEET.encode()) - 46 + 24, 400)
    path.write_bytes(content)
    assert "damaged" in refused(path)


def test_too_many_parts_are_refused(tmp_path):
    path = write_parts(tmp_path / "many.xlsx", parts(**{f"x/{n}": "" for n in range(2000)}))
    assert "2,005 parts" in refused(path)


def test_a_part_that_is_there_twice_is_refused(tmp_path):
    path = write_parts(tmp_path / "twice.xlsx", parts())
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")  # zipfile itself finds this odd
        archive.writestr(SHEET, sheet(""))
    assert "more than once" in refused(path)


def test_encrypted_parts_are_called_protected(tmp_path):
    path = write_parts(tmp_path / "locked.xlsx", parts())
    content = bytearray(path.read_bytes())
    at = content.rindex(SHEET.encode()) - 46
    content[at + 8] |= 1
    path.write_bytes(content)
    assert "password" in refused(path)


def test_an_unusual_packing_is_refused(tmp_path):
    path = tmp_path / "bz.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for part, text in parts().items():
            archive.writestr(part, text)
    assert "packed" in refused(path)


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "_rels/.rels"])
def test_entities_are_refused_in_every_part_that_is_parsed(tmp_path, part):
    whole = parts()
    whole[part] = BOMB + whole[part]
    message = refused(write_parts(tmp_path / "entities.xlsx", whole))
    assert part in message
    assert "attack" in message


def test_entities_are_refused_whatever_a_part_is_called_and_however_it_is_encoded(tmp_path):
    whole = parts()
    whole["xl/_rels/workbook.xml.rels"] = whole["xl/_rels/workbook.xml.rels"].replace("/sheet1.xml", "/sheet1.jpg")
    xml = f'<?xml version="1.0" encoding="UTF-16"?><!-- {"x" * 200_000} -->{BOMB}{whole.pop(SHEET)}'
    whole["xl/worksheets/sheet1.jpg"] = xml.encode("utf-16")
    assert "attack" in refused(write_parts(tmp_path / "entities.xlsx", whole))


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "_rels/.rels"])
def test_a_comment_that_would_fill_the_memory_is_refused(tmp_path, part):
    whole = parts()
    whole[part] = f"<!-- {'filling ' * 1_000_000} -->{whole[part]}"
    assert "holds nothing in the first" in refused(write_parts(tmp_path / "comment.xlsx", whole))


def test_a_truncated_workbook_is_damaged(tmp_path):
    path = write_parts(tmp_path / "cut.xlsx", parts())
    path.write_bytes(path.read_bytes()[:-60])
    assert "damaged" in refused(path)


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml"])
def test_flipped_bytes_are_damage_and_found_before_the_first_row(tmp_path, part):
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n * 7919}</v></c></row>' for n in range(2, 3000))
    path = write_parts(tmp_path / "flipped.xlsx", parts(rows))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(part)
    middle = entry.header_offset + 30 + len(part) + entry.compress_size // 2
    content[middle] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(SourceError, match="damaged"), open_source(path):
        pass


def test_a_part_whose_name_is_no_text_is_damage(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("é.xml", "<a/>")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xf8\xa9"))
    assert "a.xlsx is a damaged workbook" in refused(path)
