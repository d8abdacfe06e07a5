"""Pages by number: reading `page` and `per_page`, and cutting a list accordingly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bulkzcrm.sandbox.answers import Answer, refuse
from bulkzcrm.sandbox.jsontext import Json

PER_PAGE_MOST = 200


def whole_parameter(query: Mapping[str, str], name: str, default: int, most: int | None = None) -> int:
    """A parameter that is a whole number from 1. Raises Refused for anything else."""
    written = query.get(name, str(default))
    value = int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0
    if value < 1 or (most is not None and value > most):
        raise refuse(400, "INVALID_DATA", f"{name} is out of range", {"param_name": name})
    return value


def page_query(query: Mapping[str, str], default: int = PER_PAGE_MOST) -> tuple[int, int]:
    """The asked page and its size."""
    return whole_parameter(query, "page", 1), whole_parameter(query, "per_page", default, PER_PAGE_MOST)


def page_of(wrapper: str, rows: Sequence[Json], asked: tuple[int, int]) -> Answer:
    """One page of a list that is small enough to be held; 204 without a body when the page is empty."""
    page, per_page = asked
    shown = list(rows[(page - 1) * per_page : page * per_page])
    if not shown:
        return Answer(204)
    info: Json = {
        "per_page": per_page,
        "count": len(shown),
        "page": page,
        "more_records": page * per_page < len(rows),
    }
    return Answer(200, {wrapper: shown, "info": info})
