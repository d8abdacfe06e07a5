"""The command as a whole: one small group from its words to its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .__main__ import main
from .figures import Figure, Target
from .processes import Sample
from .rounds import Group


def test_one_group_is_measured_told_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--quick", "--only", "check", "--rows", "300", "--rounds", "2", "--output", str(tmp_path / "out")]
    status = main(words)
    told = capsys.readouterr()
    kept = json.loads((tmp_path / "out" / "bench.json").read_text(encoding="utf-8"))
    figures = {figure["name"]: figure for figure in kept["figures"]}
    assert status == int(figures["check.wall"]["verdict"] == "MISSED")
    assert "`check` of a CSV / csv.reader and conversion by hand" in told.out
    assert "check 2: check:" in told.err
    assert len(figures["check.wall"]["values"]) == 2
    assert len(kept["samples"]["check"]["by hand"]) == 2
    assert {"measured", "at", "machine"} <= set(kept)
    assert (tmp_path / "out" / "bench.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_group_that_fails_is_told_and_does_not_end_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(group: Group, rounds: int, tree: Path) -> tuple[list[Figure], dict[str, list[Sample]]]:
        if group.name == "check":
            raise AssertionError("a row was lost")
        return [Figure(name="n", title="fine", values=[1.0] * rounds, target=Target(required=2, aim=1))], {}

    monkeypatch.setattr("bench.__main__.measure_group", measured)
    assert main(["--only", "check", "--only", "start", "--rounds", "3", "--output", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert "check FAILED: a row was lost" in told.err
    assert told.out.count("fine") == 2
    kept = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert kept["failed"] == {"check": "a row was lost"}
    assert kept["figures"][0]["values"] == [1.0] * 3


def test_the_groups_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert {"sending", "ingest", "run", "check", "memory", "adaptive"} <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "words",
    [["--only", "lunch"], ["--compare", "a", "b", "c"], ["--only", "start", "--at", "no-such-commit"]],
    ids=" ".join,
)
def test_words_that_mean_nothing_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert "error:" in capsys.readouterr().err
