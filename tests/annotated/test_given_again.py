"""One report, given back in several ways or also taken by a retry: no record is made twice, whichever comes first."""

from __future__ import annotations

import pytest
from forwarder import Heard, Say
from terminal import Served, Terminal, services

REFUSAL = {"code": "DUPLICATE_DATA", "details": {"api_name": "Service_Name"}, "message": "no", "status": "error"}


@pytest.fixture
def rejected(connected: Terminal, served: Served) -> Terminal:
    """A run in the folder `first`, both rows of which the organisation has rejected; it would take them by now."""

    async def refuse(heard: Heard) -> Say | None:
        return Say(400, {"data": [REFUSAL] * 2}) if heard.is_write else None

    served.wire.interfere = refuse
    connected.write("rows.csv", services("A", "B"))
    connected.type("run", "create-services", "rows.csv", "-o", "first", "--yes", "--format", "xlsx,csv")
    served.wire.script()
    return connected


def run_of(terminal: Terminal) -> str:
    return terminal.type("runs").out.split()[0]


def give(name: str) -> tuple[str, ...]:
    return "run", "create-services", f"first/{name}"


@pytest.mark.parametrize("then", ["failed.csv", "results.csv", "results.xlsx", "retry"])
@pytest.mark.parametrize("before", ["failed.csv", "results.csv", "results.xlsx", "retry"])
def test_rows_of_one_report_are_sent_once(rejected: Terminal, served: Served, before: str, then: str):
    first = run_of(rejected)
    words = {name: ("retry", first) if name == "retry" else give(name) for name in (before, then)}
    assert rejected.type(*words[before], "-o", "second", "--yes").status == 0
    second = run_of(rejected)
    assert served.created == ["A", "B"]
    ending = rejected.type(*words[then], "-o", "third", "--yes")
    assert served.created == ["A", "B"]
    if (before, then) != ("retry", "retry"):
        assert ending.status == 2
        assert second in ending.why


def test_what_was_not_given_back_yet_is_sent(rejected: Terminal, served: Served):
    path = rejected.folder / "first/failed.csv"
    header, one, other = path.read_text("utf-8-sig").splitlines()
    path.write_text(f"{header}\n{one}\n", "utf-8-sig")
    assert rejected.type(*give("failed.csv"), "-o", "second", "--yes").status == 0
    path.write_text(f"{header}\n{other}\n", "utf-8-sig")
    assert rejected.type(*give("failed.csv"), "-o", "third", "--yes").status == 0
    assert served.created == ["A", "B"]


def test_whoever_wants_it_sends_them_once_more(rejected: Terminal, served: Served):
    rejected.type(*give("failed.csv"), "-o", "second", "--yes")
    assert rejected.type(*give("results.csv"), "-o", "third", "--yes", "--again").status == 0
    assert served.created == ["A", "B", "A", "B"]


def test_the_report_of_the_second_run_is_given_back_as_ever(rejected: Terminal, served: Served):
    """What was wrong there too may be sent again."""
    path = rejected.folder / "first/failed.csv"
    path.write_text(path.read_text("utf-8-sig").replace("A,60", "A,5"), "utf-8-sig")
    assert rejected.type(*give("failed.csv"), "-o", "second", "--yes").status == 1
    path = rejected.folder / "second/failed.csv"
    path.write_text(path.read_text("utf-8-sig").replace("A,5", "A,60"), "utf-8-sig")
    assert rejected.type("run", "create-services", "second/failed.csv", "-o", "third", "--yes").status == 0
    assert served.created == ["B", "A"]


def test_copies_of_two_reports_in_one_folder_have_nothing_to_do_with_each_other(rejected: Terminal, served: Served):
    text = (rejected.folder / "first/failed.csv").read_text("utf-8-sig")
    for name, price in (("january.csv", "51"), ("february.csv", "52")):
        rejected.write(name, text.replace(",50,", f",{price},"))
        assert rejected.type("run", "create-services", name, "-o", f"of {name}", "--yes").status == 0
    assert served.created == ["A", "B", "A", "B"]
