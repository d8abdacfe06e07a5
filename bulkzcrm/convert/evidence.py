"""A column's rows prove together how it writes dates and numbers; the proof is kept, and told to the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bulkzcrm.convert.dates import DateOrder
from bulkzcrm.convert.headers import called_first
from bulkzcrm.convert.money import DecimalMark
from bulkzcrm.convert.values import Evidence, quoted
from bulkzcrm.model import Column
from bulkzcrm.spec.fields import Kind

__all__ = ["ColumnEvidence", "Decision", "Proof", "reading_in_force", "told"]

_ORDERS = {DateOrder.DMY: "day/month/year", DateOrder.MDY: "month/day/year"}
_MARKS: dict[DecimalMark, str] = {".": "a decimal point", ",": "a decimal comma"}


@dataclass(frozen=True, slots=True)
class Proof:
    """The first row of a column that proves something, and what it says."""

    row: int
    text: str


@dataclass(slots=True)
class ColumnEvidence:
    """What the rows seen so far prove about one column: the first proof of each kind, and the first row left open."""

    column: Column
    kind: Kind
    proofs: dict[Evidence, Proof] = field(default_factory=dict)
    open_example: Proof | None = None

    def note(self, evidence: tuple[Evidence, ...], row: int, text: str, *, is_open: bool) -> None:
        """Take one row's evidence."""
        for proof in evidence:
            if proof not in self.proofs:
                self.proofs[proof] = Proof(row, text)
        if is_open:
            self.open_example = self.open_example or Proof(row, text)

    def decide(self) -> Decision:
        """Return how the column is to be read.

        A date order needs proof, and no proof of another. A decimal comma needs the same; without it the point is the
        decimal mark, and a comma before three digits stands between thousands.
        """
        return Decision(
            date_order=self._date_order(),
            decimal="," if self._only(Evidence.COMMA, Evidence.POINT) else ".",
            decimal_is_proved=self._only(Evidence.COMMA, Evidence.POINT) or self._only(Evidence.POINT, Evidence.COMMA),
        )

    def _date_order(self) -> DateOrder | None:
        if self._only(Evidence.DAY_FIRST, Evidence.MONTH_FIRST):
            return DateOrder.DMY
        return DateOrder.MDY if self._only(Evidence.MONTH_FIRST, Evidence.DAY_FIRST) else None

    def _only(self, wanted: Evidence, other: Evidence) -> bool:
        return wanted in self.proofs and other not in self.proofs


@dataclass(frozen=True, slots=True)
class Decision:
    """How a column is read; without a date order, dates that are open stay so."""

    date_order: DateOrder | None
    decimal: DecimalMark
    decimal_is_proved: bool = True


def told(evidence: ColumnEvidence, decision: Decision) -> str | None:
    """Return a sentence about how a column's open rows were settled, or None if there is nothing to tell."""
    subject = called_first(evidence.column)
    for first, second, verdict in (
        (Evidence.DAY_FIRST, Evidence.MONTH_FIRST, "dates that could be either stay unsettled"),
        (Evidence.POINT, Evidence.COMMA, "the point is taken for the decimal mark"),
    ):
        one, other = evidence.proofs.get(first), evidence.proofs.get(second)
        if one is not None and other is not None:
            return (
                f"{subject} is not of one kind: row {one.row} says {quoted(one.text)}, "
                f"row {other.row} says {quoted(other.text)}; {verdict}."
            )
    example = evidence.open_example
    return None if example is None else _told_decision(subject, evidence, decision, example)


def _told_decision(subject: str, evidence: ColumnEvidence, decision: Decision, example: Proof) -> str | None:
    proof = next(iter(evidence.proofs.values()), None)
    if evidence.kind is Kind.MONEY:
        how = f"with {_MARKS[decision.decimal]}"
    elif decision.date_order is not None:
        how = f"as {_ORDERS[decision.date_order]}"
    else:
        return None
    if proof is None:
        because = f"{subject} is read {how}, because no row proves another"
        if evidence.kind is Kind.MONEY and "," not in example.text:
            # What only a proof would settle is refused by its row (see `money`).
            text = quoted(example.text)
            return f"{because}; what may have thousands behind the point, as {text} in row {example.row}, is refused."
        return f"{because}; row {example.row} says {quoted(example.text)}."
    return f"{subject} is read {how}, because row {proof.row} says {quoted(proof.text)}."


def reading_in_force(columns: Mapping[str, ColumnEvidence]) -> dict[str, str]:
    """Return the options that make another run read alike: `date_format` and `decimal`.

    Each only if all the columns concerned agree: an option holds for the whole source, and must not settle in passing
    a column that its own rows left open.
    """
    told_something = [evidence for evidence in columns.values() if evidence.proofs or evidence.open_example]
    orders = {one.decide().date_order for one in told_something if one.kind is not Kind.MONEY}
    decided = [one.decide() for one in told_something if one.kind is Kind.MONEY]
    marks = {decision.decimal for decision in decided if decision.decimal_is_proved}
    reading = {}
    if len(orders) == 1 and (order := orders.pop()) is not None:
        reading["date_format"] = order.value
    if len(marks) == 1:
        reading["decimal"] = marks.pop()
    return reading
