"""What "now" in a row becomes when the row is sent: the moment of sending by the server's clock, less one minute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from bulkzcrm.model import Record
from bulkzcrm.spec.facts import NOW
from bulkzcrm.spec.fields import Field, Kind

__all__ = ["at_moment"]

_A_MOMENT_AGO = timedelta(minutes=1)


def at_moment(fields: Iterable[Field], record: Record, sent: datetime, zone: tzinfo | None) -> Record:
    """Return a record as it is sent at that moment; in `zone`, or UTC, to the second.

    The journal keeps the moment to the millisecond, so that what was sent can be told from it again.
    """
    names = [each.name for each in fields if each.kind is Kind.DATETIME and record.get(each.name) == NOW]
    if not names:
        return record
    moment = (sent - _A_MOMENT_AGO).astimezone(zone or UTC).isoformat(timespec="seconds")
    return {**record, **dict.fromkeys(names, moment)}
