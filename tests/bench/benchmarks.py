"""All groups of figures, in the order of the table; each row of the targets is one of their lines."""

from __future__ import annotations

from .rounds import Group
from .runs import adaptive, memory, running, sending
from .scale import Scale
from .stages import checking, ingest, starting, xlsx_reading, xlsx_report

__all__ = ["groups"]

_GROUPS = (sending, ingest, running, checking, xlsx_reading, xlsx_report, starting, adaptive, memory)


def groups(scale: Scale) -> tuple[Group, ...]:
    """Return all groups."""
    return tuple(group(scale) for group in _GROUPS)
