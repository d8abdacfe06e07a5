"""JSON Lines keep exact numbers and the order of their keys; what does not fit a cell is refused by line."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.errors import SourceError, UsageError
from bulkzcrm.ingest import ReadOptions, open_source


@pytest.fixture
def read(tmp_path):
    def read_text(text, **options):
        path = tmp_path / "rows.jsonl"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with open_source(path, ReadOptions(**options)) as table:
            return table, list(table.rows)

    return read_text


def test_keys_of_all_lines_become_columns_in_order_of_first_appearance(read):
    table, rows = read('{"b": 1}\n\n{"a": 2, "b": 3}\n{"c": null, "a": 4}')
    assert [(c.letter, c.name) for c in table.columns] == [("A", "b"), ("B", "a"), ("C", "c")]
    assert [(row.number, row.cells) for row in rows] == [
        (1, (1, None, None)),
        (3, (3, 2, None)),
        (4, (None, 4, None)),
    ]
    assert table.header_row == 0


def test_values_stay_exact(read):
    _, rows = read('{"i": 5545974000000393001, "d": 99999999999999.99, "t": true, "n": null, "s": " x ", "b": " "}')
    assert rows[0].cells == (5545974000000393001, Decimal("99999999999999.99"), True, None, " x ", None)


def test_lists_become_texts(read):
    _, rows = read(
        '{"days": ["Mon", "Tue"], "taxes": [1, 2.50], "none": [],'
        ' "timings": [{"From": "10:00", "To": "13:30"}, {"From": "15:00", "To": "18:00"}]}'
    )
    assert rows[0].cells == ("Mon; Tue", "1; 2.50", None, "10:00-13:30; 15:00-18:00")


def test_empty_objects_and_nulls_are_no_rows(read):
    _, rows = read('{}\n{"a": null}\n{"a": "  "}\n{"a": 1}\n')
    assert [row.number for row in rows] == [4]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"a": 1', "not JSON"),
        ("[1, 2]", "not an object"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": {"b": 1}}', "'a'"),
        ('{"a": [{"b": 1}]}', "From and To"),
        ('{"a": [[1]]}', "From and To"),
        ('{"a": ["x; y"]}', "semicolon"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1E+999999999}', "too large"),
        ('{"a": 1E+99999999999999999999}', "too large"),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
        ('{"a": "\\ud800"}', "half of a character"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ('{"a\\u00e9": ' + "[" * 900 + "1" + "]" * 900 + "}", "From and To"),
    ],
)
def test_a_line_that_fits_no_row_is_named(read, line, words):
    with pytest.raises(SourceError) as caught:
        read('{"a": 0}\n' + line + "\n")
    assert "Line 2 of" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "line", ['{"a": 1, "a": "x"}', '{"a": "x", "b": {}}', '{"a": "x", "b": [null]}', '{"a": "x", "b": 1e999}']
)
def test_a_line_whose_names_could_be_read_is_still_refused_for_its_values(read, line):
    with pytest.raises(SourceError, match="Line 3 of"):
        read(f'{{"a": "fine"}}\n{{"a": "fine", "b": 1}}\n{line}\n')


def test_lines_without_texts_have_values_too_and_names_of_lines_without_any_do_not_count(read):
    table, rows = read('{"a": false}\n{"b": " ", "c": null, "d": []}\n{"e": [0]}\n{"f": 12345678901234567890123}\n')
    assert [column.name for column in table.columns] == ["a", "e", "f"]
    assert [(row.number, row.cells) for row in rows] == [
        (1, (False, None, None)),
        (3, (None, "0", None)),
        (4, (None, None, 12345678901234567890123)),
    ]


def test_one_json_list_is_told_how_to_become_lines(read):
    with pytest.raises(SourceError, match="one object on each line"):
        read('[{"a": 1}]')


def test_a_file_without_values_is_refused(read):
    with pytest.raises(SourceError, match="no line with a value"):
        read("{}\n{}\n")


def test_marks_and_utf_16_are_understood(read):
    for codec in ("utf-8-sig", "utf-16"):
        table, rows = read('{"ä": "ö"}\n'.encode(codec))
        assert table.columns[0].name == "ä"
        assert rows[0].cells == ("ö",)


@pytest.mark.parametrize("options", [{"sheet": "x"}, {"header_row": 1}, {"delimiter": ","}])
def test_options_of_other_formats_make_no_sense(read, options):
    with pytest.raises(UsageError):
        read('{"a": 1}', **options)


scalars = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), scalars, min_size=1), min_size=1))
def test_plain_values_come_back_as_they_were(tmp_path_factory, objects):
    objects.insert(0, {"first": 1})
    path = tmp_path_factory.mktemp("lines") / "rows.jsonl"
    path.write_text("\n".join(json.dumps(entry) for entry in objects), encoding="utf-8", newline="\n")
    with open_source(path) as table:
        names = [column.name for column in table.columns]
        found = {row.number: dict(zip(names, row.cells, strict=True)) for row in table.rows}
    for number, entry in enumerate(objects, 1):
        wanted = {key: value for key, value in entry.items() if value is not None and str(value).strip()}
        assert {key: value for key, value in found.get(number, {}).items() if value is not None} == wanted
