"""The benchmark's command: measure, print tables of ratios, write JSON and a drawing; compare two commits."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .benchmarks import groups
from .comparing import compared
from .figures import Figure
from .output import machine, table
from .plot import drawing
from .rounds import Group, measure_group
from .scale import FULL, QUICK
from .trees import commit_name, committed, working_tree


def main(words: list[str] | None = None) -> int:
    """Do what the words say. Exit status 1 when a required figure is missed, 2 for words that mean nothing."""
    parser = _parser()
    given = parser.parse_args(words)
    scale = QUICK if given.quick else FULL
    if given.rows:
        scale = replace(scale, rows=given.rows)
    known = groups(scale)
    if given.list:
        sys.stdout.write("\n".join(group.name for group in known) + "\n")
        return 0
    if strange := set(given.only or ()) - {group.name for group in known}:
        parser.error(f"there is no {', '.join(sorted(strange))}; --list tells what there is")
    if len(given.compare or ()) > 2:
        parser.error("two commits can be compared, not more")
    earlier, later = (*(given.compare or ()), None, None)[:2]
    later = later or given.at
    wanted = [group for group in known if not given.only or group.name in given.only]
    with tempfile.TemporaryDirectory(prefix="bulkzcrm-bench-") as name:
        trees = [Path(name) / "later", Path(name) / "earlier"]
        try:
            subjects = _subjects(later, earlier, trees)
        except ValueError as error:
            parser.error(str(error))
        if given.compare:
            wanted = compared(wanted, trees[1], trees[0])
        told: dict[str, Any] = {
            "measured": subjects,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
        }
        return _measure_all(wanted, given.rounds or scale.rounds, trees[0], given.output, told)


def _measure_all(wanted: Sequence[Group], rounds: int, tree: Path, folder: Path, told: dict[str, Any]) -> int:
    """Measure group after group; what is measured is kept at once, and a group that fails does not end the others."""
    figures: list[Figure] = []
    samples: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for group in wanted:
        try:
            found, taken = measure_group(group, rounds, tree)
        except (RuntimeError, AssertionError) as error:
            failed[group.name] = str(error)
            sys.stderr.write(f"{group.name} FAILED: {error}\n")
        else:
            figures += found
            samples[group.name] = {label: [each.to_json() for each in measured] for label, measured in taken.items()}
            _say(found)
        told |= {"figures": [each.to_json() for each in figures], "failed": failed, "samples": samples}
        _write(folder, told, drawing(figures, f"bulkzcrm {' against '.join(told['measured'])}"))
    judged = [figure for figure in figures if figure.target is not None]
    if len(wanted) > 1 and judged:
        sys.stdout.write("All targets:\n\n")
        _say(judged)
    return int(bool(failed) or any(figure.verdict == "MISSED" for figure in judged))


def _say(figures: Sequence[Figure]) -> None:
    sys.stdout.write(table(figures) + "\n\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and three rounds, for a first look")
    parser.add_argument("--only", action="append", metavar="NAME", help="one group of figures (repeatable)")
    parser.add_argument("--list", action="store_true", help="name the groups")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each work is measured (5; quick: 3)")
    parser.add_argument("--rows", type=int, metavar="N", help="rows where it is not memory that is measured")
    parser.add_argument("--at", metavar="COMMIT", help="measure this commit instead of the working tree")
    parser.add_argument(
        "--compare",
        nargs="+",
        metavar="COMMIT",
        help="how much more wall, CPU and memory it takes than this commit; with two: the second than the first",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("bench-results"), metavar="DIR", help="receives bench.json and bench.svg"
    )
    return parser


def _subjects(later: str | None, earlier: str | None, trees: Sequence[Path]) -> list[str]:
    """Fill the trees with what is measured, the later one first, and return the names. No commit: the working tree."""
    for tree in trees:
        tree.mkdir()
    subjects = [commit_name(later)]
    if later is None:
        working_tree(trees[0])
    else:
        committed(later, trees[0])
    if earlier is not None:
        committed(earlier, trees[1])
        subjects.append(commit_name(earlier))
    return subjects


def _write(folder: Path, told: dict[str, Any], drawn: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (folder / "bench.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
