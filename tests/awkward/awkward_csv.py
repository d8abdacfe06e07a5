"""Text files as people export them: encodings, delimiters, quotation marks, line ends, what stands around a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from awkward_case import NAMES, STATUS_NAMES, Awkward, service

from bulkzcrm.library import RunOptions

ID = "5545974000000393001"
CAFE = service("Café crème")


def table(*rows: Sequence[object], names: Sequence[object] = tuple(NAMES), **dialect: object) -> str:
    """The text of a file with these rows below the header."""
    text = io.StringIO()
    csv.writer(text, **{"lineterminator": "\n", **dialect}).writerows([names, *rows])
    return text.getvalue()


def written(text: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    """What writes a text into a file, its line ends as they are."""
    return lambda path: path.write_bytes(text.encode(encoding))


TWO = table(service("A"), service("B"))

CASES = [
    Awkward(file="plain.csv", by="csv", write=written(TWO), rows=2),
    Awkward(
        file="utf-8 with mark.csv", by="csv", write=written(table(CAFE), "utf-8-sig"), rows=1, shows={"A2": CAFE[0]}
    ),
    Awkward(
        file="utf-16.csv", by="csv", write=written(table(CAFE, delimiter="\t"), "utf-16"), rows=1, shows={"A2": CAFE[0]}
    ),
    Awkward(
        file="windows-1252.csv",
        by="csv",
        write=written(table(CAFE), "cp1252"),
        rows=1,
        shows={"A2": CAFE[0]},
        told=["Windows-1252"],
    ),
    Awkward(
        file="latin-2.csv",
        by="csv",
        write=written(table(service("Łódź")), "iso-8859-2"),
        options=RunOptions(encoding="iso-8859-2"),
        rows=1,
        shows={"A2": "Łódź"},
    ),
    Awkward(
        file="shift-jis.csv",
        by="csv",
        write=written(table(service("掃除")), "shift_jis"),
        options=RunOptions(encoding="shift_jis"),
        rows=1,
        shows={"A2": "掃除"},
    ),
    Awkward(
        file="semicolons and decimal commas.csv",
        by="csv",
        write=written(table(service("A", 60, "1.234,50"), service("B", 60, "19,99"), delimiter=";")),
        rows=2,
        shows={"F2": "1.234,50"},
    ),
    Awkward(
        file="tabs.tsv", by="csv", write=written(table(service("A, B"), delimiter="\t")), rows=1, shows={"A2": "A, B"}
    ),
    Awkward(file="pipes.txt", by="csv", write=written(table(service(), delimiter="|")), rows=1),
    Awkward(
        file="named delimiter.csv",
        by="Excel",
        write=written("sep=;\r\n" + table(service(), delimiter=";")),
        rows=1,
        shows={"A3": "Pool cleaning"},
    ),
    Awkward(
        file="semicolons.tsv",
        by="csv",
        write=written(table(service(), delimiter=";")),
        rows=1,
        told=["rather than tabs"],
    ),
    Awkward(
        file="line ends of Windows.csv",
        by="csv",
        write=written(table(service("A"), service("B"), lineterminator="\r\n")),
        rows=2,
    ),
    Awkward(file="line ends of old Macs.csv", by="csv", write=written(TWO.replace("\n", "\r")), rows=2),
    Awkward(file="no last line end.csv", by="a hand", write=written(TWO.rstrip("\n")), rows=2),
    Awkward(
        file="lines and quotes in cells.csv",
        by="csv",
        write=written(table(service('The "big"\nclean, twice'), service("B", 5))),
        rows=2,
        codes={"B3": "INVALID_DATA"},
        shows={"A2": 'The "big"\nclean, twice'},
    ),
    Awkward(
        file="all quoted by pandas.csv",
        by="pandas",
        write=lambda path: pd.DataFrame([service("A"), service("B")], columns=NAMES).to_csv(
            path, index=False, quoting=csv.QUOTE_ALL
        ),
        rows=2,
    ),
    Awkward(
        file="with pandas' index.csv",
        by="pandas",
        write=lambda path: pd.DataFrame([service("A")], columns=NAMES).to_csv(path),
        rows=1,
        shows={"B2": "A"},
    ),
    Awkward(file="a comma at every end.csv", by="a hand", write=written(TWO.replace("\n", ",\n")), rows=2),
    Awkward(file="a comma at the ends of rows.csv", by="a hand", write=written(TWO.replace("5\n", "5,\n")), rows=2),
    Awkward(
        file="short rows.csv", by="a hand", write=written(TWO + "C,60\n"), rows=3, codes={"C4": "MANDATORY_NOT_FOUND"}
    ),
    Awkward(
        file="a comma too many.csv",
        by="a hand",
        write=written(TWO + "C, deluxe,60,Client Address,ann@example.com,Every Business Days,1\n"),
        rows=3,
        codes={"G4": "ROW_SHAPE"},
    ),
    Awkward(
        file="blank rows between.csv",
        by="a hand",
        write=written(table(service("A"), [], [" "] * 6, service("B", 5))),
        rows=2,
        codes={"B5": "INVALID_DATA"},
    ),
    Awkward(file="many rows of commas.csv", by="Excel", write=written(TWO + ",,,,,\n" * 300_000), rows=2),
    Awkward(
        file="a title.csv",
        by="a hand",
        write=written(f"Our services,,,,,\n,,,,,\n{TWO}"),
        refused=["--header-row 3"],
    ),
    Awkward(
        file="a title, told.csv",
        by="a hand",
        write=written(f"Our services,,,,,\n,,,,,\n{TWO}"),
        options=RunOptions(header_row=3),
        rows=2,
        shows={"A4": "A"},
    ),
    Awkward(
        file="further right.csv",
        by="a hand",
        write=written(table(["", "", *service("A", 5)], names=["", "", *NAMES])),
        rows=1,
        codes={"D2": "INVALID_DATA"},
    ),
    Awkward(
        file="amounts.csv",
        by="a hand",
        write=written(
            table(
                *(
                    service(f"S{n}", 60, price)
                    for n, price in enumerate(["€ 1,250.00", "$19.99", "19.99 USD", "1'250.00", "1\u00a0250.00"])
                )
            )
        ),
        rows=5,
    ),
    Awkward(
        file="ids that Excel rounded.csv",
        by="Excel",
        operation="set-service-status",
        write=written(
            table(
                ["5.54597E+18", "Available"],
                [f"'{ID}", "Available"],
                [f'="{ID[:-1]}2"', "Available"],
                names=STATUS_NAMES,
            )
        ),
        rows=3,
        codes={"A2": "ID_PRECISION_LOST"},
    ),
    Awkward(
        file="errors that Excel left.csv",
        by="Excel",
        write=written(table(service("A", "#N/A"), service("B", 60, "#REF!"))),
        rows=2,
        codes={"B2": "CELL_ERROR", "F3": "CELL_ERROR"},
    ),
    Awkward(
        file="a quote never closed.csv", by="a hand", write=written(TWO + '"C,60\n'), refused=["never closed", "row 4"]
    ),
    Awkward(file="a NUL.csv", by="a fault", write=written(TWO + "C\0,60\n"), refused=["Row 4", "NUL"]),
    Awkward(file="no rows.csv", by="a scheduled export", write=written(table()), rows=0, told=["a header and no rows"]),
    Awkward(file="empty.csv", by="a scheduled export", write=written(""), refused=["is empty"]),
    Awkward(
        file="names as people write them.csv",
        by="a hand",
        write=written(table(service(), names=[name.upper().replace(" ", "_ ") for name in NAMES])),
        rows=1,
    ),
]
