"""The report as one HTML file for people: what happened, what went wrong in how many rows, what to do, and every row.

It loads nothing and runs nothing but its own script, which its content security policy knows by its hash; whatever a
cell holds is data. Rows go from the journal into the file as they are read. Jinja2 is loaded by this module.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import BinaryIO, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bulkzcrm import __version__
from bulkzcrm.cells import counted
from bulkzcrm.model import Column
from bulkzcrm.report.causes import Cause, Causes
from bulkzcrm.report.charts import duration, latency_chart, requests_chart
from bulkzcrm.report.html_rows import MOST_ROWS, EmbeddedRows, script_json
from bulkzcrm.report.html_words import ORDER, headline, moment, named_rows
from bulkzcrm.report.jsonl_report import cell_keys
from bulkzcrm.report.meanings import MEANINGS
from bulkzcrm.report.rows import RowSource
from bulkzcrm.report.summary import Summary
from bulkzcrm.report.timeline import Timeline

__all__ = ["Facts", "write_html"]

_FEWEST_BARS: Final = 3
"""Fewer tell nothing that a sentence does not tell better."""
_MOST_CAUSES: Final = 8
"""More are folded until somebody asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the page tells of a run besides its rows. Moments are milliseconds UTC.

    `steps` are what to do next, each as a sentence and a command; `repeated` says of rows that `failed.csv` leaves out,
    `again` is the command that writes this report again.
    """

    summary: Summary
    operation: str
    """What the operation does, as a sentence."""
    source: str
    sheet: str | None = None
    sandbox: bool = False
    begun_ms: int
    as_of_ms: int
    steps: Sequence[tuple[str, str]] = ()
    repeated: str = ""
    again: str = ""
    timeline: Timeline = field(default_factory=Timeline)
    mask: bool = False


def write_html(
    stream: BinaryIO,
    columns: Sequence[Column],
    rows: RowSource,
    causes: Causes,
    facts: Facts,
    *,
    most_rows: int = MOST_ROWS,
) -> None:
    """Write the page. `causes` are those of all rows.

    With `facts.mask` no value of a source cell is in it, nor one that a message quotes. Beyond `most_rows` it holds the
    rows that did not succeed alone, and says how many rows it does not hold.
    """
    embedded = EmbeddedRows(columns, rows, causes, count=facts.summary.rows, mask=facts.mask, most_rows=most_rows)
    pieces = _pieces(columns, embedded, causes.told(), facts)
    stream.writelines(piece.encode("utf-8", "backslashreplace") for piece in pieces)


def _pieces(columns: Sequence[Column], embedded: EmbeddedRows, causes: Sequence[Cause], facts: Facts) -> Iterator[str]:
    page = Environment(
        loader=PackageLoader("bulkzcrm.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters |= {"counted": counted, "moment": moment, "duration": duration}
    style, script = _asset("page.css"), _asset("page.js")
    counts = {status: facts.summary.counts.get(status, 0) for status in ORDER}
    drawn = len(facts.timeline.bars) >= _FEWEST_BARS
    return page.get_template("page.html").generate(
        facts=facts,
        summary=facts.summary,
        headline=headline(facts.summary),
        counts={status: count for status, count in counts.items() if count},
        meanings=MEANINGS,
        causes=causes,
        most_causes=_MOST_CAUSES,
        named_rows=named_rows,
        line=facts.timeline,
        charts=[Markup(draw(facts.timeline)) for draw in (requests_chart, latency_chart)] if drawn else [],  # noqa: S704 - drawn from numbers
        settings=script_json(
            {
                "columns": cell_keys(columns),
                "letters": [column.letter for column in columns],
                "statuses": [status.value for status in counts],
            }
        ),
        embedded=embedded,
        style=Markup(style),  # noqa: S704 - a file of ours
        script=Markup(script),  # noqa: S704 - the same
        policy=_policy(style, script),
        version=__version__,
    )


def _asset(name: str) -> str:
    return files("bulkzcrm.report").joinpath("page", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the policy: nothing is loaded, and nothing runs or is styled but these two."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
