"""The HTML report in a real browser: it shows, filters, searches and prints, on a desk and on a phone, without network.

Chromium is looked for on the path, or where `CHROMIUM` says.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from page_samples import COLUMNS, busy, many_rows, written_page
from report_samples import columns_named, rejected, row_of
from test_report_html import HOSTILE, QUOTING, SECRET

from bulkzcrm.model import Outcome, Problem, Status

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
else:
    # Who does not read pages in a browser need not have what drives one.
    playwright = pytest.importorskip("playwright.sync_api")
    Browser, BrowserContext, Page = playwright.Browser, playwright.BrowserContext, playwright.Page
    expect, sync_playwright = playwright.expect, playwright.sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}
STEPS = [("To carry on with the rows that are left:", "bulkzcrm resume 20261112-090000-1f2e3d4a5")]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=program, args=[*_QUIET])
        yield found
        found.close()


class Watched:
    """A page, and what it should never do."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda said: self.faults.append(f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: self.faults.append(dialog.message))
        self.page.on("request", lambda request: request.url.startswith("file:") or self.faults.append(request.url))

    def open(self, path: Path) -> Page:
        self.page.goto(path.as_uri())
        return self.page

    @property
    def lines(self) -> int:
        return self.page.locator("#table tbody tr").count()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    with browser.new_context(viewport=DESK) as context:
        found = Watched(context)
        yield found
        assert found.faults == []


@pytest.fixture
def on_a_phone(browser: Browser) -> Iterator[Watched]:
    with browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True) as context:
        found = Watched(context)
        yield found
        assert found.faults == []


def large(folder: Path, count: int = 20_000) -> Path:
    facts = {"timeline": busy(120), "steps": STEPS, "again": "bulkzcrm report 20261112-090000-1f2e3d4a5 --format html"}
    return written_page(folder, list(many_rows(count)), facts=facts, stopped_because="The credits are used up.")


def test_it_tells_what_happened_what_went_wrong_and_what_to_do(watched: Watched, tmp_path: Path):
    page = watched.open(large(tmp_path, 900))
    assert "900 rows left to settle" in page.get_by_role("heading", level=1).inner_text()
    for title in ("How the rows ended", "What went wrong", "What to do next", "Requests over time", "Every row"):
        expect(page.get_by_role("heading", name=title, level=2)).to_be_visible()
    expect(page.get_by_text(STEPS[0][1])).to_be_visible()
    for name in ("Requests over time", "How long requests took"):
        expect(page.get_by_role("img", name=name)).to_be_visible()
    expect(page.locator("#found")).to_have_text("900 rows")
    assert watched.lines == 100
    heads = page.locator("#table thead th").all_inner_texts()
    assert [each for each in heads if each in {"Row", "Status", "Record id", "Batch", "Attempts"}]
    assert all(any(column.name in head for head in heads) for column in COLUMNS)


def test_rows_are_filtered_by_status_by_code_by_cause_and_by_any_text(watched: Watched, tmp_path: Path):
    rows = list(many_rows(900))
    page = watched.open(large(tmp_path, 900))
    found = page.locator("#found")
    rejected_rows = [row for row in rows if row.result[1] == "rejected"]
    page.get_by_role("checkbox", name="rejected").check()
    expect(found).to_have_text(f"{len(rejected_rows)} rows of 900")
    assert page.locator("#table tbody tr th").first.inner_text() == str(rejected_rows[0].result[0])
    page.get_by_role("button", name="Show all rows").click()
    expect(found).to_have_text("900 rows")
    missing = [row for row in rows if row.result[2] == "NAME_NOT_FOUND"]
    page.get_by_label("Code").select_option("NAME_NOT_FOUND")
    expect(found).to_have_text(f"{len(missing)} rows of 900")
    page.get_by_role("button", name="Show all rows").click()
    page.get_by_role("searchbox").fill("KÖLN 3")
    searched = sum("köln 3" in str(row.cells[0]).lower() for row in rows)
    expect(found).to_have_text(f"{searched} rows of 900")
    page.get_by_role("searchbox").fill("no such words")
    expect(page.locator("#page")).to_have_text("No row is like that.")
    page.get_by_role("button", name="Only what went wrong").click()
    page.get_by_role("searchbox").fill("")
    expect(found).to_have_text(f"{sum(row.result[1] != 'succeeded' for row in rows)} rows of 900")
    largest = page.locator(".causes li").first
    largest.get_by_role("button").click()
    expect(found).to_have_text(f"{largest.locator('.count').inner_text()} rows of 900")
    expect(page.locator("#only-cause")).to_be_visible()
    page.get_by_role("button", name="Show others, too").click()
    expect(found).to_have_text("900 rows")


def test_twenty_thousand_rows_stay_usable(watched: Watched, tmp_path: Path):
    page = watched.open(large(tmp_path))
    expect(page.locator("#found")).to_have_text("20,000 rows")
    assert page.evaluate("document.querySelectorAll('*').length") < 6_000
    page.get_by_role("button", name="Later rows").click()
    expect(page.locator("#page")).to_have_text("101 to 200 of 20,000")
    took_ms = page.evaluate(
        """() => new Promise((resolve) => {
            const begun = performance.now();
            const found = document.getElementById("found");
            new MutationObserver(() => resolve(performance.now() - begun)).observe(found, { childList: true });
            document.getElementById("text").value = "person 19999";
            document.getElementById("text").dispatchEvent(new Event("input"));
        })"""
    )
    expect(page.locator("#found")).to_have_text("1 row of 20,000")
    # It waits for a pause in the typing of 120 ms, and looks through some megabytes.
    assert took_ms < 2_000


def test_the_keyboard_reaches_everything(watched: Watched, tmp_path: Path):
    page = watched.open(large(tmp_path, 300))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the rows"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.type"))
    assert {"text", "code", "checkbox", "window", "after"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(browser: Browser, tmp_path: Path, scheme: str):
    with browser.new_context(viewport=DESK, color_scheme=scheme) as context:
        page = Watched(context).open(large(tmp_path, 300))
        page.get_by_role("button", name="Only what went wrong").click()
        ratios = page.evaluate(_CONTRASTS)
    assert len(ratios) > 50
    assert [each for each in ratios if each["ratio"] < 4.5] == []


def test_on_a_phone_nothing_has_to_be_moved_sideways(on_a_phone: Watched, tmp_path: Path):
    long_word = "x" * 300
    problem = Problem(code=long_word, field=long_word, message=long_word, remedy=long_word, cell="A2")
    outcome = Outcome(status=Status.REJECTED, problems=(problem,), record_id=long_word)
    rows = [row_of(long_word, "b", outcome=outcome), *many_rows(150)]
    path = written_page(
        tmp_path,
        [*rows[:1], *(row_of(*row.cells[:2], number=row.result[0], outcome=rejected(problem)) for row in rows[1:])],
        columns=columns_named(long_word, "B"),
        organisation=long_word,
        stopped_because=long_word,
        run=long_word,
        facts={"source": long_word, "timeline": busy(60), "steps": [(long_word, long_word)], "again": long_word},
    )
    page = on_a_phone.open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_text("All columns").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.locator("#table tbody tr").first.locator(".cell").nth(1)).to_be_visible()


def test_hostile_cells_are_shown_as_they_are_and_do_nothing(watched: Watched, tmp_path: Path):
    text = "".join(HOSTILE).replace("\x00", "").replace("\ud800", "")
    problem = Problem(code=text, field=text, message=text, remedy=text, cell="A2")
    rows = [row_of(text, outcome=Outcome(status=Status.REJECTED, problems=(problem,), record_id=text))]
    page = watched.open(written_page(tmp_path, rows, columns=columns_named(text), organisation=text))
    assert page.locator("#table .cell div").first.evaluate("cell => cell.textContent") == text
    assert page.locator(".message").evaluate("told => told.textContent") == text
    page.locator(".causes button.show").click()
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.evaluate("document.scripts.length") == 2


def test_even_if_a_cell_became_markup_the_policy_would_keep_it_from_working(browser: Browser, tmp_path: Path):
    path = large(tmp_path, 5)
    injected = '<img src="http://127.0.0.1:9/x.png" onerror="document.title = 1"><script>document.title = 2</script>'
    path.write_text(path.read_text("utf-8").replace("<main>", f"<main>{injected}"), "utf-8")
    with browser.new_context() as context:
        page = Watched(context).open(path)
        assert "bulkzcrm" in page.title()


def test_masked_it_shows_no_value(watched: Watched, tmp_path: Path):
    outcome = Outcome(status=Status.REJECTED, problems=(QUOTING,))
    path = written_page(
        tmp_path, [row_of(*SECRET, outcome=outcome)], columns=columns_named(*"abcdef"), facts={"mask": True}
    )
    page = watched.open(path)
    shown = page.evaluate("document.body.textContent")
    assert not [value for value in SECRET if value in shown]
    page.get_by_role("searchbox").fill(SECRET[0])
    expect(page.locator("#found")).to_have_text("0 rows of 1")


def test_it_prints_what_went_wrong(watched: Watched, tmp_path: Path):
    rows = list(many_rows(900))
    wrong = [row for row in rows if row.result[1] != "succeeded"]
    page = watched.open(large(tmp_path, 900))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert watched.lines == len(wrong)
    expect(page.locator("#found")).to_have_text(f"{len(wrong)} rows that did not succeed.")
    expect(page.locator("#filters")).to_be_hidden()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert watched.lines == 100
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert len(printed) > 20_000


def test_without_script_all_but_the_rows_can_be_read(browser: Browser, tmp_path: Path):
    with browser.new_context(java_script_enabled=False) as context:
        page = Watched(context).open(large(tmp_path, 200))
        expect(page.get_by_text("The table of rows needs a browser with JavaScript")).to_be_visible()
        expect(page.get_by_role("heading", name="What went wrong")).to_be_visible()
        expect(page.locator("#explorer")).to_be_hidden()


_CONTRASTS = """() => {
    const parts = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
    const behind = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const color = parts(getComputedStyle(each).backgroundColor);
            if (color.length < 4 || color[3] === 1) return color;
        }
        return parts(getComputedStyle(document.documentElement).backgroundColor);
    };
    const told = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
        if (element.closest("script, style, svg, :disabled")) continue;
        const both = [parts(getComputedStyle(element).color), behind(element)].map(light).sort((a, b) => b - a);
        told.push({ text: element.textContent.slice(0, 40), ratio: (both[0] + 0.05) / (both[1] + 0.05) });
    }
    return told;
}"""
"""How much every visible text differs from what is behind it, as WCAG 2 counts it."""
