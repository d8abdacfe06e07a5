"""What an edge is: the limit of one rule, with changes to a sound record that just keep it, or just break it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from hypothesis import strategies as st
from strategies import Said, Said_by_field

CREATE: Final = "create-services"
UPDATE: Final = "update-services"
STATUS: Final = "set-service-status"
RULE_STATUS: Final = "set-scoring-rule-status"
HOURS: Final = "update-business-hours"
PREFERENCES: Final = "update-service-preferences"

WRITES: Final = (CREATE, UPDATE)
ALL: Final = (CREATE, UPDATE, STATUS)
CHANGES: Final = (UPDATE, STATUS)

Changes: TypeAlias = st.SearchStrategy[Said_by_field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Both sides of one rule's limit.

    `rule` is one of our rules by its name, or a limit of a field (`Duration maximum`); `code` is the page's. `refused`
    and `accepted` draw changes to a sound record. `in_world` names the organisation in which the edge can be met.
    `server_alone` says why our client sends what the server refuses; `server_unasked` why there is no request to send.
    """

    rule: str
    operations: tuple[str, ...]
    code: str
    refused: Changes
    accepted: Changes
    name: str = ""
    in_world: str = "seeded"
    server_alone: str = ""
    server_unasked: str = ""

    def __repr__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return f"{self.rule} ({self.name})" if self.name else self.rule


def edge(
    rule: str, operations: tuple[str, ...], code: str, *, refused: Changes, accepted: Changes, **more: str
) -> Edge:
    return Edge(rule=rule, operations=operations, code=code, refused=refused, accepted=accepted, **more)


def always(*records: Said_by_field) -> Changes:
    """One of these."""
    return st.sampled_from(records)


def fields(_record: Said_by_field | None = None, **drawn: Said | st.SearchStrategy[Said]) -> Changes:
    """A record of fixed and of drawn values."""
    values = {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in drawn.items()}
    return st.fixed_dictionaries(values).map(lambda found: {**(_record or {}), **found})
