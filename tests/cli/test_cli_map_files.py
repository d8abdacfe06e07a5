"""How columns were matched is kept in a file, and used for the next sheet of the same form."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal import Terminal

from bulkzcrm.cli.map_files import read_map_file, write_map_file
from bulkzcrm.events import ColumnsMatched

SHEET = (
    "Behandlung,Minuten,Ort,Wer,Availability Type,Preis,Kosten\n"
    "A,60,Client Address,x@y.example,Every Business Days,5,1\n"
)
MAPS = (
    "--map",
    "Behandlung=Service_Name",
    "--map",
    "Minuten=Duration",
    "--map",
    "Ort=Location",
    "--map",
    "Wer=Members",
)
REST = ("--map", "Preis=Price", "--ignore-column", "Kosten")


def test_what_was_said_of_one_sheet_serves_the_next(terminal: Terminal):
    terminal.write("a.csv", SHEET)
    refused = terminal.type("check", "create-services", "a.csv")
    assert (refused.status, "--map" in refused.why) == (2, True)
    first = terminal.type(
        "check", "create-services", "a.csv", *MAPS, *REST, "--set", "Job Sheet Required=No", "--save-map", "prices.toml"
    )
    assert first.status == 0, first.err
    assert "--map-file" in first.err
    kept = tomllib.loads((terminal.folder / "prices.toml").read_text())
    assert kept["map"]["Preis"] == "Price"
    assert kept["map"]["Availability Type"] == "Availability_Type"
    assert (kept["set"], kept["ignore_column"]) == ({"Job_Sheet_Required": "No"}, ["Kosten"])
    # Another order of columns, since they are known by their headers.
    lines = [line.split(",") for line in SHEET.splitlines()]
    terminal.write("b.csv", "".join(",".join(line[::-1]) + "\n" for line in lines))
    second = terminal.type("check", "create-services", "b.csv", "--map-file", "prices.toml", "--json")
    assert (second.status, second.object["valid"]) == (0, 1)
    run = terminal.type(
        "run", "create-services", "b.csv", "--map-file", "prices.toml", "--sandbox", "--save-map", "c.toml"
    )
    assert (terminal.folder / "c.toml").exists(), run.err


def test_what_is_typed_beats_the_file(terminal: Terminal):
    terminal.write("a.csv", SHEET)
    (terminal.folder / "prices.toml").write_text(
        '[map]\nBehandlung="Service_Name"\nMinuten="Price"\nOrt="Location"\nWer="Members"\nPreis="Price"\n'
    )
    words = ("check", "create-services", "a.csv", "--map-file", "prices.toml")
    refused = terminal.type(*words)
    assert (refused.status, "Price" in refused.why) == (2, True)
    assert terminal.type(*words, "--map", "Minuten=Duration").status == 0


def test_columns_without_a_header_of_their_own_are_kept_by_letter(terminal: Terminal):
    terminal.write("a.csv", SHEET.replace("Minuten", "Wert").replace("Preis", "Wert"))
    names = ("--map", "Behandlung=Service_Name", "--map", "B=Duration", "--map", "Ort=Location", "--map", "Wer=Members")
    ending = terminal.type("check", "create-services", "a.csv", *names, "--map", "F=Price", "--save-map", "m.toml")
    assert ending.status == 0, ending.err
    kept = tomllib.loads((terminal.folder / "m.toml").read_text())["map"]
    assert (kept["B"], kept["F"]) == ("Duration", "Price")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (None, ["There is no file m.toml", "--save-map"]),
        ("[map\n", ["m.toml is no valid TOML", "line 1"]),
        ("[maps]\n", ["“maps”", "Did you mean map?"]),
        ("[map]\nA = 1\n", ["A below [map]", "quotes"]),
        ("map = 1\n", ["map in m.toml is no table"]),
        ("ignore_column = 1\n", ["ignore_column", "list"]),
        ('[map]\nNowhere = "Price"\n', ["Nowhere", "a.csv"]),
    ],
)
def test_a_file_that_cannot_be_followed_is_refused_with_its_cure(terminal: Terminal, text, pieces):
    terminal.write("a.csv", SHEET)
    if text is not None:
        (terminal.folder / "m.toml").write_text(text)
    ending = terminal.type("check", "create-services", "a.csv", "--map-file", "m.toml")
    assert ending.status == 2
    assert all(piece in ending.why for piece in pieces), ending.why


def test_a_job_has_several_sources_and_keeps_no_file(terminal: Terminal):
    ending = terminal.type("run", "--job", "job.toml", "--save-map", "m.toml")
    assert (ending.status, "--save-map" in ending.err) == (2, True)


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(mapping=st.dictionaries(texts, texts), constants=st.dictionaries(texts, texts), ignored=st.lists(texts))
def test_what_is_written_is_read(tmp_path_factory, mapping, constants, ignored):
    path = str(tmp_path_factory.mktemp("map") / "m.toml")
    write_map_file(path, ColumnsMatched(mapping=mapping, constants=constants, ignored=tuple(ignored)))
    words = read_map_file(path)
    assert (words.mapping, words.constants, words.ignored) == (mapping, constants, tuple(ignored))
