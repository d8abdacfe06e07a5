import io
import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from report_samples import TOO_LONG, columns_named, rejected, row_of, texts

from bulkzcrm.model import Outcome, Status
from bulkzcrm.report import RESULT_COLUMNS, result_values, write_jsonl
from bulkzcrm.report.jsonl_report import cell_keys


def written(columns, rows) -> bytes:
    stream = io.BytesIO()
    write_jsonl(stream, columns, rows)
    return stream.getvalue()


def read(content: bytes) -> list[dict]:
    lines = content.split(b"\n")
    assert lines.pop() == b""
    return [json.loads(line) for line in lines]


def test_each_line_is_one_row_with_its_cells_as_texts_and_its_ten_results():
    (line,) = read(written(columns_named("Name", "Day"), [row_of("=Wash", date(2099, 1, 2), number=37)]))
    assert line == {
        "row": 37,
        "cells": {"Name": "=Wash", "Day": "2099-01-02"},
        "result": {
            "result_row": 37,
            "result_status": "succeeded",
            "result_code": "SUCCESS",
            "result_field": "",
            "result_cell": "",
            "result_message": "",
            "result_fix": "",
            "result_record_id": "5545974000000393001",
            "result_batch": 3,
            "result_attempts": 1,
        },
    }
    assert tuple(line["result"]) == RESULT_COLUMNS


def test_a_row_that_was_in_no_batch_has_the_batch_null():
    (line,) = read(written(columns_named("Name"), [row_of(None, outcome=Outcome(status=Status.INVALID))]))
    assert line["result"]["result_batch"] is None
    assert line["result"]["result_attempts"] == 0
    assert line["cells"] == {"Name": ""}


def test_a_report_without_rows_is_an_empty_file():
    assert written(columns_named("Name"), []) == b""


def test_columns_without_a_name_or_with_a_repeated_one_go_by_their_letter_as_well():
    assert cell_keys(columns_named("A", "", "A", "A [C]", "")) == ["A", "[B]", "A [C] [C]", "A [C]", "[E]"]


@given(st.lists(st.sampled_from(["", "A", "[B]", "A [C]", "A [C] [C]", "[A]"]), max_size=8))
def test_no_two_columns_share_a_key(names):
    keys = cell_keys(columns_named(*names))
    assert len(set(keys)) == len(names)
    assert "" not in keys


@given(st.lists(st.one_of(texts, st.characters(categories=["Cs"])), min_size=1, max_size=5))
def test_every_text_reads_back_as_it_was(cells):
    columns = columns_named(*(f"C{index}" for index in range(len(cells))))
    row = row_of(*cells, outcome=rejected(TOO_LONG))
    (line,) = read(written(columns, [row]))
    assert list(line["cells"].values()) == cells
    assert tuple(map(str, line["result"].values())) == result_values(row)
