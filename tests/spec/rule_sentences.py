"""The words of the table of rules: a sentence of the vendor's pages, rows that break just it, rows that keep to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from judged_rows import Cells

CREATE, UPDATE, STATUS = "create-services", "update-services", "set-service-status"
SCORING, HOURS, PREFERENCES = "set-scoring-rule-status", "update-business-hours", "update-service-preferences"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What a page says (paraphrased), the code and the field of what is said to a row that breaks it.

    Each row is what differs from the good row of the operation (`judged_rows.GOOD`); a `None` blanks the cell. `rule`
    is the name of the rule in `spec`, blank for what belongs to one field alone. `around` is what differs in the
    organisation; `needs_reading` marks what `check` leaves open because only the organisation can tell.
    """

    says: str
    code: str
    field: str
    breaks: tuple[Cells, ...]
    keeps: tuple[Cells, ...]
    operations: tuple[str, ...] = (CREATE, UPDATE)
    rule: str = ""
    around: Mapping[str, object] = field(default_factory=dict)
    needs_reading: bool = False


def mandatory(name: str, operation: str, *kept: Cells) -> Sentence:
    """Return the sentence that every row must give a field; neither a blank cell nor #CLEAR does."""
    return Sentence(
        says=f"{name} is mandatory.",
        code="MANDATORY_NOT_FOUND",
        field=name,
        breaks=({name: None}, {name: "  "}, {name: "#CLEAR"}),
        keeps=kept or ({},),
        operations=(operation,),
    )
