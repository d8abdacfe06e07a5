"""What the benchmark tells: a table whose columns stand straight, and a drawing that any browser takes."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from .figures import Figure, Target
from .output import machine, table
from .plot import drawing

FIGURES = [
    Figure(name="a", title="whole run / by hand", values=[1.5, 1.25, 12.0], target=Target(required=2.0, aim=1.3)),
    Figure(name="b", title="  the same in CPU", values=[123.4], unit="µs"),
    Figure(name="c", title="SDK & all", values=[0.0, 0.5], target=Target(required=10, aim=20, at_least=True)),
    Figure(name="d", title="growth", values=[-0.5], target=Target(required=10, aim=0), unit="MB"),
]


def test_the_table_has_a_line_for_each_figure_and_straight_columns() -> None:
    lines = table(FIGURES).splitlines()
    assert len(lines) == 6
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        "whole run / by hand",
        "1.50",
        "1.25–12.0",  # noqa: RUF001 - a span
        "≤ 2",
        "≤ 1.3",
        "met",
    ]
    assert [cell.strip() for cell in lines[3].split("|")[1:-1]] == ["the same in CPU", "123 µs", "123–123", "", "", "-"]  # noqa: RUF001
    assert [cell.strip() for cell in lines[4].split("|")[4:-1]] == ["≥ 10", "≥ 20", "MISSED"]


def test_the_drawing_is_xml_and_shows_what_has_a_target() -> None:
    root = ET.fromstring(drawing(FIGURES, "bulkzcrm & friends"))  # noqa: S314 - our own
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"whole run / by hand", "SDK & all", "growth", "bulkzcrm & friends", "required"} <= set(texts)
    assert "the same in CPU" not in texts


def test_a_worse_figure_has_a_longer_bar() -> None:
    def length(value: float) -> float:
        figure = Figure(name="a", title="a", values=[value], target=Target(required=2.0, aim=1.0))
        worst = Figure(name="b", title="b", values=[64.0], target=Target(required=2.0, aim=1.0))
        root = ET.fromstring(drawing([figure, worst], ""))  # noqa: S314 - our own
        bars = [element for element in root.iter() if element.tag.endswith("rect")]
        return float(bars[1].attrib["width"])

    assert length(1.0) < length(2.0) < length(4.0)


def test_where_nothing_has_a_target_everything_is_drawn() -> None:
    assert "the same in CPU" in drawing(FIGURES[1:2], "")


def test_the_machine_is_told() -> None:
    assert {"processor", "cores", "system", "python", "sqlite"} <= set(machine())
