"""The page holds every row as it is, runs and loads nothing that a cell brings, and hides what it is asked to hide."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tracemalloc
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_samples import COLUMNS, busy, facts_of, many_rows, summary_of, written_page
from report_pages import paged
from report_samples import NO_MEMBERS, TOO_LONG, columns_named, rejected, row_of, texts

from bulkzcrm.model import Outcome, Problem, Status
from bulkzcrm.report import Causes, ReportRow, State
from bulkzcrm.report.html_report import write_html
from bulkzcrm.report.masking import masked, masked_fix, masked_message, without_values

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "\u2028\u2029\x00\ud800",
    '=HYPERLINK("http://evil.example")',
    "javascript:alert(1)",
    "\"onmouseover='alert(1)'",
    "&lt;b&gt;",
)


class Page(HTMLParser):
    """What a browser would make of it, as far as tests ask."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._inside = ""
        self.source = path.read_bytes().decode()
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag in {"script", "style"}:
            self.scripts.append((dict(attrs), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - as the parser calls it
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in {"script", "style"}:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        else:
            self.text += data

    @property
    def rows(self) -> list[list[object]]:
        slabs = [json.loads(text) for attributes, text in self.scripts if attributes.get("class") == "slab"]
        return [row for slab in slabs for row in slab]

    @property
    def settings(self) -> dict[str, object]:
        (found,) = [json.loads(text) for attributes, text in self.scripts if attributes.get("id") == "settings"]
        return found

    @property
    def running(self) -> list[str]:
        return [text for attributes, text in self.scripts if "type" not in attributes]

    @property
    def policy(self) -> str:
        (found,) = [attrs["content"] for tag, attrs in self.tags if attrs.get("http-equiv")]
        return str(found)


def test_every_row_is_in_it_in_order_with_its_cells_and_its_ten_values(tmp_path):
    rows = list(many_rows(450))
    page = Page(written_page(tmp_path, rows))
    assert [row[:10] for row in page.rows] == [list(row.result) for row in rows]
    assert [row[12] for row in page.rows] == [list(row.cells) for row in rows]
    assert page.settings["columns"] == [column.name for column in COLUMNS]


@given(st.lists(st.tuples(texts | st.text(st.sampled_from("<>&/!-scriptSCRIPT\u2028\ud800\x00"), max_size=20), texts)))
def test_any_text_reads_back_as_it_was_and_the_page_stays_the_same(cells):
    rows = [row_of(*pair, number=number) for number, pair in enumerate(cells, start=2)]
    with tempfile.TemporaryDirectory() as folder:
        page = Page(written_page(Path(folder), rows, columns=columns_named("One", "Two")))
    assert [tuple(row[12]) for row in page.rows] == cells
    assert len(page.running) == 2


def test_hostile_texts_are_texts_wherever_they_stand(tmp_path):
    text = "".join(HOSTILE)
    problem = Problem(code=text, field=text, message=text, remedy=text, cell="A2")
    outcome = Outcome(status=Status.REJECTED, problems=(problem,), record_id=text)
    path = written_page(
        tmp_path,
        [row_of(*HOSTILE, outcome=outcome)],
        columns=columns_named(*HOSTILE),
        stopped_because=text,
        organisation=text,
        run=text,
        facts={"source": text, "sheet": text, "steps": [(text, text)], "repeated": text, "again": text},
    )
    page = Page(path)
    harmless = Page(written_page(tmp_path, [row_of("x", outcome=rejected(TOO_LONG))], columns=columns_named("A")))
    assert page.running == harmless.running
    assert {tag for tag, _ in page.tags} == {tag for tag, _ in harmless.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.rows[0][12] == list(HOSTILE)
    assert "<img" not in page.source.lower()


def test_the_policy_lets_only_the_page_s_own_script_and_style_work_and_nothing_be_loaded(tmp_path):
    page = Page(written_page(tmp_path, list(many_rows(3)), facts={"timeline": busy(30)}))
    style, script = page.running
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    assert page.policy.startswith(
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
    )
    assert "unsafe" not in page.policy
    # The policy comes before anything that it is about.
    assert page.source.index("Content-Security-Policy") < page.source.index("<style>")
    for _, attributes in page.tags:
        assert not attributes.keys() & {"src", "srcset", "style", "srcdoc", "action", "data", "poster", "background"}
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"@import|url\(|https?://(?!www\.w3\.org/2000/svg)", page.source)


def test_causes_and_rows_belong_together(tmp_path):
    rows = list(many_rows(800))
    page = Page(written_page(tmp_path, rows))
    buttons = [attributes["data-cause"] for tag, attributes in page.tags if "data-cause" in attributes]
    places = {row[10] for row in page.rows} - {None}
    assert {int(str(place)) for place in buttons} == places
    for row in page.rows:
        assert (row[10] is None) == (row[1] == "succeeded")


def test_cells_to_mend_are_marked_all_of_them(tmp_path):
    second = Problem(code="X", field="", message="m", remedy="r", cell="B37")
    rows = [row_of(*"abcdefgh", number=37, outcome=rejected(TOO_LONG, second, NO_MEMBERS))]
    (row,) = Page(written_page(tmp_path, rows)).rows
    assert row[11] == [1, 5]


def test_beyond_the_limit_what_went_wrong_is_in_it_and_what_is_not_is_told(tmp_path):
    rows = list(many_rows(900))
    bad = [row.result[0] for row in rows if row.result[1] != "succeeded"]
    page = Page(written_page(tmp_path, rows, most_rows=899))
    assert [row[0] for row in page.rows] == bad
    assert f"{900 - len(bad)} rows with which nothing is wrong are left out" in page.text
    assert str(tmp_path / "results.csv") in page.text
    page = Page(written_page(tmp_path, rows, most_rows=10))
    assert [row[0] for row in page.rows] == bad[:10]
    assert f"{len(bad) - 10} rows that did not succeed are left out, too" in page.text


def test_rows_of_very_much_text_give_way_to_those_that_did_not_succeed(tmp_path):
    def one(number: int, outcome: Outcome) -> ReportRow:
        return row_of("x" * 3_000_000, number=number, outcome=outcome)

    good, bad = Outcome(status=Status.SUCCEEDED), rejected(TOO_LONG)
    rows = [one(number, good) for number in range(10)] + [one(number, bad) for number in range(10, 20)]
    page = Page(written_page(tmp_path, rows, columns=columns_named("A")))
    told = [row[1] for row in page.rows]
    assert told == ["succeeded"] * 8 + ["rejected"] * 8
    assert "2 rows with which nothing is wrong are left out" in page.text
    assert "2 rows that did not succeed are left out, too" in page.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "400 of 400 rows left to settle"),
        ({"state": State.INTERRUPTED}, "Interrupted with 400 of 400 rows left to settle"),
    ],
)
def test_it_says_first_how_the_run_ended(tmp_path, changes, said):
    left = Outcome(status=Status.UNSENT, problems=(NO_MEMBERS,))
    rows = [row_of("x", number=number, outcome=left) for number in range(400)]
    assert said in Page(written_page(tmp_path, rows, columns=columns_named("A"), **changes)).text


@pytest.mark.parametrize(
    ("statuses", "not_checked", "said"),
    [
        ([], None, "The source has no rows"),
        (["succeeded"], None, "The only row succeeded"),
        (["succeeded"] * 3, None, "All 3 rows succeeded"),
        (["succeeded", "unchanged"], None, "All 2 rows ended as wanted"),
        (["succeeded", "rejected"], None, "1 of 2 rows did not succeed"),
        (["valid", "valid"], (), "All 2 rows are valid"),
        (["valid"], (), "The only row is valid"),
        (["valid", "invalid"], ("Members.",), "1 of 2 rows is not valid"),
        ([], (), "The source has no rows"),
    ],
)
def test_the_title_is_one_sentence(tmp_path, statuses, not_checked, said):
    rows = [row_of("x", outcome=Outcome(status=Status(status))) for status in statuses]
    page = Page(written_page(tmp_path, rows, columns=columns_named("A"), not_checked=not_checked))
    assert f"{said} · create-services · bulkzcrm" in page.text
    assert len(page.rows) == len(rows)


# -- hiding values

SECRET = ("Zebra Polish", "5545974000000393006", "tom.weber@brighthome.example", "4711,80", "2031-07-29", "Ulm")
QUOTING = Problem(
    code="NAME_NOT_FOUND",
    field="Members",
    message=(
        "The organisation has nothing called “Zebra Polish” for Members; Omar Haddad (5545974000000393008) is not "
        'active, and 4711,80 on 2031-07-29 says "Ulm" of tom.weber@brighthome.example. Did you mean Wim Kok?'
    ),
    remedy="Did you mean Wim Kok (5545974000000393009)? Give a whole number from 15 to 1440.",
    cell="A2",
)


def test_masked_it_shows_no_value_and_still_what_is_wrong_and_where(tmp_path):
    outcome = Outcome(status=Status.REJECTED, problems=(QUOTING,), record_id="5545974000000393777")
    rows = [row_of(*SECRET, outcome=outcome), row_of(*SECRET, number=3, outcome=outcome)]
    path = written_page(tmp_path, rows, columns=columns_named(*"abcdef"), facts={"mask": True})
    page = Page(path)
    for value in (*SECRET, "Omar", "Haddad", "Wim", "Kok", "5545974000000393008", "5545974000000393777"):
        assert value not in page.source, value
    row = page.rows[0]
    assert row[:5] == [2, "rejected", "NAME_NOT_FOUND", "Members", "A2"]
    assert row[12] == ["Z•••••h", "•••••006", "t•••••e", "•••••", "•••••", "•••••"]
    assert row[7] == "•••••777"
    assert str(row[5]).startswith("The organisation has nothing called “Z•••••h” for Members")
    assert "from 15 to 1440" in str(row[6])
    assert "Values are hidden in this page" in page.text


@given(st.lists(st.text("abcxyzÄß@.;, 0159-", min_size=3, max_size=30), min_size=1, max_size=3))
def test_a_value_that_is_masked_tells_at_most_its_ends(values):
    for value in values:
        shown = masked(value)
        assert shown == "" or "•••••" in shown
        assert len(shown) <= 8
        assert value.strip() == "" or value.strip() not in shown


@pytest.mark.parametrize(
    "piece", ["a", "“", '"', " (", "1,", "Did you mean ", "x (5545974000000393008) ", "a@", "@", "1,,,,,,", "A. "]
)
def test_a_very_long_message_is_looked_through_once(piece):
    text = piece * (200_000 // len(piece))
    without_values(text)
    assert len(masked_message(text, [text])) < 10_000
    assert len(masked_fix(text, text.split(" "))) < 10_000


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Duration is 10; it must lie between 15 and 1440.", "Duration is …; it must lie between 15 and 1440."),
        ("It lasts at most 1,440 minutes, not 2000.", "It lasts at most 1,440 minutes, not …."),
        ("Tom Weber (5545974000000393008) is not active.", "… (…) is not active."),
        ("Write to tom@a.example or to “Ann”.", "Write to … or to “…”."),
        ("Did you mean Vat - 0.8 %, Tax - 2.0 %? Then write it so.", "Did you mean …? Then write it so."),
        ("(1) A2: Price is 3. (2) B2: Tax is blank.", "(1) A2: Price is …. (2) B2: Tax is blank."),
        ("Available_Till (2030-03-01T10:00:00+05:30) has passed.", "Available_Till (…) has passed."),
        ("Beta2 stays.", "Beta2 stays."),
    ],
)
def test_values_are_taken_out_of_a_message_and_limits_are_not(text, bare):
    assert without_values(text) == bare


def test_blank_cells_stay_blank_when_values_are_hidden(tmp_path):
    rows = [row_of("", None, "  ", outcome=rejected(TOO_LONG))]
    page = Page(written_page(tmp_path, rows, columns=columns_named(*"abc"), facts={"mask": True}))
    assert page.rows[0][12] == ["", "", ""]


# -- what it costs


def peak_of_writing(folder: Path, count: int) -> int:
    causes = Causes()
    facts = facts_of(folder, summary_of(many_rows(count), causes))
    with (folder / "results.html").open("wb") as stream:
        gc.collect()
        tracemalloc.start()
        try:
            write_html(stream, COLUMNS, lambda: paged(many_rows(count)), causes, facts)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    peak_of_writing(tmp_path, 500)
    assert peak_of_writing(tmp_path, 4_000) < peak_of_writing(tmp_path, 800) + 200_000


def test_nobody_loads_the_template_engine_or_the_charts_who_wants_no_page():
    check = "import sys, bulkzcrm.run.engine; sys.exit(bool({'jinja2', 'pygal'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0  # noqa: S603 - our own words
