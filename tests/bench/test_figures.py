"""The benchmark's arithmetic: ratios are those of one round, the median counts, targets are judged as told."""

from __future__ import annotations

import pytest

from .figures import Figure, Line, Target, figure_of, quantity
from .processes import Sample


def sample(wall: float = 1.0, cpu: float = 1.0, rows: int = 10, **phases: float) -> Sample:
    return Sample(wall=wall, cpu=cpu, peak_mb=50.0, rows=rows, phases=phases, phases_cpu={"send": 0.5})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wall", 4.0),
        ("cpu", 2.0),
        ("peak_mb", 50.0),
        ("wall_per_row", 0.4),
        ("cpu_per_row", 0.2),
        ("send", 3.0),
        ("send:cpu", 0.5),
    ],
)
def test_a_quantity_is_taken_out_of_a_sample(name: str, value: float) -> None:
    assert quantity(name)(sample(wall=4.0, cpu=2.0, send=3.0)) == value


def test_a_quantity_that_nobody_measured_is_an_error() -> None:
    with pytest.raises(KeyError):
        quantity("lunch")(sample())


def test_a_ratio_is_that_of_one_round_so_that_a_slow_round_is_slow_for_both() -> None:
    samples = {"ours": [sample(2.0), sample(30.0), sample(3.0)], "theirs": [sample(1.0), sample(10.0), sample(1.0)]}
    figure = figure_of(Line(name="n", title="t", work="ours", take="wall", over=("theirs", "wall")), samples)
    assert figure.values == [2.0, 3.0, 3.0]
    assert figure.median == 3.0
    assert figure.spread == (2.0, 3.0)


def test_works_of_different_length_are_compared_by_the_row() -> None:
    samples = {"ours": [sample(10.0, rows=100)], "sdk": [sample(10.0, rows=5)]}
    line = Line(name="n", title="t", work="sdk", take="wall_per_row", over=("ours", "wall_per_row"))
    assert figure_of(line, samples).median == pytest.approx(20.0)


def test_a_difference_and_a_share_of_a_constant() -> None:
    samples = {"big": [sample(2.5, send=3.0)], "small": [sample(1.0)]}
    less = Line(name="n", title="t", work="big", take="wall", over=("small", "wall"), less=True)
    assert figure_of(less, samples).median == 1.5
    assert figure_of(Line(name="n", title="t", work="big", take="send", over=2.0), samples).median == 1.5
    assert figure_of(Line(name="n", title="t", work="big", take="send"), samples).median == 3.0


@pytest.mark.parametrize(
    ("value", "verdict"), [(1.0, "aim"), (1.3, "aim"), (1.304, "aim"), (1.31, "met"), (2.0, "met"), (2.01, "MISSED")]
)
def test_less_is_better_as_a_rule(value: float, verdict: str) -> None:
    assert Target(required=2.0, aim=1.3).verdict(value) == verdict


@pytest.mark.parametrize(("value", "verdict"), [(25.0, "aim"), (20.0, "aim"), (10.0, "met"), (9.9, "MISSED")])
def test_more_is_better_where_the_target_says_so(value: float, verdict: str) -> None:
    assert Target(required=10, aim=20, at_least=True).verdict(value) == verdict


def test_a_figure_without_a_target_is_not_judged() -> None:
    assert Figure(name="n", title="t", values=[9.0]).verdict == "-"


def test_a_figure_in_json_says_all_that_the_table_says_and_each_round() -> None:
    figure = Figure(name="n", title="t", values=[3.0, 1.0, 2.0], target=Target(required=2.0, aim=1.0), unit="s")
    assert figure.to_json() == {
        "name": "n",
        "title": "t",
        "unit": "s",
        "median": 2.0,
        "least": 1.0,
        "greatest": 3.0,
        "values": [3.0, 1.0, 2.0],
        "required": 2.0,
        "aim": 1.0,
        "better": "less",
        "verdict": "met",
    }
